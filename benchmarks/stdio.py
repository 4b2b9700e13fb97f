"""A server over stdio, spoken to in raw lines, so that no client's work is measured."""

import json
import os
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

CLIENT = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
# Requests a second, upstream and of one tenant: what is measured shall not wait.
UNLIMITED = dict.fromkeys(("ATOMS_MCP_RATE", "ATOMS_MCP_CLIENT_RATE"), "1000000")


def environment(**extra: str) -> dict[str, str]:
    """Hand children this environment without our settings, and let them keep compiled modules."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATOMS_", "SMALLEST_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **extra}


@dataclass
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    _ids: "count[int]" = field(default_factory=lambda: count(1))

    def send(self, method: str, **message: Any) -> None:
        assert self.process.stdin is not None
        line = json.dumps({"jsonrpc": "2.0", "method": method, **message})
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method: str, params: Any = None) -> bytes:
        """Send a request; give the line that answers it."""
        number = next(self._ids)
        self.send(method, id=number, **({} if params is None else {"params": params}))
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if json.loads(line).get("id") == number:
                return line
        raise RuntimeError("the server ended without an answer")

    def listed(self) -> bytes:
        """Shake hands; give the reply of tools/list."""
        self.ask("initialize", CLIENT)
        self.send("notifications/initialized")
        return self.ask("tools/list")

    def called(self, tool: str) -> float:
        """Return the seconds that a call without arguments takes."""
        begun = time.perf_counter()
        line = self.ask("tools/call", {"name": tool, "arguments": {}})
        taken = time.perf_counter() - begun
        result = json.loads(line)["result"]
        assert not result.get("isError"), result
        return taken


@contextmanager
def started(command: Sequence[str], env: dict[str, str]) -> Generator[Server]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    ) as process:
        try:
            yield Server(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=10)


def start_up(command: Sequence[str], env: dict[str, str]) -> float:
    """Return the seconds from spawn to the reply of tools/list."""
    begun = time.perf_counter()
    with started(command, env) as server:
        server.listed()
        return time.perf_counter() - begun
