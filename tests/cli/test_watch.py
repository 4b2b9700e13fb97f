import io
import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from atoms_campaigns_mcp.cli.call import given
from atoms_campaigns_mcp.cli.watch import View, WatchError, follow, left_alone, line
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.tool_calls.outcome import Outcome
from tests.support.bench import Bench
from tests.support.process import environment, killed_at_the_end
from tests.support.serving import Caller, text_of
from tests.support.tampering import alter
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
COMMAND = [sys.executable, "-m", "atoms_campaigns_mcp"]
MARKUP = "[red]Renewals[/] [link=http://x.invalid]"


async def started(client: Caller, **changes: Any) -> str:
    made = await client.call(
        "create_campaign",
        **{**DRAFT, "audience_id": "Spring renewals", "max_retries": 1, **changes},
    )
    await client.call("start_campaign", campaign_id=made["campaign_id"])
    return made["campaign_id"]


async def followed(client: Caller, campaign: str, **terminal: Any) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=100, **terminal)

    async def call(tool: str, arguments: Mapping[str, Any]) -> Outcome:
        result = await client.raw(tool, **arguments)
        data: dict[str, Any] = result.structured_content or {}
        return Outcome(text_of(result), data, is_error=bool(result.is_error))

    with View(console) as view:
        code = await follow(call, campaign, view)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


