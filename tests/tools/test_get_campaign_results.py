import csv
import io
import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from tests.support.bench import Bench
from tests.support.do_not_call import opt_out
from tests.support.serving import Caller, text_of
from tests.support.world import CALLER_NUMBER, DRAFT

pytestmark = pytest.mark.anyio
SPRING = {**DRAFT, "audience_id": "Spring renewals", "max_retries": 1}
RATE = re.compile(r"(.+): (\d+) of (\d+) \((\d+\.\d)%\)")


async def over(bench: Bench, client: Caller, **more: Any) -> dict[str, Any]:
    made = await client.call("create_campaign", **{**SPRING, **more})
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    opt_out(bench.world)
    bench.clock.advance(hours=3)
    return {"campaign_id": made["campaign_id"]}


def exports(bench: Bench) -> int:
    return sum("/export/" in request.url.path for request in bench.wire.requests)


def rates(entries: list[str]) -> dict[str, tuple[int, int]]:
    found = [RATE.fullmatch(entry) for entry in entries]
    parts = [match.groups() for match in found if match]
    assert len(parts) == len(entries)
    for _, connected, calls, percent in parts:
        assert f"{100 * int(connected) / int(calls):.1f}" == percent
    return {name: (int(connected), int(calls)) for name, connected, calls, _ in parts}


@pytest.mark.slow
async def test_counts_and_rates_agree_with_each_other_and_with_the_status(bench: Bench) -> None:
    bench.configure(rate=1_000.0)  # waiting for turns, it would dial before somebody opts out
    async with bench.client() as client:
        campaign = await over(bench, client)
        status = await client.call("get_campaign_status", **campaign)
        results = await client.call("get_campaign_results", **campaign)
        calls = await client.call("list_calls", **campaign, limit=100)
    counts = {name: int(count) for name, count in (e.split(": ") for e in results["outcomes"])}
    assert sum(counts.values()) == results["contacts"] == results["total"] == 25
    assert counts["completed"] == status["contacts_connected"]
    assert counts["blocked"] == 1
    assert results["connected_percent"] == status["connected_percent"]
    assert results["provisional"] is False
    dialled = [row for row in calls["calls"] if row["status"] != "blocked"]
    for group in ("attempt", "caller_id", "country", "local_hour"):
        found = rates(results[f"by_{group}"])
        assert sum(calls for _, calls in found.values()) == len(dialled), group
        assert sum(connected for connected, _ in found.values()) == counts["completed"], group
    assert list(rates(results["by_attempt"])) == ["1", "2"]
    assert list(rates(results["by_caller_id"])) == [CALLER_NUMBER]
    assert list(rates(results["by_country"])) == ["GB", "US"]
    talked = sum(row["seconds"] for row in calls["calls"])
    assert results["talk_seconds"] == pytest.approx(talked, abs=25)
    assert results["cost"] == pytest.approx(sum(row["cost"] for row in calls["calls"]), abs=0.01)


