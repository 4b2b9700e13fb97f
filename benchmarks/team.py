"""Two hundred clients of twenty tenants at once, each with a campaign from draft to deletion.

Real sockets, in both eras of the protocol: this process holds the clients, one child our server,
another the emulated API. It ends with 1 if anybody was answered with something of another tenant,
or a campaign was started more often than somebody agreed to it.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult

sys.path.insert(0, str(Path(__file__).parent.parent))

from atoms_campaigns_mcp.tool_calls.locks import SENDING
from benchmarks.stdio import UNLIMITED
from tests.support.emulated import emulated
from tests.support.process import environment, serving_http, shutdown
from tests.support.world import DRAFT

CONTACTS = b"phoneNumber,name\n+12025550111,Ada\n+12025550112,Grace\n"
ERAS = ("2026-07-28", "legacy")
TRIES = 5
LONGEST = 240  # seconds; some 40 on two free cores


@dataclass
class Figures:
    """What was seen."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    agreed: Counter[str] = field(default_factory=Counter[str])
    started: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    put_off: int = 0
    why: Counter[str] = field(default_factory=Counter[str])

    def expect(self, holds: object, what: str) -> None:
        if not holds:
            self.wrong.append(what)


@dataclass
class One:
    """One client of a tenant."""

    tenant: str
    number: int
    url: str
    api: str
    figures: Figures

    @property
    def key(self) -> str:
        return f"sk_{self.tenant}"

    @property
    def name(self) -> str:
        return f"{self.tenant} campaign {self.number}"

    async def agree(self, context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG002
        self.figures.expect(self.name in params.message, f"{self.name}: asked {params.message}")
        if params.message.startswith("Start"):
            self.figures.agreed[self.name] += 1
        return ElicitResult(action="accept", content={"confirm": True})

    @property
    def era(self) -> str:
        return ERAS[self.number % 2]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def http(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(headers=self.headers, timeout=60)

    async def attempt(
        self, client: Client, tool: str, arguments: dict[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        """Call a tool once; give its answer, and whether that is an error."""
        began = time.perf_counter()
        result: CallToolResult = await client.call_tool(tool, arguments)
        self.figures.seconds[tool].append(time.perf_counter() - began)
        data: dict[str, Any] = result.structured_content or {}
        text = json.dumps(data)
        own = text.count("tenant-") == text.count(self.tenant)
        self.figures.expect(own, f"{self.name}: {tool} gave {text}")
        self.figures.put_off += result.is_error
        return data, result.is_error

    async def call(self, client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool, again if it was put off, as an agent would."""
        data: dict[str, Any] = {}
        unknown = False
        for _ in range(TRIES):
            data, failed = await self.attempt(client, tool, arguments)
            code = data.get("code")
            if not failed or (unknown and code == "not_found"):
                return data
            if unknown and code == "not_confirmed":  # its own earlier call still holds the lock
                await anyio.sleep(SENDING / 2)
            elif code not in {"unavailable", "rate_limited", "outcome_unknown"}:
                break
            unknown = unknown or code == "outcome_unknown"
        raise AssertionError(f"{self.name}: {tool}: {data}")

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(self.http())
            client = await stack.enter_async_context(
                Client(
                    streamable_http_client(self.url, http_client=http),
                    mode=self.era,
                    elicitation_callback=self.agree,
                )
            )
            await self.job(client)

    async def audience(self) -> str:
        """Make contacts of its own: another campaign on the same ones changes what is asked."""
        async with self.http() as http:
            answer = await http.post(
                f"{self.api}/audience",
                data={"name": self.name, "phoneNumberColumnName": "phoneNumber"},
                files={"file": ("contacts.csv", CONTACTS, "text/csv")},
            )
        return answer.raise_for_status().json()["data"]["_id"]

    async def job(self, client: Client) -> None:
        await self.call(client, "list_campaigns", limit=100)
        draft = {**DRAFT, "name": self.name, "audience_id": await self.audience()}
        made = await self.call(client, "create_campaign", **draft)
        campaign = {"campaign_id": made["campaign_id"]}
        await self.call(client, "start_campaign", **campaign)
        status = await self.call(client, "get_campaign_status", **campaign)
        self.figures.expect(status["name"] == self.name, f"{self.name}: status of {status['name']}")
        await self.call(client, "watch_campaign", **campaign, until="change", wait_seconds=1)
        await self.call(client, "pause_campaign", **campaign)
        async with self.http() as http:
            shown = await http.get(f"{self.api}/campaign/{made['campaign_id']}")
        details = shown.json()["data"]["campaign"]
        self.figures.expect(details["name"] == self.name, f"{self.name}: not its own")
        self.figures.started[self.name] += len(details["executions"])
        await self.call(client, "delete_campaign", **campaign)


def peak(pid: int) -> float:
    """The most memory that a process has had, in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def cpu(pid: int) -> float:
    """The seconds of CPU that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load(
    url: str,
    api: str,
    clients: int,
    tenants: int,
    *,
    kind: type[One] = One,
    figures: Figures | None = None,
) -> tuple[Figures, float]:
    figures, began = figures or Figures(), time.perf_counter()
    with anyio.fail_after(LONGEST):
        async with anyio.create_task_group() as tasks:
            for number in range(clients):
                tenant = f"tenant-{number % tenants:02d}x"
                tasks.start_soon(kind(tenant, number // tenants, url, api, figures).run)
    return figures, time.perf_counter() - began


def calls(figures: Figures, seconds: float, clients: int) -> int:
    """Print how long calls took; give how many there were."""
    print(f"{clients} clients at once on {os.cpu_count()} cores, {seconds:.1f} s in all")
    print(f"{'tool':22} {'calls':>6} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    for tool, taken in figures.seconds.items():
        cuts = statistics.quantiles(taken, n=20)
        row = [1000 * value for value in (cuts[9], cuts[18], max(taken))]
        print(f"{tool:22} {len(taken):6} {row[0]:8.0f} {row[1]:8.0f} {row[2]:8.0f}")
    many = sum(len(taken) for taken in figures.seconds.values())
    print(f"{many} tool calls, {many / seconds:.0f} a second")
    return many


def report(figures: Figures, seconds: float, clients: int, memory: float, used: float) -> None:
    many = calls(figures, seconds, clients)
    print(f"server: {1000 * used / many:.1f} ms of CPU a call, peak memory {memory:.0f} MiB")
    yes, starts = sum(figures.agreed.values()), sum(figures.started.values())
    print(f"{figures.put_off} calls put off and repeated")
    print(f"{len(figures.wrong)} wrong answers; {starts} starts for {yes} times yes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--tenants", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, emulated(Path(folder), speed="1") as origin:
        api = f"{origin}/atoms/v1"
        env = environment(Path(folder), ATOMS_API_URL=api, **UNLIMITED)
        with serving_http(env=env) as (child, url), shutdown(child):
            figures, seconds = anyio.run(load, url, api, options.clients, options.tenants)
            memory, used = peak(child.process.pid), cpu(child.process.pid)
    report(figures, seconds, options.clients, memory, used)
    for line in figures.wrong[:10]:
        print(line)
    # A start whose answer was lost is agreed to again, and made once all the same.
    twice = any(starts > 1 for starts in figures.started.values())
    return int(bool(figures.wrong) or twice or figures.started > figures.agreed)


if __name__ == "__main__":
    sys.exit(main())
