"""Nothing dials or is destroyed on one unconfirmed call.

The first round reads the plan, stores it and asks about it; the answer is bound to that plan, is
good once and for five minutes, and counts only while the facts are still the same.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from mcp_types import InputRequiredResult

from atoms_campaigns_mcp.errors import NotConfirmed, Refused
from atoms_campaigns_mcp.guardrails import tokens
from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.runtime import Runtime, refuse_changes
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.server.asking import Answer, Asking
from atoms_campaigns_mcp.state.store import Confirmed, PlanRecord
from atoms_campaigns_mcp.tools._tool import Tool

_NOTHING = "Nothing was done."
_AGAIN = "Call again without confirm_token to be asked anew."


@dataclass(frozen=True, slots=True)
class Agreed:
    """A plan that may be carried out now, and how it was agreed to."""

    plan: Plan
    digest: str
    how: Confirmed


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between one call of a dialling or destroying tool and its effect."""

    runtime: Runtime
    tool: Tool[Any, Any]
    args: Args
    tenant: str
    asking: Asking

    async def open(self) -> Agreed | Result | InputRequiredResult:
        """Give the agreed plan; or a result, if there is nothing to do; or the question.

        Raises:
            NotConfirmed: Nobody agreed to exactly this; with a token, where one can help.
            Refused: The operator wants a person to be asked, and this client cannot.
        """
        policy = self.runtime.settings.confirm
        can_ask = policy in {"ask", "human"} and self.asking.possible
        if can_ask and self.asking.plan_id:
            return await self._accept(self.asking.plan_id, self.asking.answer(), "asked")
        token = getattr(self.args, "confirm_token", None)
        if token and policy in {"ask", "token"} and not can_ask:
            return await self._accept(self._plan_id(token), "yes", "token")
        plan = await self._plan()
        if isinstance(plan, Result):
            return plan
        if policy == "never":
            return Agreed(plan, plan.digest(self.tenant), "never")
        return await self._ask(plan, can_ask=can_ask)

    async def _ask(self, plan: Plan, *, can_ask: bool) -> Agreed | Result | InputRequiredResult:
        if not can_ask and self.runtime.settings.confirm == "human":
            raise Refused(
                f"{_NOTHING} The operator of this server wants a person to confirm this "
                "(ATOMS_MCP_CONFIRM=human), and this client cannot ask one.",
                next_step="Use a client that supports elicitation, or ask the operator.",
            )
        record = await self._remember(plan)
        if not can_ask:
            raise self._needs_token(record)
        if self.asking.stateless:
            return self.asking.question(record.question, record.plan_id)
        return await self._accept(record.plan_id, await self.asking.ask(record.question), "asked")

    async def _remember(self, plan: Plan) -> PlanRecord:
        record = PlanRecord(
            plan_id=secrets.token_hex(12),
            tenant=self.tenant,
            tool=self.tool.name,
            digest=plan.digest(self.tenant),
            question=plan.question(),
            expires_at=self._seconds() + tokens.LIFETIME,
        )
        await self.runtime.store.keep_plan(record)
        return record

    def _needs_token(self, record: PlanRecord) -> NotConfirmed:
        token = tokens.issue(record.plan_id, tenant=self.tenant, secret=self.runtime.secret)
        return NotConfirmed(
            f"{_NOTHING} This needs the user's agreement: {record.question}",
            next_step=f"Put this question to the user. If they agree, call {self.tool.name} again "
            f"with the same arguments and confirm_token {token} (good once, for "
            f"{tokens.LIFETIME // 60} minutes).",
            confirm_token=token,
        )

    def _plan_id(self, token: str) -> str:
        plan_id = tokens.plan_id_of(token, tenant=self.tenant, secret=self.runtime.secret)
        if plan_id is None:
            raise NotConfirmed(
                f"{_NOTHING} The confirm_token was not given by this server.", next_step=_AGAIN
            )
        return plan_id

    async def _accept(self, plan_id: str, answer: Answer, how: Confirmed) -> Agreed | Result:
        if answer != "yes":
            raise self._not_a_yes(answer)
        record = await self.runtime.store.plan(plan_id)
        if record is None or (record.tenant, record.tool) != (self.tenant, self.tool.name):
            raise NotConfirmed(
                f"{_NOTHING} The confirmation was given for something else.", next_step=_AGAIN
            )
        if record.expires_at < self._seconds():
            raise NotConfirmed(f"{_NOTHING} The confirmation has expired.", next_step=_AGAIN)
        plan = await self._plan()
        if isinstance(plan, Result):
            return plan
        if plan.digest(self.tenant) != record.digest:
            raise NotConfirmed(
                f"{_NOTHING} What was confirmed is not what would happen now: the arguments, the "
                "campaign or its contacts have changed.",
                next_step=_AGAIN,
            )
        # Last before the change, so that of two equal yeses only one acts.
        if not await self.runtime.store.use_plan(plan_id):
            raise NotConfirmed(f"{_NOTHING} The confirmation was already used.", next_step=_AGAIN)
        return Agreed(plan, record.digest, how)

    def _not_a_yes(self, answer: Answer) -> NotConfirmed:
        if answer == "invalid":
            return NotConfirmed(
                f"{_NOTHING} The client's answer was not a completed form.", next_step=_AGAIN
            )
        return NotConfirmed(
            f"{_NOTHING} The user {answer} it.",
            next_step="Do not try again unless the user asks for it.",
        )

    async def _plan(self) -> Plan | Result:
        if self.tool.plan is None:
            raise TypeError(f"{self.tool.name} dials or destroys without a plan")
        return await self.tool.plan(self.args, self.runtime.context(refuse_changes))

    def _seconds(self) -> float:
        return self.runtime.clocks.now().timestamp()
