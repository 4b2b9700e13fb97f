"""M7: a second token with allow_duplicate scheduled twice, and no question said so."""

import re
from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.previews import US_NUMBER, draft
from tests.support.serving import Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
LATER: dict[str, Any] = {**DRAFT, "phone_ids": [US_NUMBER], "scheduled_at": WHEN}


async def token(client: Caller, tool: str, **arguments: Any) -> tuple[str, str]:
    """Return the question and the token for it."""
    text = await client.refused(tool, **arguments)
    found = re.search(r"confirm_token (\S+) ", text)
    assert found, text
    return text, found[1]


async def test_a_second_token_does_not_schedule_the_same_people_twice(bench: Bench) -> None:
    twice = {**LATER, "allow_duplicate": True}
    async with bench.client(answer=None) as client:
        _, one = await token(client, "create_campaign", **twice)
        _, two = await token(client, "create_campaign", **twice)
        await client.call("create_campaign", **twice, confirm_token=one)
        text = await client.refused("create_campaign", **twice, confirm_token=two)
    assert "What was confirmed is not what would happen now" in text
    assert bench.wire.changes.count("campaign") == 1


async def test_the_question_names_an_equal_campaign_and_a_yes_to_it_is_one(bench: Bench) -> None:
    twice = {**LATER, "allow_duplicate": True}
    async with bench.client() as client:
        await client.call("create_campaign", **LATER)
        await client.call("create_campaign", **twice)
    first, second = bench.questions
    assert "equal to this one" not in first
    assert (
        'campaign "January renewals", equal to this one, is scheduled on the same audience'
        in second
    )
    assert bench.wire.changes.count("campaign") == 2


async def test_an_equal_draft_is_named_too(bench: Bench) -> None:
    bench.configure(confirm="token")
    early = {**LATER, "scheduled_at": "2027-01-05T15:00:00+00:00"}
    async with bench.client(answer=None) as client:
        await client.call(
            "create_campaign", **{k: v for k, v in LATER.items() if k != "scheduled_at"}
        )
        _, yes = await token(client, "create_campaign", **LATER)
        await client.call("create_campaign", **LATER, confirm_token=yes)
        text, _ = await token(client, "create_campaign", **early)
    assert '"January renewals" is scheduled on the same audience' in text


@pytest.mark.slow
async def test_a_start_counts_what_is_scheduled_on_its_audience_since_the_question(
    bench: Bench,
) -> None:
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        _, yes = await token(client, "start_campaign", **campaign)
        other = {**LATER, "name": "Another"}
        _, later = await token(client, "create_campaign", **other)
        await client.call("create_campaign", **other, confirm_token=later)
        text = await client.refused("start_campaign", **campaign, confirm_token=yes)
        preview = await client.call("preview_campaign", **campaign)
    assert "What was confirmed is not what would happen now" in text
    (row,) = [row for row in preview["findings"] if row["rule"] == "same_audience"]
    assert 'campaign "Another" is scheduled on the same audience' in row["reason"]
    assert "start" not in bench.wire.changes


async def test_campaigns_of_other_audiences_are_no_rivals(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **LATER)
        preview = await client.call("preview_campaign", **await draft(client))
    assert [row["rule"] for row in preview["findings"] if "audience" in row["rule"]] == []
