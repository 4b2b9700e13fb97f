"""A real Redis on this machine, which a test may kill, freeze and start again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from atoms_campaigns_mcp.config.parsing import RedisAddress
from tests.support.emulated import free_port

PROGRAM = next(filter(None, map(shutil.which, ("redis-server", "valkey-server"))), None)


@dataclass
class RedisServer:
    """One server and its folder; what it has answered for is on the disk."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def address(self) -> RedisAddress:
        return RedisAddress(self.url)

    def start(self, *more: str) -> None:
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        words += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", *more]
        assert PROGRAM is not None
        self.process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def empty(self) -> None:
        with Redis(port=self.port) as redis:
            redis.flushdb()  # pyright: ignore[reportUnknownMemberType]

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would, as far as a program can tell."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def restart(self) -> None:
        self.kill()
        self.start()


def require_redis() -> None:
    """Skip the test on a user's machine without Redis; in CI that is a failure."""
    if PROGRAM is None:
        reason = "redis-server is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def redis_in(folder: Path) -> Generator[RedisServer]:
    require_redis()
    server = RedisServer(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()
