import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mcp_types import CallToolResult
from rich.console import Console

from atoms_campaigns_mcp.cli.watch import View, WatchError, follow, line
from tests.support.bench import Bench
from tests.support.process import environment
from tests.support.serving import Caller
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
    with View(console) as view:
        code = await follow(client.client.call_tool, campaign, view)
    assert isinstance(console.file, io.StringIO)
    return code, console.file.getvalue()


async def test_without_a_terminal_there_is_a_line_for_each_change_until_the_end(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        code, text = await followed(client, campaign)
        report = await client.call("get_campaign_status", campaign_id=campaign)
    lines = text.splitlines()
    assert code == 0
    assert len(lines) > 2
    assert len(set(lines)) == len(lines)
    assert "running" in lines[0]
    assert lines[-1] == line(report | {"finished": True})
    assert f"finished, 25 of 25 called (100%), {report['contacts_connected']} connected" in text


async def test_on_a_terminal_it_draws_the_funnel_and_the_events(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await started(client)
        code, text = await followed(client, campaign, force_terminal=True)
    assert code == 0
    assert "Ctrl-C ends the watching, not the campaign." in text
    for word in ("Contacts", "Called", "Connected", "Retries", "started (system)", "━━"):
        assert word in text


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

    async def answer(tool: str, _: dict[str, Any]) -> CallToolResult:
        return CallToolResult(content=[], structured_content=told[tool])

    shown = io.StringIO()
    with View(Console(file=shown, width=200)) as view:
        await follow(answer, "a" * 24, view)
    assert "108 of 500 called (21.6%)" in shown.getvalue()


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
    assert "failed" in line({"name": "x", "status": "failed"})
    assert "25" in text


async def test_a_campaign_that_does_not_exist_is_said_to_be_unknown(bench: Bench) -> None:
    async with bench.client() as client:
        with pytest.raises(WatchError, match="not found"):
            await followed(client, "0" * 24)


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
    assert "January renewals: finished" in done.stdout
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
    with subprocess.Popen(
        [*COMMAND, "watch", campaign],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert "January renewals: draft" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        text, _ = child.communicate(timeout=20)
    assert child.returncode == 130
    assert "not touched" in text
    assert f"pause_campaign campaign_id={campaign}" in text
    assert call(env, "get_campaign_status", f"campaign_id={campaign}")["status"] == "draft"
