"""The real server over real stdio."""

import json
import signal
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.state.journal import UNDER_WAY
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.process import ENVELOPE, INITIALIZE, Child, environment, spawned
from tests.support.world import DRAFT

NAMES = set(Catalog.read().entries)


def handshake(child: Child) -> dict[str, Any]:
    answer = child.ask(1, "initialize", INITIALIZE)
    child.send("notifications/initialized")
    return answer["result"]


def tool(child: Child, number: int, name: str, **arguments: Any) -> dict[str, Any]:
    return child.ask(number, "tools/call", {"name": name, "arguments": arguments})["result"]


@pytest.mark.slow
def test_the_handshake_era_is_served_and_stdout_holds_nothing_else(tmp_path: Path) -> None:
    with spawned(env=environment(tmp_path)) as child:
        hello = handshake(child)
        listed = child.ask(2, "tools/list")["result"]["tools"]
        numbers = tool(child, 3, "list_phone_numbers")
        code, _ = child.leave()
    assert hello["serverInfo"]["name"] == "atoms-campaigns"
    assert "(sandbox)" in hello["serverInfo"]["title"]
    assert {row["name"] for row in listed} == NAMES
    assert numbers["structuredContent"]["phone_numbers"]
    assert code == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in child.lines)


@pytest.mark.slow
def test_the_stateless_era_is_served_on_the_same_command(tmp_path: Path) -> None:
    with spawned("serve", env=environment(tmp_path)) as child:
        found = child.ask(1, "server/discover", ENVELOPE)["result"]
        listed = child.ask(2, "tools/list", ENVELOPE)["result"]["tools"]
        call = {"name": "list_agents", "arguments": {}, **ENVELOPE}
        agents = child.ask(3, "tools/call", call)["result"]
        code, _ = child.leave()
    assert "2026-07-28" in found["supportedVersions"]
    assert "SANDBOX" in found["instructions"]
    assert {row["name"] for row in listed} == NAMES
    assert agents["structuredContent"]["agents"]
    assert code == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_once_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with spawned(env=environment(tmp_path)) as child:
        handshake(child)
        tool(child, 2, "list_agents")
        child.process.send_signal(number)
        # stdin stays open: the end must come from the signal alone.
        assert child.process.wait(timeout=60) == 0


def test_a_start_up_error_is_one_sentence_on_stderr(tmp_path: Path) -> None:
    with spawned(env=environment(tmp_path, ATOMS_MCP_LIVE="1")) as child:
        code, err = child.leave()
    assert code == 2
    assert err.startswith("atoms-campaigns-mcp: ATOMS_MCP_LIVE is set but there is no API key.")
    assert "Traceback" not in err


@contextmanager
def slow_api(seconds: float) -> Generator[tuple[str, threading.Event]]:
    """A double of the API whose POST takes `seconds`; the event is set when one arrives."""
    arrived = threading.Event()
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/agent/" in self.path:
                self.reply({"_id": DRAFT["agent_id"], "name": "Voice"})
            elif self.path.endswith("/audience"):
                self.reply([{"_id": DRAFT["audience_id"], "name": "List", "memberCount": 1}])
            else:
                self.reply([{"_id": DRAFT["phone_ids"][0], "isActive": True}])

        def do_POST(self) -> None:
            arrived.set()
            release.wait(seconds)
            self.reply({"_id": "696ddd2a04ff172dbd8eddad", "status": "draft", "name": "x"}, 201)

        def reply(self, data: object, status: int = 200) -> None:
            body = json.dumps({"status": True, "data": data}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    api = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=api.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{api.server_port}/atoms/v1", arrived
    finally:
        release.set()
        api.shutdown()
        thread.join()
        api.server_close()


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "reported"), [(0.3, False), (60, True)])
@pytest.mark.parametrize("how", ["end of stdin", "SIGTERM"])
def test_a_change_in_flight_may_finish_and_else_is_reported_by_the_next_start(
    tmp_path: Path, seconds: float, how: str, *, reported: bool
) -> None:
    with slow_api(seconds) as (url, arrived):
        env = environment(tmp_path, SMALLEST_API_KEY="sk_test", ATOMS_API_URL=url)
        with spawned(env=env) as child:
            handshake(child)
            child.send("tools/call", {"name": "create_campaign", "arguments": DRAFT}, 2)
            assert arrived.wait(10)
            if how == "SIGTERM":
                child.process.send_signal(signal.SIGTERM)
                assert child.process.wait(timeout=8) == 0
            else:
                child.leave()
    db = sqlite3.connect(tmp_path / "state.sqlite3", isolation_level=None)
    db.execute("UPDATE journal SET at = at - ?", (UNDER_WAY,))  # so long ago
    db.close()
    with spawned(env=environment(tmp_path)) as again:
        handshake(again)
        tool(again, 2, "list_agents")
        _, err = again.leave()
    assert ("has no outcome: create_campaign" in err) == reported
    with spawned(env=environment(tmp_path)) as third:
        handshake(third)
        _, err = third.leave()
    assert "has no outcome" not in err
