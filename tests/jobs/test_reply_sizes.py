"""Whatever an account holds, a reply fits into a model's view, and each of its halves is enough."""

import itertools
import json
import re
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from atoms_campaigns_mcp.toolkit.registry import load
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import AGENT, AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
NAME, NOTE = 40, 250  # characters of names and descriptions, as long as the dashboard takes them
LIMIT = 25_000  # tokens of a reply, at four bytes a token
CONTACTS, CAMPAIGNS, AUDIENCES = 10_000, 500, 200
AGENTS = 98  # beside those of the seed: of more than 100 the do-not-call lists are not read
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
    """Return the account as much as a large one has, with names as long as the API takes them."""
    for table in ("agent", "audience"):
        texts = {"name": f"printf('%{NAME}d', ?1)", "description": f"printf('%{NOTE}d', 1)"}
        of, count = (AGENT, AGENTS) if table == "agent" else (AUDIENCE, AUDIENCES)
        copies(db, table, of, count, **texts)
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
    yield "get_audience", {"audience_id": AUDIENCE, "limit": 100}
    yield "get_campaign_status", of_campaign
    yield "watch_campaign", of_campaign
    yield "get_campaign_results", {**of_campaign, "limit": 100}
    yield "list_calls", {**of_campaign, "limit": 100}
    yield "get_call", {"call_id": call}
    yield (
        "create_audience",
        {"name": "n" * 100, "csv": BAD_LIST, "default_region": "US"},
    )
    yield "add_contacts", {"audience_id": "n" * 100, "csv": BAD_LIST, "default_region": "US"}
    waves = {"name": "n" * 20, "audience_id": "n" * 100, "date": "2027-01-11"}
    yield "schedule_waves", {**DRAFT, **waves}
    yield "delete_audience", {"audience_id": "n" * 100}
    yield "create_campaign", {**DRAFT, "name": "Another"}
    yield "pause_campaign", {"campaign_id": "all"}
    yield "preview_campaign", of_campaign
    yield "start_campaign", of_campaign
    yield "pause_campaign", of_campaign
    yield "delete_campaign", of_campaign


@pytest.mark.slow
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


class Filler:
    """Gives a result a value for every field, and none twice, so that none can pose as another.

    `facts` are its ids, its counts and what its lists of texts hold, by the path of their field.
    """

    def __init__(self, model: type[Result]) -> None:
        self.schema = model.model_json_schema(by_alias=False, mode="serialization")
        self.facts: dict[str, str] = {}
        self.numbers = itertools.count(70_001)
        self.result = model.model_validate(self.filled(self.schema, ""))

    def filled(self, schema: dict[str, Any], path: str) -> Any:
        if "$ref" in schema:
            schema = self.schema["$defs"][schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:  # or null
            return self.filled(schema["anyOf"][0], path)
        if "enum" in schema:
            return schema["enum"][0]
        if schema["type"] == "object":
            fields = schema["properties"].items()
            return {name: self.filled(field, f"{path}.{name}") for name, field in fields}
        if schema["type"] == "array":
            return [self.filled(schema["items"], f"{path}[]")]
        return self.value(schema["type"], schema.get("format"), path)

    def value(self, kind: str, form: str | None, path: str) -> Any:
        number = next(self.numbers)
        if kind == "boolean":
            return True
        if form == "date-time":
            return datetime(2027, 1, 4, tzinfo=UTC)
        if kind == "integer" or path.endswith(("id", "[]")):
            self.facts[path.removeprefix(".")] = str(number)
        return f"text {number}" if kind == "string" else number


FILLED = {name: Filler(load(name).result) for name in TOOLS}
ELSEWHERE = {
    ("get_campaign_status", "unknown[]"): "the word unknown stands in place of each count",
    ("watch_campaign", "unknown[]"): "the word unknown stands in place of each count",
    ("get_call", "next_turn"): "the next step tells it, which both renderings hold",
    ("get_audience", "contacts[].fields[]"): "the text of a page does not repeat its rows",
    ("pause_campaign", "campaign_id"): "that of the one row, or the word all",
}
FACTS = [
    (tool, path)
    for tool, filler in FILLED.items()
    for path in filler.facts
    if (tool, path) not in ELSEWHERE
]


@pytest.mark.parametrize(("tool", "path"), FACTS)
def test_the_text_of_a_result_holds_each_id_and_count_of_its_data(tool: str, path: str) -> None:
    filler = FILLED[tool]
    told = f"{filler.result.summary()} {filler.result.agreement()}"
    assert filler.facts[path] in re.findall(r"\d+", told)


@pytest.mark.slow
async def test_a_reply_is_its_results_text_and_data_with_mode_and_next_step(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **{**DRAFT, "audience_id": "Spring renewals"})
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
            told = load(tool).result.model_validate(data)
            said = (told.summary(), told.agreement(), data["next_step"])
            assert text == " ".join(["[sandbox]", *filter(None, said)])
    assert sorted(seen) == TOOLS
