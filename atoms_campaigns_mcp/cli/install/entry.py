"""What a client must know of our server: the command that starts it, and where the key goes."""

import re
from collections.abc import Mapping
from typing import Any, cast

from atoms_campaigns_mcp.cli.install.clients import Client
from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.errors import ConfigurationError

SERVER = "atoms-campaigns"
KEY = "SMALLEST_API_KEY"
KEYS = (KEY, "ATOMS_API_KEY")
MODULE = "atoms_campaigns_mcp"
NAMES = (MODULE, "atoms-campaigns-mcp")
# -P: else a module of the project's folder, where clients start servers, would be imported first.
START = ["-P", "-m", MODULE]
# A path to it, or a name with a version, as `uvx` takes them.
OURS = re.compile(r"(?:.*[/\\])?(?:atoms_campaigns_mcp|atoms-campaigns-mcp)(?:\.exe)?(?:[@=:].*)?")
# Folders of uv's cache, in which `uvx` makes environments that `uv cache prune` may delete.
PASSING = ("archive-v", "builds-v", "environments-v")

Entry = dict[str, Any]


def entry(
    machine: Machine,
    client: Client,
    present: Entry,
    settings: Mapping[str, str],
    account: Mapping[str, str] | None = None,
) -> Entry:
    """Return the entry for a client, keeping what its user added to the `present` one.

    Kept are other keys, environment variables (a key among them) and flags of the command.
    `settings` and `account`, the variables of an API key, replace what is there.

    Raises:
        ConfigurationError: This Python is one that will be deleted.
    """
    if any(part.startswith(PASSING) for part in re.split(r"[/\\]", machine.executable)):
        raise ConfigurationError(
            "This runs from an environment in uv's cache, which is deleted now and then.",
            next_step="Install it to stay (uv tool install, same source), then repeat this.",
        )
    kind = {"type": "stdio"} if client.typed else {}
    start = {"command": machine.executable, "args": [*START, *flags(present)]}
    environ = {KEY: "", **dict_of(present.get("env")), **settings}
    if account:
        environ = {name: text for name, text in environ.items() if name not in KEYS}
        environ.update(account)
    return {**present, **kind, **start, "env": environ}


def is_ours(present: Entry) -> bool:
    """Return whether an entry starts this server, by whatever means."""
    return _where(present) is not None


def has_key(present: Entry) -> bool:
    """Return whether an entry holds an API key itself; a reference such as `${NAME}` is none."""
    held = [str(text) for name, text in dict_of(present.get("env")).items() if name in KEYS]
    for table in ("headers", "http_headers"):
        sent = str(dict_of(present.get(table)).get("Authorization", ""))
        held.append(sent.strip().removeprefix("Bearer"))
    return any(text.strip() and not text.lstrip().startswith("$") for text in held)


def flags(present: Entry) -> list[str]:
    """Return what follows our name in the command of an entry, such as `--read-only`."""
    where = _where(present)
    return [] if where is None else words(present)[where + 1 :]


def words(present: Entry) -> list[str]:
    """Return the command of an entry with its arguments."""
    args = present.get("args")
    rest = cast("list[Any]", args) if isinstance(args, list) else []
    return [str(word) for word in (present.get("command", ""), *rest)]


def dict_of(value: Any) -> dict[str, Any]:
    """Return a JSON or TOML object, or an empty one in place of anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _where(present: Entry) -> int | None:
    """Find the word that names us: a bare name, else the first that is a path or has a version.

    A path may also be the folder of `uv run --directory …/atoms-campaigns-mcp NAME`.
    """
    parts = words(present)
    found = [index for index, word in enumerate(parts) if OURS.fullmatch(word)]
    bare = [index for index in found if parts[index] in NAMES]
    return next(iter(bare + found), None)
