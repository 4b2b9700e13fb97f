"""Creating campaigns, each once."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from atoms_campaigns_mcp.guardrails.plan import Plan
from atoms_campaigns_mcp.schemas.campaigns import Campaign
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.create_once import Creation, key_of


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
    body: dict[str, Any], ctx: ToolContext, refuse: Callable[[Sequence[Campaign]], None]
) -> Creation[Campaign]:
    """Return how a campaign is made, which the caller does once.

    `refuse` raises if campaigns that `body` describes are there and speak against another.
    """
    phone_ids = body["phoneNumberIds"]
    same = {name: body[name] for name in body if name != "description"}
    key = key_of("campaign", {**same, "phoneNumberIds": sorted(phone_ids)})

    async def alike() -> list[Campaign]:
        rows = await ctx.atoms.campaigns_like(body)
        callers = {row.id: row.phone_ids or await ctx.memory.callers(row.id) for row in rows}
        # Callers that nobody knows may be the same.
        return [row for row in rows if set(callers[row.id] or phone_ids) == set(phone_ids)]

    async def make(known: Sequence[str]) -> Campaign:
        return await ctx.atoms.create_campaign(body, key=key, known=known)

    return Creation(key, alike, make, refuse)
