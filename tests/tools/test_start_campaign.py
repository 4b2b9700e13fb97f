import pytest
from mcp_types import ElicitResult

from atoms_campaigns_mcp.atoms.client import FRESH
from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller
from tests.support.troubles import every_number
from tests.support.world import CALLER_ID, DRAFT

pytestmark = pytest.mark.anyio


async def draft(client: Caller, **changes: str) -> dict[str, str]:
    made = await client.call("create_campaign", **(DRAFT | changes), max_retries=0)
    return {"campaign_id": made["campaign_id"]}


@pytest.mark.parametrize("era", ERAS)
async def test_a_draft_dials_after_the_person_agreed(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        campaign = await draft(client)
        started = await client.call("start_campaign", **campaign)
    assert (started["status"], started["changed"]) == ("running", True)
    assert len(bench.questions) == 1
    assert "simulated calls to 2 contacts" in bench.questions[0]
    assert bench.wire.changes == ["campaign", "start"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    "answer",
    [
        ElicitResult(action="decline"),
        ElicitResult(action="cancel"),
        ElicitResult(action="accept", content={"confirm": False}),
        ElicitResult(action="accept", content={"confirm": "true"}),
        ElicitResult(action="accept", content={}),
        ElicitResult(action="accept"),
    ],
    ids=["decline", "cancel", "false", "text", "empty", "absent"],
)
async def test_anything_but_a_yes_dials_nobody(
    bench: Bench, era: str, answer: ElicitResult
) -> None:
    async with bench.client(era, answer=lambda _: answer) as client:
        campaign = await draft(client)
        text = await client.refused("start_campaign", **campaign)
        report = await client.call("get_campaign_status", **campaign)
    assert "Nothing was done." in text
    assert report["status"] == "draft"
    assert bench.wire.changes == ["campaign"]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_gets_a_token_that_works_once(
    bench: Bench, era: str
) -> None:
    async with bench.client(era, answer=None) as client:
        campaign = await draft(client)
        result = await client.raw("start_campaign", **campaign)
        assert result.is_error
        assert result.structured_content is not None
        token = result.structured_content["confirm_token"]
        assert token in getattr(result.content[0], "text", "")
        assert bench.wire.changes == ["campaign"]
        started = await client.call("start_campaign", **campaign, confirm_token=token)
        assert started["status"] == "running"
        await client.call("pause_campaign", **campaign)
        again = await client.refused("start_campaign", **campaign, confirm_token=token)
    assert "is not what would happen now" in again
    assert bench.wire.changes == ["campaign", "start", "pause"]


async def test_a_token_is_good_for_one_campaign_only(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        first, second = await draft(client), await draft(client, name="Another")
        result = await client.raw("start_campaign", **first)
        assert result.structured_content is not None
        token = result.structured_content["confirm_token"]
        text = await client.refused("start_campaign", **second, confirm_token=token)
        forged = await client.refused("start_campaign", **first, confirm_token=token[:-1] + "?")
        other = await client.refused("delete_campaign", **first, confirm_token=token)
    assert "is not what would happen now" in text
    assert "was not given by this server" in forged
    assert "was given for something else" in other
    assert "start" not in bench.wire.changes


async def test_a_token_expires_after_five_minutes(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        result = await client.raw("start_campaign", **campaign)
        assert result.structured_content is not None
        bench.clock.advance(seconds=301)
        token = result.structured_content["confirm_token"]
        text = await client.refused("start_campaign", **campaign, confirm_token=token)
    assert "expired" in text
    assert bench.wire.changes == ["campaign"]


async def test_human_policy_refuses_a_client_that_cannot_ask(bench: Bench) -> None:
    bench.configure(confirm="human")
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        text = await client.refused("start_campaign", **campaign)
    assert "ATOMS_MCP_CONFIRM=human" in text
    assert bench.wire.changes == ["campaign"]


async def test_token_policy_does_not_ask_even_where_it_could(bench: Bench) -> None:
    bench.configure(confirm="token")
    async with bench.client() as client:
        campaign = await draft(client)
        text = await client.refused("start_campaign", **campaign)
    assert "confirm_token" in text
    assert bench.questions == []


async def test_never_policy_starts_at_once(bench: Bench) -> None:
    bench.configure(confirm="never")
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        started = await client.call("start_campaign", **campaign)
    assert started["status"] == "running"


async def test_a_campaign_that_runs_is_left_alone_and_nobody_is_asked(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", **campaign)
        again = await client.call("start_campaign", **campaign)
    assert (again["status"], again["changed"]) == ("running", False)
    assert bench.wire.changes == ["campaign", "start"]
    assert len(bench.questions) == 1


@pytest.mark.slow
async def test_a_resumption_asks_for_those_who_were_not_called_yet(bench: Bench) -> None:
    list_ = "phone\n" + "\n".join(f"+1415666{n:04d}" for n in range(100, 103))
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **{**DRAFT, "audience_id": "Newsletter readers"}
        )
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        bench.clock.advance(seconds=60)
        await client.call("pause_campaign", **campaign)
        bench.clock.advance(seconds=300)
        await client.call("add_contacts", audience_id="Newsletter readers", csv=list_)
        before = await client.call("get_campaign_status", **campaign)
        preview = await client.call("preview_campaign", **campaign)
        await client.call("start_campaign", **campaign)
        after = await client.call("get_campaign_status", **campaign)
    left, called = before["contacts_remaining"], before["contacts_called"]
    assert 0 < left < 500
    # One on the do-not-call list was dispatched and not called.
    assert preview["contacts"] == left >= after["starts"][-1]["contacts"] > left - 3
    assert preview["dials"] == f"{left} to {left * 4 + called * 3}"
    assert f"{left} contacts not called yet" in bench.questions[-1]
    assert "calls to 503" not in bench.questions[-1]
    added = next(row for row in preview["findings"] if row["rule"] == "added_contacts")
    assert added["severity"] == "unknown"
    assert "3 contacts added" in bench.questions[-1]


@pytest.mark.slow
async def test_a_paused_campaign_is_resumed(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
        resumed = await client.call("start_campaign", **campaign)
    assert resumed["status"] == "running"
    assert bench.questions[1].startswith("[sandbox] Resume campaign")


async def test_a_completed_campaign_cannot_be_started(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", **campaign)
        bench.clock.advance(hours=3)
        text = await client.refused("start_campaign", **campaign)
    assert "is completed and cannot be started. Nothing was sent." in text
    assert "get_campaign_results" in text


async def test_a_scheduled_campaign_cannot_be_started_by_hand(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **DRAFT, scheduled_at="2027-01-05T10:00:00+05:30"
        )
        text = await client.refused("start_campaign", campaign_id=made["campaign_id"])
    assert "ask the user" in text


async def test_a_start_without_an_active_caller_id_is_refused_before_it_is_sent(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        off = every_number(lambda row: {**row, "isActive": False})
        await off(bench, client)
        bench.clock.advance(seconds=FRESH)
        text = await client.refused("start_campaign", campaign_id=made["campaign_id"])
    assert "none of its caller IDs is active (no_active_caller_id)" in text
    assert "list_phone_numbers" in text
    assert bench.questions == []
    assert bench.wire.changes == ["campaign"]


async def test_a_start_that_fails_upstream_is_reported_with_the_reason(bench: Bench) -> None:
    """Made elsewhere, its caller IDs are not known here, so only the API can find it."""
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        inactive = next(row["id"] for row in numbers if not row["active"])
        body = {
            "name": "Elsewhere",
            "agentId": DRAFT["agent_id"],
            "audienceId": DRAFT["audience_id"],
            "phoneNumberIds": [inactive],
        }
        campaign_id = (await bench.api("POST", "/campaign", body))["_id"]
        started = await client.call("start_campaign", campaign_id=campaign_id)
    assert "was not created here" in bench.questions[0]
    assert started["status"] == "failed"
    assert "No phone numbers available" in started["message"]


async def test_a_yes_to_an_audience_that_grew_meanwhile_dials_nobody(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        result = await client.raw("start_campaign", **campaign)
        assert result.structured_content is not None
        members = {"members": [{"phoneNumber": "+12025550199"}]}
        await bench.api("POST", f"/audience/{DRAFT['audience_id']}/members", members)
        token = result.structured_content["confirm_token"]
        text = await client.refused("start_campaign", **campaign, confirm_token=token)
    assert "its contacts have changed" in text
    assert "start" not in bench.wire.changes
    assert CALLER_ID not in text
