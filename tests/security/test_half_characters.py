"""Half an emoji, which no output can carry, never gets past the place where it came in."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx2
import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.atoms.pieces import repaired
from atoms_campaigns_mcp.atoms.responses import Answer
from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.redaction import whole
from atoms_campaigns_mcp.results.store import ResultsCache
from atoms_campaigns_mcp.workers import Workers
from tests.support.api_double import Api, connected
from tests.support.bench import Bench
from tests.support.clock import FakeClock
from tests.support.serving import text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
HALF = "\ud83d"
WORDS = {"name", "description", "content", "summary", "value", "error", "eventAction", "role"}
TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
DOCUMENT = st.recursive(
    TEXT | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def broken(value: Any) -> Any:
    """End every text that people write in half a character."""
    if isinstance(value, list):
        return [broken(entry) for entry in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {
            key: entry + HALF if key in WORDS and isinstance(entry, str) else broken(entry)
            for key, entry in cast("dict[str, Any]", value).items()
        }
    return value


class Breaking(httpx2.AsyncBaseTransport):
    """An API that cuts its texts in the middle of a character, or refuses in such words."""

    def __init__(self, below: httpx2.AsyncBaseTransport) -> None:
        self.below = below
        self.refused = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.refused and self.refused in request.url.path and request.method == "POST":
            return httpx2.Response(400, content=json.dumps({"errors": [f"no credit {HALF}"]}))
        answer = await self.below.handle_async_request(request)
        body = json.loads(await answer.aread())
        return httpx2.Response(answer.status_code, content=json.dumps(broken(body)))


@pytest.mark.slow
@given(DOCUMENT)
def test_whatever_the_api_says_can_be_written(document: Any) -> None:
    answer = Answer(200, httpx2.Headers(), json.dumps(document).encode())
    json.dumps(answer.document, ensure_ascii=False).encode()
    json.dumps(whole(document), ensure_ascii=False).encode()


def test_half_a_character_that_comes_as_bytes_is_replaced_too() -> None:
    answer = Answer(200, httpx2.Headers(), b'{"name": "a\xed\xa0\xbd"}')
    assert answer.document == {"name": "a\ufffd"}


@pytest.mark.slow
@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_every_tool_answers_though_every_text_ends_in_half_a_character(
    bench: Bench, era: str
) -> None:
    bench.wire.below = Breaking(bench.wire.below)
    async with bench.client(era) as client:

        async def call(tool: str, **arguments: Any) -> dict[str, Any]:
            result = await client.raw(tool, **arguments)
            result.model_dump_json().encode()
            assert not result.is_error, text_of(result)
            assert result.structured_content is not None
            return result.structured_content

        for tool in ("get_account", "list_agents", "list_audiences", "list_phone_numbers"):
            await call(tool)
        made = await call("create_campaign", **{**DRAFT, "max_retries": 0})
        campaign = {"campaign_id": made["campaign_id"]}
        await call("list_campaigns")
        await call("preview_campaign", **campaign)
        await call("start_campaign", **campaign)
        await call("pause_campaign", campaign_id="all")
        await call("start_campaign", **campaign)
        bench.clock.advance(hours=3)
        for tool in ("watch_campaign", "get_campaign_status", "get_campaign_results"):
            await call(tool, **campaign)
        calls = await call("list_calls", **campaign)
        await call("get_call", call_id=calls["calls"][0]["id"])
        await call("delete_campaign", **campaign)
    for question in bench.questions:
        question.encode()


async def test_a_refusal_in_half_a_character_is_told_and_recorded_as_a_refusal(
    bench: Bench,
) -> None:
    below = bench.wire.below = Breaking(bench.wire.below)
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        below.refused = "/start"
        result = await client.raw("start_campaign", campaign_id=made["campaign_id"])
    assert result.is_error
    assert result.structured_content is not None
    assert result.structured_content["code"] == "rejected"
    result.model_dump_json().encode()


@pytest.mark.parametrize("argument", ["name", "description", "agent_id", "audience_id"])
async def test_half_a_character_in_an_argument_does_no_harm(bench: Bench, argument: str) -> None:
    async with bench.client() as client:
        result = await client.raw("create_campaign", **{**DRAFT, argument: f"Spring {HALF}"})
        result.model_dump_json().encode()
        assert "may or may not" not in text_of(result)
        unknown = await client.raw("list_agents", **{HALF: HALF})
        unknown.model_dump_json().encode()


@pytest.mark.parametrize("cell", ["\\ud83d", "\\ude00x", "\xed\xa0\xbd", "\xed\xb8\x80"])
async def test_results_whose_texts_end_in_half_a_character_are_read(cell: str) -> None:
    row = f'{{"phoneNumber": "+12025550143", "audienceMemberData": {{"name": "{cell}"}}}}'
    body = f'{{"data": [{row}]}}'.encode("latin-1")
    api = Api([httpx2.Response(200, content=body)])
    cache = ResultsCache(Directory(), Workers().worker())
    async with connected(httpx2.MockTransport(api.handle), FakeClock()) as atoms:
        results = await cache.get("c", "1", lambda _: atoms.stream("/export"))
    (stored,) = await results.contacts()
    assert stored.data["name"].startswith("\ufffd")
    cache.close()


@pytest.mark.slow
@given(
    st.lists(st.sampled_from(["\\", "\\\\", "\\ud83d", "\\ude00", "\\n", "u", "a", "\\u00e9"])),
    st.integers(1, 7),
)
@pytest.mark.anyio
async def test_a_stream_is_mended_wherever_it_is_cut(parts: list[str], size: int) -> None:
    text = f'["{"".join(parts)}"]'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(text), size):
            yield text[start : start + size].encode()

    out = b"".join([piece async for piece in repaired(pieces())])
    try:
        document = json.loads(text)
    except ValueError:
        return
    assert json.loads(out) == whole(document)
