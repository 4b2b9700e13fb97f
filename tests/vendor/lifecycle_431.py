"""smallestai 4.3.1, as the vendor's own samples use it: `Campaign`, then `AtomsClient`.

Needs SMALLEST_API_KEY and SMALLEST_BASE_URL=http://HOST/atoms/v1.
"""
# smallestai is in an environment of its own, which the type checker does not see.
# pyright: basic, reportMissingImports=false

import os

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
    STARTING,
    check_details,
    step,
    wait_for,
)


def refused(status, action, *arguments):
    """Give the answer to what must be refused with this status."""
    try:
        answer = action(*arguments)
    except HTTPError as error:
        assert error.response.status_code == status, error
        return error.response
    raise AssertionError(f"accepted: {answer}")


def caller_id(atoms):
    """Find an active number that belongs to an agent, as the samples do."""
    answer = atoms.get_phone_numbers()
    assert answer["status"] is True
    number = next(row for row in answer["data"] if row["isActive"] and row["agentId"])
    assert number["attributes"]["phoneNumber"].startswith("+"), number
    step(f"get_phone_numbers: {number['attributes']['phoneNumber']} is active")
    return number


def run_campaign(number):
    """The class of the samples, from a list of contacts to the last 404."""
    audiences, campaigns = Audience(), Campaign()
    audience = audiences.create("January", NUMBERS, names=NAMES, description="made by 4.3.1")
    assert audience["data"]["phoneNumberColumnName"] == "phoneNumber", audience
    audience_id = audience["data"]["_id"]
    assert audiences.get(audience_id)["data"]["name"] == "January"
    members = audiences.get_members(audience_id, offset=50)["data"]
    assert [row["data"]["phoneNumber"] for row in members["members"]] == NUMBERS, members
    (row,) = [row for row in audiences.list()["data"] if row["_id"] == audience_id]
    assert (row["memberCount"], row["hasCampaigns"]) == (len(NUMBERS), False), row
    step(f"Audience.create, get, get_members, list: {len(NUMBERS)} contacts")

    created = campaigns.create(
        name="January Outreach",
        agent_id=number["agentId"],
        audience_id=audience_id,
        phone_ids=[number["_id"]],
        description="made by 4.3.1",
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    )
    assert created["status"] is True
    draft = created["data"]
    assert draft["status"] == "draft", draft
    assert (draft["agentId"], draft["audienceId"]) == (number["agentId"], audience_id), draft
    assert (draft["maxRetries"], draft["retryDelay"]) == (RETRIES, RETRY_MINUTES), draft
    assert draft["participantsCount"] == len(NUMBERS), draft
    campaign_id = draft["_id"]
    step(f"Campaign.create: draft {campaign_id}")

    def status():
        return campaigns.get(campaign_id)["data"]["campaign"]["status"]

    assert status() == "draft"
    refused(400, campaigns.pause, campaign_id)
    page = campaigns.list(limit=50)["data"]
    assert page["campaigns"][0]["_id"] == campaign_id, page
    assert page["pagination"]["offset"] == 5, page  # `limit` has no effect
    step("Campaign.get, list: the draft comes first, five to a page whatever the limit")

    started = campaigns.start(campaign_id)["data"]
    assert started["message"] == "Campaign is being processed", started
    assert started["campaignId"] == campaign_id, started
    assert len(started["taskId"]) == 36, started
    wait_for("running", status, STARTING)
    step("Campaign.start: running")
    assert campaigns.pause(campaign_id) == {"status": True}
    wait_for("paused", status, {"running"})
    step("Campaign.pause: paused")
    refused(400, campaigns.pause, campaign_id)
    assert "Cannot POST" in refused(404, campaigns.stop, campaign_id).text
    assert status() == "paused"
    step("Campaign.stop: 404, a page of HTML, nothing done")
    campaigns.start(campaign_id)
    wait_for("completed", status, STARTING)
    check_details(campaigns.get(campaign_id)["data"], len(NUMBERS))
    refused(400, campaigns.start, campaign_id)
    step("Campaign.start: resumed, completed; metrics, events and executions agree")

    refused(400, audiences.delete, audience_id)
    assert campaigns.delete(campaign_id) == {"status": True}
    refused(404, campaigns.get, campaign_id)
    refused(404, campaigns.delete, campaign_id)
    assert audiences.delete(audience_id)["status"] is True
    refused(404, audiences.get, audience_id)
    step("Campaign.delete, Audience.delete: 404 from then on")
    refused(401, Campaign(api_key="nobody").list)
    step("another key: 401")


