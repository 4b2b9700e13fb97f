"""What a server logs of the requests that it answers: facts as fields, nothing from outside."""

import io
import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from atoms_campaigns_mcp.config.identity import tenant_of
from atoms_campaigns_mcp.server.http.middleware.access_log import AccessLog
from atoms_campaigns_mcp.telemetry import configure
from tests.support.process import address, environment, spawned
from tests.support.serving import ERAS
from tests.support.team import ANNA, prepared, serving_team

pytestmark = pytest.mark.anyio


@contextmanager
def logged(level: int = logging.INFO, form: Any = "json") -> Generator[io.StringIO]:
    stream = io.StringIO()
    configure(stream, form=form, ours=level)
    try:
        yield stream
    finally:
        configure()


def lines(stream: io.StringIO, message: str) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in told if line["message"] == message]


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
async def test_a_tool_call_and_the_request_that_carried_it_are_told_by_name_and_one_id(
    tmp_path: Path, era: str
) -> None:
    with prepared(tmp_path) as bench, logged() as stream:
        async with serving_team(bench) as team, team.client(ANNA, era) as client:
            await client.call("list_agents")
            await client.refused("get_campaign_status", campaign_id="0" * 24)
        listed, missing = lines(stream, "tool call")
        requests = {line["call"]: line for line in lines(stream, "request") if "call" in line}
    tenant = tenant_of(ANNA)[:8]
    assert (listed["tool"], listed["outcome"]) == ("list_agents", "ok")
    assert (missing["tool"], missing["outcome"]) == ("get_campaign_status", "not_found")
    assert {listed["tenant"], listed["mode"]} == {tenant, "live"}
    for call in (listed, missing):
        request = requests[call["call"]]
        assert (request["method"], request["path"], request["status"]) == ("POST", "/mcp", 200)
        assert (request["tenant"], type(request["ms"])) == (tenant, int)


@pytest.mark.parametrize(
    ("form", "told"), [("json", '"ms": 12025550143'), ("text", "ms=12025550143")]
)
async def test_no_count_of_ours_is_taken_for_a_phone_number(form: str, told: str) -> None:
    moments = iter([0.0, 12025550.143])

    async def answering(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
        await send({"type": "http.response.start", "status": 200})

    async def unheard(_: Any) -> None: ...

    with logged(form=form) as stream:
        scope: Any = {"type": "http", "method": "POST", "path": "/mcp"}
        listener: Any = unheard
        await AccessLog(answering, lambda: next(moments))(scope, listener, listener)
    assert told in stream.getvalue()
    assert "/mcp" in stream.getvalue()


async def test_nothing_that_a_stranger_writes_is_in_the_log(tmp_path: Path) -> None:
    with prepared(tmp_path) as bench, logged(logging.DEBUG) as stream:
        async with serving_team(bench) as team, team.http("sk_stranger") as http:
            await http.request("CALL12025550143", "/tel/12025550143?q=12025550144")
            await http.get("/health/live?number=12025550143")
        (first, second) = lines(stream, "request")
    assert (first["method"], first["path"]) == ("(other)", "(other)")
    assert (second["method"], second["path"]) == ("GET", "/health/live")
    assert "2025550" not in stream.getvalue()


@pytest.mark.slow
async def test_probes_that_succeed_are_told_only_when_debugging(tmp_path: Path) -> None:
    for level, count in ((logging.INFO, 0), (logging.DEBUG, 2)):
        with prepared(tmp_path) as bench, logged(level) as stream:
            async with serving_team(bench) as team, team.http() as http:
                await http.get("/health/live")
                await http.get("/health/ready")
        assert len(lines(stream, "request")) == count


def test_times_are_of_rfc_3339() -> None:
    for form in ("json", "text"):
        with logged(form=form) as stream:
            logging.getLogger("atoms_campaigns_mcp").info("hello")
        line = stream.getvalue()
        time = json.loads(line)["time"] if form == "json" else line.split()[0]
        assert time.endswith("Z")
        assert datetime.fromisoformat(time).tzinfo is not None


@pytest.mark.slow
def test_a_server_says_that_it_ends_and_that_it_has_ended(tmp_path: Path) -> None:
    words = ("serve", "--http", "127.0.0.1:0", "--auth", "none")
    with spawned(*words, env=environment(tmp_path)) as child:
        address(child)
        child.process.terminate()
        _, errors = child.leave()
    told = [json.loads(line)["message"] for line in errors.splitlines()]
    assert told[-2].startswith("ending")
    assert told[-1] == "ended"
