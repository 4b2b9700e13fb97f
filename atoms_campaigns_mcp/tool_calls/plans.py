"""Plans that somebody is asked about, and the tokens with which they may be agreed to."""

import secrets
from dataclasses import dataclass

from atoms_campaigns_mcp.errors import NotConfirmed, NotRecorded
from atoms_campaigns_mcp.guardrails.plan import Proposal
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.state.store import PlanRecord
from atoms_campaigns_mcp.telemetry import log
from atoms_campaigns_mcp.tool_calls import confirm_tokens

NOTHING = "Nothing was done."
AGAIN = "Call again without confirm_token to be asked anew."


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans of one tenant."""

    runtime: Runtime

    async def keep(self, proposal: Proposal, tool: str) -> PlanRecord:
        """Store what is about to be asked about."""
        record = PlanRecord(
            plan_id=secrets.token_hex(12),
            tenant=self.runtime.tenant,
            tool=tool,
            digest=proposal.plan.digest(self.runtime.tenant),
            expires_at=self.runtime.clocks.seconds() + confirm_tokens.LIFETIME,
            audience_id=proposal.plan.audience_id,
            shown=proposal.warnings(),
        )
        await self.runtime.store.plans.keep(record)
        return record

    async def find(self, plan_id: str, tool: str) -> PlanRecord | None:
        """Return the plan if it is this tenant's, for this tool."""
        record = await self.runtime.store.plans.get(plan_id)
        owner = (self.runtime.tenant, tool)
        return record if record and (record.tenant, record.tool) == owner else None

    async def spend(self, record: PlanRecord, digest: str) -> None:
        """Use up a plan that was agreed to, if `digest` is still that of the facts.

        Raises:
            NotConfirmed: It is not, or the plan was used or declined.
        """
        if digest != record.digest:
            raise NotConfirmed(
                f"{NOTHING} What was confirmed is not what would happen now: the arguments, the "
                "campaign or its contacts have changed.",
                next_step=AGAIN,
            )
        if not await self.runtime.store.plans.use(record.plan_id):
            raise NotConfirmed(
                f"{NOTHING} The confirmation was already used, or declined.", next_step=AGAIN
            )

    async def withdraw(self, record: PlanRecord | None) -> None:
        """Let a question take one answer, readable or not: nobody can say yes to it later."""
        try:
            if record:
                await self.runtime.store.plans.use(record.plan_id)
        except NotRecorded:  # the answer is no all the same
            log.exception("a question that was not agreed to can be answered until it expires")

    def token(self, record: PlanRecord) -> str:
        """Return the token for a stored plan."""
        return confirm_tokens.issue(
            record.plan_id, tenant=self.runtime.tenant, secret=self.runtime.secrets[0]
        )

    def plan_id(self, token: str) -> str:
        """Return the plan that a token is for.

        Raises:
            NotConfirmed: It was not given here, or to somebody else.
        """
        plan_id = confirm_tokens.plan_id_of(
            token, tenant=self.runtime.tenant, secrets=self.runtime.secrets
        )
        if plan_id is None:
            raise NotConfirmed(
                f"{NOTHING} The confirm_token was not given by this server.", next_step=AGAIN
            )
        return plan_id
