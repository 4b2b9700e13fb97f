"""What get_campaign_results tells beside rates: causes, findings, contacts on request, the file."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.toolkit.contact_keys import contact_keys
from atoms_campaigns_mcp.toolkit.reports import campaign_results
from tests.support.bench import Bench
from tests.support.do_not_call import opt_out
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
SPRING = {**DRAFT, "audience_id": "Spring renewals", "max_retries": 1}
CAUSES = {"dial_no_answer": "no_answer", "dial_busy": "busy", "Number is on the DNC list": "do_not_call"}  # fmt: skip # noqa: E501


async def over(
    bench: Bench, client: Caller, *, one_opts_out: bool = False, **more: Any
) -> dict[str, Any]:
    made = await client.call("create_campaign", **{**SPRING, **more})
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    if one_opts_out:
        opt_out(bench.world)
    bench.clock.advance(hours=3)
    return {"campaign_id": made["campaign_id"]}


def counts(entries: list[str]) -> dict[str, int]:
    return {name.strip('"'): int(count) for name, _, count in (e.rpartition(": ") for e in entries)}


async def logged(bench: Bench, campaign: dict[str, Any]) -> list[dict[str, Any]]:
    path = f"/conversation?campaignIds={campaign['campaign_id']}&callAttemptFilter=all&limit=500"
    return (await bench.api("GET", path))["logs"]


@pytest.mark.slow
async def test_causes_and_findings_are_those_of_all_calls(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client, one_opts_out=True)
        results = await client.call("get_campaign_results", **campaign)
    calls = await logged(bench, campaign)
    missed = [call for call in calls if call["status"] != "completed"]
    reasons = [call.get("callFailureReason") or call["disconnectionReason"] for call in missed]
    assert counts(results["failed_calls"]) == Counter(CAUSES.get(r, r) for r in reasons)
    reached = [call for call in calls if call["status"] == "completed"]
    found = Counter(
        f"{name}: {value}" for call in reached for name, value in call["dispositionMetrics"].items()
    )
    assert counts(results["dispositions"]) == found
    assert counts(results["summaries"]) == Counter(
        call["postCallAnalytics"]["summary"] for call in reached
    )
    assert results["analysed_calls"] == results["connected"] == len(reached)
    assert results["all_calls_read"] is True
    assert results["currency"] == "USD"


@pytest.mark.slow
async def test_contacts_are_told_only_when_they_are_asked_for(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        report = await client.raw("get_campaign_results", **campaign)
        some = await client.call("get_campaign_results", **campaign, outcome="not_reached")
        none = await client.call("get_campaign_results", **campaign, outcome="not_reached", limit=0)
    assert report.structured_content is not None
    assert report.structured_content["results"] == none["results"] == []
    assert (report.structured_content["has_more"], none["has_more"]) == (False, False)
    assert "+1" not in text_of(report)
    assert "contacts match" not in text_of(report)  # nobody asked for some of them
    assert "outcome not_reached lists" in report.structured_content["next_step"]
    assert "outcome not_reached lists" not in some["next_step"]
    assert "create_audience with from_campaign_id" in some["next_step"]
    assert some["total"] == none["total"] == len(some["results"]) > 0
    assert sum(counts(some["not_reached"]).values()) == some["total"]
    assert counts(some["not_reached"]) == Counter(row["cause"] for row in some["results"])


@pytest.mark.slow
async def test_not_reached_are_those_who_were_called_and_not_the_blocked_or_reached(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client, one_opts_out=True)
        rows = (await client.call("get_campaign_results", **campaign, limit=100))["results"]
        missed = await client.call("get_campaign_results", **campaign, outcome="not_reached")
        again = await client.call(
            "create_audience", name="Again", from_campaign_id=campaign["campaign_id"]
        )
        draft = await client.call("create_campaign", **{**SPRING, "name": "Not started"})
        nobody = await client.call(
            "get_campaign_results", campaign_id=draft["campaign_id"], outcome="not_reached"
        )
    wanted = [row for row in rows if row["final_status"] not in {"completed", "blocked"}]
    assert missed["results"] == wanted[:20]
    assert missed["total"] == again["contacts"] == len(wanted)
    assert nobody["total"] == 0


@pytest.mark.slow
async def test_contacts_have_keys_that_tell_masked_numbers_apart_in_every_call(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        first = await client.call("get_campaign_results", **campaign, limit=100)
        other = await over(bench, client, name="Another")
        second = await client.call("get_campaign_results", **other, limit=100)
    keys = [row["key"] for row in first["results"]]
    assert len({row["phone"] for row in first["results"]}) < len(set(keys)) == 25
    assert keys == [row["key"] for row in second["results"]]
    assert all(re.fullmatch("[a-z2-7]{8}", key) for key in keys)


class Account:
    """As much of a context as keys need."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    def sampling(self) -> bytes:
        return self.secret


