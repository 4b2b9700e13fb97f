"""Our server as a child process, spoken to in raw JSON-RPC lines."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

ENVELOPE = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    }
}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def environment(state: Path, **extra: str) -> dict[str, str]:
    """What a child gets: nothing of ours but what the test gives."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ATOMS_", "SMALLEST_"))}
    return {**kept, "ATOMS_MCP_STATE": str(state), **extra}


@dataclass
class Child:
    """A running server and the lines it wrote."""

    process: subprocess.Popen[str]
    lines: list[str]

    def send(
        self, method: str, params: dict[str, Any] | None = None, number: int | None = None
    ) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if number is not None:
            message["id"] = number
        if params is not None:
            message["params"] = params
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def ask(self, number: int, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request and give its answer; every line must be JSON-RPC."""
        self.send(method, params, number)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0"
            if message.get("id") == number:
                return message
        raise AssertionError("the server ended without an answer")

    def leave(self) -> tuple[int, str]:
        """Close stdin; give the exit status and what was written to stderr."""
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


OURS = (sys.executable, "-m", "atoms_campaigns_mcp")


@contextmanager
def spawned(
    *args: str, env: dict[str, str], command: Sequence[str] = OURS, cwd: Path | None = None
) -> Generator[Child]:
    process = subprocess.Popen(
        [*command, *args],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=env,
    )
    with killed_at_the_end(process):
        yield Child(process, [])


@contextmanager
def killed_at_the_end(process: subprocess.Popen[Any]) -> Generator[None]:
    """Kill it if it still runs, whatever happened: `Popen` as a context would wait for ever."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def serving_http(*args: str, env: dict[str, str]) -> Generator[tuple[Child, str]]:
    """Serve HTTP on a free port; give the child, and the address that it writes to its log."""
    with spawned("serve", "--http", "127.0.0.1:0", *args, env=env) as child:
        yield child, address(child)


@contextmanager
def shutdown(child: Child) -> Generator[list[str]]:
    """Collect its log, which would stop it once nobody reads; end it."""
    log: list[str] = []
    assert child.process.stderr is not None
    reader = Thread(target=log.extend, args=[child.process.stderr])
    reader.start()
    try:
        yield log
    finally:
        child.process.terminate()
        reader.join()


def address(child: Child) -> str:
    """Read the address that the server writes to its log once it listens."""
    assert child.process.stderr is not None
    for line in child.process.stderr:
        if found := re.search(r"http://\S+/mcp", json.loads(line)["message"]):
            return found[0]
    raise AssertionError("the server did not say where it listens")
