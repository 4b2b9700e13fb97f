import pytest

from tests.support.bench import Bench
from tests.support.world import AUDIENCE

pytestmark = pytest.mark.anyio


async def test_audiences_come_with_their_number_of_contacts(bench: Bench) -> None:
    async with bench.client() as client:
        result = await client.call("list_audiences")
    first = result["audiences"][0]
    assert (first["id"], first["contacts"]) == (AUDIENCE, 2)


async def test_the_list_is_paged_here_because_the_api_does_not(bench: Bench) -> None:
    async with bench.client() as client:
        everything = await client.call("list_audiences", limit=100)
        pages = [
            await client.call("list_audiences", limit=1, page=page)
            for page in range(1, everything["total"] + 1)
        ]
    ids = [row["id"] for page in pages for row in page["audiences"]]
    assert ids == [row["id"] for row in everything["audiences"]]
    assert [page["has_more"] for page in pages] == [True] * (len(pages) - 1) + [False]


async def test_search_compares_without_case(bench: Bench) -> None:
    async with bench.client() as client:
        name = (await client.call("list_audiences"))["audiences"][0]["name"]
        found = await client.call("list_audiences", search=name.upper())
    assert [row["name"] for row in found["audiences"]] == [name]
