"""Results at hand: streamed in, kept per state, gone when nobody needs them."""

import csv
import io
import json
import sys
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.atoms.transport import Transport
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.errors import AtomsCampaignsError, UnexpectedResponse
from atoms_campaigns_mcp.results import store as results_module
from atoms_campaigns_mcp.results.csv_export import as_csv
from atoms_campaigns_mcp.results.store import KEPT, Results, ResultsCache
from atoms_campaigns_mcp.runtime import refuse_changes
from atoms_campaigns_mcp.workers import Workers
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio
NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)


def attempt(status: str, *, number: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "callId": f"CALL-1778226705739-{number:06x}",
        "status": status,
        "duration": 42 if status == "completed" else 0,
        "from": "+912268093560",
        "createdAt": "2027-01-04T11:59:00.000Z",
        **more,
    }


def contact(*statuses: str, phone: str = "+14155550100", **data: Any) -> dict[str, Any]:
    calls = [attempt(status, number=n) for n, status in enumerate(statuses)]
    return {
        "phoneNumber": phone,
        "audienceMemberData": {"phoneNumber": phone, **data},
        "originalCall": calls[0] if calls else None,
        "retryAttempts": calls[1:],
        "totalAttempts": len(calls),
        "finalStatus": statuses[-1] if statuses else "pending",
        "totalCallDuration": 42,
        "totalCallCost": 0.05,
    }


