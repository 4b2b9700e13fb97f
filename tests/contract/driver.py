"""Drives the sandbox's application in memory on a fake clock, every answer judged."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.referee import Referee, RefereedTransport
from tests.contract.samples import AGENT, AUDIENCE, PHONE
from tests.support.clock import FakeClock

ORIGIN = "http://sandbox"
PREFIX = "/atoms/v1"
UNKNOWN = "0123456789abcdef01234567"
UNKNOWN_CALL = "CALL-1778226705739-7e4c17"
REFEREE = Referee()

behaviour = pytest.mark.behaviour


def only(outcome: str) -> Odds:
    """Odds with which every dial ends the same way."""
    names = ("connected", "no_answer", "voicemail", "busy", "failed")
    return Odds(**{name: float(name == outcome) for name in names})


@dataclass
class Driver:
    """A client of one sandbox, in short words; `ok` and `refused` also judge the shape.

    Attributes:
        clock: The only thing that moves the sandbox's time.
        world: The sandbox.
        http: Both sides of each exchange are judged.
        careless: Requests may be mistakes, answers are judged.
        unjudged: For paths that the document does not have.
    """

    clock: FakeClock
    world: World
    http: httpx2.AsyncClient
    careless: httpx2.AsyncClient
    unjudged: httpx2.AsyncClient

    async def ok(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """The data of an answer that must be a success."""
        response = await self.http.request(method, path, **more)
        assert response.status_code == status, response.text
        return response.json().get("data")

    async def refused(self, method: str, path: str, status: int = 400, **more: Any) -> list[str]:
        """The errors of an answer that must be a refusal."""
        response = await self.careless.request(method, path, **more)
        assert response.status_code == status, response.text
        return response.json()["errors"]

    async def get(self, path: str, **query: Any) -> Any:
        return await self.ok("GET", path, params=query)

    async def post(self, path: str, body: object = None, status: int = 200) -> Any:
        more = {} if body is None else {"json": body}
        return await self.ok("POST", path, status, **more)

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.clock.advance(**delta)

    async def draft(self, **changes: Any) -> str:
        """Create a campaign with the contacts and the number of the samples."""
        body: dict[str, Any] = {
            "name": "Spring",
            "agentId": AGENT,
            "audienceId": AUDIENCE,
            "phoneNumberIds": [PHONE],
            **changes,
        }
        given = {name: value for name, value in body.items() if value is not None}
        return (await self.post("/campaign", given, 201))["_id"]

    async def start(self, campaign: str) -> Any:
        return await self.post(f"/campaign/{campaign}/start", status=202)

    async def started(self, *, seconds: float = 1.2, **changes: Any) -> str:
        """Create and start a campaign; by default it then runs and has called nobody yet."""
        campaign = await self.draft(**changes)
        await self.start(campaign)
        self.later(seconds=seconds)
        return campaign

    async def in_state(self, state: str) -> str:
        """Bring a new campaign into a state."""
        if state == "draft":
            return await self.draft()
        if state == "scheduled":
            return await self.draft(scheduledAt="2027-01-05T10:00:00.000Z")
        if state == "failed":
            return await self.started(agentId=await self.agent(), phoneNumberIds=None)
        seconds = 0.5 if state == "processing" else 3
        campaign = await self.started(seconds=seconds, maxRetries=0)
        if state == "paused":
            await self.paused(campaign)
        if state == "completed":
            self.later(minutes=5)
        return campaign

    async def paused(self, campaign: str) -> Any:
        """Pause a campaign and wait until it is; gives its document."""
        await self.post(f"/campaign/{campaign}/pause")
        self.later(seconds=1.2)
        document = await self.campaign(campaign)
        assert document["status"] == "paused"
        return document

    async def campaign(self, campaign: str) -> Any:
        return (await self.get(f"/campaign/{campaign}"))["campaign"]

    async def status(self, campaign: str) -> str:
        return (await self.campaign(campaign))["status"]

    async def metrics(self, campaign: str) -> tuple[int, int, int]:
        """Participants, called, connected."""
        metrics = (await self.get(f"/campaign/{campaign}"))["metrics"]
        names = ("total_participants", "contacts_called", "contacts_connected")
        assert metrics.keys() == set(names)
        participants, called, connected = (metrics[name] for name in names)
        return participants, called, connected

    async def actions(self, campaign: str) -> list[str]:
        """What happened to a campaign, oldest first."""
        events = (await self.get(f"/campaign/{campaign}"))["events"]
        return [event["eventAction"] for event in reversed(events)]

    async def calls(self, campaign: str, **query: Any) -> list[Any]:
        """All calls of a campaign, oldest first, retries included unless asked otherwise."""
        query = {"callAttemptFilter": "all", "limit": 500, **query}
        data = await self.get("/conversation", campaignIds=campaign, **query)
        return sorted(data["logs"], key=lambda call: (call["createdAt"], call["callId"]))

    async def export(self, campaign: str) -> Any:
        response = await self.http.get(f"/campaign/{campaign}/export/by-audience-member")
        assert response.status_code == 200, response.text
        return response.json()

    async def upload(
        self, file: str | bytes, *, column: str = "phoneNumber", **fields: str
    ) -> httpx2.Response:
        """Send a CSV; the answer is judged, whatever it is."""
        content = file.encode() if isinstance(file, str) else file
        return await self.careless.post(
            "/audience",
            data={"name": "Uploaded", "phoneNumberColumnName": column, **fields},
            files={"file": ("contacts.csv", content, "text/csv")},
        )

    async def audience(self, file: str | bytes, **fields: str) -> str:
        """Make an audience of a good CSV."""
        response = await self.upload(file, **fields)
        assert response.status_code == 200, response.text
        return response.json()["data"]["_id"]

    async def members(self, audience: str) -> list[Any]:
        """The columns of each member."""
        page = await self.get(f"/audience/{audience}/members", offset=100)
        return [member["data"] for member in page["members"]]

    async def agent(self) -> str:
        """Make an agent that has no number."""
        return await self.post("/agent", {"name": "Numberless"}, 201)


@asynccontextmanager
async def driving(
    *,
    db: Path | None = None,
    clock: FakeClock | None = None,
    key: str = "sk_sandbox",
    **options: Any,
) -> AsyncGenerator[Driver]:
    """Open a sandbox that runs as fast as the fake clock says."""
    clock = clock or FakeClock()
    world = World.open(db or ":memory:", now=clock.now, options=Options(speed=1, **options))
    app = create_app(world, sleep=clock.sleep)
    transports = (
        RefereedTransport(httpx2.ASGITransport(app=app), referee=REFEREE),
        RefereedTransport(httpx2.ASGITransport(app=app), referee=REFEREE, judge_requests=False),
        httpx2.ASGITransport(app=app),
    )
    clients = [
        httpx2.AsyncClient(
            transport=transport,
            base_url=ORIGIN + PREFIX,
            headers={"Authorization": f"Bearer {key}"},
        )
        for transport in transports
    ]
    try:
        yield Driver(clock, world, *clients)
    finally:
        for client in clients:
            await client.aclose()
        world.close()
