"""smallestai 5.14.0: the generated client, then `smallestai.atoms.helpers`.

Needs SMALLEST_API_KEY and SMALLEST_BASE_URL=http://HOST/atoms/v1.
"""
# smallestai is in an environment of its own, which the type checker does not see.
# pyright: basic, reportMissingImports=false

import json
import os
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from declared import ask
from requests import HTTPError
from smallestai import SmallestAI
from smallestai.atoms.errors import BadRequestError, NotFoundError, UnauthorizedError
from smallestai.atoms.helpers import Audience, CallAnalytics, Campaign
from smallestai.core.api_error import ApiError
from smallestai.environment import SmallestAIEnvironment
from steps import (
    CALL_ENDS,
    NAMES,
    NUMBERS,
    PEOPLE,
    RETRIES,
    RETRY_MINUTES,
    check_details,
    check_results,
    raised,
    run_with_a_pause,
    step,
)


def refused(kind: type, status: int, action: Callable[..., Any], **options: Any) -> Any:
    """Return the body of what must be refused with this class and status."""
    error = raised(kind, lambda: action(**options))
    assert error.status_code == status, error
    return error.body


def client(host: str, **options: Any) -> Any:
    """The client as its reference says to redirect it."""
    environment = SmallestAIEnvironment(
        atoms=f"{host}/atoms/v1",
        waves=host,
        waves_ws=host.replace("http", "ws"),
        payment=host,
    )
    return SmallestAI(environment=environment, **options).atoms


def look_around(atoms: Any) -> Any:
    """Everything that is read before there is a campaign; gives an active number of an agent."""
    numbers = ask(atoms.phone_numbers.list).data
    number = next(row for row in numbers if row.is_active and row.agent_id)
    assert number.attributes.phone_number.startswith("+"), number
    step(f"phone_numbers.list: {number.attributes.phone_number} is active")
    ask(atoms.agents.list_agents)
    assert ask(atoms.agents.get_agent, id=number.agent_id).data.name
    made = ask(atoms.agents.create_agent, name="Made by 5.14").data
    assert atoms.agents.get_agent(id=made).data.name == "Made by 5.14"
    ask(atoms.agents.archive_agent, id=made)
    step("agents.list_agents, get_agent, create_agent, archive_agent")
    account = ask(atoms.account.get_account_details)
    user = ask(atoms.user.get_user_details).data
    assert user.organization_id == account.organizations[0].org_id, account
    assert ask(atoms.user.get_subscription).data.subscription_active is True
    step("account.get_account_details, user.get_user_details, get_subscription: one organization")
    assert ask(atoms.concurrency.get_concurrency).data.org_limit > 0
    assert ask(atoms.billing.get_balance).data.credit_balance > 0
    assert ask(atoms.dnc.list).data.pagination.total > 0
    step("concurrency.get_concurrency, billing.get_balance, dnc.list")
    return number


def make_audience(atoms: Any) -> str:
    """Upload a file of contacts, and change it."""
    lines = ["phoneNumber,name,note"]
    lines += [f'{number},{first} {last},"likes tea, not coffee"' for first, last, number in PEOPLE]
    audience = ask(
        atoms.audience.create_audience_with_csv_upload,
        name="March",
        phone_number_column_name="phoneNumber",
        identifier_column_name="name",
        description="made by 5.14",
        file=("contacts.csv", "\r\n".join(lines).encode(), "text/csv"),
    ).data
    assert audience.identifier_column_name == "name", audience
    assert ask(atoms.audience.get, id=audience.id).data.name == "March"
    tom = {"phoneNumber": "+13125550199", "name": "Tom Reed"}
    added = ask(atoms.audience.add_audience_members, id=audience.id, members=[tom])
    assert (added.data[0].data.added, added.data[0].data.skipped) == (1, 0), added
    found = ask(atoms.audience.search_audience_members, id=audience.id, query="Tom")
    (member,) = found.data.members
    gone = ask(atoms.audience.delete_audience_members, id=audience.id, member_ids=[member.id])
    assert gone.data.deleted_count == 1, gone
    page = ask(atoms.audience.get_audience_members, id=audience.id, page=2, offset=5).data
    assert [row.data["phoneNumber"] for row in page.members] == NUMBERS[5:], page
    assert (page.total_count, page.has_more) == (len(NUMBERS), False), page
    (row,) = [row for row in ask(atoms.audience.list).data if row.id == audience.id]
    assert (row.member_count, row.has_campaigns) == (len(NUMBERS), False), row
    step(f"audience.*: {len(NUMBERS)} contacts from a CSV file, one added, found and removed")
    return audience.id


