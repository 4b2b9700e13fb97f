import io
import json
import logging

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.telemetry import configure, log, mask_number, redact


@pytest.mark.parametrize(
    ("number", "masked"),
    [("+919876543210", "+91********10"), ("12025550143", "12*******43"), ("1234", "****")],
)
def test_a_masked_number_keeps_two_digits_on_either_side(number: str, masked: str) -> None:
    assert mask_number(number) == masked


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
