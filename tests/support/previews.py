"""A campaign of which a preview has nothing to say."""

from typing import Any

from tests.support.serving import Caller
from tests.support.world import DRAFT

US_NUMBER = "+12025550143"
CLEAN_CSV = "phone,name\n+12025550111,Ada\n+12025550112,Bob"


async def draft(client: Caller, csv: str = CLEAN_CSV, **changes: Any) -> dict[str, str]:
    """A campaign of which there is nothing to say: an American caller ID, awake Americans."""
    audience = await client.call("create_audience", name="List", csv=csv)
    made = {**DRAFT, "phone_ids": [US_NUMBER], "max_retries": 0}
    made |= {"audience_id": audience["audience_id"], **changes}
    return {"campaign_id": (await client.call("create_campaign", **made))["campaign_id"]}
