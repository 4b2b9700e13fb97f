"""The journal around a change: intent before it is sent, outcome after."""

import json
from collections.abc import Collection, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
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
JOURNAL = 1.0  # seconds that an emergency waits for a journal that is slow, all together
QUICK = 0.05  # seconds that an entry may take without being counted as slow
LONGEST = 200  # characters of an argument that the journal keeps; a contact list is counted only


@dataclass(slots=True)
class Patience:
    """How long the changes of an emergency wait for the journal, which they do side by side.

    What a quick entry takes counts for nothing, however many there are. What is slow is counted
    together, from each entry to the next that is written, and may be `JOURNAL` in all.
    """

    _waited: float = 0.0
    _since: float = 0.0
    _scopes: set[anyio.CancelScope] = field(default_factory=set[anyio.CancelScope])

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Leave the block when too much was waited; what is in it has written when it ends."""
        if not self._scopes:
            self._since = anyio.current_time()
        with anyio.CancelScope(deadline=self._until) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
                self._count()

    @property
    def _until(self) -> float:
        return self._since + JOURNAL - self._waited

    def _count(self) -> None:
        now = anyio.current_time()
        self._waited += max(now - self._since - QUICK, 0.0)
        self._since = now
        for scope in self._scopes:
            scope.deadline = self._until


@dataclass(slots=True)
class Recorder:
    """The guard of one call's changes; an emergency goes ahead without the journal."""

    locks: Locks
    tool: Tool[Any, Any]
    intent: Intent
    unrecorded: bool = False
    changed: bool = False
    """Whether a change of this call was made, and not by somebody else before it."""
    patience: Patience = field(default_factory=Patience)

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
        journal, now = self.runtime.store.journal, self.runtime.clocks.now().timestamp()
        if not self.tool.emergency:
            return await journal.begin(intent, now)
        trouble = None
        try:
            with self.patience.waiting():
                # What is recorded need not be on a disk before an emergency goes on.
                return await journal.begin(intent, now, lasting=False)
        except NotRecorded:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, the emergency goes ahead
            trouble = error
        self.unrecorded = True
        log.error("%s goes ahead without a journal entry", self.tool.name, exc_info=trouble)
        return None

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
        waiting = self.patience.waiting() if self.tool.emergency else nullcontext()
        try:
            with waiting:
                await self.runtime.store.journal.finish(entry, *told, created=made)
                return
        except Exception:  # noqa: BLE001
            log.exception("the outcome of journal entry %s is not recorded", entry)
        else:
            log.error("the outcome of journal entry %s was not waited for", entry)


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
