"""Creating campaigns, each once, of what arguments name."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from atoms_campaigns_mcp.concurrency import all_of
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.guardrails.plan import Action, Plan
from atoms_campaigns_mcp.schemas.arguments import CreateCampaignArgs, ScheduleWavesArgs
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.toolkit import lookup
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Creation, key_of


async def named(
    args: CreateCampaignArgs | ScheduleWavesArgs, action: Action, ctx: ToolContext
) -> tuple[Plan, Audience]:
    """Resolve what the arguments name.

    Raises:
        InvalidArguments: None of the caller IDs is active, or a name is not clear.
        NotFound: Something of that id, name or number is not there.
    """
    reads: dict[str, Callable[[], Awaitable[Any]]] = {
        "agent_id": partial(lookup.agent, ctx.atoms, args.agent_id),
        "audience_id": partial(lookup.audience, ctx.atoms, args.audience_id),
        "phone_ids": partial(lookup.phone_numbers, ctx.atoms, args.phone_ids),
    }
    agent, audience, callers = await all_of(reads)
    if not any(row.active for row in callers):
        raise InvalidArguments(
            "phone_ids: none of them is active, and a campaign's caller IDs cannot be changed. "
            "Nothing was sent.",
            next_step="list_phone_numbers shows which are; ask the user if several fit.",
        )
    plan = Plan(
        action=action,
        name=args.name,
        agent_id=agent.id,
        agent=agent.name,
        audience_id=audience.id,
        audience=audience.name,
        phone_ids=tuple(row.id for row in callers),
        caller_ids=tuple(row.number for row in callers),
        max_retries=args.max_retries,
        retry_delay=args.retry_delay,
    )
    return plan, audience


def body_of(plan: Plan, *, at: datetime | None = None, description: str = "") -> dict[str, Any]:
    """Return what the API is sent; with a moment, the campaign dials by itself then."""
    body: dict[str, Any] = {
        "name": plan.name,
        "agentId": plan.agent_id,
        "audienceId": plan.audience_id,
        "phoneNumberIds": list(plan.phone_ids),
        "maxRetries": plan.max_retries,
        "retryDelay": plan.retry_delay,
    }
    if description:
        body["description"] = description
    if at:
        moment = at.astimezone(UTC)
        body["scheduledAt"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return body


def creation(
    body: dict[str, Any],
    ctx: ToolContext,
    refuse: Callable[[Sequence[Campaign]], None],
    of_name: Sequence[Campaign] | None = None,
) -> Creation[Campaign]:
    """Return how a campaign is made, which the caller does once.

    `refuse` raises if campaigns that `body` describes are there and forbid another. `of_name` are
    the campaigns of that name, if the caller has read them and lets nobody make others meanwhile.
    """
    phone_ids = body["phoneNumberIds"]
    same = {name: body[name] for name in body if name != "description"}
    key = key_of("campaign", {**same, "phoneNumberIds": sorted(phone_ids)})

    async def alike() -> list[Campaign]:
        named_so = await ctx.atoms.newest_of(body["name"]) if of_name is None else of_name
        rows = [row for row in named_so if row.is_like(body)]
        callers = {row.id: row.phone_ids or await ctx.memory.callers(row.id) for row in rows}
        # Callers that nobody knows may be the same.
        return [row for row in rows if set(callers[row.id] or phone_ids) == set(phone_ids)]

    async def make(known: Sequence[str]) -> Campaign:
        return await ctx.atoms.create_campaign(body, key=key, known=known)

    return Creation(key, alike, make, refuse)
