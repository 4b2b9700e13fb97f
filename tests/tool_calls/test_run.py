"""One call without any protocol: whom it asks, how often it reads, and who may make it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.config.identity import LOCAL, Principal
from atoms_campaigns_mcp.effects import EVERYTHING, Effect, absent
from atoms_campaigns_mcp.errors import AtomsCampaignsError, InvalidArguments, NotConfirmed, Refused
from atoms_campaigns_mcp.runtime import Clocks, Runtime
from atoms_campaigns_mcp.schemas.arguments import StartCampaignArgs
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.tool_calls.arguments import check
from atoms_campaigns_mcp.tool_calls.asker import Answer, Asker, Nobody, PendingQuestion, Reply
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from atoms_campaigns_mcp.tool_calls.rights import granted
from atoms_campaigns_mcp.tool_calls.run import call, run
from atoms_campaigns_mcp.tool_calls.session import Caller, Session, Unheard
from atoms_campaigns_mcp.toolkit.audiences.lock import members_of
from atoms_campaigns_mcp.toolkit.context import ToolContext
from atoms_campaigns_mcp.toolkit.registry import load
from tests.support.bench import Bench
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"
EFFECTS = st.frozensets(st.sampled_from(list(Effect)))
SCHEDULE = DRAFT | {"scheduled_at": WHEN}


@dataclass
class Scripted:
    """An asker that answers at once, or leaves the question open for another call."""

    answer: Answer | None
    reply: Reply | None = None
    can_ask: bool = True
    questions: list[str] = field(default_factory=list[str])

    async def ask(self, text: str, plan_id: str) -> Reply | PendingQuestion:
        self.questions.append(text)
        if self.answer is None:
            return PendingQuestion(text, plan_id)
        return Reply(plan_id, self.answer, 4.0)


async def called(
    bench: Bench, asker: Asker, tool: str, arguments: Mapping[str, Any]
) -> Result | PendingQuestion:
    runtime = Runtime.open(bench.settings, clocks=bench.clock.clocks(), network=bench.wire)

    async def opened(_: Principal) -> Runtime:
        return runtime

    def asked(_: Clocks) -> Asker:
        return asker

    caller = Caller(Principal(LOCAL), Catalog.read(), opened, asked)
    try:
        return await call(caller, tool, arguments)
    finally:
        await runtime.close()


async def test_an_asker_that_answers_at_once_starts_in_one_call(bench: Bench) -> None:
    asker = Scripted("yes")
    result = await called(bench, asker, "create_campaign", SCHEDULE)
    assert result.model_dump()["consent"] == "asked" if isinstance(result, Result) else False
    assert len(asker.questions) == 1
    assert bench.wire.changes == ["campaign"]


async def test_a_question_left_open_is_answered_by_another_call(bench: Bench) -> None:
    pending = await called(bench, Scripted(None), "create_campaign", SCHEDULE)
    assert isinstance(pending, PendingQuestion)
    assert bench.wire.changes == []
    answered = Scripted(None, Reply(pending.plan_id, "yes"))
    result = await called(bench, answered, "create_campaign", SCHEDULE)
    assert isinstance(result, Result)
    assert answered.questions == []
    assert bench.wire.changes == ["campaign"]


@pytest.mark.parametrize("answer", ["unticked", "declined", "cancelled", "invalid"])
async def test_any_answer_but_yes_changes_nothing(bench: Bench, answer: Answer) -> None:
    with pytest.raises(NotConfirmed):
        await called(bench, Scripted(answer), "create_campaign", SCHEDULE)
    assert bench.wire.changes == []


async def test_a_caller_without_anybody_to_ask_gets_a_token(bench: Bench) -> None:
    with pytest.raises(NotConfirmed) as refusal:
        await called(bench, Nobody(), "create_campaign", SCHEDULE)
    assert refusal.value.confirm_token
    token = {"confirm_token": refusal.value.confirm_token}
    await called(bench, Nobody(), "create_campaign", SCHEDULE | token)
    assert bench.wire.changes == ["campaign"]


@pytest.mark.parametrize(("confirm", "times", "most"), [("ask", 2, 31), ("never", 1, 17)])
async def test_the_facts_of_a_schedule_are_read_once_for_the_question_and_once_for_the_act(
    bench: Bench, confirm: Any, times: int, most: int
) -> None:
    bench.configure(confirm=confirm)
    await called(bench, Scripted("yes"), "create_campaign", SCHEDULE)
    paths = [request.url.path for request in bench.wire.requests]
    for fact in (f"/audience/{AUDIENCE}/members", "/concurrency", "/balance", "/phone-numbers"):
        assert sum(path.endswith(fact) for path in paths) == times
    assert len(paths) <= most


@pytest.mark.parametrize(("confirm", "times"), [("ask", 2), ("never", 1)])
async def test_the_facts_of_a_start_are_read_once_for_the_question_and_once_for_the_act(
    bench: Bench, confirm: Any, times: int
) -> None:
    bench.configure(confirm=confirm)
    await called(bench, Nobody(), "create_campaign", DRAFT)
    campaign = (await bench.api("GET", "/campaign"))["campaigns"][0]["_id"]
    bench.wire.requests.clear()
    await called(bench, Scripted("yes"), "start_campaign", {"campaign_id": campaign})
    paths = [request.url.path for request in bench.wire.requests]
    for fact in (f"/audience/{AUDIENCE}/members", "/concurrency", "/balance", "/phone-numbers"):
        assert sum(path.endswith(fact) for path in paths) == times


@pytest.mark.parametrize("missing", ["campaign", "audience"])
async def test_nothing_dials_without_a_lock_on_what_the_plan_is_about(
    bench: Bench, missing: str
) -> None:
    bench.configure(confirm="never")
    await called(bench, Nobody(), "create_campaign", DRAFT)
    campaign = (await bench.api("GET", "/campaign"))["campaigns"][0]["_id"]
    names = {"campaign": campaign, "audience": members_of(AUDIENCE)}
    held = [name for kind, name in names.items() if kind != missing]

    async def locks(_: StartCampaignArgs, __: ToolContext) -> list[str]:
        return held

    tool = replace(load("start_campaign"), locks=locks)
    runtime = Runtime.open(bench.settings, clocks=bench.clock.clocks(), network=bench.wire)
    session = Session(runtime, Principal(LOCAL), Nobody(), Unheard())
    try:
        with pytest.raises(NotConfirmed):
            await run(session, tool, StartCampaignArgs(campaign_id=campaign))
    finally:
        await runtime.close()
    assert bench.wire.changes == ["campaign"]


@pytest.mark.slow
@given(
    st.one_of(
        st.sampled_from(["", " ", "null", "[]", None, WHEN, "2027-01-05T16:00:00Z", "tomorrow"]),
        st.text(max_size=25),
        st.lists(st.integers(), max_size=1),
    )
)
def test_what_dials_is_the_same_before_and_after_the_arguments_are_checked(value: Any) -> None:
    tool = load("create_campaign")
    arguments = SCHEDULE | {"scheduled_at": value}
    dials = Effect.DIALS in tool.of(arguments)
    assert dials != absent(value)
    try:
        args, _ = check(tool, arguments, Catalog.read().entries["create_campaign"].arguments)
    except InvalidArguments:
        assert dials
        return
    assert (tool.dials(args), tool.needs_consent(args)) == (dials, dials)


@given(
    EFFECTS,
    EFFECTS,
    st.sampled_from(sorted(Catalog.read().entries)),
    st.sampled_from([{}, {"scheduled_at": WHEN}]),
)
def test_a_call_is_granted_exactly_where_every_right_that_it_takes_is_there(
    allowed: frozenset[Effect],
    obtainable: frozenset[Effect],
    name: str,
    arguments: dict[str, str],
) -> None:
    principal = Principal(LOCAL, allowed=allowed, obtainable=obtainable)
    needed = Catalog.read().entries[name].needed(arguments, allowed)
    error: AtomsCampaignsError | None = None
    try:
        granted(principal, Catalog.read(allowed), name, arguments)
    except AtomsCampaignsError as refusal:
        error = refusal
    assert (error is None) == (needed <= allowed)
    if error and needed - allowed <= obtainable:
        assert isinstance(error, Refused)
        assert "lacks the scope" in error.message


def test_a_tool_that_is_not_there_is_refused_whatever_its_caller_may_do() -> None:
    with pytest.raises(InvalidArguments, match="no such tool"):
        granted(Principal(LOCAL, allowed=EVERYTHING), Catalog.read(), "dial_everybody", {})
