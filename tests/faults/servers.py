"""Our server as real child processes on one state folder, each killed now and then."""

import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

from tests.support.serving import text_of

CHANGING = {"create_campaign", "start_campaign", "pause_campaign", "delete_campaign"}
LONGEST_CALL = 120.0  # seconds; a call that takes longer counts as one without an answer
KINDS: tuple[tuple[str, bool], ...] = (("2026-07-28", True), ("legacy", True), ("legacy", False))


class Killed(Exception):
    """The server was killed before it answered."""


class NoResult(Exception):
    """It is alive, or should be, and gave no tool result."""


@dataclass
class Server:
    """One place for a child; after a kill, the next child takes it.

    `kill_after` gives how many changing calls a child gets before it is killed in one of them;
    `person` hears every question and says yes.
    """

    number: int
    folder: Path
    env: dict[str, str]
    dice: random.Random
    kill_after: Callable[[random.Random], int] | None
    person: Callable[[str], None]
    kills: int = 0
    crashes: list[str] = field(default_factory=list[str])
    _client: Client | None = None
    _ready: anyio.Event = field(default_factory=anyio.Event)
    _gone: anyio.Event = field(default_factory=anyio.Event)
    _doomed: anyio.Event = field(default_factory=anyio.Event)
    _left: int = 0
    _over: bool = False

    @property
    def log(self) -> Path:
        return self.folder / f"server-{self.number}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"server-{self.number}.pid"

    async def keep(self) -> None:
        """Run children, one after the other, until `end`."""
        while not self._over:
            self._gone = anyio.Event()
            self._left = self.kill_after(self.dice) if self.kill_after else -1
            self._doomed = anyio.Event()
            async with self._connect() as self._client, anyio.create_task_group() as tasks:
                tasks.start_soon(self._kill_when_doomed)
                self._ready.set()
                await self._gone.wait()
                self._ready = anyio.Event()
                tasks.cancel_scope.cancel()

    def end(self) -> None:
        self._over = True
        self._gone.set()

    @asynccontextmanager
    async def _connect(self) -> AsyncGenerator[Client]:
        era, can_ask = KINDS[self.number % len(KINDS)]
        # The shell leaves its process id, which the SDK does not tell, and becomes the server.
        words = ["-c", 'echo $$ >"$0"; exec "$@"', str(self._pid_file), sys.executable]
        child = StdioServerParameters(
            command="/bin/sh", args=[*words, "-m", "atoms_campaigns_mcp"], env=self.env
        )
        with self.log.open("a", encoding="utf-8") as errors:
            transport = stdio_client(child, errlog=errors)
            elicit = self._says_yes if can_ask else None
            async with Client(transport, mode=era, elicitation_callback=elicit) as client:
                yield client

    async def _says_yes(self, context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002
        self.person(params.message)
        return ElicitResult(action="accept", content={"confirm": True})

    async def call(self, tool: str, arguments: dict[str, Any]) -> tuple[CallToolResult, str]:
        """Call a tool; give the result and its text.

        Raises:
            Killed: We killed the server meanwhile.
            NoResult: JSON-RPC error, time-out, or the server ended by itself.
        """
        await self._ready.wait()
        client, gone = cast("Client", self._client), self._gone
        answers: list[CallToolResult] = []
        failures: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_with, gone, tasks.cancel_scope)
            if tool in CHANGING:
                self._left -= 1
                if self._left == 0:
                    self._doomed.set()
            try:
                answers.append(await client.call_tool(tool, arguments, LONGEST_CALL))
            except MCPError as error:
                failures.append(f"JSON-RPC error {error.error.code}: {error.error.message}")
            tasks.cancel_scope.cancel()
        return self._outcome(answers, failures, gone)

    def _outcome(
        self, answers: list[CallToolResult], failures: list[str], gone: anyio.Event
    ) -> tuple[CallToolResult, str]:
        if answers:
            return answers[0], text_of(answers[0])
        if gone.is_set() or not failures:
            raise Killed
        if not self._alive():
            self.crashes.append(f"server {self.number} ended by itself; see {self.log.name}")
            gone.set()
        raise NoResult(failures[0])

    async def _end_with(self, gone: anyio.Event, scope: anyio.CancelScope) -> None:
        await gone.wait()
        scope.cancel()

    async def _kill_when_doomed(self) -> None:
        await self._doomed.wait()
        await anyio.sleep(self.dice.uniform(0, 1.5))
        os.kill(self._pid(), signal.SIGKILL)
        self.kills += 1
        self._gone.set()

    def _pid(self) -> int:
        return int(self._pid_file.read_text("utf-8"))

    def _alive(self) -> bool:
        try:
            os.kill(self._pid(), 0)
        except ProcessLookupError:
            return False
        return True

    def tracebacks(self) -> list[str]:
        """Return the tracebacks that its children wrote, as lines of the log."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return [line[-4000:] for line in lines if "Traceback (most recent" in line]