@given(st.integers(10**6, 10**15 - 1).map(str).filter(lambda digits: digits[0] != "0"))
def test_a_key_is_the_same_for_every_spelling_and_another_on_every_account(digits: str) -> None:
    one, other = (contact_keys(cast("Any", Account(secret))) for secret in (b"1" * 32, b"2" * 32))
    assert one(digits) == one(f"+{digits}")
    assert one(digits) != other(digits)
    assert one(digits) != one(digits[:-1] + str((int(digits[-1]) + 1) % 10))


async def test_the_file_is_said_to_hold_full_numbers(bench: Bench, tmp_path: Path) -> None:
    bench.configure(files=(tmp_path.resolve(),))
    async with bench.client() as client:
        campaign = await over(bench, client)
        result = await client.raw("get_campaign_results", **campaign, file="report.csv")
    text, data = text_of(result), result.structured_content
    assert data is not None
    assert data["written"]["rows_written"] == 25
    assert {"phoneNumber", "contactKey", "lastCause", "plan"} <= set(data["written"]["columns"])
    assert "25 rows with full phone numbers" in text
    assert "atoms://" not in text


def without_ends(bench: Bench) -> None:
    """Leave out of the export what its documentation does not promise of a call."""
    sandbox = bench.wire.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await sandbox.handle_async_request(request)
        if "/export/" not in request.url.path:
            return response
        document = json.loads(await response.aread())
        for row in document["data"]:
            for call in filter(None, [row["originalCall"], *row["retryAttempts"]]):
                for name in ("disconnectionReason", "callFailureReason", "dispositionMetrics"):
                    call.pop(name, None)
                call.pop("postCallAnalytics", None)
        return httpx2.Response(200, json=document)

    bench.wire.below = httpx2.MockTransport(answer)


@pytest.mark.slow
async def test_what_the_export_does_not_tell_is_read_from_the_list_of_calls_once(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        whole = await client.call("get_campaign_results", **campaign)
    without_ends(bench)
    async with bench.client() as client:
        results = await client.call("get_campaign_results", **campaign)
        before = len(bench.wire.requests)
        await client.call("get_campaign_results", **campaign)
    for name in ("failed_calls", "not_reached", "dispositions", "summaries", "analysed_calls"):
        assert results[name] == whole[name], name
    pages = [r for r in bench.wire.requests[before:] if r.url.params.get("limit") == "500"]
    assert pages == []


@pytest.mark.slow
async def test_counts_that_are_not_of_all_calls_say_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign_results, "CALLS_PAGE", 5)
    monkeypatch.setattr(campaign_results, "CALLS_PAGES", 2)
    async with bench.client() as client:
        campaign = await over(bench, client)
        without_ends(bench)
        result = await client.raw("get_campaign_results", **campaign)
    assert result.structured_content is not None
    assert result.structured_content["all_calls_read"] is False
    assert "not of all" in text_of(result)
    unknown = counts(result.structured_content["failed_calls"])["unknown"]
    assert unknown > 0


async def test_what_strangers_said_is_fenced(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        result = await client.raw("get_campaign_results", **campaign)
    assert result.structured_content is not None
    text, mark = text_of(result), result.structured_content["mark"]
    inside = text.split(f"start {mark}")[1].split(f"end {mark}")[0]
    for entry in (*result.structured_content["summaries"], *result.structured_content["dispositions"]):  # fmt: skip # noqa: E501
        assert entry in inside
