"""Every kind of client, transport, era, answer and policy: one start for each yes, else none."""

from collections.abc import Awaitable, Callable, Generator
from itertools import product
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from mcp import Client
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult, ErrorData

from atoms_campaigns_mcp.config.settings import Confirm
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.server.auth.principal import Principal
from atoms_campaigns_mcp.server.mcp.server import build
from tests.support.bench import Bench
from tests.support.clients import Ability, Reply, Where, connected, declare, over_stdio
from tests.support.emulated import emulated, fronted
from tests.support.process import environment
from tests.support.serving import ERAS, Caller, text_of
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
YES = ElicitResult(action="accept", content={"confirm": True})


async def yes(_: str) -> ElicitResult:
    return YES


def a_person(bench: Bench) -> Reply:
    """Says yes after having read the question."""

    async def reply(_: str) -> ElicitResult:
        bench.clock.advance(seconds=4)
        return YES

    return reply


async def draft(client: Caller) -> dict[str, str]:
    made = await client.call("create_campaign", **DRAFT, max_retries=0)
    return {"campaign_id": made["campaign_id"]}


def starts(bench: Bench) -> int:
    return bench.wire.changes.count("start")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with emulated(tmp_path_factory.mktemp("api")) as origin:
        yield origin


def can_be_asked(where: Where, era: str, ability: Ability) -> bool:
    """The handshake era needs a way back to the client, which these two do not have."""
    return ability == "form" and not (era == "legacy" and where in {"http json", "http stateless"})


KINDS = [
    # Over HTTP most policies run in .ci/run only.
    pytest.param(*kind, marks=() if kind[0] == "memory" or kind[3] == "ask" else pytest.mark.slow)
    for kind in product(get_args(Where), ERAS, get_args(Ability), get_args(Confirm))
]


@pytest.mark.slow
@pytest.mark.parametrize(("where", "era", "ability", "confirm"), KINDS)
async def test_each_kind_of_client_starts_once_after_the_agreement_that_the_policy_wants(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    *,
    where: Where,
    era: str,
    ability: Ability,
    confirm: Confirm,
) -> None:
    declare(monkeypatch, ability)
    bench.configure(confirm=confirm)
    askable = can_be_asked(where, era, ability)
    reply = a_person(bench) if ability != "none" else None
    async with connected(bench, where, era, reply) as client:
        campaign = await draft(client)
        result = await client.raw("start_campaign", **campaign)
        asked = confirm in {"ask", "human"} and askable
        assert len(bench.questions) == asked
        if asked or confirm == "never":
            assert not result.is_error
            assert starts(bench) == 1
            return
        assert result.is_error
        assert starts(bench) == 0
        assert "Nothing was done." in text_of(result)
        data = cast("dict[str, Any]", result.structured_content or {})
        if confirm == "human":
            assert "ATOMS_MCP_CONFIRM=human" in text_of(result)
            assert "confirm_token" not in data
            return
        assert data["confirm_token"] in text_of(result)
        assert "simulated calls" in text_of(result)
        await client.call("start_campaign", **campaign, confirm_token=data["confirm_token"])
        assert starts(bench) == 1


def says(answer: ElicitResult) -> Callable[[Bench], Reply]:
    async def reply(_: str) -> ElicitResult:
        return answer

    return lambda _: reply


def after(happens: Callable[[Bench], Awaitable[None]]) -> Callable[[Bench], Reply]:
    """Answer yes, but only after something has happened."""

    def bound(bench: Bench) -> Reply:
        async def reply(_: str) -> ElicitResult:
            await happens(bench)
            return YES

        return reply

    return bound


async def audience_grows(bench: Bench) -> None:
    body = {"members": [{"phoneNumber": "+12025550199"}]}
    await bench.api("POST", f"/audience/{AUDIENCE}/members", body)


async def time_passes(bench: Bench) -> None:
    bench.clock.advance(seconds=301)


async def a_wrong_clock_is_corrected(bench: Bench) -> None:
    bench.clock.advance(seconds=-3600)


