import httpx2
import pytest

from tests.support.bench import Bench
from tests.support.world import CALLER_ID, CALLER_NUMBER

pytestmark = pytest.mark.anyio


async def test_the_first_caller_id_is_usable_and_shown_in_full(bench: Bench) -> None:
    async with bench.client() as client:
        result = await client.call("list_phone_numbers")
    first = result["phone_numbers"][0]
    assert (first["id"], first["number"], first["provider"], first["active"]) == (
        CALLER_ID,
        CALLER_NUMBER,
        "plivo",
        True,
    )
    assert result["mode"] == "sandbox"


async def test_an_inactive_number_is_listed_as_such(bench: Bench) -> None:
    async with bench.client() as client:
        rows = (await client.call("list_phone_numbers"))["phone_numbers"]
    assert {row["active"] for row in rows} == {True, False}


async def test_without_an_active_number_the_next_step_is_to_get_one(bench: Bench) -> None:
    bench.wire.below = httpx2.MockTransport(
        lambda _: httpx2.Response(200, json={"status": True, "data": []})
    )
    async with bench.client() as client:
        result = await client.call("list_phone_numbers")
    assert result["phone_numbers"] == []
    assert "must rent or activate" in result["next_step"]