def make_draft(campaigns: Any, number: Any, audience_id: str) -> Any:
    """Make a campaign, after a mistake, and find it."""
    mistake = {"name": "", "audience_id": audience_id, "agent_id": "x"}
    body = refused(BadRequestError, 400, campaigns.create, **mistake)
    assert (body["status"], len(body["errors"])) == (False, 2), body
    created = ask(
        campaigns.create,
        name="March Outreach",
        description="made by 5.14",
        agent_id=number.agent_id,
        audience_id=audience_id,
        phone_number_ids=[number.id],
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    ).data
    assert (created.agent_id, created.audience_id) == (number.agent_id, audience_id), created
    assert (created.status, created.participants_count) == ("draft", len(NUMBERS)), created
    assert (created.max_retries, created.retry_delay) == (RETRIES, RETRY_MINUTES), created
    order = {"sort_field": "createdAt", "sort_order": "desc"}
    found = ask(campaigns.list, page=1, offset=1, status="draft", search="march", **order)
    (row,) = found.data.campaigns
    assert (row.id, row.agent.id) == (created.id, number.agent_id), row
    assert ask(campaigns.list).data.total_campaign_count > 1
    step(f"campaigns.create, list: draft {created.id}")
    return created


def run_client(atoms: Any, number: Any) -> None:
    """The generated client, from a file of contacts to the last 404."""
    campaigns = atoms.campaigns
    audience = {"id": make_audience(atoms)}
    created = make_draft(campaigns, number, audience["id"])
    campaign = {"id": created.id}

    def status() -> str:
        return ask(campaigns.get, **campaign).data.campaign.status

    def start() -> None:
        started = ask(campaigns.start_or_resume, **campaign).data
        assert (started.campaign_id, len(started.task_id)) == (created.id, 36), started

    def pause() -> None:
        refused(BadRequestError, 400, campaigns.start_or_resume, **campaign)
        refused(BadRequestError, 400, campaigns.delete, **campaign)
        ask(campaigns.list, status="running")
        ask(atoms.calls.list, campaign_ids=created.id)
        assert ask(campaigns.pause, **campaign).status is True

    run_with_a_pause(start, pause, status)
    details = json.loads(campaigns.get(**campaign).json())["data"]
    check_details(details, len(NUMBERS))
    step("campaigns.get: metrics, events and executions agree")
    check_exports(campaigns, campaign, details)
    check_calls(atoms, created)
    refused(BadRequestError, 400, atoms.audience.delete_audience, **audience)
    assert ask(campaigns.delete, **campaign).status is True
    refused(ApiError, 404, campaigns.get, **campaign)
    refused(NotFoundError, 404, campaigns.delete, **campaign)
    refused(NotFoundError, 404, campaigns.export_campaign_results_by_audience_member, **campaign)
    refused(BadRequestError, 400, lambda: b"".join(campaigns.export_campaign_logs(**campaign)))
    ask(atoms.audience.delete_audience, **audience)
    refused(NotFoundError, 404, atoms.audience.get, **audience)
    step("campaigns.delete, audience.delete_audience: 404 from then on, 400 for the logs")


def check_exports(campaigns: Any, campaign: dict[str, str], details: dict[str, Any]) -> None:
    """Both exports, and the form that this client cannot read."""
    export = campaigns.export_campaign_results_by_audience_member
    results = ask(export, **campaign)
    assert results.total_audience_members == len(NUMBERS), results
    rows = json.loads(results.json())["data"]
    assert sorted(row["phoneNumber"] for row in rows) == NUMBERS, rows
    assert all(row["audienceMemberData"]["note"] == "likes tea, not coffee" for row in rows), rows
    check_results(rows, details, RETRIES)
    step("campaigns.export_campaign_results_by_audience_member: agrees with the campaign")
    text = refused(ApiError, 200, export, **campaign, format="csv")  # 5.14 reads all as JSON
    assert text.startswith("audienceMemberId,phoneNumber,"), text
    step("the same as CSV: ApiError 200, as ever, with the file in it")
    logs = json.loads(b"".join(campaigns.export_campaign_logs(**campaign)))
    assert len(logs) >= sum(row["totalAttempts"] for row in rows), logs
    reached = [row for row in logs if row["status"] == "completed"]
    assert all(row["recordingUrl"] and row["duration"] for row in reached), reached
    assert all(row["events"][-1]["eventType"] == "ended" for row in reached), reached
    step(f"campaigns.export_campaign_logs: {len(logs)} calls, {len(reached)} of them recorded")


