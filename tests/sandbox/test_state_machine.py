"""Random operations with random time in between: whatever happens, the world stays consistent."""

import asyncio
import json
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from starlette.types import ASGIApp, Message, Scope

from atoms_campaigns_mcp.sandbox.engine.options import Completion, Options, Speed
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.sandbox.harness import AGENT, AUDIENCE, CALLER_ID, Json
from tests.support.clock import FakeClock

SLOTS = 4
ENDED = ("completed", "failed", "no_answer", "cancelled", "blocked")
CALLED = ("active", "completed", "failed", "no_answer")
LIVE = ("processing", "active")
RESTING = ("draft", "paused", "completed", "failed")

# What time alone may do to a campaign; a pause that was asked for adds "paused".
BY_TIME = {
    "draft": {"draft"},
    "scheduled": {"scheduled", "processing", "running", "completed", "failed"},
    "processing": {"processing", "running", "completed", "failed"},
    "running": {"running", "completed"},
    "paused": {"paused"},
    "completed": {"completed"},
    "failed": {"failed"},
}


class Answer:
    """What the application sends."""

    def __init__(self) -> None:
        self.status_code = 0
        self.content = b""

    @property
    def is_success(self) -> bool:
        return self.status_code < 300

    def json(self) -> Any:
        return json.loads(self.content)


