"""What a preview finds in the account, and what it never takes for clean."""

import sqlite3
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.state.sqlite.caller_ids import SqliteCallerIds
from tests.support.bench import Bench
from tests.support.previews import US_NUMBER, draft
from tests.support.serving import ERAS
from tests.support.tampering import alter, fail
from tests.support.troubles import (
    archived,
    every_number,
    full,
    gone,
    listed,
    members,
    poor,
    rival,
)
from tests.support.world import AGENT, AUDIENCE, CALLER_ID, DRAFT

pytestmark = pytest.mark.anyio
EVENING = datetime(2027, 1, 4, 16, tzinfo=UTC)  # 11:00 in Washington, 21:30 in Kolkata


@pytest.fixture(autouse=True)
def daytime(bench: Bench) -> None:
    bench.clock.moment = EVENING


def rules(preview: dict[str, Any]) -> dict[str, str]:
    return {row["rule"]: row["severity"] for row in preview["findings"]}


def finding(preview: dict[str, Any], rule: str) -> dict[str, str]:
    (row,) = (row for row in preview["findings"] if row["rule"] == rule)
    return row


@pytest.mark.parametrize("era", ERAS)
async def test_a_clean_preview_says_what_would_happen_and_sends_nothing(
    bench: Bench, era: str
) -> None:
    async with bench.client(era) as client:
        campaign = await draft(client)
        sent = list(bench.wire.changes)
        preview = await client.call("preview_campaign", **campaign)
    assert (preview["verdict"], preview["findings"], preview["status"]) == ("allowed", [], "draft")
    assert (preview["contacts"], preview["dials"]) == (2, "2 to 2")
    assert (preview["agent"], preview["audience"]) == ("Outreach", "List")
    assert preview["caller_ids"] == [US_NUMBER]
    assert preview["starts_at"].startswith("2027-01-04T16:00:")
    assert preview["ends_before"].startswith("2027-01-04T16:04:")
    assert bench.wire.changes == sent
    assert bench.questions == []


