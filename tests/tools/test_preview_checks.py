"""What the account itself makes of a preview: every check's result, and the cost."""

import re
from typing import Any

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.support.bench import Bench
from tests.support.previews import draft
from tests.support.tampering import alter, fail
from tests.support.world import DRAFT
from tests.tools.test_preview_campaign import EVENING, finding, rules

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def daytime(bench: Bench) -> None:
    bench.clock.moment = EVENING


async def test_a_rival_is_found_in_the_account_itself(bench: Bench) -> None:
    async with bench.client() as client:
        first = await draft(client)
        report = await client.call("get_campaign_status", **first)
        await client.call("start_campaign", **first)
        second = await client.call(
            "create_campaign", **{**DRAFT, "audience_id": report["audience_id"]}
        )
        preview = await client.call("preview_campaign", campaign_id=second["campaign_id"])
    assert '"January renewals"' in finding(preview, "same_audience")["reason"]


async def test_without_credit_the_balance_of_the_account_itself_warns(tmp_path: Any) -> None:
    with Bench.open(tmp_path, Options(speed=1, credits=0.0)) as bench:
        bench.clock.moment = EVENING
        async with bench.client() as client:
            preview = await client.call("preview_campaign", **await draft(client))
    assert rules(preview)["balance"] == "warn"


async def test_a_number_on_the_do_not_call_list_is_found_however_it_is_written(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        alter(
            bench,
            "GET /dnc*",
            lambda data: {**data, "entries": [{"phoneNumber": "+1 (202) 555-0112"}]},
        )
        preview = await client.call("preview_campaign", **campaign)
    assert (
        finding(preview, "dnc")["reason"]
        == "1 contact on the do-not-call list (in the audience no. 2)"
    )


@pytest.mark.slow
async def test_a_list_of_contacts_that_does_not_end_is_not_read_for_ever(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        row = {"_id": "a" * 24, "data": {"phoneNumber": "+12025550111"}}
        alter(bench, "GET /audience/*/members*", lambda data: {**data, "members": [row] * 500})
        text = await client.refused("preview_campaign", **campaign)
    assert "does not end" in text


async def test_a_clean_preview_gives_the_result_of_every_check(bench: Bench) -> None:
    async with bench.client() as client:
        preview = await client.call("preview_campaign", **await draft(client))
    told = {row["check"]: row["result"] for row in preview["checks"]}
    assert {row["verdict"] for row in preview["checks"]} == {"ok"}
    entries = len((await bench.api("GET", "/dnc"))["entries"])
    assert told["do_not_call"].startswith(f"0 of 2 on a list of {entries}")
    assert told["capacity"] == "20 of 20 free"
    assert told["agent"] == '"Outreach" is ready'
    assert told["numbers"].startswith("2 contacts")
    assert len(told) == 9


async def test_the_cost_comes_from_finished_campaigns_and_is_unknown_without(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        bench.wire.requests.clear()
        known = await client.call("preview_campaign", **campaign)
        calls = [r for r in bench.wire.requests if "campaignIds" in r.url.params]
        alter(bench, "GET /campaign?*status=completed*", lambda data: {**data, "campaigns": []})
        without = await client.call("preview_campaign", **campaign)
    async with bench.client() as client:
        fail(bench, "GET /campaign?*status=completed*")
        unread = await client.call("preview_campaign", **campaign)
    assert re.match(r"0\.\d\d to 0\.\d\d USD, from \d\d calls of this account", known["cost"])
    assert "completed 0.0" in known["cost"]
    assert len(calls) == 1
    assert without["cost"] == "unknown, for lack of finished campaigns with enough calls"
    assert unread["cost"] == "unknown, since finished campaigns could not be read"