def check_calls(atoms: Any, campaign: Any) -> None:
    """The call log, one call, its retries, and the analytics log."""
    logs = ask(atoms.calls.list, campaign_ids=campaign.id, limit=50).data.logs
    assert sorted(call.to for call in logs) == NUMBERS, logs  # retries hang off their root
    assert {call.status for call in logs} <= CALL_ENDS, logs
    everything = atoms.calls.list(
        campaign_ids=campaign.id,
        call_attempt_filter="all",
        date_from=campaign.created_at,
        date_to=campaign.created_at + timedelta(days=1),
        limit=50,
    ).data
    assert everything.pagination.total > len(logs), everything
    reached = next(call for call in logs if call.status == "completed")
    call = ask(atoms.calls.get, id=reached.call_id).data
    assert {turn.role for turn in call.transcript} == {"agent", "user"}, call
    assert call.recording_url, call
    retried = next(call for call in logs if call.retry_count)
    attempts = ask(atoms.conversations.list_retry_attempts, call_id=retried.call_id)
    ids = [row["callId"] for row in attempts.data.retries]
    assert ids == [retried.call_id, retried.retry_call_id], attempts
    counts = ask(atoms.analytics.get_call_counts_log, campaign_id=campaign.id).data
    assert counts.total_calls == everything.pagination.total, counts
    step(f"calls, conversations, analytics: {len(ids)} attempts at one of {len(logs)} contacts")


def run_helpers(number: Any) -> None:
    """`smallestai.atoms.helpers`, which never repeat a request and give plain documents."""
    audiences, campaigns = Audience(), Campaign()
    audience = audiences.create("April", NUMBERS[:-1], names=NAMES)["data"]["_id"]
    added = audiences.add_contacts(audience, NUMBERS[-2:])["data"][0]["data"]
    assert added == {"added": 1, "skipped": 1}, added
    everyone = audiences.get_members(audience, search="Maya")["data"]  # `search` has no effect
    assert everyone["totalCount"] == len(NUMBERS), everyone
    made = campaigns.create(
        "April Outreach",
        number.agent_id,
        audience,
        [number.id],
        max_retries=RETRIES,
        retry_delay=RETRY_MINUTES,
    )
    campaign_id = made["data"]["_id"]
    assert campaigns.list(limit=50)["data"]["campaigns"][0]["_id"] == campaign_id
    step("helpers: Audience.create, add_contacts, get_members, Campaign.create, list")

    def details() -> dict[str, Any]:
        return campaigns.get(campaign_id)["data"]

    run_with_a_pause(
        lambda: campaigns.start(campaign_id),
        lambda: campaigns.pause(campaign_id),
        lambda: details()["campaign"]["status"],
    )
    check_details(details(), len(NUMBERS))
    analytics = CallAnalytics()
    calls = analytics.get_calls(campaign_id=campaign_id, status="completed", limit=50)["data"]
    assert analytics.get_call(calls["logs"][0]["callId"])["data"]["transcript"], calls
    step("helpers: Campaign.get, CallAnalytics.get_calls, get_call: all agree")
    assert campaigns.delete(campaign_id) == {"status": True}
    for action in (campaigns.stop, campaigns.get, campaigns.delete):
        response: Any = raised(HTTPError, lambda action=action: action(campaign_id)).response
        assert response.status_code == 404, response.text
    assert audiences.delete(audience)["status"] is True
    step("helpers: delete, and 404 from then on")


def main() -> None:
    """Run the client and the helpers."""
    assert version("smallestai") == "5.14.0"
    base = os.environ["SMALLEST_BASE_URL"]
    host = base.removesuffix("/atoms/v1")
    atoms = client(host, max_retries=0)
    number = look_around(atoms)
    run_client(atoms, number)
    nobody = client(host, api_key="nobody", max_retries=0)
    refused(UnauthorizedError, 401, nobody.campaigns.list)
    step("another key: 401")
    run_helpers(number)
    assert Campaign(base_url=host).list() == Campaign().list()
    step("helpers with a host alone: the same campaigns")


if __name__ == "__main__":
    main()
