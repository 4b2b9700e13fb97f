"""Over real stdio, no request is dropped in silence, and a broken pipe ends the server."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.support.process import ENVELOPE, INITIALIZE, Child, environment, spawned

ASKED = {"jsonrpc": "2.0", "id": 9, "method": "tools/list"}
PATIENCE = 30  # seconds
MARK = "\ufeff"
ENVELOPES: dict[str, dict[str, Any]] = {"legacy": {}, "2026-07-28": ENVELOPE}


def half(tool: str, **params: Any) -> str:
    """A call whose reason is half an emoji."""
    params |= {"name": tool, "arguments": {"campaign_id": "all", "reason": "X"}}
    line = json.dumps({**ASKED, "method": "tools/call", "params": params})
    return line.replace('"X"', '"\\ud83d"')


def put(child: Child, *lines: str) -> None:
    assert child.process.stdin is not None
    child.process.stdin.write("".join(f"{line}\n" for line in lines))
    child.process.stdin.flush()


@contextmanager
def limited(child: Child) -> Generator[None]:
    """End it if it never answers, so that a test fails instead of waiting."""
    timer = Timer(PATIENCE, child.process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def heard(child: Child) -> dict[str, Any]:
    assert child.process.stdout is not None
    return json.loads(child.process.stdout.readline())


def opening(era: str) -> dict[str, Any]:
    if era == "legacy":
        return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    return {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": ENVELOPE}


@pytest.fixture(params=ENVELOPES)
def era(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def child(tmp_path: Path, era: str) -> Generator[Child]:
    with spawned(env=environment(tmp_path)) as child, limited(child):
        # Windows programs write a mark of their encoding first.
        put(child, MARK + json.dumps(opening(era)))
        assert heard(child)["id"] == 1
        yield child


@pytest.mark.slow
def test_each_request_that_cannot_be_served_is_answered_and_logged(child: Child) -> None:
    sent = [
        half("create_campaign"),
        json.dumps({**ASKED, "params": ["all"]}),
        json.dumps({"id": 9, "method": "tools/list"}),
        json.dumps([ASKED]),
    ]
    for line in sent:
        put(child, line)
        answer = heard(child)
        assert (answer["id"], answer["error"]["code"] < -32000) == (9, True), line
    for line in (json.dumps({**ASKED, "id": None}), "{", "5"):
        put(child, line)
        answer = heard(child)
        assert (answer["id"], answer["error"]["code"] < -32000) == (None, True), line
    code, err = child.leave()
    assert code == 0
    lines = [json.loads(line) for line in err.splitlines()]
    assert [line["level"] for line in lines] == ["warning"] * 7
    assert "all" not in err


@pytest.mark.slow
def test_the_stop_is_served_however_its_call_is_written(child: Child, era: str) -> None:
    meta = ENVELOPES[era].get("_meta", {})
    shapes: list[dict[str, Any]] = [
        {"arguments": '{"campaign_id": "all"}', "_meta": meta},
        {"arguments": {"campaign_id": "all"}, "_meta": {**meta, "progressToken": None}},
        {"arguments": {"campaign_id": "all"}, "_meta": meta, "task": "now", "requestState": 5},
        {"arguments": [], "_meta": meta},
        {"arguments": ["all"], "_meta": meta},
    ]
    sent = [half("pause_campaign", **ENVELOPES[era])]
    for shape in shapes:
        params = {"name": "pause_campaign", **shape}
        sent.append(json.dumps({**ASKED, "method": "tools/call", "params": params}))
    said: list[str] = []
    for line in sent:
        put(child, line)
        answer = heard(child)
        assert (answer["id"], answer["result"]["isError"]) == (9, False)
        said.append(answer["result"]["structuredContent"]["message"])
    child.leave()
    done, asked = "Nothing was dialling.", "Nothing was paused, since no campaign was named."
    assert [text.startswith(done) for text in said] == [True] * 4 + [False] * 2
    assert [text.startswith(asked) for text in said] == [False] * 4 + [True] * 2


@pytest.mark.slow
def test_a_client_that_reads_no_more_ends_the_server_with_a_message(child: Child) -> None:
    assert child.process.stdout is not None
    child.process.stdout.close()
    put(child, json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}))
    # stdin stays open: the end must come from the broken pipe alone.
    assert child.process.wait(timeout=60) == 1
    assert child.process.stderr is not None
    (line,) = child.process.stderr.read().splitlines()
    assert json.loads(line)["level"] == "error"
    assert "Traceback" not in line


@pytest.mark.slow
def test_a_revision_with_batches_is_not_offered_and_one_beside_it_is(tmp_path: Path) -> None:
    with spawned(env=environment(tmp_path)) as child:
        asked = {**INITIALIZE, "protocolVersion": "2025-03-26"}
        offered = child.ask(1, "initialize", asked)["result"]["protocolVersion"]
        child.send("notifications/initialized")
        listed = child.ask(2, "tools/list")["result"]["tools"]
        child.leave()
    assert offered == "2024-11-05"
    assert all("annotations" in tool for tool in listed)