ANSWERS: dict[str, tuple[Callable[[Bench], Reply], str]] = {
    "false": (says(ElicitResult(action="accept", content={"confirm": False})), "was not ticked"),
    "decline": (says(ElicitResult(action="decline")), "declined it"),
    "cancel": (says(ElicitResult(action="cancel")), "cancelled it"),
    "text": (says(ElicitResult(action="accept", content={"confirm": "true"})), "completed form"),
    "one": (says(ElicitResult(action="accept", content={"confirm": 1})), "completed form"),
    "other": (says(ElicitResult(action="accept", content={"yes": True})), "was not ticked"),
    "absent": (says(ElicitResult(action="accept")), "was not ticked"),
    "decline with yes": (
        says(ElicitResult(action="decline", content={"confirm": True})),
        "declined it",
    ),
    "stale": (after(audience_grows), "its contacts have changed"),
    "slow": (after(time_passes), "has expired"),
    "clock set back": (after(a_wrong_clock_is_corrected), "has expired"),
}
ASKABLE = [
    pytest.param(where, era, marks=() if where in {"memory", "http"} else pytest.mark.slow)
    for where, era in product(get_args(Where), ERAS)
    if can_be_asked(where, era, "form")
]


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("where", "era"), ASKABLE)
async def test_any_answer_but_a_yes_in_time_to_the_same_facts_dials_nobody(
    bench: Bench, where: Where, era: str, answer: str
) -> None:
    reply, words = ANSWERS[answer]
    async with connected(bench, where, era, reply(bench)) as client:
        campaign = await draft(client)
        text = await client.refused("start_campaign", **campaign)
        report = await client.call("get_campaign_status", **campaign)
    assert "Nothing was done." in text
    assert words in text
    assert "Call again" in text or "do not try again unless they ask for it" in text
    assert (report["status"], starts(bench), len(bench.questions)) == ("draft", 0, 1)


def after_seconds(bench: Bench, seconds: float, answer: Any) -> Reply:
    async def reply(_: str) -> Any:
        bench.clock.advance(seconds=seconds)
        return answer

    return reply


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("seconds", "taken"), [(0, False), (0.49, False), (0.5, True), (9, True)])
async def test_where_a_person_is_wanted_a_yes_counts_only_after_half_a_second(
    bench: Bench, era: str, seconds: float, *, taken: bool
) -> None:
    bench.configure(confirm="human")
    async with connected(bench, "memory", era, after_seconds(bench, seconds, YES)) as client:
        campaign = await draft(client)
        result = await client.raw("start_campaign", **campaign)
    assert (not result.is_error, starts(bench)) == (taken, int(taken))
    if not taken:
        text = text_of(result)
        assert f"came after {seconds:.1f} seconds" in text
        assert "ATOMS_MCP_CONFIRM=human" in text
        assert "confirm_token" not in text


@pytest.mark.parametrize("era", ERAS)
async def test_a_yes_that_came_too_soon_cannot_be_given_again_later(bench: Bench, era: str) -> None:
    bench.configure(confirm="human")
    async with connected(bench, "memory", era, yes) as client:
        campaign = await draft(client)
        for _ in range(2):
            await client.refused("start_campaign", **campaign)
            bench.clock.advance(seconds=5)
    assert (len(bench.questions), starts(bench)) == (2, 0)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("answer", "words"),
    [("decline", "The client declined it"), ("cancel", "The client cancelled it")],
)
@pytest.mark.parametrize("confirm", ["ask", "human"])
async def test_a_no_names_the_client_how_long_it_took_and_what_helps_if_nobody_saw_the_question(
    bench: Bench, *, era: str, answer: Any, words: str, confirm: Confirm
) -> None:
    bench.configure(confirm=confirm)
    reply = after_seconds(bench, 2.25, ElicitResult(action=answer))
    async with connected(bench, "memory", era, reply) as client:
        text = await client.refused("start_campaign", **await draft(client))
    assert f"{words} after 2.2 seconds" in text
    assert "without showing the question" in text
    assert ("ATOMS_MCP_CONFIRM=token" in text) == (confirm == "ask")
    assert "The user" not in text


@pytest.mark.parametrize("confirm", ["ask", "human"])
async def test_a_client_that_cannot_show_the_question_after_all_is_told_what_helps(
    bench: Bench, confirm: Confirm
) -> None:
    bench.configure(confirm=confirm)
    reply: Any = after_seconds(bench, 2.25, ErrorData(code=-32601, message="Method not found"))
    async with connected(bench, "memory", "legacy", reply) as client:
        text = await client.refused("start_campaign", **await draft(client))
    assert "The client's answer after 2.2 seconds was not a completed form." in text
    assert "If the user sees no question" in text
    assert ("ATOMS_MCP_CONFIRM=token" in text) == (confirm == "ask")


