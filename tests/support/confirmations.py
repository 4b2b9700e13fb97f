"""A draft, a yes, and how often it was started."""

from mcp_types import ElicitResult

from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import DRAFT

MODERN = "2026-07-28"


YES = ElicitResult(action="accept", content={"confirm": True})


async def draft(client: Caller, **changes: str) -> dict[str, str]:
    made = await client.call("create_campaign", **(DRAFT | changes), max_retries=0)
    return {"campaign_id": made["campaign_id"]}


def starts(bench: Bench) -> int:
    return bench.wire.changes.count("start")
