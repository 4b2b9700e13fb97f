"""An answer of the API in a shape that nobody knows is an error with a reason, and no crash."""

import json
from typing import Any, cast

import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import AUDIENCE

pytestmark = pytest.mark.anyio
LISTS: dict[str, dict[str, str]] = {
    "list_agents": {},
    "list_campaigns": {},
    "list_calls": {"campaign_id": "a" * 24},
    "get_audience": {"audience_id": AUDIENCE},
}
PAGINGS = [
    "5",
    '"x"',
    '["x"]',
    '{"totalPages": "x"}',
    '{"totalPages": [1]}',
    '{"total": {}}',
    '{"hasMore": 7}',
]


class Odd(httpx2.AsyncBaseTransport):
    """An API whose documents get other members; `parts` as they are written."""

    def __init__(self, below: httpx2.AsyncBaseTransport, **parts: str) -> None:
        self.below = below
        self.parts = parts

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.below.handle_async_request(request)
        body = json.loads(await answer.aread())
        odd = {name: f"@{name}" for name in self.parts}
        text = json.dumps({**body, **odd, "data": changed(body.get("data"), odd)})
        for name, part in self.parts.items():
            text = text.replace(f'"@{name}"', part)
        return httpx2.Response(answer.status_code, content=text)


def changed(data: Any, odd: dict[str, str]) -> Any:
    return cast("dict[str, Any]", data) | odd if isinstance(data, dict) else data


@pytest.mark.parametrize("tool", LISTS)
@pytest.mark.parametrize("paging", PAGINGS)
async def test_paging_of_another_shape_is_told(bench: Bench, tool: str, paging: str) -> None:
    bench.wire.below = Odd(bench.wire.below, pagination=paging)
    async with bench.client() as client:
        result = await client.raw(tool, **LISTS[tool])
    assert result.structured_content is not None
    assert result.structured_content.get("code") != "crashed"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_a_number_that_json_cannot_write_is_unknown(bench: Bench, number: str) -> None:
    bench.wire.below = Odd(bench.wire.below, creditBalance=number)
    async with bench.client() as client:
        account = await client.call("get_account")
    assert "balance_usd" not in account
