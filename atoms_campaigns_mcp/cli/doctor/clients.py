"""Checks of the clients on this machine: what they are told of our server, and whether it works."""

import shlex
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.cli.doctor.server_probe import NotStarted, Started
from atoms_campaigns_mcp.cli.install import formats, safe_write
from atoms_campaigns_mcp.cli.install.clients import CLIENTS, Client
from atoms_campaigns_mcp.cli.install.entry import SERVER, Entry, dict_of, has_key, is_ours, words
from atoms_campaigns_mcp.cli.install.machine import Machine
from atoms_campaigns_mcp.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry for our server; `folder` is the project that it is for, if for one only."""

    client: Client
    path: Path
    server: str
    entry: Entry
    folder: str

    @property
    def name(self) -> str:
        return f"client {self.client.name}"

    def __str__(self) -> str:
        return f"{self.path} [{self.server}]" + (f" for {self.folder}" if self.folder else "")


Start = Callable[[list[str], Mapping[str, str], Path], Awaitable[Started]]
"""Starts a command with an environment in a folder, or raises `NotStarted`."""


async def clients(machine: Machine, start: Start, scratch: Path) -> AsyncIterator[Check]:
    """Judge the configuration of each client that has one; servers started keep state in `scratch`.

    Only the user's own files are read. A project's file comes with the project, and starting what
    it names would run a stranger's command.
    """
    found = named = 0
    for client in CLIENTS.values():
        name = f"client {client.name}"
        try:
            path = client.file(machine)
            text = safe_write.text_of(path)
            if text is None:
                continue
            found += 1
            data = formats.read(client, text)
        except ConfigurationError as error:
            yield warning(name, error.message, "Not checked; look at the file yourself.")
            continue
        for server in formats.servers(client, data):
            entry = _Found(client, path, *server)
            if is_ours(entry.entry) or entry.server == SERVER:
                named += 1
                yield await _started(entry, machine, start, scratch)
                if has_key(entry.entry) and not machine.windows and safe_write.open_to_others(path):
                    yield warning(
                        f"key in {client.name}",
                        f"{path} holds an API key and others can read it.",
                        f"chmod 600 {shlex.quote(str(path))}",
                    )
    if not named:
        yield ok("clients", f"{found} configurations found, none names this server; see: install.")


async def _started(found: _Found, machine: Machine, start: Start, scratch: Path) -> Check:
    command = words(found.entry)
    own = {key: str(value) for key, value in dict_of(found.entry.get("env")).items()}
    if any("${" in word for word in (*command, *own.values())):
        return ok(found.name, f"{found} has values that only the client fills in; not started.")
    if not command[0]:
        return ok(found.name, f"{found} is an address, not a command; not started.")
    environ = {
        k: v for k, v in machine.environ.items() if not k.startswith(("ATOMS_", "SMALLEST_"))
    }
    # Its own state folder would lose the report that its next real start owes to the user.
    environ |= own | {"ATOMS_MCP_STATE": str(scratch)}
    path = own.get("PATH", machine.environ.get("PATH"))
    where = Path(str(found.entry.get("cwd") or found.folder or machine.home))
    command[0] = shutil.which(command[0], path=path) or command[0]
    try:
        started = await start(command, environ, where)
    except NotStarted as error:
        return failed(
            found.name,
            f"{found} does not start: {error}.",
            f"Repeat {machine.command} install {found.client.name}, then restart the client.",
        )
    return ok(found.name, f"{found} starts: version {started.version}, {started.tools} tools.")
