"""Answers and tokens used twice, changed, mixed up, or all at once: never more than one start."""

import sqlite3
from pathlib import Path
from typing import Any, get_args

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitResult, InputRequiredResult

from atoms_campaigns_mcp.config.settings import Confirm
from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.plans import SqlitePlans
from tests.support.bench import Bench
from tests.support.clients import Where, connected
from tests.support.confirmations import MODERN, YES, draft, starts
from tests.support.serving import ERAS, Caller, text_of
from tests.support.tampering import alter

pytestmark = pytest.mark.anyio
ANSWER = {"confirm": YES}
Round = CallToolResult | InputRequiredResult


async def yes(_: str) -> ElicitResult:
    return YES


async def no(_: str) -> ElicitResult:
    return ElicitResult(action="decline")


async def play(
    client: Caller,
    tool: str,
    arguments: dict[str, Any],
    *,
    input_responses: Any = None,
    request_state: str | None = None,
) -> Round:
    """One round of the stateless era, driven by hand."""
    return await client.client.session.call_tool(
        tool,
        arguments,
        input_responses=input_responses,
        request_state=request_state,
        allow_input_required=True,
    )


async def question(client: Caller, tool: str, arguments: dict[str, Any]) -> str:
    """Ask for it; give the state that belongs to the question."""
    asked = await play(client, tool, arguments)
    assert isinstance(asked, InputRequiredResult)
    assert asked.request_state
    return asked.request_state


def refusal(result: Round) -> str:
    assert isinstance(result, CallToolResult)
    assert result.is_error
    return text_of(result)