@pytest.mark.parametrize("era", ERAS)
async def test_enter_on_the_form_dials_nobody(bench: Bench, era: str) -> None:
    """Hosts preselect what the schema's default says, or else the first choice: true."""

    async def enter(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        assert isinstance(params, ElicitRequestFormParams)
        (field,) = params.requested_schema["properties"].items()
        content = {field[0]: field[1].get("default", True)}
        return ElicitResult(action="accept", content=content)

    runtime = Runtime.open(bench.settings, clocks=bench.clock.clocks(), network=bench.wire)

    async def opened(_: Principal) -> Runtime:
        return runtime

    server = build(bench.settings, opened)
    async with Client(server, mode=era, elicitation_callback=enter) as sdk:
        client = Caller(sdk)
        text = await client.refused("start_campaign", **await draft(client))
    await runtime.close()
    assert 'its box "Yes, do it" was not ticked' in text
    assert starts(bench) == 0


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_after_a_stale_answer_the_person_is_asked_about_the_new_facts(
    bench: Bench, era: str
) -> None:
    replies = [after(audience_grows)(bench), yes]

    async def reply(question: str) -> ElicitResult:
        return await replies.pop(0)(question)

    async with connected(bench, "memory", era, reply) as client:
        campaign = await draft(client)
        await client.refused("start_campaign", **campaign)
        await client.call("start_campaign", **campaign)
    assert "2 contacts" in bench.questions[0]
    assert "3 contacts" in bench.questions[1]
    assert starts(bench) == 1


# Each child takes a second or two, so these are not all: every era with every ability and with
# every policy, and every policy where a form can be shown and where it cannot.
CHILDREN: list[tuple[str, Ability, Confirm]] = [
    ("legacy", "form", "ask"),
    ("2026-07-28", "form", "human"),
    ("legacy", "form", "token"),
    ("2026-07-28", "form", "never"),
    ("2026-07-28", "none", "ask"),
    ("legacy", "none", "human"),
    ("2026-07-28", "url only", "token"),
    ("legacy", "url only", "never"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("era", "ability", "confirm"), CHILDREN)
async def test_a_server_that_is_a_child_process_starts_once_too(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    api: str,
    *,
    era: str,
    ability: Ability,
    confirm: Confirm,
) -> None:
    declare(monkeypatch, ability)
    askable = ability == "form" and confirm in {"ask", "human"}
    with fronted(api) as front:
        settings = {"ATOMS_API_URL": f"{front.url}/atoms/v1", "ATOMS_MCP_CONFIRM": confirm}
        # Each key is an account of its own in the emulated API.
        key = f"sk_{tmp_path.name}"
        env = environment(tmp_path, SMALLEST_API_KEY=key, ATOMS_MCP_RATE="100", **settings)
        async with over_stdio(env, era, yes if ability != "none" else None) as client:
            campaign = await draft(client)
            first = await client.raw("start_campaign", **campaign)
            sent = front.starts
            data = cast("dict[str, Any]", first.structured_content or {})
            token = data.get("confirm_token", "")
            if token:
                await client.call("start_campaign", **campaign, confirm_token=token)
        # This client answers by itself, sooner than a person could.
        assert (sent == 1) == ((askable and confirm != "human") or confirm == "never")
        assert front.starts == (0 if confirm == "human" else 1)
        assert bool(token) == (not askable and confirm in {"ask", "token"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("era", "answer"),
    [
        ("legacy", "false"),
        ("2026-07-28", "cancel"),
        ("2026-07-28", "text"),
        ("legacy", "absent"),
    ],
)
async def test_over_stdio_too_any_answer_but_a_yes_dials_nobody(
    bench: Bench, tmp_path: Path, api: str, *, era: str, answer: str
) -> None:
    reply, words = ANSWERS[answer]
    with fronted(api) as front:
        settings = {"ATOMS_API_URL": f"{front.url}/atoms/v1", "ATOMS_MCP_RATE": "100"}
        env = environment(tmp_path / "state", SMALLEST_API_KEY=f"sk_{tmp_path.name}", **settings)
        async with over_stdio(env, era, reply(bench)) as client:
            text = await client.refused("start_campaign", **await draft(client))
    assert words in text
    assert front.starts == 0
