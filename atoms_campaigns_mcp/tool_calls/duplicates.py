"""What the state knows that the API does not tell, as the tools ask for it."""

import dataclasses
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import anyio

from atoms_campaigns_mcp.errors import NotRecorded, WrongState
from atoms_campaigns_mcp.state.guarding import STOPPED, WATCH, Watch
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls.journaling import Intent, created_by
from atoms_campaigns_mcp.tool_calls.locks import SENDING, Locks
from atoms_campaigns_mcp.toolkit.context import Earlier

MARKING = 1.0  # seconds that a stop waits for guards to be told
LATELY = 3600  # seconds in which a start that the API was sent may still take effect


@dataclass(frozen=True, slots=True)
class CallMemory:
    """The `Memory` of one call, in the state that servers share; see there."""

    locks: Locks
    intent: Intent | None = None
    """What the call is about to send; nothing while it only reads."""

    def alone(self, key: str, *, patience: float = 0.0) -> AbstractAsyncContextManager[None]:
        """See `Memory.alone`."""
        return self.locks.holding(key, _busy(), patience=patience)

    async def keep_alone(self, key: str) -> None:
        """See `Memory.keep_alone`."""
        if not await self.locks.extend(key):
            raise _busy()

    async def keep_held(self) -> None:
        """See `Memory.keep_held`."""
        if not all([await self.locks.extend(subject) for subject in [*self.locks.ends]]):
            raise _busy()

    async def begin_job(self, key: str, parts: Sequence[str]) -> Earlier:
        """See `Memory.begin_job`."""
        if self.intent is None:
            raise TypeError("a call that only reads began a job")
        runtime, known = self.locks.runtime, tuple(parts)
        # What dials are its parts, each recorded by itself.
        job = dataclasses.replace(self.intent, key=runtime.own(key), known=known, dials=False)
        entry = await runtime.store.journal.begin(job, runtime.clocks.now().timestamp())
        return Earlier(entry, known)

    async def end_job(self, job: Earlier, *, done: bool) -> None:
        """See `Memory.end_job`."""
        told = ("done", "all parts are made") if done else ("absent", "nothing of it is scheduled")
        # What was made is made: the same call would find it, and end the job then.
        try:
            await self.locks.runtime.store.journal.finish(job.entry, *told)
        except NotRecorded as error:
            log.warning("%s", error.message)

    async def unresolved(self, key: str) -> list[Earlier]:
        """See `Memory.unresolved`."""
        runtime = self.locks.runtime
        entries = await runtime.store.journal.unresolved(runtime.own(key))
        return [Earlier(entry.id, entry.intent.known) for entry in entries]

    async def resolve(self, earlier: Sequence[Earlier], *, found: object | None) -> None:
        """See `Memory.resolve`."""
        outcome = "absent" if found is None else "done"
        finish = self.locks.runtime.store.journal.finish
        for one in earlier:
            await finish(one.entry, outcome, "looked for again later", created=created_by(found))

    async def begun(self, besides: str = "") -> list[str]:
        """See `Memory.begun`."""
        runtime = self.locks.runtime
        found = await runtime.store.journal.begun(
            runtime.account, runtime.clocks.seconds() - LATELY
        )
        but = {besides, runtime.own(besides)} if besides else set[str]()
        others = [e.intent for e in found if not {e.intent.campaign_id, e.intent.key} & but]
        known = dict.fromkeys(intent.campaign_id for intent in others if intent.campaign_id)
        return [*known, *("" for intent in others if not intent.campaign_id)]

    async def saw(self, campaign_id: str) -> None:
        """See `Memory.saw`."""
        runtime = self.locks.runtime
        try:
            await runtime.store.journal.saw(runtime.account, campaign_id)
        except NotRecorded as error:  # then it is looked at again
            log.warning("%s", error.message)

    async def stopped(self, campaign_ids: Sequence[str]) -> bool:
        """See `Memory.stopped`."""
        runtime, trouble = self.locks.runtime, None
        now, store = str(runtime.clocks.seconds()), runtime.store.guard
        try:
            with anyio.move_on_after(MARKING, shield=True):
                if not campaign_ids or WATCH not in await store.kept(runtime.account):
                    return True  # there has never been a guard
                # All at once: however many they are, none is left for when the time is up.
                marks = [STOPPED + campaign_id for campaign_id in campaign_ids]
                await store.keep_each(runtime.account, marks, now)
                return True
        except NotRecorded as error:
            log.warning("%s", error.message)
        except Exception as error:  # noqa: BLE001 - no trouble of the state may end a stop
            trouble = error
        told = ", ".join(campaign_ids)
        log.error("a guard does not know that a person stopped %s", told, exc_info=trouble)
        return False

    async def guarded(self) -> Watch | None:
        """See `Memory.guarded`."""
        runtime = self.locks.runtime
        kept = await runtime.store.guard.kept(runtime.account)
        return Watch.read(kept, runtime.clocks.seconds())

    async def callers(self, campaign_id: str) -> tuple[str, ...] | None:
        """See `Memory.callers`."""
        runtime = self.locks.runtime
        try:
            return await runtime.store.caller_ids.get(runtime.account, campaign_id)
        except NotRecorded:  # reading is possible without the state
            return None

    async def keep_callers(self, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """See `Memory.keep_callers`."""
        runtime = self.locks.runtime
        # The campaign is made: an error now would say that nothing was sent.
        try:
            await runtime.store.caller_ids.keep(runtime.account, campaign_id, phone_ids)
        except NotRecorded:
            log.exception("the caller IDs of campaign %s are not remembered", campaign_id)

    async def upload(self, upload_id: str) -> bytes | None:
        """See `Memory.upload`."""
        runtime = self.locks.runtime
        return await runtime.store.uploads.get(runtime.tenant, upload_id, runtime.clocks.seconds())


def _busy() -> WrongState:
    return WrongState(
        "Another request for the same thing is being carried out at this moment. Nothing was sent.",
        next_step="Wait, then call again: it finds what the other one made. A server that was "
        f"ended in the middle keeps others out for up to {SENDING} seconds.",
    )
