"""Whatever an account holds, a reply fits into a model's view, and each of its halves is enough."""

import json
import re
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx2
import pytest

from atoms_campaigns_mcp.server.catalog import Catalog
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import AGENT, AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
NAME, NOTE = 40, 250  # characters of names and descriptions, as long as the dashboard takes them
LIMIT = 25_000  # tokens of a reply, at four bytes a token
CONTACTS, CAMPAIGNS, AGENTS = 10_000, 500, 200
ID = re.compile(r"[0-9a-f]{24}|CALL-.+")
TOOLS = sorted(Catalog.read().entries)
LIST = "phone,name\n" + "\n".join(f"+1415555{n:04d},Contact {n}" for n in range(100, 160))
BAD_LIST = LIST + "\n12,x\ncall me,x\n+1 900 555 0100,x" * 3000


def copies(db: sqlite3.Connection, table: str, of: str, count: int, **values: str) -> None:
    """Copy a row many times; `values` are SQL in which ?1 is the number of the copy."""
    names = [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
    own = {"pk": "?1 + 100000", "id": "printf('%024x', ?1 + 4096)", **values}
    picked = ", ".join(own.get(name, name) for name in names)
    sql = f"INSERT INTO {table} ({', '.join(names)}) SELECT {picked} FROM {table} WHERE id = ?2"  # noqa: S608
    db.executemany(sql, [(number, of) for number in range(1, count + 1)])


def fill(db: sqlite3.Connection) -> None:
    """Give the account as much as a large one has, with names as long as the API takes them."""
    for table in ("agent", "audience"):
        texts = {"name": f"printf('%{NAME}d', ?1)", "description": f"printf('%{NOTE}d', 1)"}
        copies(db, table, AGENT if table == "agent" else AUDIENCE, AGENTS, **texts)
    (audience,) = db.execute("SELECT pk FROM audience WHERE id = ?", (AUDIENCE,)).fetchone()
    db.execute("DELETE FROM member WHERE audience_pk = ?", (audience,))
    db.executemany(
        "INSERT INTO member (audience_pk, id, digits, data) VALUES (?, ?, ?, ?)",
        [
            (audience, f"{number + 99:024x}", f"1415{number + 2000000:07d}", columns(number))
            for number in range(CONTACTS)
        ],
    )


def columns(number: int) -> str:
    row = {
        "phoneNumber": f"+1415{number + 2000000:07d}",
        "name": f"Contact 🎉 {number} " + "é" * 200,
    }
    return json.dumps(row | {f"column_{n}": "x" * 50 for n in range(5)})


def tokens(result: Any) -> int:
    answer = {"jsonrpc": "2.0", "id": 1, "result": result.model_dump(mode="json", by_alias=True)}
    return len(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()) // 4


@asynccontextmanager
async def large_account(bench: Bench) -> AsyncGenerator[tuple[Caller, str]]:
    async with bench.client() as client:
        await client.call("list_audiences")
        with bench.world.writing() as moment:
            fill(moment.db)
        made = await client.call(
            "create_campaign", **{**DRAFT, "name": "N" * NAME, "max_retries": 1}
        )
        with bench.world.writing() as moment:
            name = "printf('%s %d', substr(name, 5), ?1)"
            later = "CASE WHEN ?1 > 50 THEN 'scheduled' ELSE status END"
            due = {"scheduled_at": str(10**13), "status": later}
            copies(moment.db, "campaign", made["campaign_id"], CAMPAIGNS, name=name, **due)
        await client.call("start_campaign", campaign_id=made["campaign_id"])
        bench.clock.advance(hours=1)
        yield client, made["campaign_id"]


def largest_calls(campaign: str, call: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every tool with the arguments that make its reply largest; the last ones change things."""
    of_campaign = {"campaign_id": campaign}
    for tool in ("list_agents", "list_audiences", "list_campaigns"):
        yield tool, {"limit": 100}
    yield "get_account", {}
    yield "list_phone_numbers", {}
    yield "get_campaign_status", of_campaign
    yield "watch_campaign", of_campaign
    yield "get_campaign_results", {**of_campaign, "limit": 100}
    yield "list_calls", {**of_campaign, "limit": 100}
    yield "get_call", {"call_id": call}
    yield "create_audience", {"name": "n" * 100, "csv": BAD_LIST, "default_region": "US"}
    yield "add_contacts", {"audience_id": "n" * 100, "csv": BAD_LIST, "default_region": "US"}
    yield "delete_audience", {"audience_id": "n" * 100}
    yield "create_campaign", {**DRAFT, "name": "Another"}
    yield "pause_campaign", {"campaign_id": "all"}
    yield "preview_campaign", of_campaign
    yield "start_campaign", of_campaign
    yield "pause_campaign", of_campaign
    yield "delete_campaign", of_campaign


async def test_no_reply_of_a_large_account_exceeds_its_limit(bench: Bench) -> None:
    sizes: dict[str, int] = {}
    async with large_account(bench) as (client, campaign):
        calls = await client.call("list_calls", campaign_id=campaign, status="completed", limit=1)
        for tool, arguments in largest_calls(campaign, calls["calls"][0]["id"]):
            result = await client.raw(tool, **arguments)
            assert not result.is_error, (tool, text_of(result))
            sizes[tool] = max(sizes.get(tool, 0), tokens(result))
    assert sorted(sizes) == TOOLS
    assert {tool: size for tool, size in sizes.items() if size >= LIMIT} == {}
    assert sizes["get_campaign_results"] > 2_000


def page_of(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"_id": f"{number:024x}", **fields} for number in range(count)]


def answer(bench: Bench, data: Any) -> None:
    body = {"status": True, "data": data}
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))


@pytest.mark.parametrize("tool", ["list_agents", "list_audiences"])
async def test_endless_names_do_not_fill_the_reply(bench: Bench, tool: str) -> None:
    rows = page_of(100, name="n" * 2000, description="d" * 2000)
    answer(bench, rows if tool == "list_audiences" else {"agents": rows, "totalCount": 100})
    async with bench.client() as client:
        result = await client.raw(tool, limit=100)
    assert tokens(result) < LIMIT


async def test_a_stop_of_all_with_500_scheduled_campaigns_fits(bench: Bench) -> None:
    rows = page_of(CAMPAIGNS, name="é" * NAME, status="scheduled")

    def listed(request: httpx2.Request) -> httpx2.Response:
        found = rows if request.url.params["status"] == "scheduled" else []
        data = {"campaigns": found, "pagination": {"total": len(found), "hasMore": False}}
        return httpx2.Response(200, json={"status": True, "data": data})

    bench.wire.below = httpx2.MockTransport(listed)
    async with bench.client() as client:
        result = await client.raw("pause_campaign", campaign_id="all")
    assert not result.is_error
    assert tokens(result) < LIMIT


def facts(data: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The ids and counts in a structured result, by the name of their field."""
    if isinstance(data, dict):
        for key, value in cast("dict[str, Any]", data).items():
            yield from facts(value, key)
    elif isinstance(data, list):
        for value in cast("list[Any]", data):
            yield from facts(value, name)
    elif ID.fullmatch(str(data)) or (isinstance(data, int) and data and data is not True):
        yield name, str(data)


async def test_either_rendering_alone_has_ids_counts_mode_and_next_step(bench: Bench) -> None:
    missing: set[tuple[str, str]] = set()
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **{**DRAFT, "audience_id": "Spring renewals", "max_retries": 1}
        )
        campaign = made["campaign_id"]
        await client.call("start_campaign", campaign_id=campaign)
        bench.clock.advance(seconds=50)
        calls = await client.call("list_calls", campaign_id=campaign)
        seen: set[str] = set()
        for tool, arguments in largest_calls(campaign, calls["calls"][-1]["id"]):
            result = await client.raw(tool, **arguments)
            data, text = result.structured_content, text_of(result)
            assert data is not None
            assert not result.is_error, text
            seen.add(tool)
            assert data["mode"] == "sandbox"
            assert text.startswith("[sandbox] ")
            assert data["next_step"] in text
            words = set(re.findall(r"[\w-]+", text))
            missing |= {(tool, name) for name, value in facts(data) if value not in words}
    assert sorted(seen) == TOOLS
    assert missing == set()
