"""Looking into an audience: what it holds, and what of it can be called."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.tampering import fail
from tests.support.troubles import listed, members
from tests.support.world import AGENT, AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
CSV = (
    "phone,name,callback,note\n"
    '+12025550111,Ada,+12025550111,"Say ""yes"" and dial"\n'
    "+442079460958,Bea,,\n"
    "+919876543210,Chi,,=1+1\n"
)


async def made(client: Caller) -> str:
    answer = await client.call("create_audience", name="List", csv=CSV)
    return answer["audience_id"]


async def test_an_audience_shows_its_contacts_with_masked_numbers_and_quoted_fields(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        await made(client)
        raw = await client.raw("get_audience", audience_id="List")
    result: Any = raw.structured_content
    assert (result["total"], result["has_more"], result["invalid"]) == (3, False, 0)
    assert sorted(result["countries"]) == ["GB: 1", "IN: 1", "US: 1"]
    assert "Asia/Kolkata: 1" in result["time_zones"]
    first = result["contacts"][0]
    assert first["country"] == "US"
    assert first["fields"][0] == 'name: "Ada"'
    # What stands in a field can neither close its quotes nor carry the number.
    assert first["fields"][2] == "note: \"Say 'yes' and dial\""
    for number in ("2025550111", "2079460958", "9876543210"):
        assert number not in text_of(raw)
        assert number not in raw.model_dump_json()


async def test_numbers_are_shown_where_the_operator_shows_them(bench: Bench) -> None:
    bench.configure(show_numbers=True)
    async with bench.client() as client:
        await made(client)
        result = await client.call("get_audience", audience_id="List")
    assert result["contacts"][0]["phone"] == "+12025550111"


async def test_do_not_call_hits_are_those_of_the_organization_and_of_every_agent(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        audience = await made(client)
        before = await client.call("get_audience", audience_id=audience)
        await listed("+1 202 555 0111", "")(bench, client)
        await listed("442079460958", AGENT)(bench, client)
        after = await client.call("get_audience", audience_id=audience)
    assert (before["on_dnc"], after["on_dnc"]) == (0, 2)
    assert "from_audience_id" in after["next_step"]


async def test_a_do_not_call_list_that_cannot_be_read_is_unknown_and_never_zero(
    bench: Bench,
) -> None:
    fail(bench, "GET /dnc*")
    async with bench.client() as client:
        raw = await client.raw("get_audience", audience_id=AUDIENCE)
    assert raw.structured_content is not None
    assert raw.structured_content.get("on_dnc") is None
    assert "on a do-not-call list: unknown" in text_of(raw)


async def test_numbers_that_nobody_has_or_may_have_are_counted(bench: Bench) -> None:
    odd = [{"data": {"phoneNumber": number}} for number in ("12", "call me", "+12125550199999")]
    unassigned = {"data": {"phoneNumber": "+12100000000"}}
    async with bench.client() as client:
        audience = await made(client)
        await members(lambda rows: [*rows, *odd, unassigned])(bench, client)
        result = await client.call("get_audience", audience_id=audience)
    assert (result["invalid"], result["total"]) == (3, 7)
    assert result["doubtful"] == 1


@pytest.mark.slow
async def test_the_campaigns_that_use_it_are_named_with_their_state(bench: Bench) -> None:
    async with bench.client() as client:
        for name in ("First", "Second"):
            campaign = await client.call("create_campaign", **{**DRAFT, "name": name})
        await client.call("start_campaign", campaign_id=campaign["campaign_id"])
        result = await client.call("get_audience", audience_id=AUDIENCE)
    states = [entry.rpartition(" ")[2] for entry in result["campaigns"][:2]]
    assert states[1] == "draft"
    assert states[0] in {"processing", "running"}
    assert not result["more_campaigns"]


@pytest.mark.slow
async def test_pages_hold_every_contact_once(bench: Bench) -> None:
    async with bench.client() as client:
        audience = await made(client)
        pages = [
            await client.call("get_audience", audience_id=audience, page=page, limit=2)
            for page in (1, 2, 3)
        ]
    assert [len(page["contacts"]) for page in pages] == [2, 1, 0]
    assert [page["has_more"] for page in pages] == [True, False, False]
    assert "page 1" in pages[2]["next_step"]


async def test_an_unknown_name_gets_the_candidates(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("get_audience", audience_id="January renewal")
    assert "list_audiences" in text
