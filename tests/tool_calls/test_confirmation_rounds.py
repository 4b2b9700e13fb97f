"""Answers and tokens used twice, changed, mixed up, or all at once: never more than one start."""

import sqlite3
from itertools import cycle
from pathlib import Path
from typing import Any, get_args

import anyio
import httpx2
import pytest
from hypothesis import given, settings, strategies as st
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ElicitResult, InputRequiredResult

from atoms_campaigns_mcp.config.settings import Confirm
from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.plans import SqlitePlans
from tests.support.bench import Bench
from tests.support.clients import Where, connected
from tests.support.serving import ERAS, Caller, text_of
from tests.support.tampering import alter
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
MODERN = "2026-07-28"
YES = ElicitResult(action="accept", content={"confirm": True})
ANSWER = {"confirm": YES}
Round = CallToolResult | InputRequiredResult


async def yes(_: str) -> ElicitResult:
    return YES


async def no(_: str) -> ElicitResult:
    return ElicitResult(action="decline")


async def draft(client: Caller, **changes: str) -> dict[str, str]:
    made = await client.call("create_campaign", **(DRAFT | changes), max_retries=0)
    return {"campaign_id": made["campaign_id"]}


def starts(bench: Bench) -> int:
    return bench.wire.changes.count("start")


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
        token = (await client.call("preview_campaign", **campaign))["confirm_token"]
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
        token = (await client.call("preview_campaign", **campaign))["confirm_token"]
    bench.configure(confirm=confirm)
    async with connected(bench, "memory", MODERN, no) as client:
        await client.raw("start_campaign", **campaign, confirm_token=token)
    assert len(bench.questions) == (confirm in {"ask", "human"})
    assert starts(bench) == (confirm in {"token", "never"})


async def tokens(client: Caller, campaign: dict[str, str], count: int) -> list[str]:
    previews = [await client.call("preview_campaign", **campaign) for _ in range(count)]
    return [preview["confirm_token"] for preview in previews]


@pytest.mark.parametrize("era", ERAS)
async def test_two_tokens_used_at_the_same_time_start_once(bench: Bench, era: str) -> None:
    async with connected(bench, "memory", era, None) as client:
        campaign = await draft(client)
        both = await tokens(client, campaign, 2)
        results: list[CallToolResult] = []

        async def start(token: str) -> None:
            results.append(await client.raw("start_campaign", **campaign, confirm_token=token))

        async with anyio.create_task_group() as tasks:
            for token in both:
                tasks.start_soon(start, token)
    assert starts(bench) == 1
    assert sum(not result.is_error for result in results) >= 1
    refused = [text_of(result) for result in results if result.is_error]
    assert all("Another call is changing the same thing" in text for text in refused)


async def test_two_people_who_say_yes_at_the_same_time_start_once(bench: Bench) -> None:
    """Both are asked before either has answered."""
    asked = anyio.Event()

    async def together(_: str) -> ElicitResult:
        if len(bench.questions) == 2:
            asked.set()
        await asked.wait()
        return YES

    async with (
        connected(bench, "memory", "legacy", together) as one,
        connected(bench, "memory", MODERN, together) as two,
    ):
        campaign = await draft(one)
        async with anyio.create_task_group() as tasks:
            for client in (one, two):
                tasks.start_soon(lambda c: c.raw("start_campaign", **campaign), client)
    assert len(bench.questions) == 2
    assert starts(bench) == 1


async def test_while_the_start_is_on_its_way_a_deletion_must_wait(bench: Bench) -> None:
    below = bench.wire.below
    arrived, released = anyio.Event(), anyio.Event()

    async def slowly(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start"):
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    bench.wire.below = httpx2.MockTransport(slowly)
    bench.configure(confirm="never")
    async with connected(bench, "memory", MODERN, None) as client:
        campaign = await draft(client)
        refused: list[str] = []
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: client.call("start_campaign", **campaign))
            await arrived.wait()
            refused.append(await client.refused("delete_campaign", **campaign))
            released.set()
    assert "Another call is changing the same thing" in refused[0]
    assert "get_campaign_status" in refused[0]
    assert [r.method for r in bench.wire.requests if r.method != "GET"] == ["POST", "POST"]


async def test_a_start_that_looked_at_the_facts_for_too_long_leaves_it_to_the_next_one(
    bench: Bench,
) -> None:
    """Its lock may have ended meanwhile, so that another call is on its way too."""
    below = bench.wire.below
    arrived, released = anyio.Event(), anyio.Event()
    results: list[CallToolResult] = []

    async def stuck(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/concurrency") and not arrived.is_set():
            arrived.set()
            await released.wait()
        return await below.handle_async_request(request)

    async with connected(bench, "memory", MODERN, None) as client:
        campaign = await draft(client)
        first, second = await tokens(client, campaign, 2)
        bench.wire.below = httpx2.MockTransport(stuck)

        async def start(caller: Caller, token: str) -> None:
            results.append(await caller.raw("start_campaign", **campaign, confirm_token=token))

        async with (
            connected(bench, "memory", MODERN, None) as another,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(start, client, first)
            await arrived.wait()
            bench.clock.advance(seconds=121)
            await start(another, second)
            released.set()
    assert starts(bench) == 1
    assert not results[0].is_error
    assert "Nothing was done. Looking at the facts took too long" in text_of(results[1])


async def race(folder: Path, confirm: Confirm, servers: int, calls: int, waits: list[int]) -> int:
    """Start one campaign from all sides, each request delayed as told; give the starts sent."""
    with Bench.open(folder) as bench:
        bench.configure(confirm=confirm)
        below, pauses = bench.wire.below, cycle(waits)

        async def delayed(request: httpx2.Request) -> httpx2.Response:
            for _ in range(next(pauses)):
                await anyio.lowlevel.checkpoint()
            return await below.handle_async_request(request)

        async with connected(bench, "memory", MODERN, None) as client:
            campaign = await draft(client)
            offered = [""] * (servers * calls)
            if confirm == "token":
                offered = await tokens(client, campaign, servers * calls)
        bench.wire.below = httpx2.MockTransport(delayed)

        async def one_server() -> None:
            async with (
                connected(bench, "memory", MODERN, None) as client,
                anyio.create_task_group() as tasks,
            ):
                for _ in range(calls):
                    token = offered.pop()
                    arguments = campaign | ({"confirm_token": token} if token else {})
                    tasks.start_soon(lambda a: client.raw("start_campaign", **a), arguments)

        async with anyio.create_task_group() as tasks:
            for _ in range(servers):
                tasks.start_soon(one_server)
        return starts(bench)


@settings(max_examples=40, derandomize=True, deadline=None)
@given(
    confirm=st.sampled_from(["token", "never"]),
    servers=st.integers(1, 3),
    calls=st.integers(1, 3),
    waits=st.lists(st.integers(0, 40), min_size=1, max_size=7),
)
def test_however_starts_interleave_on_however_many_servers_one_is_sent(
    tmp_path_factory: pytest.TempPathFactory,
    *,
    confirm: Confirm,
    servers: int,
    calls: int,
    waits: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("race")
    assert anyio.run(race, folder, confirm, servers, calls, waits) == 1
