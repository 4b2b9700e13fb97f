import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import AGENT, AUDIENCE, CALLER_ID, CALLER_NUMBER, DRAFT

pytestmark = pytest.mark.anyio


def sent(bench: Bench) -> dict[str, Any]:
    (request,) = [r for r in bench.wire.requests if r.method == "POST"]
    return json.loads(request.content)


async def test_a_draft_is_created_with_exactly_the_fields_of_the_api(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, description="By phone", max_retries=0, retry_delay=1440
        )
    assert sent(bench) == {
        "name": "January renewals",
        "description": "By phone",
        "agentId": AGENT,
        "audienceId": AUDIENCE,
        "phoneNumberIds": [CALLER_ID],
        "maxRetries": 0,
        "retryDelay": 1440,
    }
    assert (made["status"], made["participants"], made["mode"]) == ("draft", 2, "sandbox")
    assert "preview_campaign" in made["next_step"]
    assert bench.questions == []


async def test_retries_default_to_three_after_fifteen_minutes(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        chosen = await client.call(
            "create_campaign", **DRAFT, max_retries=3, retry_delay=15, allow_duplicate=True
        )
        one = await client.call("create_campaign", **{**DRAFT, "name": "One"}, max_retries=1)
        none = await client.call("create_campaign", **{**DRAFT, "name": "None"}, max_retries=0)
    assert (made["max_retries"], made["retry_delay"]) == (3, 15)
    assert "By default: max_retries 3, retry_delay 15." in made["next_step"]
    assert "By default: retry_delay 15." in one["next_step"]
    assert not {"default" in told["next_step"] for told in (chosen, none)} - {False}


async def test_names_and_numbers_are_resolved_to_ids(bench: Bench) -> None:
    async with bench.client() as client:
        agent = (await client.call("list_agents"))["agents"][0]["name"]
        audience = (await client.call("list_audiences"))["audiences"][0]["name"]
        await client.call(
            "create_campaign",
            name="By name",
            agent_id=agent.upper(),
            audience_id=f" {audience} ",
            phone_ids=["+91 22 6809 3560", CALLER_ID],
        )
    body = sent(bench)
    assert (body["agentId"], body["audienceId"], body["phoneNumberIds"]) == (
        AGENT,
        AUDIENCE,
        [CALLER_ID],
    )


@pytest.mark.parametrize("phone_ids", [f'["{CALLER_NUMBER}"]', [CALLER_ID]])
async def test_a_list_may_come_as_its_json_text(bench: Bench, phone_ids: object) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **{**DRAFT, "phone_ids": phone_ids})
    assert made["phone_ids"] == [CALLER_ID]


async def test_numeric_strings_pass_for_whole_numbers(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT, max_retries="2", retry_delay="5")
    assert (made["max_retries"], made["retry_delay"]) == (2, 5)


async def test_null_means_absent_for_an_optional_argument(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT, scheduled_at=None, description=None)
    assert made["status"] == "draft"


@pytest.mark.parametrize("name", ["Рассылка №1", "更新 🎉", 'O\'Brien & "Söhne"'])
async def test_unicode_names_arrive_unchanged(bench: Bench, name: str) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **{**DRAFT, "name": name})
    assert made["name"] == name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agent_id": "Nobody"}, ("agent_id: nothing in this account", "list_agents")),
        ({"agent_id": "f" * 24}, ("No agent found",)),
        ({"audience_id": "Nowhere"}, ("audience_id: nothing in this account", AUDIENCE)),
        ({"audience_id": "f" * 24}, ("audience_id: nothing in this account", AUDIENCE)),
        ({"phone_ids": [CALLER_ID, "f" * 24]}, ("entry 2 is not a caller ID", CALLER_NUMBER)),
        ({"phone_ids": ["+12025550100"]}, ("entry 1 is not a caller ID", CALLER_ID)),
    ],
)
async def test_what_cannot_be_resolved_is_answered_with_candidates_and_nothing_is_created(
    bench: Bench, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    async with bench.client() as client:
        text = await client.refused("create_campaign", **{**DRAFT, **changes})
    assert all(word in text for word in words), text
    assert bench.wire.changes == []


async def test_an_archived_agent_is_refused(bench: Bench) -> None:
    archived = {"status": True, "data": {"_id": AGENT, "name": "Old voice", "archived": True}}
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(200, json=archived))
    async with bench.client() as client:
        text = await client.refused("create_campaign", **DRAFT)
    assert 'agent "Old voice" is archived' in text


async def test_two_agents_of_one_name_are_both_offered_and_neither_is_taken(bench: Bench) -> None:
    rows = [{"_id": "a" * 24, "name": "Twin"}, {"_id": "b" * 24, "name": "twin"}]
    page = {"status": True, "data": {"agents": rows, "totalCount": 2, "hasMore": False}}
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(200, json=page))
    async with bench.client() as client:
        text = await client.refused("create_campaign", **{**DRAFT, "agent_id": "Twin"})
    assert "a" * 24 in text
    assert "b" * 24 in text
    assert bench.wire.changes == []


