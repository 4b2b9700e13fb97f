"""The campaigns of one run: made, started, looked at; every change is in the journal."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, Final, TypeVar

from atoms_campaigns_mcp.atoms.changes import Change
from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotRecorded, OutcomeUnknown
from atoms_campaigns_mcp.redaction import redact
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.state.journal import NOTHING, Intent
from atoms_campaigns_mcp.tool_calls.journaling import created_by
from tests.probe.questions import Answer, Question
from tests.probe.sight import DELAY, FOREIGN, RETRIES, Look, Seen, Sight
from tests.probe.tape import Exchange, Tape

T = TypeVar("T")
MOST_CALLS: Final = 6  # to one phone, in the whole run
LONGEST: Final = 20 * 60.0  # seconds of a run
EVERY: Final = 2.0  # seconds between looks
QUICK: Final = 0.3
PAGE: Final = 100
TOOL: Final = "probe"  # the name in the journal


class EnoughError(Exception):
    """A limit of the run is reached; its text is for the report, and names nobody."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that the API might refuse, and what it answered."""

    requests: tuple[Exchange, ...]

    @property
    def word(self) -> str:
        """Name the answer."""
        status = self.requests[-1].status if self.requests else 0
        if 200 <= status < 300:
            return "accepted"
        return "refused" if 400 <= status < 500 else "unknown"


