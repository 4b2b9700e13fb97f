"""What the API sets for one key does not come back with another."""

from pathlib import Path

import httpx2
import pytest

from tests.support.serving import Wire
from tests.support.team import ANNA, BERT, prepared, serving_team

pytestmark = pytest.mark.anyio


class Setting(Wire):
    """A network that sets a cookie with every answer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await super().handle_async_request(request)
        answer.headers["Set-Cookie"] = "session=of-one-key; Path=/"
        return answer


@pytest.mark.slow
async def test_no_request_carries_a_cookie(tmp_path: Path) -> None:
    with prepared(tmp_path) as bench:
        bench.wire = Setting(bench.wire.below)
        async with serving_team(bench) as team:
            for key in (ANNA, BERT, ANNA):
                async with team.client(key) as client:
                    await client.call("list_campaigns")
            assert len(bench.wire.requests) >= 4
            assert [r for r in bench.wire.requests if "cookie" in r.headers] == []
