"""smallestai 4.3.1, as the vendor's own samples use it: `Campaign`, then `AtomsClient`.

Needs SMALLEST_API_KEY and SMALLEST_BASE_URL=http://HOST/atoms/v1.
"""
# smallestai is in an environment of its own, which the type checker does not see.
# pyright: basic, reportMissingImports=false

import os
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from pydantic import ValidationError
from requests import HTTPError
from smallestai.atoms import AtomsClient, Configuration
from smallestai.atoms.audience import Audience
from smallestai.atoms.campaign import Campaign
from smallestai.atoms.exceptions import BadRequestException, NotFoundException
from smallestai.atoms.models import CampaignGetRequest
from steps import (
    CALL_ENDS,
    NAMES,
    NUMBERS,
    RETRIES,
    RETRY_MINUTES,
    check_details,
    raised,
    run_with_a_pause,
    step,
)


def refused(status: int, action: Callable[..., Any], *arguments: str) -> Any:
    """Return the answer to what must be refused with this status."""
    response: Any = raised(HTTPError, lambda: action(*arguments)).response
    assert response.status_code == status, response.text
    return response


def find_caller_id(atoms: Any) -> dict[str, Any]:
    """Find an active number that belongs to an agent, as the samples do."""
    answer = atoms.get_phone_numbers()
    assert answer["status"] is True, answer
    number = next(row for row in answer["data"] if row["isActive"] and row["agentId"])
    assert number["attributes"]["phoneNumber"].startswith("+"), number
    step(f"get_phone_numbers: {number['attributes']['phoneNumber']} is active")
    return number


def make_audience(audiences: Audience) -> str:
    """Make a list of contacts and look at it."""
    audience = audiences.create("January", NUMBERS, names=NAMES, description="made by 4.3.1")
    assert audience["data"]["phoneNumberColumnName"] == "phoneNumber", audience
    audience_id = audience["data"]["_id"]
    assert audiences.get(audience_id)["data"]["name"] == "January"
    members = audiences.get_members(audience_id, offset=50)["data"]
    assert [row["data"]["phoneNumber"] for row in members["members"]] == NUMBERS, members
    (row,) = [row for row in audiences.list()["data"] if row["_id"] == audience_id]
    assert (row["memberCount"], row["hasCampaigns"]) == (len(NUMBERS), False), row
    step(f"Audience.create, get, get_members, list: {len(NUMBERS)} contacts")
    return audience_id


def make_draft(campaigns: Campaign, number: dict[str, Any], audience_id: str) -> str:
    """Make a campaign and look at it."""
    created = campaigns.create(
        name="January Outreach",
        agent_id=number["agentId"],
        audience_id=audience_id,
        phone_ids=[number["_id"]],
        description="made by 4.3.1",
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    )
    assert created["status"] is True, created
    draft = created["data"]
    assert draft["status"] == "draft", draft
    assert (draft["agentId"], draft["audienceId"]) == (number["agentId"], audience_id), draft
    assert (draft["maxRetries"], draft["retryDelay"]) == (RETRIES, RETRY_MINUTES), draft
    assert draft["participantsCount"] == len(NUMBERS), draft
    campaign_id = draft["_id"]
    refused(400, campaigns.pause, campaign_id)
    page = campaigns.list(limit=50)["data"]
    assert page["campaigns"][0]["_id"] == campaign_id, page
    assert page["pagination"]["offset"] == 5, page
    step(f"Campaign.create, list: draft {campaign_id}; five to a page whatever the limit")
    return campaign_id


def run_campaign(number: dict[str, Any]) -> None:
    """The class of the samples, from a list of contacts to the last 404."""
    audiences, campaigns = Audience(), Campaign()
    audience_id = make_audience(audiences)
    campaign_id = make_draft(campaigns, number, audience_id)

    def status() -> str:
        return campaigns.get(campaign_id)["data"]["campaign"]["status"]

    def start() -> None:
        started = campaigns.start(campaign_id)["data"]
        assert started["message"] == "Campaign is being processed", started
        assert (started["campaignId"], len(started["taskId"])) == (campaign_id, 36), started

    def pause() -> None:
        assert "Cannot POST" in refused(404, campaigns.stop, campaign_id).text
        assert campaigns.pause(campaign_id) == {"status": True}

    run_with_a_pause(start, pause, status)
    check_details(campaigns.get(campaign_id)["data"], len(NUMBERS))
    refused(400, campaigns.start, campaign_id)
    step("Campaign.get: metrics, events and executions agree; stop was a 404 in HTML")
    refused(400, audiences.delete, audience_id)
    assert campaigns.delete(campaign_id) == {"status": True}
    refused(404, campaigns.get, campaign_id)
    refused(404, campaigns.delete, campaign_id)
    assert audiences.delete(audience_id)["status"] is True
    refused(404, audiences.get, audience_id)
    step("Campaign.delete, Audience.delete: 404 from then on")
    refused(401, Campaign(api_key="nobody").list)
    step("another key: 401")


