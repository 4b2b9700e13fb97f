"""What the probe finds out about the sandbox, and what it leaves: nothing."""

import json
import re
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import open_state
from tests.contract.driver import only
from tests.probe.account import CALLER, KEY, MARK, PHONES, Account, account, account_in_memory
from tests.probe.questions import ASKED

pytestmark = pytest.mark.anyio
LIVE = {"pending", "in_queue", "processing", "in_progress", "active"}
STRICT = {
    "pause_scheduled": "refused",
    "start_while_running": "refused",
    "completed_early": "no",
    "pause_completed": "refused",
    "redials": "seen",
    "do_not_call": "not_seen",
    "cancel_call": "accepted",
    "pause_queued": "accepted",
    "resume_cancelled": "not_dialled",
    "resume_paused": "dialled",
    "start_completed": "refused",
    "delete_audience_in_use": "refused",
}


async def is_at_rest(api: Account) -> bool:
    """Whether nothing of a run is left, and no phone rings in the next ten minutes."""
    before = len(await api.calls())
    api.clock.advance(minutes=10)
    after = await api.calls()
    live = [call for call in after if call["status"] in LIVE]
    return (await api.there(), live, len(after) - before) == ([], [], 0)


@pytest.mark.slow
async def test_every_question_is_answered_by_a_strict_api(tmp_path: Path) -> None:
    async with account(tmp_path, org_limit=1, odds=only("no_answer")) as api:
        result = await api.probed()
        assert (result.ended, result.left) == ("finished", [])
        assert api.answers == STRICT
        assert {pair["ended"] for pair in api.seen("redials")["calls"]} == {"no_answer"}
        assert 58 <= api.seen("redials")["calls"][0]["seconds_after_its_end"] <= 64
        assert api.seen("pause_queued")["calls_cancelled_by_it"] == 1
        assert api.seen("pause_queued")["calls_that_went_on"] == 1
        assert await is_at_rest(api)


@pytest.mark.slow
async def test_an_api_that_completes_early_is_seen_to(tmp_path: Path) -> None:
    lenient = {"completion": "dispatched", "idempotent_start": True}
    async with account(tmp_path, org_limit=1, odds=only("no_answer"), **lenient) as api:
        result = await api.probed()
        assert result.left == []
        early = {"completed_early": "yes", "pause_completed": "refused"}
        stuck = {"pause_queued": "refused", "resume_paused": "not_seen"}
        assert api.answers.items() >= (early | stuck).items()
        assert api.seen("completed_early")["calls_that_began_later"] >= 3
        assert await is_at_rest(api)


@pytest.mark.slow
async def test_a_start_that_is_accepted_while_it_runs_is_reported(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path, idempotent_start=True) as api:
        await api.probed(1)
        assert api.answers["start_while_running"] == "accepted"


