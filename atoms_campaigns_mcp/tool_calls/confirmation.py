"""Nothing dials or is destroyed on one unconfirmed call.

The first round judges the plan, stores it and asks about it; the answer is bound to that plan, is
good once and for five minutes, and counts only while the facts are still the same.
"""

from dataclasses import dataclass, replace
from typing import Any

from atoms_campaigns_mcp.errors import NotConfirmed, NotRecorded, Refused
from atoms_campaigns_mcp.guardrails.findings import blocks
from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.guardrails.question import question_of
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.state.journal import Confirmed
from atoms_campaigns_mcp.state.store import PlanRecord
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls import confirm_tokens
from atoms_campaigns_mcp.tool_calls.asker import TICK, Answer, PendingQuestion, Reply
from atoms_campaigns_mcp.tool_calls.journaling import intended, note_refusal
from atoms_campaigns_mcp.tool_calls.plans import AGAIN, NOTHING
from atoms_campaigns_mcp.tool_calls.session import Session
from atoms_campaigns_mcp.toolkit.tool import Tool

RECENT = 30.0  # seconds that what a question is about may be old, if it hardly changes
QUICKEST = 0.5  # seconds, before which no person has read the question


@dataclass(frozen=True, slots=True)
class Consent:
    """A yes, or a policy that needs none: to which plan, how, and after how many seconds.

    `record` is absent if nobody was asked, and so is `seconds`.
    """

    how: Confirmed
    record: PlanRecord | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Agreed:
    """A proposal that may be carried out now, and how it was agreed to.

    `answered_after` is how many seconds a question took; `warnings` are those that came with what
    was agreed to, or if nobody was asked, those that nobody saw.
    """

    proposal: Proposal
    digest: str
    how: Confirmed
    answered_after: float | None = None
    warnings: tuple[str, ...] = ()


async def propose(
    session: Session, tool: Tool[Any, Any], args: Args, *, recent: float = 0.0
) -> Proposal | Result:
    """Read and judge the facts; return a result instead if there is nothing to do.

    What hardly changes may have been read up to `recent` seconds ago.

    Raises:
        Refused: A rule of the operator forbids it.
    """
    if tool.plan is None:
        raise TypeError(f"{tool.name} dials or destroys without a plan")
    proposal = await tool.plan(args, session.reading(recent=recent))
    if isinstance(proposal, Proposal) and (blocked := blocks(proposal.findings)):
        reasons = "; ".join(f"{finding.reason} ({finding.rule})" for finding in blocked)
        raise Refused(
            f"{NOTHING} It is refused: {reasons}.",
            next_step=" ".join(dict.fromkeys(finding.next_step for finding in blocked)),
        )
    return proposal