def look_around(atoms: Any, number: dict[str, Any]) -> None:
    """Read who and what there is, and make an agent."""
    assert "@" in atoms.get_current_user().data.user_email
    agents = atoms.get_agents().data.agents
    assert number["agentId"] in [agent.id for agent in agents], agents
    agent_id = atoms.new_agent("Made by 4.3.1", prompt="Be brief.").data
    agent = atoms.get_agent_by_id(agent_id)["data"]
    assert (agent["name"], agent["globalPrompt"]) == ("Made by 4.3.1", "Be brief."), agent
    assert atoms.delete_agent(agent_id)["status"] is True
    step("get_current_user, get_agents, new_agent, get_agent_by_id, delete_agent")


def run_client(atoms: Any, number: dict[str, Any]) -> None:
    """`AtomsClient` from a list of contacts to the last 404."""
    audience = atoms.create_audience("February", NUMBERS[:-1], names=NAMES)["data"]["_id"]
    added = atoms.add_audience_members(audience, [{"phoneNumber": n} for n in NUMBERS[-2:]])
    assert added["data"][0]["data"] == {"added": 1, "skipped": 1}, added
    assert atoms.get_audience_members(audience)["data"]["totalCount"] == len(NUMBERS)
    step("create_audience, add_audience_members, get_audience_members")
    words = ("February Outreach", number["agentId"], audience, [number["_id"]])
    created = atoms.new_campaign(*words, max_retries=RETRIES, retry_delay=RETRY_MINUTES).data
    # 4.3.1 leaves all but name, description, agent and audience out of this request.
    assert (created["maxRetries"], created["retryDelay"]) == (3, 15), created
    campaign_id = created["_id"]
    rows = atoms.get_campaigns(CampaignGetRequest(page=1, limit=10)).data.campaigns
    assert rows[0]["_id"] == campaign_id, rows
    step("new_campaign, get_campaigns: a draft with the API's own retries")

    def details() -> dict[str, Any]:
        return atoms.get_campaign_by_id(campaign_id)["data"]

    run_with_a_pause(
        lambda: atoms.start_campaign(campaign_id),
        lambda: atoms.pause_campaign(campaign_id),
        lambda: details()["campaign"]["status"],
    )
    assert raised(BadRequestException, lambda: atoms.pause_campaign(campaign_id)).status == 400
    check_details(details(), len(NUMBERS))
    step("get_campaign_by_id: metrics, events and executions agree")
    check_calls(atoms, campaign_id)
    assert atoms.delete_campaign(campaign_id).status is True
    refused(404, atoms.get_campaign_by_id, campaign_id)
    assert raised(NotFoundException, lambda: atoms.delete_campaign(campaign_id)).status == 404
    assert atoms.get_calls(campaign_id=campaign_id)["data"]["logs"], "calls stay in the log"
    assert atoms.delete_audience(audience)["status"] is True
    step("delete_campaign, delete_audience: 404 from then on")


def check_calls(atoms: Any, campaign_id: str) -> None:
    """The call log, and one call in two ways."""
    calls = atoms.get_calls(campaign_id=campaign_id, limit=50)["data"]["logs"]
    assert sorted(call["to"] for call in calls) == NUMBERS, calls  # retries hang off their root
    assert {call["status"] for call in calls} <= CALL_ENDS, calls
    reached = next(call for call in calls if call["status"] == "completed")
    call = atoms.get_call(reached["callId"])["data"]
    assert {turn["role"] for turn in call["transcript"]} == {"agent", "user"}, call
    assert call["variables"]["firstName"], call
    assert call["recordingUrl"].startswith("https://"), call
    step(f"get_calls, get_call: {len(calls)} calls, one transcript")
    missed = next(call for call in calls if call["status"] != "completed")
    assert atoms.get_conversation_logs(missed["callId"]).data.status == missed["status"]
    # 4.3.1 expects a transcript of lines, and the API sends turns.
    read = raised(ValidationError, lambda: atoms.get_conversation_logs(reached["callId"]))
    assert "transcript" in str(read), read
    step("get_conversation_logs: reads a missed call, and as ever no transcript")


def main() -> None:
    """Run both ways of 4.3.1."""
    assert version("smallestai") == "4.3.1"
    base = os.environ["SMALLEST_BASE_URL"]
    atoms = AtomsClient(Configuration(host=base))
    number = find_caller_id(atoms)
    run_campaign(number)
    look_around(atoms, number)
    run_client(atoms, number)
    legacy = AtomsClient(Configuration(host=base.replace("/atoms/v1", "/api/v1")))
    assert legacy.get_phone_numbers() == atoms.get_phone_numbers()
    step("the same numbers under the path of the old base URLs")


if __name__ == "__main__":
    main()
