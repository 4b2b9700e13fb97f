"""Entries for a server at an address: a team's, which each client reaches with its user's key."""

from typing import Any
from urllib.parse import urlsplit

from atoms_campaigns_mcp.cli.install.clients import Client
from atoms_campaigns_mcp.cli.install.entry import KEY, Entry
from atoms_campaigns_mcp.config.parsing import LOOPBACK
from atoms_campaigns_mcp.errors import ConfigurationError

PATH = "/mcp"  # where `serve --http` has it, perhaps below what a proxy adds
# What an entry of either kind says of its start or address; another kind leaves none of it.
KEYS = ("headers", "http_headers", "bearer_token_env_var")
ADDRESS = ("url", "httpUrl", *KEYS)
OURS = ("type", "command", "args", "env", *ADDRESS)


def checked(url: str) -> str:
    """Return the address of a server, if a key may be sent there.

    Raises:
        ConfigurationError: It is none, or a key would be sent in the clear or stand in it.
    """
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment:
        raise ConfigurationError(
            "--url is no address of a server.",
            next_step=f"Give it as https://HOST{PATH}, with nothing behind it.",
        )
    if parts.username is not None:
        raise ConfigurationError(
            "--url holds a name or password.", next_step="Leave it out; the key is the sign-on."
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ConfigurationError(
            "--url would send the key in the clear.",
            next_step="Use https://, or http:// on this machine only.",
        )
    if not parts.path.endswith(PATH):
        raise ConfigurationError(
            "--url does not end where the server is.", next_step=f"Its path ends with {PATH}."
        )
    return url


def remote_entry(client: Client, present: Entry, url: str, *, signs_on: bool, key: str) -> Entry:
    """Return the entry for a server at `url`, keeping what its user added to the `present` one.

    `signs_on` is for servers with `--auth oauth` or `none`: the client sends no key. Else it sends
    `key`, or, without one, what stands in its user's environment.

    Raises:
        ConfigurationError: The client takes no address from its file.
    """
    form = client.remote
    if form is None:
        raise ConfigurationError(
            f"{client.title} takes no address from its file.",
            next_step="Add it there under Settings > Connectors; that needs a server with "
            "--auth oauth, which its cloud can reach.",
        )
    kept = {name: value for name, value in present.items() if name not in OURS}
    kind: Entry = {"type": "http"} if client.typed else {}
    entry: dict[str, Any] = {**kept, **kind, form.address: url}
    if signs_on:
        return entry
    if key:
        return {**entry, form.headers: {"Authorization": f"Bearer {key}"}}
    if form.variable:
        return {**entry, form.variable: KEY}
    return {**entry, form.headers: {"Authorization": f"Bearer {form.reference}"}}


def is_remote(client: Client, present: Entry) -> bool:
    """Return whether an entry leads to a server like ours at an address."""
    url = str(present.get(client.remote.address, "")) if client.remote else ""
    return not present.get("command") and urlsplit(url).path.endswith(PATH)
