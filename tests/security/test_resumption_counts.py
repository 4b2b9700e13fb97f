"""Known from before: the preview of a resumption counted contacts that are over."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.tampering import fail
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
MANY = "phone\n" + "\n".join(f"+1202555{n:04d}" for n in range(100, 160))


async def paused(bench: Bench, client: Caller, **changes: Any) -> dict[str, str]:
    """A campaign that was paused when some of its contacts had been called."""
    made = await client.call("create_audience", name="Many", csv=MANY)
    campaign = await client.call(
        "create_campaign", **{**DRAFT, "audience_id": made["audience_id"], **changes}
    )
    chosen = {"campaign_id": campaign["campaign_id"]}
    await client.call("start_campaign", **chosen)
    bench.clock.advance(seconds=60)
    await client.call("pause_campaign", **chosen)
    bench.clock.advance(minutes=10)
    return chosen


def counted(preview: dict[str, Any]) -> int:
    return sum(row["contacts"] for row in preview["zones"])


@pytest.mark.slow
async def test_zones_and_findings_count_whom_a_resumption_may_call(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await paused(bench, client, max_retries=0)
        preview = await client.call("preview_campaign", **campaign)
    assert 0 < preview["contacts"] < 60
    assert counted(preview) == preview["contacts"]
    (foreign,) = [row for row in preview["findings"] if row["rule"] == "foreign_caller_id"]
    assert foreign["reason"].startswith(f"{preview['contacts']} contact")


@pytest.mark.slow
async def test_with_retries_those_count_who_may_be_called_again(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await paused(bench, client, max_retries=1)
        preview = await client.call("preview_campaign", **campaign)
        rows = await client.call("get_campaign_results", **campaign)
    assert preview["contacts"] < counted(preview) < 60
    assert rows["outcomes"]


@pytest.mark.slow
async def test_what_cannot_be_read_is_said_and_counts_the_whole_audience(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await paused(bench, client, max_retries=0)
        fail(bench, "GET /campaign/*/export/*", status=404)
        preview = await client.call("preview_campaign", **campaign)
    assert counted(preview) == 60
    (row,) = [row for row in preview["findings"] if row["rule"] == "called_contacts"]
    assert row["severity"] == "unknown"