@pytest.mark.slow
@pytest.mark.parametrize("where", get_args(Where))
async def test_an_accepted_answer_cannot_be_replayed(bench: Bench, where: Where) -> None:
    """The API is made to say draft for ever, so that only the single use can refuse."""
    async with connected(bench, where, MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
        alter(
            bench,
            f"GET /campaign/{campaign['campaign_id']}",
            lambda data: {**data, "campaign": {**data["campaign"], "status": "draft"}},
        )
        answer: dict[str, Any] = {"input_responses": ANSWER, "request_state": state}
        first = await play(client, "start_campaign", campaign, **answer)
        again = [await play(client, "start_campaign", campaign, **answer) for _ in range(3)]
    assert isinstance(first, CallToolResult)
    assert not first.is_error
    assert all("was already used" in refusal(result) for result in again)
    assert all("to be asked anew" in refusal(result) for result in again)
    assert starts(bench) == 1


@pytest.mark.parametrize(
    ("first", "words"),
    [
        (ElicitResult(action="decline"), "declined it"),
        (ElicitResult(action="cancel"), "cancelled it"),
        (ElicitResult(action="accept", content={"confirm": False}), "was not ticked"),
        (ElicitResult(action="accept", content={"confirm": "true"}), "completed form"),
    ],
)
async def test_after_any_answer_but_yes_the_same_question_cannot_be_answered_yes(
    bench: Bench, first: ElicitResult, words: str
) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
        answers = [{"confirm": first}, ANSWER]
        said = [
            refusal(
                await play(
                    client,
                    "start_campaign",
                    campaign,
                    input_responses=answer,
                    request_state=state,
                )
            )
            for answer in answers
        ]
        assert starts(bench) == 0
        await client.call("start_campaign", **campaign)  # asked anew, it may be agreed to
    assert words in said[0]
    assert "already used, or declined" in said[1]
    assert starts(bench) == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_no_spends_the_plan_that_was_asked_about_and_no_other(
    bench: Bench, tmp_path: Path, era: str
) -> None:
    async with connected(bench, "memory", era, None) as client:
        campaign = await draft(client)
        token = await client.token("start_campaign", **campaign)
    async with connected(bench, "memory", era, no) as client:
        await client.refused("start_campaign", **campaign)
    with sqlite3.connect(tmp_path / "state.sqlite3") as db:
        assert [used for (used,) in db.execute("SELECT used FROM plans ORDER BY rowid")] == [0, 1]
    async with connected(bench, "memory", era, None) as client:
        await client.call("start_campaign", **campaign, confirm_token=token)
    assert starts(bench) == 1


async def test_a_no_is_a_no_even_where_nothing_can_be_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(bench, "memory", MODERN, no) as client:
        campaign = await draft(client)
        monkeypatch.setattr(SqlitePlans, "use", unwritable)
        text = await client.refused("start_campaign", **campaign)
    assert "The client declined it" in text
    assert "do not try again" in text
    assert starts(bench) == 0


async def unwritable(*_: object) -> bool:
    raise NotRecorded("The disk is full.")


@pytest.mark.slow
async def test_an_answer_does_not_start_a_campaign_that_was_paused_since(bench: Bench) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
        answer: dict[str, Any] = {"input_responses": ANSWER, "request_state": state}
        await play(client, "start_campaign", campaign, **answer)
        await client.call("pause_campaign", **campaign)
        text = refusal(await play(client, "start_campaign", campaign, **answer))
    assert "is not what would happen now" in text
    assert starts(bench) == 1


@pytest.mark.parametrize("place", [0, 1, 20, -2, -1])
async def test_a_state_that_was_tampered_with_is_refused(bench: Bench, place: int) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
        letters = list(state)
        letters[place] = "A" if letters[place] != "A" else "Q"
        forged = "".join(letters)
        with pytest.raises(MCPError, match="requestState"):
            await play(
                client,
                "start_campaign",
                campaign,
                input_responses=ANSWER,
                request_state=forged,
            )
    assert starts(bench) == 0


@pytest.mark.parametrize("made_up", ["", "plan", "0" * 24])
async def test_a_made_up_state_is_refused(bench: Bench, made_up: str) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        with pytest.raises(MCPError, match="requestState"):
            await play(
                client,
                "start_campaign",
                campaign,
                input_responses=ANSWER,
                request_state=made_up,
            )
    assert starts(bench) == 0


async def test_the_state_of_another_campaign_or_tool_is_refused(bench: Bench) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        first, second = await draft(client), await draft(client, name="Another")
        states = [
            await question(client, "start_campaign", second),
            await question(client, "delete_campaign", first),
        ]
        for state in states:
            with pytest.raises(MCPError, match="requestState"):
                await play(
                    client,
                    "start_campaign",
                    first,
                    input_responses=ANSWER,
                    request_state=state,
                )
    assert bench.wire.changes == ["campaign", "campaign"]


async def test_an_answer_without_its_state_is_asked_again(bench: Bench) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        await question(client, "start_campaign", campaign)
        again = await play(client, "start_campaign", campaign, input_responses=ANSWER)
    assert isinstance(again, InputRequiredResult)
    assert starts(bench) == 0


@pytest.mark.parametrize("responses", [None, {}, {"other": YES}])
async def test_a_state_without_its_answer_dials_nobody(bench: Bench, responses: Any) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
        result = await play(
            client, "start_campaign", campaign, input_responses=responses, request_state=state
        )
    assert "not a completed form" in refusal(result)
    assert starts(bench) == 0


async def test_a_client_that_drops_its_ability_meanwhile_gets_a_token_instead(
    bench: Bench,
) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
    async with connected(bench, "memory", MODERN, None) as client:
        result = await play(
            client, "start_campaign", campaign, input_responses=ANSWER, request_state=state
        )
    assert "confirm_token" in refusal(result)
    assert starts(bench) == 0


async def test_an_answer_still_counts_after_the_server_was_restarted_and_still_only_once(
    bench: Bench,
) -> None:
    async with connected(bench, "memory", MODERN, yes) as client:
        campaign = await draft(client)
        state = await question(client, "start_campaign", campaign)
    answer: dict[str, Any] = {"input_responses": ANSWER, "request_state": state}
    async with connected(bench, "memory", MODERN, yes) as client:
        first = await play(client, "start_campaign", campaign, **answer)
    async with connected(bench, "memory", MODERN, yes) as client:
        await client.call("pause_campaign", **campaign)
        refusal(await play(client, "start_campaign", campaign, **answer))
    assert isinstance(first, CallToolResult)
    assert not first.is_error
    assert starts(bench) == 1


@pytest.mark.parametrize("confirm", get_args(Confirm))
async def test_a_token_never_replaces_a_person_who_can_be_asked(
    bench: Bench, confirm: Confirm
) -> None:
    async with connected(bench, "memory", MODERN, None) as client:
        campaign = await draft(client)
        token = await client.token("start_campaign", **campaign)
    bench.configure(confirm=confirm)
    async with connected(bench, "memory", MODERN, no) as client:
        await client.raw("start_campaign", **campaign, confirm_token=token)
    assert len(bench.questions) == (confirm in {"ask", "human"})
    assert starts(bench) == (confirm in {"token", "never"})