@pytest.mark.slow
async def test_a_phone_on_the_do_not_call_list_is_told_from_the_others(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:
        entries = (await api.get("/dnc"))["entries"]
        listed = next(one["phoneNumber"] for one in entries if "agentId" not in one)
        result = await api.probed(2, listed=listed)
        assert result.ended == "finished"
        assert api.answers["do_not_call"] == "not_dialled"
        assert api.seen("do_not_call")["call_statuses"] == ["blocked"]
        assert listed[-7:] not in json.dumps(api.reports)


async def test_a_phone_that_is_not_on_that_list_as_said_stops_it_before_a_call(
    tmp_path: Path,
) -> None:
    async with account_in_memory(tmp_path) as api:
        result = await api.probed(2, listed=PHONES[2])
        assert result.ended == "stopped: refused"
        assert not any(one.endswith("start") for one in api.sent)
        assert await is_at_rest(api)


@pytest.mark.slow
async def test_the_report_holds_no_number_name_id_or_key(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path, completion="dispatched", org_limit=2) as api:
        await api.probed()
        text = json.dumps(api.reports)
    for secret in (KEY, MARK, "Outreach", "127.0.0.1", CALLER[-6:], *PHONES):
        assert secret not in text
    assert re.search(r"[0-9]{6}|[0-9a-f]{12}|CALL-", text) is None
    assert {one["question"] for one in api.reports[0]["answers"]} == set(ASKED)
    assert api.reports[0]["differences_from_the_document"] == []


MOMENTS = [
    ("POST audience", 1),
    ("POST campaign", 1),
    ("POST campaign", 2),
    ("POST start", 1),
    ("GET conversation", 3),
    ("GET conversation", 40),
    ("POST cancel", 1),
    ("POST pause", 3),
    ("POST start", 4),
]


@pytest.mark.parametrize("completion", ["settled", "dispatched"])
async def test_an_interruption_right_after_a_start_stops_and_deletes(
    completion: Any, tmp_path: Path
) -> None:
    await interrupted("POST start", 1, completion, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("completion", ["settled", "dispatched"])
@pytest.mark.parametrize(("request_", "time"), MOMENTS)
async def test_an_interruption_at_any_moment_stops_and_deletes(
    request_: str, time: int, completion: Any, tmp_path: Path
) -> None:
    await interrupted(request_, time, completion, tmp_path)


async def interrupted(request_: str, time: int, completion: Any, tmp_path: Path) -> None:
    """Interrupt a run when a request is sent for the n-th time; it must leave nothing."""
    async with account_in_memory(tmp_path, completion=completion, org_limit=1) as api:
        scope = anyio.CancelScope()

        def interrupt(sent: list[str]) -> None:
            if sent.count(request_) == time and sent[-1] == request_:
                scope.cancel()

        api.on_request = interrupt
        with scope:
            await api.probed(2)
        assert await is_at_rest(api)
        assert api.reports[0]["everything_deleted"]
        if scope.cancelled_caught:
            assert api.reports[0]["ended"] == "interrupted"


async def test_an_api_that_fails_for_a_while_ends_it_with_nothing_left(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:

        def fail(sent: list[str]) -> None:
            if 30 <= len(sent) <= 45:
                raise httpx2.ReadError("reset")

        api.on_request = fail
        result = await api.probed(2)
        assert result.ended == "stopped: unavailable"
        assert result.left == []
        assert await is_at_rest(api)


@pytest.mark.slow
async def test_what_cannot_be_stopped_is_said_and_never_called_deleted(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:

        def fail(sent: list[str]) -> None:
            if len(sent) >= 30:
                raise httpx2.ReadError("reset")

        api.on_request = fail
        result = await api.probed(2)
        assert result.left == [f"{MARK} *"]
        assert not api.reports[0]["everything_deleted"]


async def test_a_call_to_another_number_stops_it(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:

        def redirect(request: str, content: bytes) -> bytes:
            wrong = request == "GET conversation"
            return content.replace(PHONES[1].encode(), b"+12025550177") if wrong else content

        api.on_answer = redirect
        result = await api.probed(2)
        assert result.ended == "stopped: a call to a number that was not given"
        assert api.sent.count("POST start") == 1
        assert await is_at_rest(api)


async def test_an_agent_that_the_operator_does_not_allow_stops_it(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:
        result = await api.probed(ATOMS_MCP_ALLOWED_AGENTS="Somebody else")
        assert result.ended == "stopped: refused"
        assert {one for one in api.sent if one.startswith("POST")} == set()


@pytest.mark.slow
async def test_all_that_it_changes_is_in_the_journal(tmp_path: Path) -> None:
    async with account_in_memory(tmp_path) as api:
        await api.probed(1)
        changes = api.reports[0]["changes"]
    store = open_state(Settings.load(api.environment))
    entries = await store.journal.entries(100)
    await store.close()
    assert len(entries) == len(changes)
    assert {(one.intent.tool, one.intent.confirmed) for one in entries} == {("probe", "asked")}
    assert PHONES[0] not in str(entries)
