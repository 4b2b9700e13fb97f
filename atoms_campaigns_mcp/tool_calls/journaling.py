"""The journal around a change: intent before it is sent, outcome after."""

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import anyio

from atoms_campaigns_mcp.atoms.changes import Change
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, OutcomeUnknown
from atoms_campaigns_mcp.redaction import hide_keys, redact
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.state.journal import NOTHING, Created, Intent
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls.locks import Locks
from atoms_campaigns_mcp.toolkit.tool import Effect, Tool

T = TypeVar("T")
JOURNAL = 1.0  # seconds that an emergency waits for its journal entries, all together
LONGEST = 200  # characters of an argument that the journal keeps; a contact list is counted only


@dataclass(slots=True)
class Recorder:
    """The guard of one call's changes; an emergency goes ahead without the journal."""

    locks: Locks
    tool: Tool[Any, Any]
    intent: Intent
    unrecorded: bool = False
    changed: bool = False
    """Whether a change of this call was made, and not by somebody else before it."""
    _waited: float = 0.0
    _waiting: int = 0
    _since: float = 0.0

    @property
    def runtime(self) -> Runtime:
        """Whose changes they are."""
        return self.locks.runtime

    async def __call__(self, change: Change[T]) -> T:
        """Record the intent, make the change, record the outcome.

        Raises:
            NotRecorded: The journal cannot be written, so nothing was sent.
            WrongState: A lock of this call has ended meanwhile, so nothing was sent.
        """
        if self.tool.effect is Effect.READS:
            raise TypeError(f"{self.tool.name} reads, but sent a change")
        # By account, not by tenant: whoever asks it for the same again must hear of this.
        key = self.runtime.own(change.key) if change.key else ""
        intent = replace(self.intent, key=key, known=change.known, campaign_id=change.campaign_id)
        entry = await self._begin(intent)
        return await self.runtime.shutdown.despite_cancellation(
            lambda: self._carry_out(entry, change)
        )

    async def _begin(self, intent: Intent) -> int | None:
        if self.unrecorded:  # one wait for the journal is enough in an emergency
            return None
        try:
            with self._patience():
                now = self.runtime.clocks.now().timestamp()
                return await self.runtime.store.journal.begin(intent, now)
        except Exception as error:
            if not self.tool.emergency:
                raise
            trouble = None if isinstance(error, NotRecorded) else error
        else:
            trouble = None  # it took too long
        self.unrecorded = True
        log.error("%s goes ahead without a journal entry", self.tool.name, exc_info=trouble)
        return None

    @contextmanager
    def _patience(self) -> Generator[None]:
        """Wait as long as is left of what an emergency may wait; its pauses wait side by side."""
        if not self.tool.emergency:
            yield
            return
        if not self._waiting:
            self._since = anyio.current_time()
        self._waiting += 1
        try:
            with anyio.CancelScope(deadline=self._since + JOURNAL - self._waited):
                yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._waited += anyio.current_time() - self._since

    async def _carry_out(self, entry: int | None, change: Change[T]) -> T:
        outcome, detail, made = "failed", "", NOTHING
        try:
            self.locks.require()
            answer = await change.make(self.runtime.clocks.sleep)
            outcome = "done"
            # A start answers false if somebody else was first.
            self.changed = answer is not False
            made = created_by(answer)
            detail = "the answer was lost, the effect was seen" if change.found else ""
        except OutcomeUnknown as error:
            outcome, detail = "unknown", redact(error.message)
            raise
        except AtomsCampaignsError as error:
            outcome, detail = "refused", redact(error.message)
            raise
        except anyio.get_cancelled_exc_class():
            # The server ends before the answer came or the effect was looked for, so the intent
            # stays open.
            self.locks.in_doubt, entry = True, None
            raise
        finally:
            if entry is not None:
                await self._finish(entry, outcome, detail, change.request_id, made=made)
        return answer

    async def _finish(self, entry: int, *told: str, made: Created) -> None:
        # The change is made: an intent without an outcome is the honest record of this trouble, and
        # whatever it is, it must not stand in for what became of the change.
        try:
            await self.runtime.store.journal.finish(entry, *told, created=made)
        except Exception:  # noqa: BLE001
            log.exception("the outcome of journal entry %s is not recorded", entry)


def created_by(answer: object) -> Created:
    """Return what a change created, by its answer."""
    if isinstance(answer, Campaign):
        return Created(answer.id, answer.id)
    return Created(answer.id) if isinstance(answer, Audience) else NOTHING


def intended(
    runtime: Runtime, tool: Tool[Any, Any], args: Args, *, caller_ids: bool = True
) -> Intent:
    """Return what a call intends; its `caller_ids` are shown if they are known to be ours."""
    return Intent(
        tenant=runtime.tenant,
        tool=tool.name,
        arguments=_masked(args.model_dump(mode="json", exclude_none=True), caller_ids=caller_ids),
        confirmed="not needed",
        account=runtime.account,
        dials=tool.dials(args),
        mode=runtime.settings.mode,
    )


async def note_refusal(runtime: Runtime, intent: Intent, answer: str) -> None:
    """Record that a question got no yes; nothing was to be sent, so the call goes on without."""
    intent, now = replace(intent, dials=False), runtime.clocks.seconds()
    try:
        entry = await runtime.store.journal.begin(intent, now)
        await runtime.store.journal.finish(entry, "refused", f"the client answered: {answer}")
    except NotRecorded as error:
        log.warning("%s: the answer %s is not recorded: %s", intent.tool, answer, error.message)


def _masked(arguments: dict[str, Any], *, caller_ids: bool) -> str:
    """Write arguments for the journal: no contacts' numbers, keys, tokens or contact lists."""
    shown = {"phone_ids"} if caller_ids else set[str]()
    kept = {name: _text(value, name, shown) for name, value in arguments.items()}
    kept.pop("confirm_token", None)
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _text(value: Any, name: str, shown: Collection[str]) -> Any:
    if isinstance(value, list):
        return [_text(entry, name, shown) for entry in cast("list[Any]", value)]
    if not isinstance(value, str):
        return value
    if name == "csv" or len(value) > LONGEST:
        return f"{len(value)} characters"
    return hide_keys(value) if name in shown else redact(value)
