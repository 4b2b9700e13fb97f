"""Real guards, as an operator runs them, in front of an emulated API that listens on a socket.

Time is the machine's: the hours of the contacts are those around now, and end in two minutes.
"""

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.config.identity import account_of
from atoms_campaigns_mcp.config.parsing import state as read_state
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.guard.lease import SUBJECT
from atoms_campaigns_mcp.state.guarding import Watch
from atoms_campaigns_mcp.state.open import open_state
from tests.support.emulated import emulated
from tests.support.process import Child, environment, serving_http, spawned
from tests.support.team import request, routing, told
from tests.support.world import AGENT, CALLER_ID

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
KEY = "sk_guarded"
PATIENCE = 90.0  # seconds that a process has for what it must say
# Where it is neither late in the evening nor early in the morning, one of them: India or Hawaii.
INDIA, HAWAII = ("+91981", timedelta(hours=5, minutes=30)), ("+1808555", timedelta(hours=-10))
CLOSING = timedelta(minutes=2)  # less than the guard's lead, which is three


@dataclass
class Api:
    """The emulated API, and the hours of those whom a campaign calls there."""

    http: httpx2.Client
    origin: str
    prefix: str = field(init=False)
    hours: str = field(init=False)
    closes: datetime = field(init=False)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        self.closes = (now + CLOSING).replace(second=0, microsecond=0) + timedelta(minutes=1)
        self.prefix, offset = INDIA if 2 <= (now + INDIA[1]).hour < 22 else HAWAII
        local = self.closes + offset
        self.hours = f"{local - timedelta(hours=1):%H:%M}-{local:%H:%M}"

    def send(self, method: str, path: str, **said: Any) -> Any:
        return self.http.request(method, path, **said).raise_for_status().json()["data"]

    def begin(self) -> str:
        """Start a campaign that has more to call than fits into what is left of the hours."""
        rows = "\n".join(f"{self.prefix}{number:07d}"[:13] for number in range(2000))
        audience = self.send(
            "POST",
            "/audience",
            data={"name": "Many", "phoneNumberColumnName": "phoneNumber"},
            files={"file": ("contacts.csv", f"phoneNumber\n{rows}\n".encode(), "text/csv")},
        )
        body = {"name": "Guarded", "agentId": AGENT, "audienceId": audience["_id"]}
        body |= {"phoneNumberIds": [CALLER_ID], "maxRetries": 0, "retryDelay": 1}
        campaign = self.send("POST", "/campaign", json=body)["_id"]
        self.send("POST", f"/campaign/{campaign}/start")
        return campaign

    def seen(self, campaign: str) -> tuple[str, list[str]]:
        """A campaign's state, and when anything was done to it."""
        found = self.send("GET", f"/campaign/{campaign}")
        return found["campaign"]["status"], [one["createdAt"] for one in found["events"]]


@pytest.fixture
def api(tmp_path: Path) -> Generator[Api]:
    folder = tmp_path / "api"
    folder.mkdir()
    with emulated(folder, speed="1") as origin:
        head = {"Authorization": f"Bearer {KEY}"}
        with httpx2.Client(base_url=f"{origin}/atoms/v1", headers=head, timeout=30) as http:
            yield Api(http, origin)


@pytest.fixture(params=["a folder", "Redis"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "Redis":
        return request.getfixturevalue("emptied_redis").url
    return str(tmp_path / "state")


def variables(api: Api, state: str, folder: Path) -> dict[str, str]:
    return environment(
        folder,
        ATOMS_MCP_STATE=state,
        SMALLEST_API_KEY=KEY,
        ATOMS_API_URL=f"{api.origin}/atoms/v1",
        ATOMS_MCP_CALLING_HOURS=api.hours,
        ATOMS_MCP_RATE="50",
        ATOMS_MCP_SECRET="s" * 32,
    )


@contextmanager
def guarding(env: dict[str, str]) -> Generator[Child]:
    with spawned("guard", env=env) as child:
        hears(child, "Guarding (live)")
        yield child


def hears(child: Child, words: str) -> str:
    """Read what a guard says until it says these words; one that stays silent is ended."""
    ending = Timer(PATIENCE, child.process.kill)
    ending.start()
    try:
        assert child.process.stdout is not None
        for line in child.process.stdout:
            child.lines.append(line)
            if words in line:
                return line
    finally:
        ending.cancel()
    raise AssertionError(f"the guard never said {words!r}: {child.lines}")


async def outlived(state: str) -> None:
    """Let the lease of a guard that is gone come to its end now, instead of in 45 seconds."""
    place = read_state(state)
    assert place is not None
    store = open_state(Settings(state=place))
    account = account_of(KEY)
    watch = Watch.last(await store.guard.kept(account))
    assert watch is not None
    assert await store.locks.extend(f"{account} {SUBJECT}", watch.owner, time.time() - 1)
    await store.close()


async def test_a_guard_that_was_killed_is_followed_by_another_that_pauses_before_the_hours_end(
    api: Api, state: str, tmp_path: Path
) -> None:
    env = variables(api, state, tmp_path)
    with guarding(env) as first, guarding(env) as second:
        hears(second, "Another guard has the lease")
        first.process.kill()
        first.process.wait(timeout=60)
        campaign = api.begin()
        assert api.seen(campaign)[0] in {"processing", "running"}
        await outlived(state)
        assert "calling_hours" in hears(second, "Stopped campaign")
        status, events = api.seen(campaign)
        assert status == "paused"
        assert max(map(datetime.fromisoformat, events)) < api.closes
        second.process.send_signal(signal.SIGTERM)
        assert second.process.wait(timeout=60) == 0
    # It gave its lease back: the next one looks at once.
    with spawned("guard", "--once", env=env) as third:
        hears(third, "Looked at ")
        assert third.leave()[0] == 0


async def test_a_server_that_guards_pauses_before_the_hours_end_and_says_so(
    api: Api, tmp_path: Path
) -> None:
    env = variables(api, str(tmp_path / "state"), tmp_path)
    campaign = api.begin()
    with serving_http("--auth", "none", "--guard", env=env) as (child, url):
        assert child.process.stderr is not None
        ending = Timer(PATIENCE, child.process.kill)
        ending.start()
        stopped = [next(line for line in child.process.stderr if "Stopped campaign" in line)]
        ending.cancel()
        status, events = api.seen(campaign)
        params: dict[str, Any] = {"name": "get_account", "arguments": {}}
        head = routing("tools/call", params)
        answer = httpx2.post(url, json=request("tools/call", params), headers=head, timeout=30)
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(timeout=60) == 0
    assert "calling_hours" in stopped[0]
    assert (status, max(map(datetime.fromisoformat, events)) < api.closes) == ("paused", True)
    account = told(answer)["result"]["structuredContent"]
    assert account["guarded"].startswith(f"yes: calling hours {api.hours}")
    assert account["stops"][0]["campaign_id"] == campaign
