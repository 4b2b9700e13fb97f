from typing import Any

import pytest
from mcp_types import ElicitResult

from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio


async def ids(client: Caller) -> list[str]:
    return [row["id"] for row in (await client.call("list_audiences", limit=100))["audiences"]]


@pytest.mark.parametrize("era", ERAS)
async def test_an_audience_is_gone_after_the_person_agreed(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        gone = await client.call("delete_audience", audience_id=AUDIENCE)
        left = await ids(client)
    assert (gone["audience_id"], gone["name"]) == (AUDIENCE, "January Outreach contacts")
    assert AUDIENCE not in left
    (question,) = bench.questions
    for fact in ('"January Outreach contacts"', "2 contacts", "cannot be undone"):
        assert fact in question


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_gets_a_token_that_works_once(
    bench: Bench, era: str
) -> None:
    arguments = {"audience_id": "January Outreach contacts"}
    async with bench.client(era, answer=None) as client:
        result = await client.raw("delete_audience", **arguments)
        assert result.is_error
        assert result.structured_content is not None
        token = result.structured_content["confirm_token"]
        other = await client.refused(
            "delete_audience", audience_id="Newsletter readers", confirm_token=token
        )
        assert bench.wire.changes == []
        gone = await client.call("delete_audience", **arguments, confirm_token=token)
        again = await client.refused("delete_audience", **arguments, confirm_token=token)
    assert "is not what would happen now" in other
    assert gone["audience_id"] == AUDIENCE
    assert "nothing in this account" in again
    assert bench.wire.changes == [AUDIENCE]


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_without_a_yes_it_stays(bench: Bench, action: Any) -> None:
    async with bench.client(answer=lambda _: ElicitResult(action=action)) as client:
        text = await client.refused("delete_audience", audience_id=AUDIENCE)
        left = await ids(client)
    assert "Nothing was done." in text
    assert AUDIENCE in left
    assert bench.wire.changes == []


async def test_while_campaigns_refer_to_it_they_are_named_and_nobody_is_asked(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused("delete_audience", audience_id=AUDIENCE)
        await client.call("delete_campaign", campaign_id=made["campaign_id"])
        bench.questions.clear()
        gone = await client.call("delete_audience", audience_id=AUDIENCE)
    assert f'"January renewals" ({made["campaign_id"]}, draft)' in text
    assert "Delete those campaigns first" in text
    assert gone["audience_id"] == AUDIENCE
    assert bench.wire.changes == ["campaign", made["campaign_id"], AUDIENCE]


async def test_a_finished_campaign_keeps_its_audience_too(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("delete_audience", audience_id="Spring renewals")
    assert '"Spring renewals, first round"' in text
    assert "completed" in text
    assert bench.questions == []


async def test_a_campaign_made_between_question_and_yes_keeps_it(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        result = await client.raw("delete_audience", audience_id=AUDIENCE)
        assert result.structured_content is not None
        await client.call("create_campaign", **DRAFT)
        text = await client.refused(
            "delete_audience",
            audience_id=AUDIENCE,
            confirm_token=result.structured_content["confirm_token"],
        )
    assert "is used by campaigns" in text
    assert bench.wire.changes == ["campaign"]


async def test_contacts_added_between_question_and_yes_are_not_lost(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        result = await client.raw("delete_audience", audience_id=AUDIENCE)
        assert result.structured_content is not None
        await bench.api(
            "POST", f"/audience/{AUDIENCE}/members", {"members": [{"phoneNumber": "+12025550199"}]}
        )
        text = await client.refused(
            "delete_audience",
            audience_id=AUDIENCE,
            confirm_token=result.structured_content["confirm_token"],
        )
    assert "is not what would happen now" in text
    assert bench.wire.changes == []


async def test_two_of_one_name_are_both_offered_and_neither_is_deleted(bench: Bench) -> None:
    async with bench.client() as client:
        made = [
            await client.call("create_audience", name="Twin", csv="phone\n+14155550100\n")
            for _ in range(2)
        ]
        text = await client.refused("delete_audience", audience_id="twin")
    assert all(row["audience_id"] in text for row in made)
    assert bench.wire.changes == ["audience", "audience"]
    assert bench.questions == []


async def test_what_is_not_there_is_answered_with_candidates(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("delete_audience", audience_id="f" * 24)
    assert "nothing in this account" in text
    assert AUDIENCE in text
    assert bench.questions == []