async def answer(
    app: ASGIApp, method: str, path: str, body: Json | None, query: dict[str, str]
) -> Answer:
    """Ask without a client, which would take as long as what it asks: there are thousands."""
    content, told = json.dumps(body).encode() if body else b"", Answer()
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": f"/atoms/v1{path}",
        "raw_path": f"/atoms/v1{path}".encode(),
        "query_string": urlencode(query).encode(),
        "headers": [
            (b"authorization", b"Bearer sk_test"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        told.status_code = message.get("status", told.status_code)
        told.content += message.get("body", b"")

    await app(scope, receive, send)
    return told


class Campaigns(RuleBasedStateMachine):
    """One organization whose sandbox is looked at after every operation."""

    drafts = Bundle("drafts")
    completion: Completion = "settled"

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.status: dict[str, str] = {}
        self.pausing: set[str] = set()
        self.cancelled_in_queue: Counter[str] = Counter()
        self.ended: dict[str, str] = {}

    @initialize(speed=st.sampled_from([1.0, 60.0, 60.0, "max"]), seed=st.integers(0, 1000))
    def begin(self, speed: Speed, seed: int) -> None:
        self.options = Options(speed=speed, seed=seed, org_limit=SLOTS, completion=self.completion)
        self.open()
        self.audiences = [AUDIENCE, self.ask("GET", "/audience").json()["data"][1]["_id"]]

    def open(self) -> None:
        path = Path(self.folder.name) / "sandbox.db"
        self.world = World.open(path, now=self.clock.now, options=self.options)
        self.app = create_app(self.world)

    def close(self) -> None:
        self.world.close()

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.finish()
        finally:
            if hasattr(self, "world"):
                self.close()
            self.runner.close()
            self.folder.cleanup()

    def ask(
        self, method: str, path: str, body: Json | None = None, query: dict[str, str] | None = None
    ) -> Answer:
        return self.runner.run(answer(self.app, method, path, body, query or {}))

    def attempt(self, method: str, campaign: str, part: str, allowed: tuple[str, ...]) -> bool:
        """Do something that the status must allow; returns whether it was done."""
        before = self.look(campaign)["campaign"]["status"]
        response = self.ask(method, f"/campaign/{campaign}{part}")
        assert response.status_code in (200, 202, 400)
        if self.options.speed != "max":  # there every request moves the world on
            assert response.is_success == (before in allowed)
        return response.is_success

    @rule(
        target=drafts,
        size=st.integers(0, 1),
        retries=st.integers(0, 3),
        delay=st.integers(1, 5),
        schedule=st.none() | st.integers(1, 600),
        caller=st.booleans(),
    )
    def create(
        self, size: int, retries: int, delay: int, schedule: int | None, caller: bool
    ) -> str:
        body: Json = {
            "name": "Campaign",
            "agentId": AGENT,
            "audienceId": self.audiences[size],
            "phoneNumberIds": [CALLER_ID] if caller else [],
            "maxRetries": retries,
            "retryDelay": delay,
        }
        if schedule:
            at = self.world.now() + timedelta(seconds=schedule + 1)
            body["scheduledAt"] = at.isoformat()
        created = self.ask("POST", "/campaign", body).json()["data"]
        self.status[created["_id"]] = created["status"]
        return created["_id"]

    @rule(target=drafts, size=st.integers(0, 1), retries=st.integers(0, 2))
    def create_and_start(self, size: int, retries: int) -> str:
        made = self.create(size, retries, delay=1, schedule=None, caller=True)
        campaign = str(made)  # hypothesis types what a rule gives as a bundle
        self.start(campaign)
        return campaign

    @rule(campaign=drafts)
    def start(self, campaign: str) -> None:
        if self.attempt("POST", campaign, "/start", ("draft", "paused")):
            self.pausing.discard(campaign)
            self.status[campaign] = "processing"

    @rule(campaign=drafts)
    def pause(self, campaign: str) -> None:
        if self.attempt("POST", campaign, "/pause", ("processing", "running")):
            self.pausing.add(campaign)

    @rule(campaign=consumes(drafts))
    def delete(self, campaign: str) -> None:
        allowed = ("draft", "scheduled", "paused", "completed", "failed")
        if self.attempt("DELETE", campaign, "", allowed):
            del self.status[campaign]
            assert self.ask("GET", f"/campaign/{campaign}").status_code == 404

    @rule(campaign=drafts, index=st.integers(0, 30))
    def cancel_a_call(self, campaign: str, index: int) -> None:
        calls = self.calls(campaign)
        calls = [call for call in calls if call["status"] not in ENDED] or calls
        if not calls:
            return
        call = calls[index % len(calls)]
        response = self.ask("POST", "/conversation/cancel", {"callId": call["callId"]})
        if response.is_success:
            previous = response.json()["data"]["previousStatus"]
            self.cancelled_in_queue[campaign] += previous == "in_queue"
        elif self.options.speed != "max":
            assert call["status"] in ENDED

    @rule(seconds=st.sampled_from([0.01, 0.5, 2, 7, 20, 60, 200, 3600]))
    def let_time_pass(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    @rule()
    def restart(self) -> None:
        self.close()
        self.open()

    def finish(self) -> None:
        """Let everything that was started come to its end, which must be complete."""
        for _ in range(2):
            for campaign, status in list(self.status.items()):
                if status == "paused":
                    self.start(campaign)
            self.clock.advance(days=2)
            for campaign in self.status:
                self.look(campaign)
                while self.options.speed == "max" and self.status[campaign] not in RESTING:
                    self.look(campaign)
        for campaign, status in self.status.items():
            assert status in ("draft", "completed", "failed")
            calls = self.calls(campaign)
            assert all(call["status"] in ENDED for call in calls)
            self.judge(self.look(campaign), calls)

    @invariant()
    def everything_adds_up(self) -> None:
        if not hasattr(self, "world"):
            return
        live = 0
        for campaign in list(self.status):
            details = self.look(campaign)
            calls = self.calls(campaign)
            if self.options.speed != "max":
                self.judge(details, calls)
            live += sum(call["status"] in LIVE for call in calls)
        if self.options.speed != "max":
            assert live <= SLOTS

    def look(self, campaign: str) -> Json:
        """A campaign, whose status must be one that time can have led to."""
        details = self.ask("GET", f"/campaign/{campaign}").json()["data"]
        before, after = self.status[campaign], details["campaign"]["status"]
        reachable: set[str] = BY_TIME[before] | ({"paused"} if campaign in self.pausing else set())
        assert after in reachable, (before, after)
        self.status[campaign] = after
        if after in ("paused", "completed", "failed"):
            self.pausing.discard(campaign)
        return details

    def calls(self, campaign: str) -> list[Json]:
        query = {"campaignIds": campaign, "callAttemptFilter": "all", "limit": "500"}
        order = {"sortBy": "createdAt", "sortOrder": "asc"}
        rows = self.ask("GET", "/conversation", query=query | order).json()["data"]["logs"]
        for call in rows:
            known = self.ended.get(call["callId"], call["status"])
            assert call["status"] == known  # what has ended stays as it is
            if call["status"] in ENDED:
                self.ended[call["callId"]] = call["status"]
        return rows

    def judge(self, details: Json, calls: list[Json]) -> None:
        shown, metrics = details["campaign"], details["metrics"]
        called = {call["to"] for call in calls if call["status"] in CALLED}
        connected = {call["to"] for call in calls if call["status"] == "completed"}
        assert metrics["contacts_called"] == len(called)
        assert metrics["contacts_connected"] == len(connected)
        assert len(connected) == sum(call["status"] == "completed" for call in calls)
        self.judge_attempts(shown, calls)
        processed = sum(execution["processedMembers"] for execution in shown["executions"])
        assert processed <= metrics["total_participants"]
        if shown["status"] == "completed":
            assert processed == metrics["total_participants"]
            if self.completion == "settled":
                assert all(call["status"] in ENDED for call in calls)
        if shown["status"] in ("draft", "scheduled", "failed"):
            assert not calls

    def judge_attempts(self, shown: Json, calls: list[Json]) -> None:
        families: dict[str, list[Json]] = {}
        requeued = 0
        for call in calls:
            family = families.setdefault(call["to"], [])
            if family and family[-1]["retryAttemptNumber"] == call["retryAttemptNumber"]:
                assert family.pop()["status"] == "cancelled"
                requeued += 1
            family.append(call)
        delay = timedelta(minutes=shown["retryDelay"])
        # A resumption has retries wait no longer than the delay, and once all calls had ended, its
        # clock is that on the wall again, which may be behind the last of them.
        resumed = [time_of(row["startedAt"]) for row in shown["executions"][1:]]
        for family in families.values():
            assert len(family) <= shown["maxRetries"] + 1
            assert [call["retryAttemptNumber"] for call in family] == list(range(len(family)))
            if shown["status"] == "completed" and self.completion == "settled":
                exhausted = len(family) == shown["maxRetries"] + 1
                assert exhausted or family[-1]["status"] in ("completed", "cancelled", "blocked")
            for earlier, later in pairwise(family):
                assert earlier["status"] in ("failed", "no_answer")
                ended = time_of(earlier["updatedAt"])
                assert time_of(later["createdAt"]) >= min([ended, *resumed]) + delay
        taken = shown.get("cancelledCallsCount", 0)
        assert requeued <= taken
        retried = sum(
            call["retryAttemptNumber"] > 0 and call["status"] not in ("in_queue", "cancelled")
            for call in calls
        )
        assert retried <= shown["retryAttempts"] <= retried + taken + len(self.ended)


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


class DispatchedCampaigns(Campaigns):
    """The same where a campaign completes once all contacts are dispatched."""

    completion: Completion = "dispatched"


EXAMPLES = settings(
    max_examples=15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.slow
@pytest.mark.parametrize("machine", [Campaigns, DispatchedCampaigns])
def test_no_sequence_of_operations_breaks_the_world(machine: type[Campaigns]) -> None:
    run_state_machine_as_test(machine, settings=EXAMPLES)
