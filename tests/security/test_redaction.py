"""Keys and full numbers are taken out of text however they are spelled."""

import json
import logging
import unicodedata
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.atoms import responses
from atoms_campaigns_mcp.atoms.pieces import without
from atoms_campaigns_mcp.redaction import redact
from atoms_campaigns_mcp.schemas.fields import hidden
from atoms_campaigns_mcp.schemas.text import clean
from atoms_campaigns_mcp.telemetry import configure, log
from tests.support.bench import Bench

pytestmark = pytest.mark.anyio
KEY = "ak-0a1B2c3D4e5F6g7H8i9J"  # not of the usual form, so no pattern can know it
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
NUMBER = st.from_regex(r"[1-9][0-9]{9,13}", fullmatch=True)
BETWEEN = st.sampled_from(
    [*[""] * 3, *" -./_\u200b\u2009\u202f\u00a0\ufeff\u2060\u00ad\u2011\u034f\u3164"]
) | st.sampled_from(
    [", ", " - ", "%20", "%2D", "&nbsp;", "\ufe0f\u20e3", "'", "\0", "\u2019", "\u2022", "\u2026"]
)
BEFORE = st.sampled_from(["", "+", "%2B", "id-", "x", "tel:", "no", "\u0668", "(", "\uff0b", "a_"])
DIGITS = ["0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"]
DIGITS.append("\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
DIGITS.append("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


def digits_of(text: str) -> str:
    """Every digit of a text, whatever stands between."""
    for escape in ("%20", "%2D", "%2B"):
        text = text.replace(escape, "")
    found = (unicodedata.digit(char, None) for char in text)
    return "".join(str(digit) for digit in found if digit is not None)


@pytest.mark.parametrize("spelled", ["sk_", "SK_", "Sk%5f", "sK%5F", "\u017fk_", "s\u212a_"])
@pytest.mark.parametrize("around", ["{}", "an ask of {}, done", "\u00df{}", "\u0130 {} \ufb01"])
def test_a_key_is_hidden_however_its_mark_is_written(spelled: str, around: str) -> None:
    assert "0a1b2c3d4e5f" not in redact(around.format(f"{spelled}0a1b2c3d4e5f"))


@pytest.mark.parametrize("word", ["xsk_live-sk_", "task_ab-sk%5f", "a-Sk_", "ask_me%5f-sk_"])
def test_a_key_is_hidden_after_a_word_that_ends_like_its_mark(word: str) -> None:
    assert "abcdef" not in redact(f"{word}abcdef")


@pytest.mark.slow
@given(NUMBER, st.data(), st.sampled_from(DIGITS), BEFORE)
def test_no_spelling_of_a_number_survives(
    number: str, data: st.DataObject, digits: str, before: str
) -> None:
    spelled = "".join(digits[int(digit)] + data.draw(BETWEEN) for digit in number)
    for shown in (redact(f"{before}{spelled} is wrong"), hidden(f"{before}{spelled} is wrong")):
        assert number not in digits_of(shown), shown
        assert number[2:-2] not in digits_of(shown), shown


@pytest.mark.parametrize(
    "text",
    [
        "+1 202\u200b555\u200b0143",
        "+1\u2009202\u2009555\u20090143",
        "number%2B12025550143",
        "id-12025550143",
        "12025550143 12025550144",
        "2025550143",
        "[REDACTED]12025550143",
    ],
)
def test_the_spellings_that_once_passed_are_masked(text: str) -> None:
    for shown in (redact(text), hidden(text)):
        assert "555" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "xsk_live_abcdef123",
        "sk_\u200blive_abcdef123",
        "key=sk_abcdef",
        "SK_LIVE_abcdef",
        "sk%5Fabcdef",
    ],
)
def test_keys_are_hidden_wherever_they_begin(text: str) -> None:
    for shown in (redact(text), clean(text), hidden(text)):
        assert "abcdef" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "task_id: required",
        "disk_usage is high",
        "limit is 1,000,000",
        "at 2026-11-28T15:13:56.123Z",
        "2026-11-28 15:13:56+05:30",
        "0123456789abcdef0123456789abcdef",
    ],
)
def test_what_is_no_key_and_no_number_stays(text: str) -> None:
    assert redact(text) == text


def test_a_number_at_the_end_of_what_is_kept_is_masked_before_it_is_cut() -> None:
    text = "x" * 290 + " +12025550143"
    assert "2025" not in hidden(text)
    assert "live" not in clean("x" * 290 + "sk_live_abcdef123")


@given(ANY, ANY)
def test_the_key_of_the_request_never_comes_back_in_a_body(before: str, after: str) -> None:
    body = {"name": before + KEY + after, KEY: [KEY]}
    for written in (json.dumps(body), json.dumps(body).replace("ak-", "\\u0061k-")):
        answer = responses.Answer(200, httpx2.Headers(), written.encode(), key=KEY)
        assert KEY not in json.dumps(answer.document)
    refused = responses.Answer(
        400, httpx2.Headers(), json.dumps({"message": KEY}).encode(), "", KEY
    )
    assert KEY not in responses.reason(refused)


@given(st.lists(st.sampled_from([KEY, KEY[:7], KEY[7:], "ak-", "data", "\u0915"]), max_size=12))
@pytest.mark.anyio
async def test_the_key_never_comes_back_in_a_stream_however_it_is_cut(parts: list[str]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for part in parts:
            yield part.encode()

    given_text = "".join(parts)
    out = b"".join([piece async for piece in without(KEY, pieces())]).decode()
    assert KEY not in out
    assert out == given_text.replace(KEY, "***")


async def test_a_name_with_a_key_in_it_is_shown_without(bench: Bench) -> None:
    body = {"data": {"agents": [{"_id": "a" * 24, "name": "Bot sk_live_abcdef123 sk_sandbox"}]}}
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
    async with bench.client() as client:
        result = await client.raw("list_agents")
    assert not {"abcdef123", "sk_sandbox"} & set(result.model_dump_json().replace("_", " ").split())
    assert "abcdef" not in result.model_dump_json()


@pytest.mark.slow
@given(ANY, NUMBER)
def test_no_line_of_the_log_holds_a_number_or_breaks(text: str, number: str) -> None:
    lines: list[str] = []

    class Stream:
        def write(self, line: str) -> None:
            lines.append(line)

        def flush(self) -> None:
            """Have nothing to flush."""

    configure(Stream())  # pyright: ignore[reportArgumentType]
    try:
        log.info("%s and sk_live_abcdef %s", text, number)
        logging.getLogger("other").warning("%s", number)
    finally:
        configure()
    written = "".join(lines)
    written.encode()
    assert number not in written
    assert "abcdef" not in written
    assert all(json.loads(line) for line in written.splitlines())
