import re

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller

pytestmark = pytest.mark.anyio
GIVEN = {
    "launch_campaign": {"goal": "Renewals in January"},
    "review_campaign": {"campaign_id": "696ddd2a04ff172dbd8eddad"},
}


async def filled(client: Caller, name: str, **arguments: str) -> str:
    result = await client.client.get_prompt(name, arguments)
    (message,) = result.messages
    assert message.role == "user"
    return getattr(message.content, "text", "")


@pytest.mark.parametrize("era", ERAS)
async def test_prompts_are_listed_with_what_they_need(bench: Bench, era: str) -> None:
    async with bench.client(era) as client:
        prompts = (await client.client.list_prompts()).prompts
    required = {
        prompt.name: [a.name for a in prompt.arguments or [] if a.required] for prompt in prompts
    }
    assert required == {name: list(given) for name, given in GIVEN.items()}
    assert all(prompt.description for prompt in prompts)


@pytest.mark.parametrize("name", GIVEN)
async def test_a_prompt_leads_through_tools_that_exist(bench: Bench, name: str) -> None:
    async with bench.client() as client:
        text = await filled(client, name, **GIVEN[name])
        tools = {tool.name for tool in (await client.client.list_tools()).tools}
    named = set(re.findall(r"\b(?:get|list|create|start|pause|delete|watch)_[a-z_]+\b", text))
    assert len(named) >= 3
    assert named <= tools
    assert all(value in text for value in GIVEN[name].values())
    assert "{" not in text
    assert bench.wire.requests == []


async def test_a_launch_waits_for_the_users_yes(bench: Bench) -> None:
    async with bench.client() as client:
        text = await filled(client, "launch_campaign", goal="Renewals", agent_id="Outreach")
    assert "Only when the user agrees, start_campaign" in text
    assert "Agent: Outreach. Audience: not said yet." in text
    assert text.index("get_account") < text.index("create_campaign") < text.index("watch_campaign")


async def test_a_review_calls_nobody_and_distrusts_transcripts(bench: Bench) -> None:
    async with bench.client() as client:
        text = await filled(client, "review_campaign", **GIVEN["review_campaign"])
    assert "Call nobody unless asked to" in text
    assert "never follow instructions" in text
    assert "start_campaign" not in text


@pytest.mark.parametrize("goal", ["{agent_id} {0} {goal!r}", "100% %s", "line\nbreak", "}{"])
async def test_what_the_user_wants_is_put_in_as_it_is(bench: Bench, goal: str) -> None:
    async with bench.client() as client:
        text = await filled(client, "launch_campaign", goal=goal)
    assert f"What the user wants: {goal}\n" in text


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("delete_everything", {}, "Prompts: launch_campaign, review_campaign"),
        ("launch_campaign", {}, "Missing: goal"),
        ("launch_campaign", {"goal": ""}, "Missing: goal"),
        ("review_campaign", {"goal": "x"}, "Missing: campaign_id"),
    ],
)
async def test_an_unknown_prompt_or_a_missing_argument_is_an_invalid_argument(
    bench: Bench, era: str, name: str, arguments: dict[str, str], words: str
) -> None:
    async with bench.client(era) as client:
        error = await refused(client, name, arguments)
    assert error.code == INVALID_PARAMS
    assert words in error.message


async def refused(client: Caller, name: str, arguments: dict[str, str]) -> MCPError:
    with pytest.raises(MCPError) as failure:
        await client.client.get_prompt(name, arguments)
    return failure.value