async def test_the_apis_own_refusal_reads_well(bench: Bench) -> None:
    below = bench.wire.below
    said = {"path": ["name"], "code": "custom", "message": "name is reserved"}

    async def refuse(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(400, json={"status": False, "errors": [said]})
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(refuse)
    async with bench.client() as client:
        text = await client.refused("create_campaign", **DRAFT)
    assert "The Atoms API refused (400): name" in text
    assert "{" not in text


async def test_a_name_is_as_long_as_the_dashboard_allows(bench: Bench) -> None:
    async with bench.client() as client:
        await client.call("create_campaign", **{**DRAFT, "name": "x" * 40})
        text = await client.refused("create_campaign", **{**DRAFT, "name": "x" * 41})
    assert "1 to 40 characters" in text
    assert "xxx" not in text


async def test_caller_ids_of_which_none_is_active_are_refused_before_they_are_fixed_for_good(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        inactive = next(row["number"] for row in numbers if not row["active"])
        text = await client.refused("create_campaign", **{**DRAFT, "phone_ids": [inactive]})
        await client.call("create_campaign", **{**DRAFT, "phone_ids": [inactive, CALLER_ID]})
    assert "none of them is active" in text
    assert bench.wire.changes == ["campaign"]


async def test_the_order_of_caller_ids_makes_no_other_campaign(bench: Bench) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        ids = [row["id"] for row in numbers if row["active"]][:2]
        await client.call("create_campaign", **{**DRAFT, "phone_ids": ids})
        text = await client.refused("create_campaign", **{**DRAFT, "phone_ids": ids[::-1]})
    assert "has the same" in text


async def test_an_agent_that_nothing_resembles_is_answered_with_those_there_are(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        text = await client.refused("create_campaign", **{**DRAFT, "agent_id": "Outreech"})
    assert "Outreech" not in text
    assert f'"Outreach" ({AGENT})' in text


async def test_a_schedule_is_confirmed_and_sent_in_utc(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
    assert sent(bench)["scheduledAt"] == "2027-01-05T04:30:00.000Z"
    assert made["status"] == "scheduled"
    assert "delete_campaign" in made["next_step"]
    (question,) = bench.questions
    for fact in ('"January renewals"', "2027-01-05T10:00:00+05:30", "2 contacts", CALLER_NUMBER):
        assert fact in question


@pytest.mark.slow
async def test_a_schedule_that_nobody_confirmed_creates_nothing(bench: Bench) -> None:
    when = (bench.clock.now() + timedelta(days=1)).isoformat()
    async with bench.client(answer=None) as client:
        result = await client.raw("create_campaign", **DRAFT, scheduled_at=when)
        assert result.is_error
        assert result.structured_content is not None
        token = result.structured_content["confirm_token"]
        assert bench.wire.changes == []
        other = await client.refused(
            "create_campaign", **{**DRAFT, "name": "Other"}, scheduled_at=when, confirm_token=token
        )
        assert "is not what would happen now" in other
        made = await client.call("create_campaign", **DRAFT, scheduled_at=when, confirm_token=token)
    assert made["status"] == "scheduled"
    assert bench.wire.changes == ["campaign"]


async def test_a_past_schedule_is_refused_before_any_request(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused(
            "create_campaign", **DRAFT, scheduled_at="2027-01-04T11:59:59+00:00"
        )
    assert "scheduled_at: must be in the future; it is now 2027-01-04T12:00:00+0000" in text
    assert bench.wire.requests == []


async def test_no_dial_refuses_a_schedule_and_names_the_rule(bench: Bench) -> None:
    bench.configure(no_dial=True)
    async with bench.client() as client:
        text = await client.refused(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        made = await client.call("create_campaign", **DRAFT)
    assert "ATOMS_MCP_NO_DIAL" in text
    assert made["status"] == "draft"


@pytest.mark.parametrize(
    "when", ["1893456000", "1893456000.5", " 1893456000", "9999-12-31T23:59:59+00:00"]
)
async def test_a_bare_number_or_a_far_year_is_no_time_to_dial(bench: Bench, when: str) -> None:
    async with bench.client() as client:
        text = await client.refused("create_campaign", **DRAFT, scheduled_at=when)
    assert "scheduled_at" in text
    assert bench.wire.changes == []


async def test_a_list_that_nests_too_deeply_is_refused(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("create_campaign", **{**DRAFT, "phone_ids": "[" * 100_000})
    assert "phone_ids" in text
    assert "fault of its own" not in text


async def test_the_result_names_the_agent_the_audience_and_the_caller_ids(bench: Bench) -> None:
    async with bench.client() as client:
        agents = {row["id"]: row["name"] for row in (await client.call("list_agents"))["agents"]}
        made = await client.call("create_campaign", **DRAFT)
    assert made["agent"] == agents[made["agent_id"]]
    assert made["audience"]
    assert made["caller_ids"] == ["+912268093560"]
