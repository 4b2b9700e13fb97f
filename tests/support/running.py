"""Campaigns that dial, for tests of the stop."""

from tests.support.serving import Caller
from tests.support.world import DRAFT


async def running(client: Caller, count: int) -> list[str]:
    ids: list[str] = []
    for number in range(count):
        made = await client.call(
            "create_campaign",
            **{**DRAFT, "name": f"Run {number}", "audience_id": "Newsletter readers"},
        )
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        ids.append(made["campaign_id"])
    return ids