@pytest.mark.slow
async def test_without_a_terminal_there_is_a_line_for_each_change_until_the_end(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        code, text = await followed(client, campaign)
        report = await client.call("get_campaign_status", campaign_id=campaign)
    head, *lines = text.splitlines()
    assert code == 0
    assert head == f"{DRAFT['name']} ({campaign}), sandbox: simulated calls, simulated time"
    assert head not in lines
    assert len(lines) > 2
    assert len(set(lines)) == len(lines)
    assert "running" in lines[0]
    assert lines[-1] == line(report | {"finished": True})
    connected = f"{report['contacts_connected']} of them connected"
    share = f"{report['connected_percent']:g}%"
    assert f"finished, 25 of 25 called (100%), {connected} ({share})" in text


@pytest.mark.slow
async def test_on_a_terminal_it_draws_the_funnel_and_the_events(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        code, text = await followed(client, campaign, force_terminal=True)
    assert code == 0
    assert "Ctrl-C ends the watching, not the campaign." in text
    assert "Latest events (simulated time, UTC)" in text
    for word in ("Contacts", "Called", "Connected", "Retries", "started (system)", "━━"):
        assert word in text


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [True, False])
async def test_a_name_from_outside_is_shown_as_it_is(bench: Bench, *, terminal: bool) -> None:
    async with bench.client() as client:
        campaign = await started(client, name=MARKUP)
        _, text = await followed(client, campaign, force_terminal=terminal)
    assert MARKUP in text


async def test_counts_and_rates_are_of_one_look() -> None:
    facts = {"campaign_id": "a" * 24, "name": "X", "status": "running", "total_participants": 500}
    told = {
        "watch_campaign": {**facts, "contacts_called": 106, "since": "s", "finished": True},
        "get_campaign_status": {**facts, "contacts_called": 108, "called_percent": 21.6},
    }

    async def answer(tool: str, _: Mapping[str, Any]) -> Outcome:
        return Outcome("", told[tool])

    shown = io.StringIO()
    with View(Console(file=shown, width=200)) as view:
        await follow(answer, "a" * 24, view)
    assert "108 of 500 called (21.6%)" in shown.getvalue()


@pytest.mark.slow
async def test_a_failed_campaign_ends_with_an_error(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        alter(
            bench,
            f"GET /campaign/{campaign}",
            lambda data: {**data, "campaign": {**data["campaign"], "status": "failed"}},
        )
        bench.clock.advance(hours=3)
        code, text = await followed(client, campaign)
    assert code == 1
    assert line({"name": "x", "status": "failed"}) == "failed"
    assert "25" in text


async def test_a_campaign_that_does_not_exist_is_said_to_be_unknown(bench: Bench) -> None:
    async with bench.client() as client:
        with pytest.raises(WatchError, match="not found"):
            await followed(client, "0" * 24)


RUNNING = {
    "campaign_id": "a" * 24,
    "name": "X",
    "status": "running",
    "mode": "live",
    "total_participants": 100,
    "contacts_called": 40,
    "called_percent": 40.0,
    "contacts_connected": 15,
    "connected_percent": 37.5,
    "max_retries": 3,
    "retry_attempts": 4,
    "calls_in_progress": 7,
    "retries_due": 2,
    "contacts_finished": 10,
}


def view_of(reports: list[tuple[float, dict[str, Any]]], **terminal: Any) -> str:
    """What is shown of reports, each so many seconds after the first."""
    seconds = [at for at, _ in reports]
    paper = io.StringIO()
    console = Console(file=paper, width=120, **terminal)
    with View(console, monotonic=iter(seconds).__next__) as view:
        for _, report in reports:
            view.show(report)
    return paper.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_calls_in_progress_retries_due_and_the_time_left_are_told(*, terminal: bool) -> None:
    later = RUNNING | {"contacts_finished": 20}
    text = view_of(
        [(0.0, RUNNING), (60.0, later | {"calls_in_progress": 6})], force_terminal=terminal
    )
    assert "6 in progress, 2 retries due" in text
    assert "about 8 min left at this pace" in text
    assert "live: real phones" in text


def test_shares_are_those_of_the_status_report() -> None:
    text = view_of([(0.0, RUNNING)], force_terminal=True)
    for label, share in (("Called", "40%"), ("Connected", "37.5%")):
        assert re.search(rf"{label} +\d+ +{re.escape(share)} ", text)
    assert "40 of 100 called (40%), 15 of them connected (37.5%)" in line(RUNNING)


@pytest.mark.parametrize(
    "later",
    [
        {"status": "paused", "contacts_finished": 20},
        {"contacts_finished": 10},
        {"contacts_finished": 100},
        {"contacts_finished": None},
    ],
)
def test_no_time_left_is_told_where_there_is_no_pace(later: dict[str, Any]) -> None:
    text = view_of([(0.0, RUNNING), (60.0, RUNNING | {"calls_in_progress": 1} | later)])
    assert " left" not in text


def test_what_could_not_be_read_is_unknown() -> None:
    unread = {k: v for k, v in RUNNING.items() if k not in {"calls_in_progress", "retries_due"}}
    text = line(unread | {"unknown": ["calls_in_progress", "retries_due"]})
    assert "unknown in progress, unknown retries due" in text


def test_events_are_told_in_one_zone() -> None:
    events = [{"action": "started", "source": "system", "at": "2026-11-28T23:30:00+02:00"}]
    text = view_of([(0.0, RUNNING | {"events": events})], force_terminal=True)
    assert "Latest events (UTC)" in text
    assert "2026-11-28 21:30:00" in text


def call(env: dict[str, str], tool: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [*COMMAND, "call", tool, *words, "--json", "--confirm", "never"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


@pytest.fixture
def draft(tmp_path: Path) -> tuple[dict[str, str], str]:
    """An environment, and the id of a draft in its sandbox."""
    env = environment(tmp_path)
    words = [f"{k}={json.dumps(v) if isinstance(v, list) else v}" for k, v in DRAFT.items()]
    return env, call(env, "create_campaign", *words)["campaign_id"]


@pytest.mark.slow
def test_the_command_follows_to_the_end(draft: tuple[dict[str, str], str]) -> None:
    env, campaign = draft
    call(env, "start_campaign", f"campaign_id={campaign}", "--sandbox-speed", "max")
    done = subprocess.run(
        [*COMMAND, "watch", campaign, "--sandbox-speed", "max"],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "January renewals (" in done.stdout.splitlines()[0]
    assert "\nfinished, " in done.stdout
    unknown = subprocess.run(
        [*COMMAND, "watch", "0" * 24], env=env, capture_output=True, timeout=60, check=False
    )
    assert (unknown.returncode, unknown.stdout) == (1, b"")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one child")
def test_an_interrupt_leaves_the_campaign_alone_and_says_how_to_stop_it(
    draft: tuple[dict[str, str], str],
) -> None:
    env, campaign = draft
    child = subprocess.Popen(
        [*COMMAND, "watch", campaign],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with killed_at_the_end(child):
        assert child.stdout is not None
        assert "January renewals (" in child.stdout.readline()
        assert child.stdout.readline().startswith("draft")
        child.send_signal(signal.SIGINT)
        text, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "not touched" in text
    assert f"pause_campaign campaign_id={campaign}" in text
    assert call(env, "get_campaign_status", f"campaign_id={campaign}")["status"] == "draft"


@pytest.mark.skipif(sys.platform == "win32", reason="another shell")
@pytest.mark.parametrize("name", ["January renewals", "Ann's [bold]", "$(x) `y`; z", 'a"b'])
def test_the_command_that_stops_it_can_be_pasted_whatever_its_name_is(name: str) -> None:
    words = shlex.split(left_alone(name).rpartition(" run ")[2])
    tool, *arguments = words[words.index("call") + 1 :]
    assert given(Settings(), tool, arguments) == {"campaign_id": name}
