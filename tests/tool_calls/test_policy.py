"""The operator's policy and modes: what an agent cannot change, argue with or walk around."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import pytest

from tests.support.bench import Bench
from tests.support.do_not_call import list_as_seeded
from tests.support.serving import ERAS, Caller, says_yes
from tests.support.world import AGENT, AUDIENCE, CALLER_ID, CALLER_NUMBER, DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T16:00:00+00:00"  # 11:00 in Washington


async def started(client: Caller) -> str:
    """Try to start a draft; give the refusal."""
    made = await client.call("create_campaign", **DRAFT, max_retries=0)
    return await client.refused("start_campaign", campaign_id=made["campaign_id"])


async def scheduled(client: Caller) -> str:
    """Try to schedule the same campaign; give the refusal."""
    return await client.refused("create_campaign", **DRAFT, max_retries=0, scheduled_at=WHEN)


TRIES = {"start": started, "schedule": scheduled}
RULES: dict[str, tuple[dict[str, Any], str]] = {
    "max_contacts": ({"max_contacts": 1}, "2 contacts are more than the 1 allowed"),
    "allowed_agents": ({"allowed_agents": ("Follow-up",)}, '"Outreach" is not one of those'),
    "allowed_caller_ids": ({"allowed_caller_ids": ("+12025550143",)}, "a caller ID is not one"),
    "calling_hours": ({"calling_hours": (0, 60)}, "outside 00:00-01:00"),
}


def nothing_dials(bench: Bench) -> None:
    assert "start" not in bench.wire.changes
    for request in bench.wire.requests:
        assert b"scheduledAt" not in request.content
    assert bench.questions == []


@pytest.mark.parametrize("how", TRIES)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("confirm", ["ask", "never"])
async def test_a_rule_holds_for_a_start_and_for_a_schedule_and_names_who_can_change_it(
    bench: Bench, *, how: str, rule: str, confirm: str
) -> None:
    setting, reason = RULES[rule]
    bench.configure(**setting, confirm=confirm)
    async with bench.client() as client:
        text = await TRIES[how](client)
    variable = f"ATOMS_MCP_{next(iter(setting)).upper()}"
    assert "Nothing was done. It is refused:" in text
    assert reason in text
    assert f"({rule})" in text
    assert f"Only the operator of this server can change {variable}." in text
    nothing_dials(bench)


@pytest.mark.slow
@pytest.mark.parametrize("how", TRIES)
async def test_no_more_campaigns_than_allowed_run_at_once(bench: Bench, how: str) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.configure(max_running=1)
    async with bench.client() as client:
        text = await TRIES[how](client)
    assert "1 campaigns run or are scheduled, and 1 may (max_running)" in text
    assert "ATOMS_MCP_MAX_RUNNING" in text
    assert bench.wire.changes.count("start") == 1


@pytest.mark.parametrize("how", TRIES)
async def test_a_list_that_must_be_clean_is_refused_for_one_person_on_the_do_not_call_list(
    bench: Bench, how: str
) -> None:
    list_as_seeded(bench.world)
    async with bench.client() as client:
        everybody = (await client.call("list_audiences", search="Newsletter"))["audiences"][0]
        large = {**DRAFT, "audience_id": everybody["id"], "max_retries": 0}
        if how == "start":
            made = await client.call("create_campaign", **large)
            text = await client.refused("start_campaign", campaign_id=made["campaign_id"])
        else:
            text = await client.refused("create_campaign", **large, scheduled_at=WHEN)
    assert "on the do-not-call list (" in text
    assert "ATOMS_MCP_REQUIRE_DNC_CLEAN" in text
    nothing_dials(bench)


@pytest.mark.slow
async def test_of_starts_at_once_as_many_go_ahead_as_may_run(bench: Bench) -> None:
    bench.configure(max_running=1, confirm="never")
    async with bench.client(answer=None) as client:
        ids = [
            (await client.call("create_campaign", **{**DRAFT, "name": f"R{n}"}))["campaign_id"]
            for n in range(3)
        ]
        async with anyio.create_task_group() as tasks:
            for campaign in ids:
                tasks.start_soon(partial(client.raw, "start_campaign", campaign_id=campaign))
        rows = (await client.call("list_campaigns"))["campaigns"]
    ours = sorted(row["status"] for row in rows if row["id"] in ids)
    assert ours == ["draft", "draft", "running"]
    assert bench.wire.changes.count("start") == 1


async def test_what_is_scheduled_counts_among_what_may_run(bench: Bench) -> None:
    bench.configure(max_running=1, confirm="never")
    async with bench.client(answer=None) as client:
        await client.call("create_campaign", **DRAFT, scheduled_at=WHEN)
        ours = (await client.call("list_campaigns"))["campaigns"][0]["id"]
        preview = await client.call("preview_campaign", campaign_id=ours)
        other = {**DRAFT, "name": "Other"}
        text = await client.refused("create_campaign", **other, scheduled_at=WHEN)
    assert "1 campaigns run or are scheduled, and 1 may" in text
    assert "max_running" not in {row["rule"] for row in preview["findings"]}


async def test_a_rule_set_after_the_token_was_given_still_holds(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        token = await client.token("start_campaign", **campaign)
    bench.configure(max_contacts=1)
    async with bench.client(answer=None) as client:
        text = await client.refused("start_campaign", **campaign, confirm_token=token)
    assert "(max_contacts)" in text
    nothing_dials(bench)


async def test_a_rule_does_not_keep_anybody_from_pausing(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
    bench.configure(
        no_dial=True,
        max_contacts=1,
        max_running=1,
        calling_hours=(0, 60),
        allowed_agents=("Nobody",),
        allowed_caller_ids=("+12025550199",),
        require_dnc_clean=True,
        confirm="human",
    )
    async with bench.client(answer=None) as client:
        paused = await client.call("pause_campaign", campaign_id=made["campaign_id"])
    assert paused["status"] == "paused"


async def tool_names(client: Caller) -> set[str]:
    return {tool.name for tool in (await client.client.list_tools()).tools}


async def delete_campaign(client: Caller, campaign_id: str) -> str:
    return await client.refused("delete_campaign", campaign_id=campaign_id)


async def create_campaign(client: Caller, campaign_id: str) -> str:  # noqa: ARG001
    return await client.refused("create_campaign", **DRAFT)


async def create_audience(client: Caller, campaign_id: str) -> str:  # noqa: ARG001
    return await client.refused("create_audience", name="List", csv="phone\n+12025550111")


async def pause_campaign(client: Caller, campaign_id: str) -> str:
    return await client.refused("pause_campaign", campaign_id=campaign_id)


async def start_campaign(client: Caller, campaign_id: str) -> str:
    return await client.refused("start_campaign", campaign_id=campaign_id)


CHANGING: tuple[Callable[[Caller, str], Awaitable[str]], ...] = (
    start_campaign,
    delete_campaign,
    create_campaign,
    create_audience,
    pause_campaign,
)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("change", CHANGING)
async def test_read_only_hides_what_changes_anything_and_refuses_it_when_called_all_the_same(
    bench: Bench, era: str, change: Callable[[Caller, str], Awaitable[str]]
) -> None:
    body = {"name": "Mine", "agentId": AGENT, "audienceId": AUDIENCE}
    made = await bench.api("POST", "/campaign", body | {"phoneNumberIds": [CALLER_ID]})
    bench.configure(read_only=True, confirm="never")
    async with bench.client(era) as client:
        assert change.__name__ not in await tool_names(client)
        text = await change(client, made["_id"])
        preview = await client.call("preview_campaign", campaign_id=made["_id"])
    assert "There is no such tool." in text
    assert "The operator has switched some tools off" in text
    assert preview["status"] == "draft"
    assert bench.wire.changes == []


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("confirm", ["ask", "never"])
async def test_no_dial_hides_the_start_and_refuses_it_and_leaves_the_rest(
    bench: Bench, era: str, confirm: str
) -> None:
    bench.configure(no_dial=True, confirm=confirm)
    async with bench.client(era) as client:
        tools = {tool.name: tool for tool in (await client.client.list_tools()).tools}
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused("start_campaign", campaign_id=made["campaign_id"])
        later = await client.refused("create_campaign", **DRAFT, scheduled_at=WHEN)
        await client.call("delete_campaign", campaign_id=made["campaign_id"])
    assert "start_campaign" not in tools
    assert {"pause_campaign", "delete_campaign", "create_campaign"} <= set(tools)
    assert "scheduled_at" not in tools["create_campaign"].input_schema["properties"]
    assert "There is no such tool." in text
    assert "ATOMS_MCP_NO_DIAL" in later
    assert bench.wire.changes == ["campaign", made["campaign_id"]]


@pytest.mark.parametrize("name", ["confirm", "force", "policy", "max_contacts", "calling_hours"])
async def test_an_agent_has_no_argument_with_which_to_change_the_policy(
    bench: Bench, name: str
) -> None:
    bench.configure(max_contacts=1)
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        text = await client.refused(
            "start_campaign", campaign_id=made["campaign_id"], **{name: "never"}
        )
    assert f"{name}: no such argument" in text
    nothing_dials(bench)


@pytest.mark.slow
async def test_unattended_automation_runs_within_the_limits_and_not_beyond_them(
    bench: Bench,
) -> None:
    bench.configure(
        confirm="never",
        max_contacts=2,
        max_running=1,
        allowed_agents=("Outreach",),
        allowed_caller_ids=(CALLER_NUMBER,),
        calling_hours=(0, 24 * 60),
        require_dnc_clean=True,
    )
    async with bench.client(answer=None) as client:
        first = await client.call("create_campaign", **DRAFT)
        second = await client.call("create_campaign", **{**DRAFT, "name": "Second"})
        dialling = await client.call("start_campaign", campaign_id=first["campaign_id"])
        refused = await client.refused("start_campaign", campaign_id=second["campaign_id"])
        later = await client.refused("create_campaign", **DRAFT, scheduled_at=WHEN)
        await client.call("pause_campaign", campaign_id=first["campaign_id"])
        await client.call("delete_campaign", campaign_id=first["campaign_id"])
        then = await client.call("start_campaign", campaign_id=second["campaign_id"])
    assert (dialling["status"], then["status"]) == ("running", "running")
    assert "(max_running)" in refused
    assert "(max_running)" in later
    assert bench.wire.changes.count("start") == 2


@pytest.mark.parametrize("answer", [says_yes, None], ids=["with a person", "without one"])
async def test_a_person_who_agrees_cannot_override_a_rule(bench: Bench, answer: Any) -> None:
    bench.configure(allowed_agents=("Follow-up",))
    async with bench.client(answer=answer) as client:
        text = await started(client)
    assert "confirm_token" not in text
    assert "(allowed_agents)" in text
    nothing_dials(bench)