@dataclass
class Trial:
    """One run. `phones` are labels by digits; `mark` begins the names of what is made.

    `stopping` says that it only stops and tidies up: limits and the journal hold nothing up.
    """

    runtime: Runtime
    tape: Tape
    phones: Mapping[str, str]
    mark: str
    say: Callable[[str], None]
    agent: str = ""
    caller_id: str = ""
    audience: str = ""
    campaigns: list[str] = field(default_factory=list[str])
    answers: dict[Question, Answer] = field(default_factory=dict[Question, Answer])
    stopping: bool = False

    def __post_init__(self) -> None:
        self.sight = Sight(self.phones)
        self.atoms = AtomsClient(self.runtime.transport, self._recorded)
        self.urgent = AtomsClient(self.runtime.transport.urgently(), self._recorded)

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return self.tape.seconds()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self.runtime.clocks.sleep(seconds)

    def answer(
        self, question: Question, word: str, tried: Attempt | None = None, **seen: Any
    ) -> None:
        """Keep what was seen, and tell the person."""
        self.answers[question] = Answer(word, seen, tried.requests if tried else ())
        self.say(f"  {question.value}: {word}")

    async def create(self, name: str, *, scheduled: bool = False) -> str:
        """Make a campaign on the audience of the run."""
        body: dict[str, Any] = {
            "name": f"{self.mark} {name}",
            "agentId": self.agent,
            "audienceId": self.audience,
            "phoneNumberIds": [self.caller_id],
            "maxRetries": RETRIES,
            "retryDelay": int(DELAY / 60),
        }
        if scheduled:
            moment = self.runtime.now().astimezone(UTC) + timedelta(days=1)
            body["scheduledAt"] = f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"
        return (await self.atoms.create_campaign(body, key="", known=())).id

    async def start(self, campaign: str) -> Attempt:
        """Start or resume.

        Raises:
            EnoughError: A phone could ring too often by it.
        """
        if not self.may_start():
            raise EnoughError(f"a phone could ring more than {MOST_CALLS} times")
        self.sight.started[campaign] = self.now
        return await self.attempt(lambda: self.atoms.start_campaign(campaign))

    async def delete(self, campaign: str) -> None:
        """Delete a campaign; what cannot be deleted now is tried again at the end."""
        deleted = await self.attempt(lambda: self.atoms.delete_campaign(campaign))
        if deleted.word == "accepted":
            self.campaigns.remove(campaign)

    def may_start(self) -> bool:
        """Return whether a start keeps every phone within its number of calls."""
        rang = map(self.sight.rang, self.phones.values())
        return all(calls + 1 + RETRIES <= MOST_CALLS for calls in rang)

    async def attempt(self, change: Callable[[], Awaitable[object]]) -> Attempt:
        """Make a change that may be refused."""
        before = len(self.tape.changes)
        try:
            await change()
        except AtomsCampaignsError as error:  # what it answered is on the tape
            if isinstance(error, NotRecorded):
                raise
        return Attempt(tuple(self.tape.changes[before:]))

    async def watch(
        self, campaign: str, until: Callable[[Look], bool], seconds: float, every: float = EVERY
    ) -> Look:
        """Look again and again until it is so, or `seconds` are over; give the last look."""
        end = self.now + seconds
        while True:
            look = await self.look(campaign)
            if until(look) or self.now >= end:
                return look
            await self.sleep(every)

    async def watch_to_the_end(self, campaign: str, seconds: float) -> Look:
        """Look until nothing more is to be expected of it."""
        return await self.watch(campaign, lambda look: self.sight.quiet(campaign, look), seconds)

    async def look(self, campaign: str) -> Look:
        """Read a campaign and its calls.

        Raises:
            EnoughError: A limit of the run is reached.
        """
        details = await self.atoms.anew().get_campaign(campaign)
        await self.read_calls(campaign)
        look = self.sight.look(self.now, details.campaign)
        if not self.stopping:
            self._check_limits()
        return look

    async def read_calls(self, campaign: str) -> tuple[Seen, ...]:
        """Read a campaign's calls; give those that are live."""
        rows, _ = await self.atoms.anew().list_calls(campaign, limit=PAGE, attempts="all")
        at = self.now
        for row in reversed(rows):  # the latest change comes first
            self.sight.see(at, campaign, row)
        return self.sight.live(campaign)

    def _check_limits(self) -> None:
        if any(call.phone == FOREIGN for call in self.sight.calls.values()):
            raise EnoughError("a call to a number that was not given")
        if any(self.sight.rang(phone) > MOST_CALLS for phone in self.phones.values()):
            raise EnoughError(f"more than {MOST_CALLS} calls to a phone")
        if self.now > LONGEST:
            raise EnoughError(f"{LONGEST / 60:.0f} minutes are over")

    async def _recorded(self, change: Change[T]) -> T:
        """Make a change, once begun to its end, with its intent and outcome in the journal."""
        entry = await self._begin(change.campaign_id)
        work = self.runtime.shutdown.despite_cancellation
        return await work(lambda: self._make(entry, change))

    async def _begin(self, campaign: str) -> int | None:
        intent = Intent(
            tenant=self.runtime.tenant,
            tool=TOOL,
            arguments=json.dumps({"name": self.mark}),
            confirmed="asked",
            account=self.runtime.account,
            mode=self.runtime.settings.mode,
            campaign_id=campaign,
        )
        try:
            return await self.runtime.store.journal.begin(intent, self.runtime.clocks.seconds())
        except AtomsCampaignsError:
            if not self.stopping:
                raise
        return None

    async def _make(self, entry: int | None, change: Change[T]) -> T:
        outcome, detail, made = "failed", "", NOTHING
        try:
            answer = await change.make(self.runtime.clocks.sleep)
            outcome, made = "done", created_by(answer)
            self._keep(answer)
        except AtomsCampaignsError as error:
            outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
            detail = redact(error.message)
            raise
        finally:
            if entry is not None:
                await self._finish(entry, outcome, detail, change.request_id, made)
        return answer

    async def _finish(self, entry: int, outcome: str, detail: str, request: str, made: Any) -> None:
        try:
            journal = self.runtime.store.journal
            await journal.finish(entry, outcome, detail, request, created=made)
        except AtomsCampaignsError as error:
            self.say(f"The outcome is not in the journal: {error}")

    def _keep(self, answer: object) -> None:
        """Remember what was made, also if whoever asked for it has gone meanwhile."""
        if isinstance(answer, Campaign):
            self.campaigns.append(answer.id)
        elif isinstance(answer, Audience):
            self.audience = answer.id
