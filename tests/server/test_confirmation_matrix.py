"""Every kind of client, transport, era, answer and policy: one start for each yes, else none."""

from collections.abc import Awaitable, Callable, Generator
from itertools import product
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from mcp_types import ElicitResult

from atoms_campaigns_mcp.settings import Confirm
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
    async with connected(bench, where, era, yes if ability != "none" else None) as client:
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
        assert "real phone calls" in text_of(result)
        await client.call("start_campaign", **campaign, confirm_token=data["confirm_token"])
        assert starts(bench) == 1


def says(answer: ElicitResult) -> Callable[[Bench], Reply]:
    async def reply(_: str) -> ElicitResult:
        return answer

    return lambda _: reply


def after(happens: Callable[[Bench], Awaitable[None]]) -> Callable[[Bench], Reply]:
    """Say yes, but only after something has happened."""

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


ANSWERS: dict[str, tuple[Callable[[Bench], Reply], str]] = {
    "false": (says(ElicitResult(action="accept", content={"confirm": False})), "declined it"),
    "decline": (says(ElicitResult(action="decline")), "declined it"),
    "cancel": (says(ElicitResult(action="cancel")), "cancelled it"),
    "text": (says(ElicitResult(action="accept", content={"confirm": "true"})), "completed form"),
    "one": (says(ElicitResult(action="accept", content={"confirm": 1})), "completed form"),
    "other": (says(ElicitResult(action="accept", content={"yes": True})), "completed form"),
    "absent": (says(ElicitResult(action="accept")), "completed form"),
    "decline with yes": (
        says(ElicitResult(action="decline", content={"confirm": True})),
        "declined it",
    ),
    "stale": (after(audience_grows), "its contacts have changed"),
    "slow": (after(time_passes), "has expired"),
}
ASKABLE = [
    pytest.param(where, era, marks=() if where in {"memory", "http"} else pytest.mark.slow)
    for where, era in product(get_args(Where), ERAS)
    if can_be_asked(where, era, "form")
]


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
    assert "Call again" in text or "Do not try again unless the user asks for it." in text
    assert (report["status"], starts(bench), len(bench.questions)) == ("draft", 0, 1)


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
        assert (sent == 1) == (askable or confirm == "never")
        assert front.starts == (0 if confirm == "human" and not askable else 1)
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