def export(*rows: dict[str, Any], piece: int = 7) -> Any:
    """An export as the client gives it, in pieces of so many bytes."""
    body = json.dumps({"campaign": "x", "data": list(rows)}).encode()

    @asynccontextmanager
    async def opened(_: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            for start in range(0, len(body), piece):
                yield body[start : start + piece]

        yield pieces()

    return opened


@pytest.fixture
def cache() -> Iterator[ResultsCache]:
    cache = ResultsCache(Directory(), Workers().worker())
    yield cache
    cache.close()


async def test_contacts_come_back_in_order_with_their_columns(cache: ResultsCache) -> None:
    rows = [
        contact("completed", phone="+14155550100", name="Søren 🎉", note='a "b", c\n'),
        contact("no_answer", "failed", phone="+919876543210", name=""),
        contact(phone="+442079460958"),
    ]
    results = await cache.get("c", "1", export(*rows))
    found = await results.contacts()
    assert [row.phone for row in found] == [row["phoneNumber"] for row in rows]
    assert [row.data for row in found] == [row["audienceMemberData"] for row in rows]
    assert [row.attempts for row in found] == [1, 2, 0]
    assert await results.outcomes() == {"completed": 1, "failed": 1, "pending": 1}
    contacts, dialled, seconds, cost = await results.totals()
    assert (contacts, dialled, seconds) == (3, 2, 126)
    assert cost == pytest.approx(0.15)
    page, total = await results.page("failed", 1, 10)
    assert ([row.phone for row in page], total) == (["+919876543210"], 1)


async def test_rates_count_dialled_attempts_by_every_group(cache: ResultsCache) -> None:
    rows = [
        contact("no_answer", "completed"),
        contact("completed", phone="+919876543210"),
        contact("blocked", phone="+14155550101"),
        contact("in_queue", phone="+14155550102"),
        contact("no_answer", "cancelled", phone="+14155550103"),
    ]
    results = await cache.get("c", "1", export(*rows))
    assert await results.rates("attempt") == ["1: 1 of 3 (33.3%)", "2: 1 of 1 (100.0%)"]
    assert await results.rates("caller_id") == ["+912268093560: 2 of 4 (50.0%)"]
    assert await results.rates("country") == ["IN: 1 of 1 (100.0%)", "US: 1 of 3 (33.3%)"]
    # 11:59 UTC is 3:59 in California and 17:29 in India.
    assert await results.rates("local_hour") == ["3: 1 of 3 (33.3%)", "17: 1 of 1 (100.0%)"]


async def test_the_hour_is_that_of_the_zone_which_the_contact_names(cache: ResultsCache) -> None:
    rows = [
        contact("completed", phone="+14155550100", timezone="asia/kolkata"),
        contact("completed", phone="+14155550101", Time_Zone="PST"),
        contact("completed", phone="+5511987654321", tz="America/Sao_Paulo"),
    ]
    results = await cache.get("c", "1", export(*rows))
    # 11:59 UTC is 17:29 in India, 3:59 in California and 8:59 in Brazil.
    assert [rate.split(":")[0] for rate in await results.rates("local_hour")] == ["3", "8", "17"]


async def test_a_number_of_several_time_zones_counts_in_no_hour(cache: ResultsCache) -> None:
    results = await cache.get("c", "1", export(contact("completed", phone="+5511987654321")))
    australian = await cache.get("d", "1", export(contact("completed", phone="+61412345678")))
    assert await results.rates("country") == ["BR: 1 of 1 (100.0%)"]
    assert await australian.rates("country") == ["AU: 1 of 1 (100.0%)"]
    assert await australian.rates("local_hour") == []


@pytest.mark.parametrize(
    ("statuses", "minutes", "due"),
    [
        (["no_answer"], 0, 1),
        (["failed"], 0, 1),
        (["no_answer", "no_answer"], 0, 1),
        (["no_answer", "no_answer", "no_answer"], 0, 0),
        (["completed"], 0, 0),
        (["no_answer", "completed"], 0, 0),
        (["cancelled"], 0, 0),
        (["blocked"], 0, 0),
        ([], 0, 0),
        (["no_answer"], 34, 1),
        (["no_answer"], 35, 0),
    ],
)
async def test_a_retry_is_due_while_attempts_are_left_and_it_is_not_long_overdue(
    cache: ResultsCache, statuses: list[str], minutes: int, due: int
) -> None:
    results = await cache.get("c", "1", export(contact(*statuses)))
    now = datetime.fromtimestamp(NOON.timestamp() + minutes * 60 - 60, UTC)
    assert await results.retries_due(2, 15, now) == due


async def test_one_version_is_read_once_and_another_anew(cache: ResultsCache) -> None:
    asked: list[str] = []

    def counting(campaign: str) -> Any:
        asked.append(campaign)
        return export(contact("completed"))(campaign)

    async def get() -> None:
        await cache.get("c", "1", counting)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(get)
    assert asked == ["c"]
    await cache.get("c", "2", counting)
    await cache.get("d", "1", counting)
    await cache.get("c", "2", counting)
    assert asked == ["c", "c", "d"]


async def test_results_that_are_being_read_outlive_a_newer_version(cache: ResultsCache) -> None:
    old = await cache.get("c", "1", export(contact("no_answer")))
    await cache.get("c", "2", export(contact("completed")))
    for number in range(KEPT + 2):
        await cache.get(f"other {number}", "1", export())
    assert await old.outcomes() == {"no_answer": 1}


async def test_only_the_results_of_the_latest_campaigns_are_kept(cache: ResultsCache) -> None:
    kept = WeakSet[Results]()
    for version in range(20):
        kept.add(await cache.get("c", str(version), export(contact("completed"))))
    assert len(kept) == 1
    for number in range(KEPT + 5):
        kept.add(await cache.get(f"other {number}", "1", export()))
    assert len(kept) == KEPT


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process's deleted files")
async def test_a_file_of_contacts_is_deleted_while_it_is_read(cache: ResultsCache) -> None:
    before = open_files()
    rows = [contact("busy", note="x" * 20_000)] * 200
    results = await cache.get("c", "1", export(*rows, piece=65536))
    (opened,) = open_files() - before
    assert opened.endswith("(deleted)")
    assert await results.outcomes() == {"busy": 200}


def open_files() -> set[str]:
    names = (str(link.resolve()) for link in Path("/proc/self/fd").iterdir())
    return {name for name in names if "etilqs" in name}  # as SQLite calls temporary ones


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"data": [', b'{"data": [3]}', b'{"data": [{"finalStatus": {}}]}', b"\xff"],
)
async def test_a_broken_export_is_an_error_and_leaves_no_file(
    cache: ResultsCache, body: bytes
) -> None:
    @asynccontextmanager
    async def broken(_: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield body

        yield pieces()

    async def told() -> str:
        with pytest.raises(UnexpectedResponse) as failure:
            await cache.get("c", "1", broken)
        return failure.value.next_step

    assert "list_calls" in await told()
    results = await cache.get("c", "1", export(contact("completed")))
    assert await results.outcomes() == {"completed": 1}


def key_of(number: str) -> str:
    return f"key {number[:2]}"


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


async def test_the_masked_table_hides_numbers_in_every_column(cache: ResultsCache) -> None:
    data = {
        "mobile": "4155550100",
        "other": "+1 415 555 0177",
        "note": "call 415-555-0188 instead",
        "due": "2027-01-04",
        "amount": "1250000",
        "cost": "mine",
        "f": "=1+1",
    }
    results = await cache.get("c", "1", export(contact("completed", **data)))
    work = Workers().worker()
    (row,) = rows_of(await as_csv(results, work, key_of, show_numbers=False))
    hidden = "".join(row.values())
    for number in ("4155550100", "5550177", "555 0177", "555-0188"):
        assert number not in hidden
    assert (row["due"], row["amount"]) == ("2027-01-04", "1250000")
    assert (row["cost"], row["contact_cost"]) == ("0.0500", "mine")
    assert row["f"] == "'=1+1"
    assert row["contactKey"] == "key +1"
    (full,) = rows_of(await as_csv(results, work, key_of, show_numbers=True))
    assert (full["phoneNumber"], full["note"]) == ("+14155550100", data["note"])


CONTACTS = 10_000


def large_export(_: httpx2.Request) -> httpx2.Response:
    filler = {f"column_{n}": "x" * 200 for n in range(5)}

    async def body() -> AsyncIterator[bytes]:
        yield b'{"campaign": "Large", "data": ['
        for number in range(CONTACTS):
            row = contact("no_answer", "completed", phone=f"+1415{number + 2000000:07d}", **filler)
            yield (b", " if number else b"") + json.dumps(row).encode()
        yield b"]}"

    return httpx2.Response(200, content=body())


@pytest.mark.slow
async def test_ten_thousand_contacts_are_read_in_bounded_memory(
    cache: ResultsCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_module, "DEADLINE", 400.0)  # tracing makes it many times slower
    clock = FakeClock()
    transport = Transport.connect(
        "http://api/atoms/v1",
        "sk_test",
        Pacer(10, clock.monotonic, clock.sleep),
        SingleFlight(clock.monotonic),
        payment_url="http://api/payment/v1",
        now=clock.now,
        monotonic=clock.monotonic,
        network=httpx2.MockTransport(large_export),
    )
    atoms = AtomsClient(transport, refuse_changes)
    await cache.get("small", "1", export(contact("completed")))  # loads what is loaded once
    tracemalloc.start()
    results = await cache.get("large", "1", atoms.export)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await transport.close()
    assert (await results.totals())[0] == CONTACTS
    assert sum(len(str(row.data)) for row in await results.contacts()) > 5_000_000
    assert peak < 8_000_000


async def test_an_export_that_breaks_off_is_told_and_not_kept(cache: ResultsCache) -> None:
    @asynccontextmanager
    async def breaking(_: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            yield b'{"data": [{"phoneNumber": "+14155550100"}'
            raise AtomsCampaignsError("It broke off.")

        yield pieces()

    async def told() -> None:
        with pytest.raises(AtomsCampaignsError, match="It broke off"):
            await cache.get("c", "1", breaking)

    await told()
    results = await cache.get("c", "1", export(contact("completed")))
    assert await results.outcomes() == {"completed": 1}
