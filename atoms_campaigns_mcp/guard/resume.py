"""Resuming what the guard itself paused for the calling hours, and nothing else.

Whoever stops a campaign wins: a pause that may be a person's is never ended here.
"""

import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from atoms_campaigns_mcp.errors import NotFound, WrongState
from atoms_campaigns_mcp.guard.agreed import digest_of
from atoms_campaigns_mcp.guard.notes import OVERLAP, PAUSED, Note
from atoms_campaigns_mcp.guard.rules import Facts, Rules, too_late
from atoms_campaigns_mcp.guardrails.findings import blocks
from atoms_campaigns_mcp.schemas.campaigns import STARTABLE, Campaign
from atoms_campaigns_mcp.state.guarding import LONGEST, stopped_at
from atoms_campaigns_mcp.state.journal import Intent
from atoms_campaigns_mcp.tool_calls.journaling import Recorder
from atoms_campaigns_mcp.tool_calls.locks import WAITING
from atoms_campaigns_mcp.tool_calls.session import Session
from atoms_campaigns_mcp.toolkit import campaign_states, start_proposal
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.registry import load
from atoms_campaigns_mcp.toolkit.start_proposal import Judged

TOOL = "guard"  # the name in the journal
WORTH_IT = timedelta(minutes=15)  # of calling that a resumption must leave
# Of the hours the guard itself is the judge, since it pauses again before they end.
_HOURS = frozenset({"calling_hours", "unknown_time_zone"})
TOUCHED = "a person paused, resumed or stopped it"
Verdict = Literal["resumed", "later", "never"]
"""never: a person has touched it, or it is not what was agreed to any more."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a campaign that the guard had paused, and why."""

    verdict: Verdict
    campaign: Campaign
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Resumption:
    """One pause of the guard's own, as noted; `sure` says that no other guard acts now."""

    campaign_id: str
    note: Note
    rules: Rules
    session: Session
    sure: Callable[[], bool]

    async def decide(self) -> Decision:
        """Resume it if the hours allow, and all is as it was agreed to.

        Raises:
            AtomsCampaignsError: Something cannot be read, so it stays paused for now.
        """
        reading = self.session.reading()
        try:
            details = await reading.atoms.anew().get_campaign(self.campaign_id)
        except NotFound:
            return Decision("never", Campaign(id=self.campaign_id), "it was deleted")
        campaign = details.campaign
        if await self._touched(campaign):
            return Decision("never", campaign, TOUCHED)
        if not self._open(campaign, frozenset(self.note.zones)):
            return Decision("later", campaign, "its hours have not begun")
        busy = WrongState("Another call changes the campaign at this moment.")
        async with AsyncExitStack() as held:
            locks = self.session.locks
            await held.enter_async_context(locks.holding(campaign.id, busy))
            members = members_of(campaign.audience_id)
            await held.enter_async_context(locks.holding(members, busy, patience=WAITING))
            return await self._alone(campaign.id, members)

    async def _alone(self, campaign_id: str, members: str) -> Decision:
        """Read everything once more while nobody else changes it, then resume."""
        reading = self.session.reading()
        details = await reading.atoms.anew().get_campaign(campaign_id)
        campaign = details.campaign
        judged = await start_proposal.of_campaign(details, reading)
        if objection := self._objection(campaign, judged, digest_of(judged, reading.operator)):
            return objection
        # The last look before it dials: reading the facts may have taken long.
        campaign = (await reading.atoms.anew().get_campaign(campaign_id)).campaign
        locks = self.session.locks
        if not all([await locks.extend(subject) for subject in (campaign_id, members)]):
            return Decision("later", campaign, "reading the facts took too long")
        if await self._touched(campaign):
            return Decision("never", campaign, TOUCHED)
        if not self.sure():
            return Decision("later", campaign, "another guard may act by now")
        return await self._resume(campaign, judged)

    def _objection(self, campaign: Campaign, judged: Judged, found: str | None) -> Decision | None:
        """Compare what was read now with what was agreed to, and judge it by the policy."""
        if found is None:
            return Decision("later", campaign, "what was agreed to cannot be read")
        if not self.note.agreed or found != self.note.agreed:
            reason = "contacts, do-not-call list, settings or policy are not as they were"
            return Decision("never", campaign, reason)
        if reasons := [f for f in blocks(judged.proposal.findings) if f.rule not in _HOURS]:
            return Decision("later", campaign, reasons[0].reason)
        concerned = judged.facts.concerned
        zones = frozenset(zone for contact in concerned for zone in contact.zones)
        if all(contact.zones for contact in concerned) and self._open(campaign, zones):
            return None
        return Decision("later", campaign, "somebody's hours have not begun, or end too soon")

    async def _resume(self, campaign: Campaign, judged: Judged) -> Decision:
        runtime, plan = self.session.runtime, judged.proposal.plan
        arguments = {"campaign_id": campaign.id, "rule": self.note.rule, "resumed": True}
        intent = Intent(
            tenant=runtime.tenant,
            tool=TOOL,
            arguments=json.dumps(arguments, sort_keys=True),
            confirmed="not needed",
            digest=plan.digest(runtime.tenant),
            account=runtime.account,
            mode=runtime.settings.mode,
            dials=True,
        )
        recorder = Recorder(self.session.locks, load("start_campaign"), intent)
        ctx = self.session.context(recorder, plan)
        await ctx.atoms.start_campaign(campaign.id)
        seen = await campaign_states.settled(
            ctx, campaign.id, campaign.name, before=STARTABLE | {"processing"}
        )
        if seen.status != campaign_states.UNREAD and seen.status not in STARTABLE:
            await ctx.memory.saw(campaign.id)
        return Decision("resumed", campaign.model_copy(update={"status": seen.status}))

    async def _touched(self, campaign: Campaign) -> bool:
        """Return whether anybody but the guard has done something with it since the pause."""
        note, runtime = self.note, self.session.runtime
        if note.state != PAUSED or campaign.status != "paused":
            return True
        if runtime.clocks.seconds() - note.at > LONGEST:
            return True  # what a person did meanwhile may not be known any more
        if not note.paused_at or campaign.paused_at != note.paused_at:
            return True
        kept = await runtime.store.guard.kept(runtime.account)
        return stopped_at(kept, campaign.id) >= note.at - OVERLAP

    def _open(self, campaign: Campaign, zones: frozenset[str]) -> bool:
        facts = Facts(
            now=self.session.runtime.now(),
            zones=zones,
            max_retries=campaign.max_retries or 0,
            retry_delay=campaign.retry_delay or 0,
        )
        return not too_late(facts, self.rules, working=WORTH_IT)