async def test_the_sentence_alone_holds_counts_rates_and_rows(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        result = await client.raw("get_campaign_results", **campaign, limit=5)
    results, text = result.structured_content, text_of(result)
    assert results is not None
    groups = [results[f"by_{name}"] for name in ("attempt", "caller_id", "country", "local_hour")]
    for entry in [*results["outcomes"], *(rate for group in groups for rate in group)]:
        assert entry in text
    for row in results["results"]:
        assert f'{row["key"]} {row["phone"]} "{row["name"]}" {row["final_status"]}' in text
    assert campaign["campaign_id"] in text
    assert "5 of 25 contacts on page 1; more on page 2" in text
    assert results["next_step"] in text


@pytest.mark.slow
async def test_pages_hold_every_contact_once_in_the_order_of_the_audience(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        whole = await client.call("get_campaign_results", **campaign, limit=100)
        pages = [
            await client.call("get_campaign_results", **campaign, limit=10, page=page)
            for page in (1, 2, 3, 4)
        ]
    rows = [row for page in pages for row in page["results"]]
    assert rows == whole["results"]
    assert len(rows) == 25
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert exports(bench) == 1


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["completed", "failed", "blocked", "cancelled"])
async def test_an_outcome_leaves_only_such_contacts(bench: Bench, outcome: str) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        whole = await client.call("get_campaign_results", **campaign, limit=100)
        some = await client.call("get_campaign_results", **campaign, limit=100, outcome=outcome)
    assert some["results"] == [r for r in whole["results"] if r["final_status"] == outcome]
    assert some["total"] == len(some["results"])
    assert some["outcomes"] == whole["outcomes"]


@pytest.mark.slow
async def test_one_state_is_exported_once_for_every_tool_and_reader(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)

        async def read(page: int) -> None:
            await client.call("get_campaign_results", **campaign, page=page, limit=3)

        async with anyio.create_task_group() as tasks:
            for page in range(1, 9):
                tasks.start_soon(read, page)
        await client.call("watch_campaign", **campaign, until="finished")
        await client.client.read_resource(
            f"atoms://campaigns/{campaign['campaign_id']}/results.csv"
        )
        await client.call("create_audience", name="Again", from_campaign_id=campaign["campaign_id"])
    assert exports(bench) == 1


@pytest.mark.slow
async def test_a_campaign_that_went_on_is_exported_anew(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **SPRING)
        campaign = {"campaign_id": made["campaign_id"]}
        draft = await client.call("get_campaign_results", **campaign)
        await client.call("start_campaign", **campaign)
        bench.clock.advance(seconds=30)
        early = await client.call("get_campaign_results", **campaign)
        bench.clock.advance(hours=3)
        late = await client.call("get_campaign_results", **campaign)
    assert (draft["outcomes"], draft["by_attempt"]) == (["pending: 25"], [])
    assert (draft["provisional"], early["provisional"], late["provisional"]) == (True, True, False)
    assert "provisional" in early["next_step"]
    assert early["outcomes"] != late["outcomes"]
    assert exports(bench) == 3


@pytest.mark.slow
async def test_contacts_that_still_wait_in_the_queue_count_in_no_rate(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_campaign", **{**SPRING, "audience_id": "Newsletter readers"}
        )
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        bench.clock.advance(seconds=40)
        results = await client.call("get_campaign_results", **campaign)
        status = await client.call("get_campaign_status", **campaign)
    counts = dict(entry.split(": ") for entry in results["outcomes"])
    assert int(counts["in_queue"]) > 10
    assert rates(results["by_attempt"])["1"][1] == status["contacts_called"]
    assert results["connected_percent"] == status["connected_percent"]


async def test_numbers_are_masked_in_every_rendering_and_shown_if_the_operator_says_so(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await over(bench, client)
        result = await client.raw("get_campaign_results", **campaign, limit=100)
    everything = (text_of(result) + json.dumps(result.structured_content)).replace(
        CALLER_NUMBER, ""
    )
    assert not re.search(r"\d{9}(?![0-9a-f])", everything.replace(campaign["campaign_id"], ""))
    assert "+44********" in everything
    bench.configure(show_numbers=True)
    async with bench.client() as client:
        shown = await client.call("get_campaign_results", **campaign, limit=100)
    assert len(shown["results"]) == 25
    assert all(row["phone"].lstrip("+").isdigit() for row in shown["results"])


def allowed(bench: Bench, tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "out"
    folder.mkdir()
    bench.configure(files=(folder,))
    return folder


async def test_the_file_holds_every_row_with_full_numbers_and_the_reply_does_not(
    bench: Bench, tmp_path: Path
) -> None:
    folder = allowed(bench, tmp_path)
    async with bench.client() as client:
        campaign = await over(bench, client)
        results = await client.call("get_campaign_results", **campaign, file="report.csv", limit=2)
    rows = list(csv.DictReader(io.StringIO((folder / "report.csv").read_text("utf-8"))))
    assert results["written"]["file"] == "report.csv"
    assert results["written"]["rows_written"] == len(rows) == 25
    assert results["written"]["columns"] == list(rows[0])
    assert all(re.fullmatch(r"\+\d{10,13}", row["phoneNumber"]) for row in rows)
    assert {row["plan"] for row in rows} == {"basic", "plus", "family"}
    final = [row["finalStatus"] for row in rows]
    assert f"completed: {final.count('completed')}" in results["outcomes"]
    assert rows[0]["phoneNumber"] not in json.dumps(results)


async def test_a_file_that_exists_is_never_replaced(bench: Bench, tmp_path: Path) -> None:
    folder = allowed(bench, tmp_path)
    (folder / "contacts.csv").write_text("my own list", "utf-8")
    async with bench.client() as client:
        campaign = await over(bench, client)
        text = await client.refused("get_campaign_results", **campaign, file="contacts.csv")
    assert "file: it exists already" in text
    assert "another name" in text
    assert (folder / "contacts.csv").read_text("utf-8") == "my own list"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../report.csv", "not in a folder that the operator allows"),
        ("/tmp/report.csv", "not in a folder that the operator allows"),  # noqa: S108
        ("out/report.csv", "not in a folder that the operator allows"),
        ("none/report.csv", "cannot be written there"),
        ("there.csv", "exists already"),
        ("n" * 300 + ".csv", "cannot be written there"),
        (".", "end in .csv"),
        ("hook.sh", "end in .csv"),
        (".hidden.csv", "no dot first"),
        ("con.txt:stream.csv", "no :"),
    ],
)
async def test_a_file_that_cannot_be_written_is_a_clear_error(
    bench: Bench, tmp_path: Path, name: str, words: str
) -> None:
    folder = allowed(bench, tmp_path)
    (folder / "out").symlink_to(tmp_path)
    (folder / "there.csv").touch()
    async with bench.client() as client:
        campaign = await over(bench, client)
        text = await client.refused("get_campaign_results", **campaign, file=name)
    assert words in text
    assert not (tmp_path / "report.csv").exists()


async def test_without_allowed_folders_nothing_is_written_or_asked(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("get_campaign_results", campaign_id="a" * 24, file="a.csv")
    assert "ATOMS_MCP_FILES" in text
    assert bench.wire.requests == []


@pytest.fixture
def silent(tmp_path: Path) -> Generator[Bench]:
    """A sandbox in which nobody answers."""
    odds = Odds(connected=0, no_answer=1, voicemail=0, busy=0, failed=0)
    with Bench.open(tmp_path, Options(speed=1, odds=odds)) as bench:
        yield bench


async def test_a_campaign_that_reached_nobody_divides_by_nothing_wrong(silent: Bench) -> None:
    async with silent.client() as client:
        campaign = await over(silent, client)
        results = await client.call("get_campaign_results", **campaign)
    assert results["connected_percent"] == 0
    assert (results["talk_seconds"], results["cost"]) == (0, 0)
    assert {connected for connected, _ in rates(results["by_country"]).values()} == {0}
    assert "create_audience" in results["next_step"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [b"<html>gateway</html>", b'{"data": [{"phoneNumber": {"a": 1}}]}', b'{"data": [{', b"[]x"],
)
async def test_an_export_of_another_shape_is_an_error_and_no_empty_report(
    bench: Bench, body: bytes
) -> None:
    sandbox = bench.wire.below

    async def garble(request: httpx2.Request) -> httpx2.Response:
        if "/export/" in request.url.path:
            return httpx2.Response(200, content=body)
        return await sandbox.handle_async_request(request)

    async with bench.client() as client:
        campaign = await over(bench, client)
        bench.wire.below = httpx2.MockTransport(garble)
        text = await client.refused("get_campaign_results", **campaign)
        bench.wire.below = sandbox
        results = await client.call("get_campaign_results", **campaign)
    assert "in a shape that this server does not know" in text or "cut off or no JSON" in text
    assert "list_calls" in text
    assert "list_calls" in text
    assert results["contacts"] == 25


async def test_an_unknown_campaign_is_not_found(bench: Bench) -> None:
    async with bench.client() as client:
        text = await client.refused("get_campaign_results", campaign_id="f" * 24)
    assert "Campaign not found" in text
    assert exports(bench) == 0


@pytest.mark.slow
async def test_while_it_runs_the_results_say_what_is_still_to_come(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **SPRING)
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        bench.clock.advance(minutes=2)
        running = await client.raw("get_campaign_results", **campaign)
        live = 0
        for status in ("active", "in_queue", "processing", "in_progress"):
            live += (await client.call("list_calls", **campaign, status=status))["total"]
        bench.clock.advance(hours=3)
        over = await client.call("get_campaign_results", **campaign)
    data = running.structured_content
    assert data is not None
    assert (data["provisional"], data["calls_in_progress"]) == (True, live)
    assert data["retries_due"] > 0
    assert f"{data['retries_due']} retries due" in text_of(running)
    assert (over["calls_in_progress"], over["retries_due"]) == (0, 0)
