"""Results of what dials or destroys say who agreed to it, and which warnings were shown."""

from typing import Any

import pytest
from mcp_types import ElicitResult

from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from tests.support.bench import Bench
from tests.support.serving import ERAS, Answer, Caller, says_yes, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T10:00:00+05:30"


def after(bench: Bench, seconds: float) -> Answer:
    def answer(question: str) -> ElicitResult:
        bench.clock.advance(seconds=seconds)
        return says_yes(question)

    return answer


async def start(client: Caller, **more: Any) -> tuple[str, dict[str, Any]]:
    made = await client.call("create_campaign", **DRAFT, **more)
    return "start_campaign", {"campaign_id": made["campaign_id"]}


async def schedule(client: Caller) -> tuple[str, dict[str, Any]]:  # noqa: ARG001
    return "create_campaign", {**DRAFT, "scheduled_at": WHEN}


async def delete(client: Caller) -> tuple[str, dict[str, Any]]:
    return "delete_campaign", (await start(client))[1]


async def delete_audience(client: Caller) -> tuple[str, dict[str, Any]]:
    csv = "phone,name\n+12025550143,Ada"
    made = await client.call("create_audience", name="Mine", csv=csv)
    return "delete_audience", {"audience_id": made["audience_id"]}


AGREED = [start, schedule, delete, delete_audience]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("call", AGREED)
async def test_a_result_says_that_the_client_asked_when_it_answered_and_what_it_showed(
    bench: Bench, call: Any, era: str
) -> None:
    async with bench.client(era, after(bench, 4.25)) as client:
        tool, arguments = await call(client)
        result = await client.raw(tool, **arguments)
    data = result.structured_content
    assert data is not None
    assert (data["consent"], data["answered_after"]) == ("asked", 4.2)
    _, _, noted = bench.questions[-1].partition(" Note: ")
    assert "; ".join(data["warnings"]) == noted.removesuffix(".")
    assert "its answer after 4.2 s was yes" in text_of(result)
    assert (noted.removesuffix(".") or "warnings shown: none") in text_of(result)


@pytest.mark.parametrize("call", AGREED)
async def test_a_result_says_that_a_token_was_used(bench: Bench, call: Any) -> None:
    async with bench.client(answer=None) as client:
        tool, arguments = await call(client)
        asked = await client.raw(tool, **arguments)
        assert asked.structured_content is not None
        token = asked.structured_content["confirm_token"]
        result = await client.raw(tool, **arguments, confirm_token=token)
    data = result.structured_content
    assert data is not None
    assert data["consent"] == "token"
    assert "answered_after" not in data
    assert all(warning in text_of(asked) for warning in data["warnings"])
    assert "agreed to with a token" in text_of(result)


@pytest.mark.parametrize("call", AGREED)
async def test_a_result_says_that_nobody_was_asked(bench: Bench, call: Any) -> None:
    bench.configure(confirm="never")
    async with bench.client() as client:
        tool, arguments = await call(client)
        result = await client.raw(tool, **arguments)
    data = result.structured_content
    assert data is not None
    assert data["consent"] == "nobody"
    assert "Nobody was asked (ATOMS_MCP_CONFIRM=never)" in text_of(result)
    assert bench.questions == []


async def test_what_needs_no_agreement_says_nothing_of_one(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.raw("create_campaign", **DRAFT)
        assert made.structured_content is not None
        campaign: dict[str, Any] = {"campaign_id": made.structured_content["campaign_id"]}
        await client.call("start_campaign", **campaign)
        again = await client.raw("start_campaign", **campaign)
    for result in (made, again):
        assert result.structured_content is not None
        assert not {"consent", "warnings", "answered_after"} & set(result.structured_content)
        assert "warnings" not in text_of(result)


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_the_warnings_are_those_of_the_question_though_they_are_gone_meanwhile(
    bench: Bench, era: str
) -> None:
    """In Puerto Rico it is 07:58 when the question is asked, and 08:01 when it is answered."""
    bench.clock.advance(hours=23, minutes=58)
    async with bench.client(era, after(bench, 180)) as client:
        made = await client.call(
            "create_audience", name="Island", csv="phone,name\n+17872345678,Ada"
        )
        draft = {**DRAFT, "audience_id": made["audience_id"], "max_retries": 0}
        campaign = (await client.call("create_campaign", **draft))["campaign_id"]
        started = await client.call("start_campaign", campaign_id=campaign)
    assert any("outside 08:00" in warning for warning in started["warnings"]), bench.questions
    assert all(warning in bench.questions[0] for warning in started["warnings"])


@pytest.mark.parametrize("era", ERAS)
async def test_the_journal_keeps_how_long_the_answer_took(bench: Bench, era: str) -> None:
    async with bench.client(era, after(bench, 4.25)) as client:
        tool, arguments = await start(client)
        await client.call(tool, **arguments)
    assert bench.settings.state is not None
    store = SqliteStore.open(bench.settings.state)  # pyright: ignore[reportArgumentType]
    entries = {
        entry.intent.tool: entry.intent.answered_after for entry in await store.journal.entries(9)
    }
    await store.close()
    assert entries == {"start_campaign": 4.25, "create_campaign": None}
