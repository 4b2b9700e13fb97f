"""A call of list_audiences, beyond the same request made directly, and against a bare tool.

Other lists are kept for some seconds: their calls make no request that could be compared.
"""

import json
import statistics
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import httpx2

from benchmarks.figures import Row, Scale, alternate, ratio
from benchmarks.startup import BARE, OURS
from benchmarks.stdio import UNLIMITED, environment, started
from benchmarks.upstream import KEY, requests
from tests.support.process import serving_http, shutdown

TOOL = "list_audiences"
MOST_MS = 2.5
MOST = 1.3
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": TOOL, "arguments": {}, "_meta": ENVELOPE},
}
HEADERS = {
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": "2026-07-28",
    "Mcp-Method": "tools/call",
    "Mcp-Name": TOOL,
}


def direct(http: httpx2.Client) -> float:
    begun = time.perf_counter()
    json.loads(http.get("/audience").content)
    return time.perf_counter() - begun


def over_http(http: httpx2.Client, url: str) -> float:
    begun = time.perf_counter()
    answer = http.post(url, json=CALL, headers=HEADERS)
    taken = time.perf_counter() - begun
    assert "audiences" in answer.text, answer.text
    return taken


@contextmanager
def listening(env: dict[str, str]) -> Generator[str]:
    """Run our server over HTTP; give its address."""
    with serving_http("--auth", "none", env=env) as (child, url), shutdown(child):
        yield url


def median_of(measure: Callable[[], float], calls: int) -> float:
    return statistics.median(measure() for _ in range(calls))


def measure(scale: Scale, state: str, url: str) -> list[Row]:
    ours_env = environment(
        ATOMS_MCP_STATE=state, SMALLEST_API_KEY=KEY, ATOMS_API_URL=url, **UNLIMITED
    )
    headers = {"Authorization": f"Bearer {KEY}"}
    with (
        started(OURS, ours_env) as ours,
        started([*BARE, url], environment()) as bare,
        httpx2.Client(base_url=url, headers=headers) as http,
        listening(ours_env) as mcp_url,
        httpx2.Client() as client,
    ):
        ways = [
            partial(ours.called, TOOL),
            partial(bare.called, TOOL),
            partial(direct, http),
            partial(over_http, client, mcp_url),
        ]
        for server in (ours, bare):
            server.listed()
        alternate(ways, 3)  # opens connections, loads modules
        before = requests(url)
        blocks = [partial(median_of, way, scale.calls) for way in ways]
        mine, theirs, plain, remote = alternate(blocks, scale.rounds)
        made = requests(url) - before
        assert made == len(ways) * scale.calls * scale.rounds, "not every call made one request"
    return rows(mine, theirs, plain, remote)


def rows(
    mine: list[float], theirs: list[float], plain: list[float], remote: list[float]
) -> list[Row]:
    beyond = statistics.median(a - b for a, b in zip(mine, plain, strict=True)) * 1000
    times = ratio(mine, theirs)
    ms = [statistics.median(values) * 1000 for values in (mine, theirs, plain)]
    return [
        Row(
            "tool call over stdio, beyond the same request made directly, p50",
            f"{MOST_MS} ms",
            f"{beyond:.2f} ms ({ms[0]:.2f} ms, {ms[2]:.2f} ms)",
            beyond <= MOST_MS,
        ),
        Row(
            "the same, against a bare SDK tool that makes the request, p50",
            f"{MOST} x",
            f"{times:.2f} x ({ms[0]:.2f} ms, {ms[1]:.2f} ms)",
            times <= MOST,
        ),
        Row(
            "the same over HTTP, against over stdio, p50",
            "",
            f"{ratio(remote, mine):.2f} x ({statistics.median(remote) * 1000:.2f} ms)",
        ),
    ]
