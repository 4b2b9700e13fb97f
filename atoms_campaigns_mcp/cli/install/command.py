"""The command `install CLIENT`: write, print or remove our entry in a client's configuration."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from atoms_campaigns_mcp.cli.install import formats, remote, safe_write
from atoms_campaigns_mcp.cli.install.clients import CLIENTS, Client
from atoms_campaigns_mcp.cli.install.entry import (
    KEY,
    SERVER,
    Entry,
    dict_of,
    entry,
    has_key,
    is_ours,
)
from atoms_campaigns_mcp.cli.install.environment import settings_of
from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.config.settings import DEFAULT_API_URL, Settings
from atoms_campaigns_mcp.errors import ConfigurationError

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what every client takes


@dataclass(frozen=True, slots=True)
class InstallOptions:
    """What the user asked for; without a client, to list them.

    With `url` the entry leads to a server at an address, whose `auth` is as in `serve --auth`.
    """

    client: str = ""
    url: str = ""
    auth: str = "key"
    server_name: str = SERVER
    only_print: bool = False
    remove: bool = False
    with_key: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """The file to change: its text, and our entry in it, if it has them."""

    client: Client
    name: str
    path: Path
    old: str | None
    present: Entry


def run(order: InstallOptions, machine: Machine, out: TextIO, err: TextIO) -> int:
    """Carry out the order and say what was done; 0 unless the file cannot be changed.

    Raises:
        ConfigurationError: The order itself is refused, and nothing was changed.
    """
    if not order.client:
        return _found(machine, out)
    client = CLIENTS[order.client]
    path = client.file(machine)
    url = remote.checked(order.url) if order.url else ""
    if not NAME.fullmatch(order.server_name):
        raise ConfigurationError(
            "--server-name is not valid.", next_step="Use 1 to 64 letters, digits, - and _."
        )
    if order.only_print and order.with_key:
        raise ConfigurationError("--print never shows a key.", next_step="Use one of the two.")
    settings, secrets = ({}, []) if order.remove or url else settings_of(machine)
    make = _maker(order, machine, client, settings)
    shown = make({}, {})
    snippet = formats.snippet(client, order.server_name, shown).rstrip()
    if order.only_print:
        print(f"Put this into {path}", file=err)
        print(snippet, file=out)
        return 0
    account = _account(machine) if order.with_key and not order.remove else {}
    try:
        target = _target(client, order.server_name, path)
        if order.remove:
            print(_remove(target, machine), file=out)
        else:
            wanted = make(target.present, account)
            print(_write(target, machine, wanted), file=out)
            print(_about_settings(settings, secrets), end="", file=out)
    except ConfigurationError as error:
        print(error, file=err)
        if not order.remove:
            print(f"To paste into {path}:\n{snippet}", file=err)
        return 1
    return 0


def _maker(
    order: InstallOptions, machine: Machine, client: Client, settings: Mapping[str, str]
) -> Callable[[Entry, Mapping[str, str]], Entry]:
    """Return what makes the entry from the present one and the variables of an API key."""

    def make(present: Entry, account: Mapping[str, str]) -> Entry:
        if not order.url:
            present = {k: v for k, v in present.items() if k not in remote.ADDRESS}
            return entry(machine, client, present, settings, account)
        signs_on = order.auth != "key"
        key = account.get(KEY, "")
        return remote.remote_entry(client, present, order.url, signs_on=signs_on, key=key)

    return make


def _found(machine: Machine, out: TextIO) -> int:
    """List the clients: which have a file here, and which of these name this server."""
    for client in CLIENTS.values():
        path = client.file(machine)
        try:
            text = safe_write.text_of(path)
            state = "not found" if text is None else "found"
            table = formats.read(client, text or "").get(client.table)
            if any(_ours(client, dict_of(present)) for present in dict_of(table).values()):
                state = "installed"
        except ConfigurationError as error:
            state = f"cannot be read: {error.message}"
        print(f"{client.name:<15} {state:<10} {path}", file=out)
    print(f"\n{machine.command} install CLIENT writes the entry; --print shows it.", file=out)
    return 0


def _ours(client: Client, present: Entry) -> bool:
    return is_ours(present) or remote.is_remote(client, present)


def _target(client: Client, name: str, path: Path) -> _Target:
    old = safe_write.text_of(path)
    data = formats.read(client, old or "")
    present = dict_of(dict_of(data.get(client.table)).get(name))
    if present and not _ours(client, present):
        raise ConfigurationError(
            f'{path} has a server "{name}" that is not this one.',
            next_step="Nothing was changed: give another name with --server-name.",
        )
    return _Target(client, name, path, old, present)


def _remove(target: _Target, machine: Machine) -> str:
    if target.old is None or not target.present:
        return f'Nothing to remove: {target.path} names no server "{target.name}".'
    new = formats.changed(target.client, target.old, target.name, None)
    backup = safe_write.replace(target.path, target.old, new, at=machine.now(), private=False)
    return f"Removed from {target.path} (backup: {backup}). Restart {target.client.title}."


def _write(target: _Target, machine: Machine, wanted: Entry) -> str:
    path, old = target.path, target.old
    private = has_key(wanted) and not machine.windows
    exposed = private and old is not None and safe_write.open_to_others(path)
    if wanted == target.present and not exposed:
        return f"Nothing changed: {path} is up to date."
    new = formats.changed(target.client, old or "", target.name, wanted)
    backup = safe_write.replace(path, old, new, at=machine.now(), private=private)
    kept = f" (backup: {backup})" if backup else ""
    title = target.client.title
    return (
        f"Wrote {path}{kept}. Restart {title}, then: {machine.command} doctor\n"
        f"{_about_key(wanted, path)}"
    )


def _about_key(wanted: Entry, path: Path) -> str:
    if has_key(wanted):
        return "The file holds the API key: this server goes live with it."
    if not wanted.get("command"):
        sends = any(name in wanted for name in remote.KEYS)
        sent = f"The client sends what {KEY} is in its environment" if sends else "No key is sent"
        return f"{sent}: the server at that address decides what is live."
    live = dict_of(wanted.get("env")).get("ATOMS_MCP_LIVE")
    without = "It does not start without a key (ATOMS_MCP_LIVE)" if live else "It uses the sandbox"
    return (
        f"{without}: no key was written. To go live, put the key into {KEY} of the entry "
        f"and keep {path.name} to yourself (chmod 600), or run this with {KEY} set and --with-key."
    )


def _about_settings(settings: Mapping[str, str], secrets: Sequence[str]) -> str:
    text = ""
    if settings:
        text += f"From this environment the entry holds: {', '.join(settings)}.\n"
    if secrets:
        text += f"Not written, as secrets: {', '.join(secrets)}. The client must pass them on.\n"
    return text


def _account(machine: Machine) -> dict[str, str]:
    """Take the key from the environment, with the address that it is for."""
    if machine.windows:
        raise ConfigurationError(
            "On Windows this command cannot make a file private, so it writes no key.",
            next_step=f"Leave out --with-key, then put the key into {KEY} of the entry yourself.",
        )
    settings = Settings.load(machine.environ, policies=machine.policies())
    if not settings.api_key:
        raise ConfigurationError(
            "--with-key takes the key from the environment, and there is none.",
            next_step=f"Set {KEY} and repeat this.",
        )
    address = {} if settings.api_url == DEFAULT_API_URL else {"ATOMS_API_URL": settings.api_url}
    return {KEY: settings.api_key, **address}
