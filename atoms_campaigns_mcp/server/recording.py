"""The journal around a change: intent before it is sent, outcome after, and time to finish."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import anyio

from atoms_campaigns_mcp.atoms.transport import request_id
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, OutcomeUnknown
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.state.store import Intent
from atoms_campaigns_mcp.telemetry import log, redact
from atoms_campaigns_mcp.tools._tool import Effect, Tool

T = TypeVar("T")
GRACE = 1.5  # seconds in which a change already sent may finish after its caller has gone
LONGEST = 200  # characters of an argument that the journal keeps; a contact list is counted only


@dataclass(slots=True)
class Recorder:
    """The guard of one call's changes; an emergency goes ahead without the journal."""

    runtime: Runtime
    tool: Tool[Any, Any]
    intent: Intent
    unrecorded: bool = False

    async def __call__(self, send: Callable[[], Awaitable[T]]) -> T:
        """Record the intent, send, record the outcome.

        Raises:
            NotRecorded: The journal cannot be written, so nothing was sent.
        """
        if self.tool.effect is Effect.READS:
            raise TypeError(f"{self.tool.name} reads, but sent a change")
        entry = await self._begin()
        return await despite_cancellation(lambda: self._carry_out(entry, send))

    async def _begin(self) -> int | None:
        if self.unrecorded:  # one wait for the journal is enough in an emergency
            return None
        try:
            now = self.runtime.clocks.now().timestamp()
            return await self.runtime.store.begin(self.intent, now)
        except NotRecorded:
            if not self.tool.emergency:
                raise
            self.unrecorded = True
            log.error("%s goes ahead without a journal entry", self.tool.name)
            return None

    async def _carry_out(self, entry: int | None, send: Callable[[], Awaitable[T]]) -> T:
        outcome, detail = "failed", ""
        try:
            answer = await send()
            outcome = "done"
        except OutcomeUnknown:
            outcome = "unknown"
            raise
        except AtomsCampaignsError as error:
            outcome, detail = "refused", redact(error.message)
            raise
        finally:
            if entry is not None:
                await self._finish(entry, outcome, detail)
        return answer

    async def _finish(self, entry: int, outcome: str, detail: str) -> None:
        # The change is made: an intent without an outcome is the honest record of this trouble.
        try:
            await self.runtime.store.finish(entry, outcome, detail, request_id.get())
        except NotRecorded:
            log.exception("the outcome of journal entry %s is not recorded", entry)


def masked(arguments: dict[str, Any]) -> str:
    """Write arguments for the journal: no phone numbers, keys, tokens or contact lists."""
    kept = {name: _masked(name, value) for name, value in arguments.items()}
    kept.pop("confirm_token", None)
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(name, entry) for entry in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    if name == "csv" or len(value) > LONGEST:
        return f"{len(value)} characters"
    return redact(value)


async def despite_cancellation(work: Callable[[], Awaitable[T]], grace: float = GRACE) -> T:
    """Run `work`; if the caller is cancelled meanwhile, give it `grace` seconds to finish.

    A client that goes away in the middle of a POST must not leave it half sent and unrecorded.
    """
    done = anyio.Event()
    scope = anyio.CancelScope(shield=True)
    answers: list[T] = []
    failures: list[Exception] = []

    async def shielded() -> None:
        with scope:
            try:
                answers.append(await work())
            except Exception as error:  # noqa: BLE001 - raised below, outside the task group
                failures.append(error)
        done.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shielded)
        try:
            await done.wait()
        except anyio.get_cancelled_exc_class():
            scope.deadline = anyio.current_time() + grace
            raise
    if failures:
        raise failures[0]
    return answers[0]