async def agree(session: Session, consent: Consent, proposal: Proposal) -> Agreed:
    """Compare what was agreed to with the facts as they are now, and use up the agreement.

    Raises:
        NotConfirmed: They differ, or the agreement was used before.
    """
    digest = proposal.plan.digest(session.runtime.tenant)
    record = consent.record
    if record:
        await session.plans.spend(record, digest)
    warnings = record.shown if record else proposal.warnings()
    return Agreed(proposal, digest, consent.how, consent.seconds, warnings)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What one call of a tool that dials or destroys needs before it may go ahead."""

    session: Session
    tool: Tool[Any, Any]
    args: Args

    async def obtain(self) -> Consent | Result | PendingQuestion:
        """Return the consent; or a result, if there is nothing to do; or the question to ask.

        Raises:
            NotConfirmed: Nobody agreed to it; with a token, where one can help.
            Refused: A rule of the operator forbids it.
        """
        policy = self._policy
        can_ask = policy in {"ask", "human"} and self.session.asker.can_ask
        if can_ask and (reply := self.session.asker.reply):
            return await self._answered(reply)
        token = getattr(self.args, "confirm_token", None)
        if token and policy in {"ask", "token"} and not can_ask:
            record = await self._stored(self.session.plans.plan_id(token))
            return self._valid(record, "token")
        if policy == "never":
            return Consent("never")
        # What a preview has just read need not be read for the question: after the yes, all is.
        proposal = await propose(self.session, self.tool, self.args, recent=RECENT)
        if isinstance(proposal, Result):
            return proposal
        return await self._ask(proposal, can_ask=can_ask)

    @property
    def _policy(self) -> str:
        return self.session.runtime.settings.confirm

    async def _ask(self, proposal: Proposal, *, can_ask: bool) -> Consent | PendingQuestion:
        if not can_ask and self._policy == "human":
            raise Refused(
                f"{NOTHING} The operator of this server wants a person to confirm this "
                "(ATOMS_MCP_CONFIRM=human), and this client cannot ask one.",
                next_step="Use a client that supports elicitation, or ask the operator.",
            )
        record = await self.session.plans.keep(proposal, self.tool.name)
        question = self._question(proposal)
        if not can_ask:
            raise self._needs_token(record, question)
        reply = await self.session.asker.ask(question, record.plan_id)
        return reply if isinstance(reply, PendingQuestion) else await self._answered(reply)

    def _question(self, proposal: Proposal) -> str:
        # Whoever reads it sees no other part of the result.
        simulated = self.session.runtime.settings.mode == "sandbox"
        return ("[sandbox] " if simulated else "") + question_of(proposal, simulated=simulated)

    def _needs_token(self, record: PlanRecord, question: str) -> NotConfirmed:
        token = self.session.plans.token(record)
        return NotConfirmed(
            f"{NOTHING} This needs the user's agreement: {question}",
            next_step=f"Put this question to the user. If they agree, call {self.tool.name} again "
            f"with the same arguments and confirm_token {token} (good once, for "
            f"{confirm_tokens.LIFETIME // 60} minutes).",
            confirm_token=token,
        )

    async def _answered(self, reply: Reply) -> Consent:
        """Take the answer to a question."""
        answer, seconds = reply.answer, reply.seconds
        try:
            record = await self._stored(reply.plan_id)
        except NotRecorded:
            if answer == "yes":
                raise
            record = None  # the answer is no all the same
        if record and seconds is None:
            seconds = self.session.runtime.clocks.seconds() - (
                record.expires_at - confirm_tokens.LIFETIME
            )
        hasty = self._policy == "human" and seconds is not None and seconds < QUICKEST
        if answer != "yes" or (record and hasty):
            log.info("%s: the answer was %s, after %s s", self.tool.name, answer, seconds)
            await self.session.plans.withdraw(record)
            await self._note("yes, too soon" if answer == "yes" else answer, record, seconds)
            raise _not_a_yes(answer, seconds, self._policy)
        return self._valid(record, "asked", seconds)

    async def _note(self, answer: str, record: PlanRecord | None, seconds: float | None) -> None:
        """Put an answer that is no yes into the journal, which keeps the seconds of all."""
        runtime = self.session.runtime
        intent = replace(
            # Nothing says that this call's caller IDs are those of the plan that was asked about.
            intended(runtime, self.tool, self.args, caller_ids=False),
            confirmed="asked",
            digest=record.digest if record else "",
            answered_after=seconds,
            campaign_id=getattr(self.args, "campaign_id", ""),
        )
        await note_refusal(runtime, intent, answer)

    def _valid(
        self, record: PlanRecord | None, how: Confirmed, seconds: float | None = None
    ) -> Consent:
        if record is None:
            raise NotConfirmed(
                f"{NOTHING} The confirmation was given for something else.", next_step=AGAIN
            )
        left = record.expires_at - self.session.runtime.clocks.seconds()
        if not 0 <= left <= confirm_tokens.LONGEST:  # or it was given while a clock was wrong
            raise NotConfirmed(f"{NOTHING} The confirmation has expired.", next_step=AGAIN)
        return Consent(how, record, seconds)

    async def _stored(self, plan_id: str) -> PlanRecord | None:
        return await self.session.plans.find(plan_id, self.tool.name)


def _not_a_yes(answer: Answer, seconds: float | None, policy: str) -> NotConfirmed:
    after = "" if seconds is None else f" after {max(seconds, 0):.1f} seconds"
    unseen = "they can use a client that shows questions"
    if policy == "ask":
        unseen = (
            "the operator can set ATOMS_MCP_CONFIRM=token, and it is put to them in the "
            "conversation"
        )
    what = f"The client {answer} it{after}, possibly without showing the question to anybody."
    step = (
        "Tell the user, and do not try again unless they ask for it. If they saw no question, "
        f"{unseen}."
    )
    if answer == "invalid":
        what = f"The client's answer{after} was not a completed form."
        step = f"{AGAIN} If the user sees no question, {unseen}."
    elif answer == "unticked":
        what = f'The form was accepted{after}, but its box "{TICK}" was not ticked.'
        step = (
            "Tell the user that only the ticked box goes ahead. Call again only if they want it; "
            "they are asked anew."
        )
    elif answer == "yes":
        what = (
            f"The client's yes came{after}, sooner than a person can read the question, and the "
            "operator of this server wants a person to confirm this (ATOMS_MCP_CONFIRM=human)."
        )
        step = (
            "Tell the user. They can have their client show questions instead of approving them "
            "by itself."
        )
    return NotConfirmed(f"{NOTHING} {what}", next_step=step)
