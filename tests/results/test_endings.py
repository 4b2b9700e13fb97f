"""Why calls reached nobody, and what came of the others, counted over every call."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.results.store import Results, ResultsCache
from atoms_campaigns_mcp.schemas.calls import CAUSE_MAX, LIVE, Call, cause_of
from atoms_campaigns_mcp.workers import Workers
from tests.results.test_store import attempt, contact, export

pytestmark = pytest.mark.anyio


@pytest.fixture
def cache() -> Iterator[ResultsCache]:
    cache = ResultsCache(Directory(), Workers().worker())
    yield cache
    cache.close()


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"status": "no_answer", "disconnectionReason": "dial_no_answer"}, "no_answer"),
        ({"status": "no_answer", "disconnectionReason": "dial_busy"}, "busy"),
        ({"status": "no_answer", "disconnectionReason": "voicemail"}, "voicemail"),
        ({"status": "no_answer"}, "no_answer"),
        ({"status": "busy"}, "busy"),
        ({"status": "failed", "callFailureReason": "Invalid phone number: +14155550100"},
         "invalid_number"),
        ({"status": "failed", "callFailureReason": "Unallocated (unassigned) number"},
         "invalid_number"),
        ({"status": "failed", "callFailureReason": "No concurrency slots available",
          "disconnectionReason": "system_error"}, "no_free_slot"),
        ({"status": "blocked", "callFailureReason": "Number is on the DNC list"}, "do_not_call"),
        ({"status": "failed", "disconnectionReason": "connection_error"}, "connection_error"),
        ({"status": "failed"}, "unknown"),
        ({}, "unknown"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "completed", "disconnectionReason": "user_hangup"}, ""),
        ({"status": "completed", "disconnectionReason": "voicemail"}, "voicemail"),
        ({"status": "active", "disconnectionReason": "dial_busy"}, ""),
    ],
)  # fmt: skip
def test_the_cause_is_what_the_fields_of_a_call_tell(fields: dict[str, str], cause: str) -> None:
    assert Call.model_validate(fields).cause() == cause


@given(st.text(max_size=300))
def test_a_cause_is_a_short_text_without_any_number(text: str) -> None:
    cause = cause_of(text + " +1 415 555 0100")
    assert 0 < len(cause) <= CAUSE_MAX
    assert not re.search(r"\d[\d ().-]{5,}\d", cause.encode("ascii", "ignore").decode())


def completed(phone: str, summary: str | None = None, **found: str) -> dict[str, Any]:
    row = contact("completed", phone=phone)
    metrics = [{"identifier": name, "value": value} for name, value in found.items()]
    analytics = {"summary": summary, "dispositionMetrics": metrics}
    row["originalCall"]["postCallAnalytics"] = analytics
    return row


def numbers() -> Iterator[str]:
    return (f"+1415555{n:04d}" for n in range(100, 1000))


async def test_each_call_is_counted_by_cause_and_each_contact_by_its_last(
    cache: ResultsCache,
) -> None:
    phone = numbers()
    rows = [
        contact("no_answer", "failed", "completed", phone=next(phone)),
        contact("no_answer", "busy", phone=next(phone)),
        contact("no_answer", "no_answer", phone=next(phone)),
        contact("blocked", phone=next(phone)),
        contact("no_answer", "in_queue", phone=next(phone)),
        contact(phone=next(phone)),
    ]
    results = await cache.get("c", "1", export(*rows))
    assert await results.endings.causes() == {"no_answer": 5, "blocked": 1, "busy": 1, "unknown": 1}
    assert await results.not_reached() == {"busy": 1, "no_answer": 1}
    found, total = await results.page("not_reached", 1, 10)
    assert ([row.cause for row in found], total) == (["busy", "no_answer"], 2)


async def test_a_wrong_person_is_told_apart_from_one_who_is_not_interested(
    cache: ResultsCache,
) -> None:
    phone = numbers()
    rows = [
        completed(next(phone), "Somebody else's number.", interested="no", right_person="no"),
        completed(next(phone), "Not interested.", interested="no", right_person="yes"),
        completed(next(phone), "Not interested.", interested="no", right_person="yes"),
        completed(next(phone), interested="yes"),
        contact("completed", phone=next(phone)),
    ]
    endings = (await cache.get("c", "1", export(*rows))).endings
    assert dict((await endings.dispositions(20)).top) == {
        "interested: no": 3,
        "interested: yes": 1,
        "right_person: yes": 2,
        "right_person: no": 1,
    }
    assert (await endings.combinations(20)).top[0] == ("interested: no, right_person: yes", 2)
    assert ("interested: no, right_person: no", 1) in (await endings.combinations(20)).top
    assert (await endings.summaries(1)).top == [("Not interested.", 2)]
    assert (await endings.summaries(1)).kinds == 2
    coverage = await endings.coverage()
    assert (coverage.connected, coverage.analysed, coverage.lacking) == (5, 4, False)


async def test_dispositions_of_the_call_log_count_as_those_of_the_analysis(
    cache: ResultsCache,
) -> None:
    row = contact("completed")
    row["originalCall"]["dispositionMetrics"] = {"interested": "yes"}
    endings = (await cache.get("c", "1", export(row))).endings
    assert (await endings.dispositions(20)).top == [("interested: yes", 1)]


async def test_numbers_that_people_said_are_masked_before_they_are_kept(
    cache: ResultsCache,
) -> None:
    row = completed("+14155550100", "Wants a call at +1 415 555 0177.", reach="4155550188")
    results = await cache.get("c", "1", export(row))
    (kept,) = await results.contacts()
    told = [kept.found, *(text for text, _ in (await results.endings.summaries(9)).top)]
    assert not re.search(r"0177|0188", json.dumps(told))


async def test_calls_of_which_the_export_told_nothing_are_completed_from_the_list(
    cache: ResultsCache,
) -> None:
    rows = [contact("failed", "completed")]
    results: Results = await cache.get("c", "1", export(*rows))
    assert (await results.endings.coverage()).lacking
    listed = [
        attempt("failed", number=0, disconnectionReason="dial_busy"),
        attempt("completed", number=1, postCallAnalytics={"summary": "Likes it."}),
        attempt("completed", number=7, postCallAnalytics={"summary": "Of another campaign."}),
    ]
    await results.endings.add([Call.model_validate(call) for call in listed])
    assert await results.endings.causes() == {"busy": 1}
    assert (await results.endings.summaries(9)).top == [("Likes it.", 1)]
    assert not (await results.endings.coverage()).lacking


@given(st.sampled_from(sorted(LIVE)), st.text(max_size=40))
def test_a_call_that_is_not_over_has_no_cause(status: str, reason: str) -> None:
    fields = {"status": status, "disconnectionReason": reason, "callFailureReason": reason}
    assert Call.model_validate(fields).cause() == ""