async def test_the_text_holds_every_finding_as_the_data_does(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        made = await client.call("create_campaign", **DRAFT)
        result = await client.raw("preview_campaign", campaign_id=made["campaign_id"])
    assert result.structured_content is not None
    text = getattr(result.content[0], "text", "")
    for row in result.structured_content["findings"]:
        assert f"{row['severity']}: {row['reason']} ({row['rule']}). {row['next_step']}" in text
    for row in result.structured_content["checks"]:
        assert f"{row['check'].replace('_', ' ')} {row['verdict']}: {row['result']}" in text
    assert "+1202555" not in text


INACTIVE = every_number(lambda row: {**row, "isActive": False})
NO_NUMBER = {"_id": "a" * 24, "data": {"phoneNumber": "12", "name": "Eve"}}


@pytest.mark.parametrize(
    ("prepare", "severity", "rule", "reason", "step"),
    [
        (members(lambda _: []), "block", "empty_audience", "no contacts", "add_contacts"),
        (gone, "block", "agent", "does not exist", "list_agents"),
        (archived, "block", "archived_agent", '"Outreach" is archived', "another agent"),
        (INACTIVE, "block", "no_active_caller_id", "none of its", "list_phone_numbers"),
        (members(lambda rows: [*rows, NO_NUMBER]), "warn", "invalid_numbers", "1 contact", "fail"),
        (members(lambda rows: rows * 2), "warn", "duplicates", "2 numbers", "each number once"),
        (listed("+12025550111", ""), "block", "dnc", "1 contact on the do-not-call", "without"),
        (listed("12025550112", AGENT), "block", "dnc", "1 contact on the do-not-call", "without"),
        (rival, "warn", "same_audience", '"Rival"', "pause"),
        (poor, "warn", "balance", "0 USD", "credit"),
        (full, "warn", "no_free_slots", "all 20 calls", "wait"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_finding_has_its_severity_its_reason_and_what_to_do(
    bench: Bench, *, prepare: Any, severity: str, rule: str, reason: str, step: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await prepare(bench, client)
        preview = await client.call("preview_campaign", **campaign)
    row = finding(preview, rule)
    assert row["severity"] == severity
    assert reason in row["reason"]
    assert step in row["next_step"]
    assert preview["verdict"] == ("blocked" if severity == "block" else "allowed")
    if severity == "block":
        assert row["next_step"] in preview["next_step"]


async def test_an_inactive_caller_id_beside_an_active_one_is_only_a_warning(bench: Bench) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        inactive = next(row["number"] for row in numbers if not row["active"])
        campaign = await draft(client, phone_ids=[US_NUMBER, inactive])
        preview = await client.call("preview_campaign", **campaign)
    assert rules(preview) == {"inactive_caller_id": "warn"}


async def test_contacts_abroad_see_a_foreign_caller_id(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client, phone_ids=[CALLER_ID])
        preview = await client.call("preview_campaign", **campaign)
    row = finding(preview, "foreign_caller_id")
    assert "2 contacts" in row["reason"]
    assert "US: 2" in row["reason"]


async def test_the_column_timezone_wins_over_the_zone_of_the_number(bench: Bench) -> None:
    """It is 11:00 in Washington, and 21:30 in Kolkata."""
    async with bench.client() as client:
        csv = "phone,timezone\n+12025550111,Asia/Kolkata\n+12025550112,America/New_York"
        preview = await client.call("preview_campaign", **await draft(client, csv))
        back = "phone,timezone\n+912268093561,America/New_York"
        away = await client.call("preview_campaign", **await draft(client, back))
    assert (
        "1 contact will be called at 21:30 their time"
        in (finding(preview, "calling_hours")["reason"])
    )
    assert "calling_hours" not in rules(away)


@pytest.mark.parametrize("zone", ["IST+5", "Nowhere/Town", "Asia", "../../etc/passwd"])
async def test_a_column_timezone_that_names_no_zone_leaves_it_to_the_number(
    bench: Bench, zone: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client, f"phone,timezone\n+12025550111,{zone}")
        assert rules(await client.call("preview_campaign", **campaign)) == {}
        bench.clock.advance(hours=12)
        late = await client.call("preview_campaign", **campaign)
    assert rules(late) == {"calling_hours": "warn"}


async def test_retries_may_carry_a_campaign_into_the_night(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client, max_retries=3, retry_delay=300)
        preview = await client.call("preview_campaign", **campaign)
    assert rules(preview) == {"calling_hours": "warn"}


@pytest.mark.slow
async def test_an_unknown_zone_is_unknown_until_the_operator_sets_hours(bench: Bench) -> None:
    """A toll-free number may be anywhere between Guam and Bermuda."""
    async with bench.client() as client:
        campaign = await draft(client, "phone\n+18005550111")
        preview = await client.call("preview_campaign", **campaign)
    assert (preview["verdict"], rules(preview)["unknown_time_zone"]) == ("allowed", "unknown")
    bench.configure(calling_hours=(480, 1260))
    async with bench.client() as client:
        blocked = await client.call("preview_campaign", **campaign)
    assert (blocked["verdict"], rules(blocked)["unknown_time_zone"]) == ("blocked", "block")
    bench.configure(calling_hours=(0, 1440))
    async with bench.client() as client:
        always = await client.call("preview_campaign", **campaign)
    assert (always["verdict"], "unknown_time_zone" in rules(always)) == ("allowed", False)


READS = {
    "agent": (f"GET /agent/{AGENT}", "allowed_agents", ("Outreach",)),
    "caller_ids": ("GET /product/phone-numbers", "allowed_caller_ids", (US_NUMBER,)),
    "dnc_unknown": ("GET /dnc*", "require_dnc_clean", True),
    "slots": ("GET /concurrency", "", None),
    "calls_in_progress": ("GET /conversation*", "", None),
    "balance": ("GET /payment/*", "", None),
}


@pytest.mark.parametrize("rule", READS)
async def test_what_cannot_be_read_is_unknown_and_blocks_only_where_a_rule_needs_it(
    bench: Bench, rule: str
) -> None:
    pattern, setting, value = READS[rule]
    bench.configure(require_dnc_clean=False)
    async with bench.client() as client:
        campaign = await draft(client)
        fail(bench, pattern)
        preview = await client.call("preview_campaign", **campaign)
    assert (preview["verdict"], rules(preview)) == ("allowed", {rule: "unknown"})
    if setting:
        bench.configure(**{setting: value})
        async with bench.client() as client:
            blocked = await client.call("preview_campaign", **campaign)
            text = await client.refused("start_campaign", **campaign)
        assert (blocked["verdict"], rules(blocked)) == ("blocked", {rule: "block"})
        assert f"ATOMS_MCP_{setting.upper()}" in text
        assert "start" not in bench.wire.changes


@pytest.mark.parametrize("status", ["processing", "running"])
async def test_an_unread_number_of_campaigns_blocks_only_under_a_limit(
    bench: Bench, status: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        fail(bench, f"GET /campaign?*status={status}*")
        assert (await client.call("preview_campaign", **campaign))["verdict"] == "allowed"
    bench.configure(max_running=5)
    async with bench.client() as client:
        blocked = await client.call("preview_campaign", **campaign)
    assert rules(blocked) == {"max_running": "block", "same_audience": "unknown"}
    assert "unknown campaigns run" in finding(blocked, "max_running")["reason"]


@pytest.mark.parametrize("pattern", ["GET /audience", "GET /audience/*/members*"])
async def test_without_its_contacts_there_is_neither_a_preview_nor_a_start(
    bench: Bench, pattern: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        fail(bench, pattern)
        text = await client.refused("preview_campaign", **campaign)
        await client.refused("start_campaign", **campaign)
    assert "Try again in a minute." in text
    assert bench.questions == []
    assert "start" not in bench.wire.changes


async def test_only_the_first_pages_of_a_long_do_not_call_list_are_read(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        alter(
            bench,
            "GET /dnc*",
            lambda data: {**data, "pagination": {**data["pagination"], "hasMore": True}},
        )
        bench.wire.requests.clear()
        preview = await client.call("preview_campaign", **campaign)
    assert rules(preview) == {"dnc_unknown": "block"}
    pages = Counter(
        request.url.params.get("agentId")
        for request in bench.wire.requests
        if request.url.path.endswith("/dnc")
    )
    assert list(pages.values()) == [20, 20]  # of the organization's list, and of the agent's


@pytest.mark.slow
async def test_every_contact_is_looked_at_even_if_the_api_does_not_tell_their_number(
    bench: Bench,
) -> None:
    csv = "phone\n" + "\n".join(f"+1202556{n:04d}" for n in range(1001))
    async with bench.client() as client:
        campaign = await draft(client, csv)
        alter(
            bench,
            "GET /audience",
            lambda rows: [{k: v for k, v in row.items() if k != "memberCount"} for row in rows],
        )
        preview = await client.call("preview_campaign", **campaign)
    assert preview["contacts"] == 1001


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"max_contacts": 1}, "max_contacts"),
        ({"allowed_agents": ("Somebody else",)}, "allowed_agents"),
        ({"allowed_caller_ids": ("+12025550199",)}, "allowed_caller_ids"),
        ({"calling_hours": (480, 600)}, "calling_hours"),
    ],
)
async def test_a_rule_of_the_operator_blocks_and_the_next_step_names_it(
    bench: Bench, setting: dict[str, Any], rule: str
) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        bench.configure(**setting)
    async with bench.client(answer=None) as client:
        preview = await client.call("preview_campaign", **campaign)
    assert (preview["verdict"], rules(preview)) == ("blocked", {rule: "block"})
    assert f"ATOMS_MCP_{next(iter(setting)).upper()}" in preview["next_step"]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_the_token_of_a_refused_start_starts_it_once(bench: Bench, era: str) -> None:
    async with bench.client(era, answer=None) as client:
        campaign = await draft(client)
        token = await client.token("start_campaign", **campaign)
        started = await client.call("start_campaign", **campaign, confirm_token=token)
        again = await client.call("start_campaign", **campaign, confirm_token=token)
    assert (started["status"], again["changed"]) == ("running", False)
    assert bench.wire.changes.count("start") == 1


@pytest.mark.parametrize(
    ("confirm", "can_be_asked", "told"),
    [
        ("ask", True, "they are asked again"),
        ("ask", False, "gives the question to put to them"),
        ("token", True, "gives the question to put to them"),
        ("token", False, "gives the question to put to them"),
        ("human", True, "they are asked again"),
        ("human", False, "cannot be started from here"),
        ("never", True, "dials at once"),
        ("never", False, "dials at once"),
    ],
)
async def test_a_preview_says_what_a_start_would_take_and_gives_no_token_itself(
    bench: Bench, tmp_path: Path, confirm: str, *, can_be_asked: bool, told: str
) -> None:
    bench.configure(confirm=confirm)
    async with bench.client() if can_be_asked else bench.client(answer=None) as client:
        result = await client.raw("preview_campaign", **await draft(client))
    preview = result.structured_content
    assert preview is not None
    assert "confirm_token" not in preview
    assert preview["verdict"] == ("blocked" if "cannot" in told else "allowed")
    with sqlite3.connect(tmp_path / "state.sqlite3") as db:
        assert db.execute("SELECT count(*) FROM plans").fetchone() == (0,)
    assert told in preview["next_step"]


@pytest.mark.parametrize("mode", ["no_dial", "read_only"])
async def test_where_dialling_is_off_neither_a_preview_nor_a_creation_sends_to_a_start(
    bench: Bench, mode: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
    bench.configure(**{mode: True})
    async with bench.client(answer=None) as client:
        preview = await client.call("preview_campaign", **campaign)
        assert preview["verdict"] == "blocked"
        told = [preview["next_step"]]
        if mode == "no_dial":
            told.append((await client.call("create_campaign", **DRAFT))["next_step"])
    assert all("switched" in step and "start_campaign" not in step for step in told)


async def test_a_preview_works_though_nothing_can_be_recorded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)

    async def full_disk(*_: object) -> None:
        raise NotRecorded("The disk is full.")

    monkeypatch.setattr(SqliteCallerIds, "get", full_disk)
    async with bench.client() as client:
        preview = await client.call("preview_campaign", **campaign)
    assert rules(preview) == {"caller_ids": "unknown"}


async def test_a_scheduled_campaign_is_judged_at_its_own_time(
    bench: Bench,
) -> None:
    bench.configure(confirm="never")
    async with bench.client(answer=None) as client:
        campaign = await draft(client, scheduled_at="2027-01-05T03:00:00-05:00")
        preview = await client.call("preview_campaign", **campaign)
    assert rules(preview) == {"calling_hours": "warn"}
    assert preview["starts_at"] == "2027-01-05T08:00:00Z"
    assert "Only delete_campaign stops it" in preview["next_step"]


@pytest.mark.slow
async def test_a_running_campaign_has_no_preview(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", **campaign)
        text = await client.refused("preview_campaign", **campaign)
    assert "is running and cannot be previewed" in text


async def test_a_campaign_made_elsewhere_has_caller_ids_that_nobody_knows(bench: Bench) -> None:
    body = {"name": "Elsewhere", "agentId": AGENT, "audienceId": AUDIENCE}
    async with bench.client() as client:
        made = await bench.api("POST", "/campaign", body | {"phoneNumberIds": [CALLER_ID]})
        preview = await client.call("preview_campaign", campaign_id=made["_id"])
    assert rules(preview)["caller_ids"] == "unknown"
    assert preview["caller_ids"] == []
