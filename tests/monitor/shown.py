"""Campaigns for the monitor, and what its tables show."""

from typing import Any

from tests.support.app_host import Host
from tests.support.serving import Caller
from tests.support.world import DRAFT

SPRING: dict[str, Any] = {**DRAFT, "audience_id": "Spring renewals", "max_retries": 1}


async def made(client: Caller, *, started: bool = True, **changes: Any) -> dict[str, str]:
    campaign = await client.call("create_campaign", **{**SPRING, **changes})
    chosen = {"campaign_id": campaign["campaign_id"]}
    if started:
        await client.call("start_campaign", **chosen)
    return chosen


async def cells(host: Host, table: str) -> dict[str, str]:
    rows = await host.app.locator(f"#{table} tr").all()
    return {
        await row.locator("th").inner_text(): await row.locator("td").first.inner_text()
        for row in rows
    }
