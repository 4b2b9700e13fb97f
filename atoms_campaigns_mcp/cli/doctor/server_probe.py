"""Start a server as a client would, and ask it for its tools, in lines of JSON-RPC."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import anyio
from anyio.abc import ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli.install.entry import dict_of
from atoms_campaigns_mcp.redaction import redact

PATIENCE = 20.0  # seconds for both answers; clients wait 10 to 60
PARTING = 5.0  # seconds in which a server should end once its input has
LONGEST_LINE = 4_000_000  # bytes
LAST_WORDS = 200  # characters of stderr that are shown
ENDED = (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError)
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "atoms-campaigns-mcp doctor", "version": __version__},
}


class NotStarted(Exception):
    """The command does not start a server; the text says why, without keys."""


@dataclass(frozen=True, slots=True)
class Started:
    """What a server said of itself."""

    version: str
    tools: int


async def start(
    words: list[str], env: Mapping[str, str], folder: Path, patience: float = PATIENCE
) -> Started:
    """Run a command in `folder` with nothing but `env`, ask, and end it.

    Raises:
        NotStarted: It cannot be run, ends, says something else, or takes longer than `patience`
            seconds.
    """
    try:
        process = await anyio.open_process(
            words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=dict(env), cwd=folder
        )
    except (OSError, ValueError) as error:
        raise NotStarted(f"it cannot be run ({type(error).__name__})") from error
    said = bytearray()
    started = None
    try:
        with anyio.fail_after(patience):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_listen, process, said)
                with suppress(*ENDED):
                    started = await _ask(process)
                    tasks.cancel_scope.cancel()
    except TimeoutError:
        raise NotStarted(f"no answer within {patience:g} seconds{_last(said)}") from None
    finally:
        await _end(process, min(PARTING, patience))
    if isinstance(started, Started):
        return started
    raise NotStarted((started or "it ended without an answer") + _last(said))


async def _ask(process: Process) -> Started | str:
    """Return what the server said of itself, or what is wrong with its answers."""
    if process.stdin is None or process.stdout is None:
        raise TypeError("a process without pipes")
    lines = BufferedByteReceiveStream(process.stdout)
    hello = await _request(process.stdin, lines, 1, "initialize", INITIALIZE)
    await _send(process.stdin, {"method": "notifications/initialized"})
    listed = await _request(process.stdin, lines, 2, "tools/list", {})
    try:
        return Started(str(hello["serverInfo"]["version"]), len(listed["tools"]))
    except (KeyError, TypeError):
        return "it answered with something else than a server's name and tools"


async def _request(
    stdin: ByteSendStream,
    lines: BufferedByteReceiveStream,
    number: int,
    method: str,
    params: dict[str, Any],
) -> dict[str, Any]:
    await _send(stdin, {"id": number, "method": method, "params": params})
    while True:
        line = await lines.receive_until(b"\n", LONGEST_LINE)
        try:
            message = json.loads(line)
        except ValueError:
            continue  # clients pass over what is no message
        if dict_of(message).get("id") == number:
            return dict_of(message.get("result"))


async def _send(stdin: ByteSendStream, message: dict[str, Any]) -> None:
    await stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


async def _listen(process: Process, said: bytearray) -> None:
    """Keep what the server complains of, and its pipe empty."""
    if process.stderr is None:
        raise TypeError("a process without pipes")
    async for piece in process.stderr:
        said[:] = (bytes(said) + piece)[-4 * LAST_WORDS :]


def _last(said: bytearray) -> str:
    lines = redact(said.decode("utf-8", "replace")).strip().splitlines()
    return f": {lines[-1][:LAST_WORDS]}" if lines else ""


async def _end(process: Process, parting: float) -> None:
    with anyio.CancelScope(shield=True):
        with anyio.move_on_after(parting), suppress(anyio.BrokenResourceError):
            if process.stdin is not None:
                await process.stdin.aclose()
            await process.wait()
        if process.returncode is None:
            process.kill()
        await process.aclose()
