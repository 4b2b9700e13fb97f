import io
import json
import logging
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.redaction import mask_number, redact
from atoms_campaigns_mcp.telemetry import configure, log
from tests.support.bench import Bench

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+919876543210", "+91********10"), ("12025550143", "12*******43"), ("1234", "****")],
)
def test_a_masked_number_keeps_two_digits_on_either_side(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.slow
@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["", " ", "tel: "]))
def test_no_full_number_survives_redaction(number: str, before: str) -> None:
    assert number[1:] not in redact(f"{before}{number} is not valid")


@pytest.mark.parametrize(
    "text",
    [
        "+1 202 555 0143",
        "(202) 555-0143 x",
        "call 202.555.0143 now",
        "number:2025550143",
        "202\u2011555\u20110143",
        "+12025550143x5",
        "202/555/0143",
        "202 - 555 - 0143",
        "202\u00b7555\u00b70143",
        "+1\u00a0202\u00a0555\u00a00143",
        "12025550143_ext",
    ],
)
def test_numbers_with_separators_are_redacted_too(text: str) -> None:
    assert "555" not in redact(text)


@pytest.mark.parametrize(
    "text", ["sk_live_abcDEF-123", "Authorization: Bearer abc.def", "bearer sk_live_abcDEF-123"]
)
def test_keys_are_redacted(text: str) -> None:
    assert not {"abc", "DEF", "123"} & set(redact(text).replace("*", " ").split())
    assert "abc" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "696ddd2a04ff172dbd8eddad",
        "2027-01-15T10:00:00Z",
        "on 2027-01-15",
        "CALL-1778226705739-7e4c17",
        "max 10000",
        "on 01/04/2027 at",
        "12345678-1234-4321-8765-123456789012",
    ],
)
def test_ids_times_and_counts_are_left_alone(text: str) -> None:
    assert redact(text) == text


def test_logs_are_redacted_json_lines() -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        configure(stream)
        log.info("called %s with %s", "+12025550143", "sk_live_abc")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = json.loads(stream.getvalue())
    assert line["message"] == "called +12*******43 with sk_***"


@cache
def traced() -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.traced"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_tool_call_has_a_span_for_each_call_of_the_api_and_counts_what_it_does() -> None:
    """In a process of its own: an SDK that was installed cannot be taken out again."""
    told = traced()
    ours = [span for span in told["spans"] if span["name"].startswith(("GET", "POST"))]
    posts = [span for span in ours if span["name"].startswith("POST")]
    assert [span["name"] for span in posts] == ["POST /campaign", "POST /campaign/{id}/start"]
    assert all(span["attributes"]["http.response.status_code"] in {201, 202} for span in posts)
    assert all(len(span["attributes"]["atoms.request_id"]) == 36 for span in posts)
    resent = [span for span in ours if span["attributes"]["http.request.resend_count"] == 1]
    assert [span["name"] for span in resent] == ["GET /agent/{id}"]
    assert {span["attributes"]["atoms.outcome"] for span in ours} == {"ok", "not_found"}
    assert posts[0]["parent"] == "tools/call create_campaign"
    served = [span for span in told["spans"] if span["kind"] == "SERVER"]
    assert {"tools/call unknown", "prompts/get unknown"} <= {span["name"] for span in served}
    assert "2025550143" not in json.dumps(served)
    assert told["counted"]["atoms.retries GET /agent/{id}"] == 1
    assert told["counted"]["atoms_campaigns.calls create_campaign ok"] == 1
    assert told["counted"]["atoms_campaigns.calls get_campaign_status not_found"] == 1
    assert told["counted"]["atoms_campaigns.dials_started sandbox"] == 1
    assert told["counted"]["atoms.requests POST /campaign"] == 1
    # The log's lines of a call name its trace, which is that of its spans.
    logged = {line["trace_id"] for line in told["log"] if line.get("tool") == "start_campaign"}
    assert posts[1]["trace"] in logged


@pytest.mark.slow
def test_durations_are_in_seconds_with_buckets_that_fit_them() -> None:
    """In a process of its own, too."""
    told = traced()["buckets"]
    assert set(told) == {"atoms.request.duration", "atoms_campaigns.call.duration"}
    for bounds in told.values():
        assert bounds[0] < 0.01
        assert bounds[-1] > 45


async def test_every_line_of_a_call_carries_its_id(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError("boom")

    stream = io.StringIO()
    configure(stream)
    try:
        async with bench.client() as client:
            monkeypatch.setattr(AtomsClient, "list_agents", crash)
            text = await client.refused("list_agents")
    finally:
        configure()
    crash_line, call = map(json.loads, stream.getvalue().splitlines()[:2])
    assert f"(call {crash_line['call']})" in text
    assert "boom" in crash_line["traceback"]
    assert (call["call"], call["outcome"]) == (crash_line["call"], "crashed")


def test_text_lines_are_for_people_and_hide_what_json_hides() -> None:
    stream = io.StringIO()
    configure(stream, form="text")
    try:
        log.info("calling %s", "+12025550143")
    finally:
        configure()
    assert stream.getvalue().endswith("Z info calling +12*******43\n")