def run_client(atoms, number):
    """`AtomsClient` from a list of contacts to the last 404."""
    user = atoms.get_current_user().data
    assert user.user_email, user
    agents = atoms.get_agents().data.agents
    assert number["agentId"] in [agent.id for agent in agents], agents
    agent_id = atoms.new_agent("Made by 4.3.1", prompt="Be brief.").data
    agent = atoms.get_agent_by_id(agent_id)["data"]
    assert (agent["name"], agent["globalPrompt"]) == ("Made by 4.3.1", "Be brief."), agent
    assert atoms.delete_agent(agent_id)["status"] is True
    step("get_current_user, get_agents, new_agent, get_agent_by_id, delete_agent")

    audience = atoms.create_audience("February", NUMBERS[:-1], names=NAMES)["data"]
    added = atoms.add_audience_members(audience["_id"], [{"phoneNumber": n} for n in NUMBERS[-2:]])
    assert added["data"][0]["data"] == {"added": 1, "skipped": 1}, added
    members = atoms.get_audience_members(audience["_id"], offset=50)["data"]
    assert members["totalCount"] == len(NUMBERS), members
    step("create_audience, add_audience_members, get_audience_members")

    created = atoms.new_campaign(
        "February Outreach",
        number["agentId"],
        audience["_id"],
        [number["_id"]],
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    ).data
    # 4.3.1 leaves all but name, description, agent and audience out of the request.
    assert (created["maxRetries"], created["retryDelay"]) == (3, 15), created
    campaign_id = created["_id"]
    rows = atoms.get_campaigns(CampaignGetRequest(page=1, limit=10)).data.campaigns
    assert rows[0]["_id"] == campaign_id, rows
    step("new_campaign, get_campaigns: a draft with the API's own retries")

    def status():
        return atoms.get_campaign_by_id(campaign_id)["data"]["campaign"]["status"]

    atoms.start_campaign(campaign_id)
    wait_for("running", status, STARTING)
    assert atoms.pause_campaign(campaign_id).status is True
    wait_for("paused", status, {"running"})
    try:
        atoms.pause_campaign(campaign_id)
    except BadRequestException as error:
        assert error.status == 400, error
    else:
        raise AssertionError("paused twice")
    atoms.start_campaign(campaign_id)
    wait_for("completed", status, STARTING)
    details = atoms.get_campaign_by_id(campaign_id)["data"]
    check_details(details, len(NUMBERS))
    step("start_campaign, pause_campaign, start_campaign: completed")

    calls = atoms.get_calls(campaign_id=campaign_id, limit=50)["data"]["logs"]
    assert sorted(call["to"] for call in calls) == NUMBERS, calls  # retries hang off their root
    assert {call["status"] for call in calls} <= CALL_ENDS, calls
    reached = next(call for call in calls if call["status"] == "completed")
    call = atoms.get_call(reached["callId"])["data"]
    assert {turn["role"] for turn in call["transcript"]} == {"agent", "user"}, call
    assert call["variables"]["firstName"], call
    assert call["recordingUrl"].startswith("https://"), call
    missed = next(call for call in calls if call["status"] != "completed")
    assert atoms.get_conversation_logs(missed["callId"]).data.status == missed["status"]
    step(f"get_calls, get_call, get_conversation_logs: {len(calls)} calls and a transcript")
    # What 4.3.1 reads of a transcript is a list of lines, and the API sends turns.
    try:
        atoms.get_conversation_logs(reached["callId"])
    except ValidationError as error:
        assert "transcript" in str(error), error
    else:
        raise AssertionError("4.3.1 read a transcript of turns")
    step("get_conversation_logs: cannot read a transcript, as ever")

    assert atoms.delete_campaign(campaign_id).status is True
    refused(404, atoms.get_campaign_by_id, campaign_id)
    try:
        atoms.delete_campaign(campaign_id)
    except NotFoundException as error:
        assert error.status == 404, error
    else:
        raise AssertionError("deleted twice")
    assert atoms.get_calls(campaign_id=campaign_id)["data"]["logs"], "calls stay in the log"
    assert atoms.delete_audience(audience["_id"])["status"] is True
    step("delete_campaign, delete_audience: 404 from then on")


def main():
    """Run both ways of 4.3.1."""
    base = os.environ["SMALLEST_BASE_URL"]
    atoms = AtomsClient(Configuration(host=base))
    number = caller_id(atoms)
    run_campaign(number)
    run_client(atoms, number)
    legacy = AtomsClient(Configuration(host=base.replace("/atoms/v1", "/api/v1")))
    assert legacy.get_phone_numbers() == atoms.get_phone_numbers()
    step("the same numbers under the path of old base URLs")


if __name__ == "__main__":
    main()
