"""Drives the sandbox over ASGI on a fake clock; every answer is held to our OpenAPI document."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2

from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from atoms_campaigns_mcp.sandbox.engine.options import Odds, Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.referee import Referee, RefereedTransport
from tests.support.clock import FakeClock

Json = dict[str, Any]

REFEREE = Referee()
AGENT = "696ddd281ea16a73cb8aafbe"
AUDIENCE = "696ddd287f45bf7b27344e7c"
CALLER_ID = "6963d3a8862e1cb702da7244"
UNKNOWN = "0123456789abcdef01234567"

ALWAYS_CONNECTED = Odds(connected=1, no_answer=0, voicemail=0, busy=0, failed=0)
NEVER_ANSWERED = Odds(connected=0, no_answer=1, voicemail=0, busy=0, failed=0)


def phone(index: int) -> str:
    """A made-up number, different for every index."""
    return f"+1202555{index:05}"


def csv_of(count: int) -> str:
    rows = "".join(f"{phone(index)},Person {index}\n" for index in range(count))
    return f"phoneNumber,name\n{rows}"


@dataclass
class Sandbox:
    """One key's view of a sandbox."""

    clock: FakeClock
    world: World
    http: httpx2.AsyncClient

    @classmethod
    def open(
        cls,
        db: str | Path = ":memory:",
        *,
        clock: FakeClock | None = None,
        options: Options | None = None,
        key: str = "sk_test",
    ) -> "Sandbox":
        clock = clock or FakeClock()
        world = World.open(db, now=clock.now, options=options or Options(speed=1))
        return cls(clock, world, client(world, clock, key=key))

    def as_key(self, key: str) -> "Sandbox":
        """The same sandbox seen by another organization."""
        return Sandbox(self.clock, self.world, client(self.world, self.clock, key=key))

    async def close(self) -> None:
        await self.http.aclose()
        self.world.close()

    async def send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        return await self.http.request(method, path, **request)

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """The `data` of a call that must succeed, or the whole body when there is none."""
        response = await self.send(method, path, **request)
        assert response.is_success, response.text
        body = response.json()
        if not isinstance(body, dict):
            return body
        fields = cast("Json", body)
        return fields.get("data", fields)

    async def get(self, path: str, **params: Any) -> Any:
        return await self.call("GET", path, params=params)

    async def refused(self, method: str, path: str, status: int = 400, **request: Any) -> list[str]:
        """The errors of a call that must be refused with `status`."""
        response = await self.send(method, path, **request)
        assert response.status_code == status, response.text
        return response.json()["errors"]

    async def upload(self, text: str | bytes, **fields: str) -> Any:
        return await self.call("POST", "/audience", **form(text, **fields))

    async def audience_of(self, count: int) -> str:
        return (await self.upload(csv_of(count)))["_id"]

    async def create(self, **changes: Any) -> str:
        """A draft on the seeded agent, audience and caller ID."""
        return (await self.call("POST", "/campaign", json=draft(**changes)))["_id"]

    async def start(self, campaign: str) -> Any:
        return await self.call("POST", f"/campaign/{campaign}/start")

    async def pause(self, campaign: str) -> Any:
        return await self.call("POST", f"/campaign/{campaign}/pause")

    async def started(self, **changes: Any) -> str:
        campaign = await self.create(**changes)
        await self.start(campaign)
        return campaign

    async def details(self, campaign: str) -> Any:
        return await self.get(f"/campaign/{campaign}")

    async def campaign(self, campaign: str) -> Any:
        return (await self.details(campaign))["campaign"]

    async def status(self, campaign: str) -> str:
        return (await self.campaign(campaign))["status"]

    async def calls(self, campaign: str, **filters: Any) -> list[Json]:
        """All attempts of a campaign, oldest first."""
        wanted = {"campaignIds": campaign, "callAttemptFilter": "all", "limit": 500} | filters
        rows = await self.get("/conversation", sortBy="createdAt", sortOrder="asc", **wanted)
        return rows["logs"]

    async def wait(self, **delta: float) -> None:
        """Let time pass, then look."""
        self.clock.advance(**delta)
        await self.get("/user")


def client(
    world: World, clock: FakeClock, *, key: str = "sk_test", prefix: str = "/atoms/v1"
) -> httpx2.AsyncClient:
    inner = httpx2.ASGITransport(app=create_app(world, sleep=clock.sleep))
    return httpx2.AsyncClient(
        transport=RefereedTransport(inner, referee=REFEREE, judge_requests=False),
        base_url=f"http://sandbox{prefix}",
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )


def draft(**changes: Any) -> Json:
    body: Json = {
        "name": "January Outreach",
        "agentId": AGENT,
        "audienceId": AUDIENCE,
        "phoneNumberIds": [CALLER_ID],
    }
    return {key: value for key, value in (body | changes).items() if value is not None}


def form(text: str | bytes | None, **fields: str) -> Json:
    """The request of a CSV upload."""
    data = {"name": "Contacts", "phoneNumberColumnName": "phoneNumber"} | fields
    files = {} if text is None else {"file": ("contacts.csv", text, "text/csv")}
    return {"data": data, "files": files}


def faulty(*faults: Fault, **options: Any) -> Options:
    return Options(speed=1, faults=faults, **options)


def actions(details: Json) -> list[str]:
    """What happened to a campaign, oldest first."""
    return [event["eventAction"] for event in reversed(details["events"])]


def statuses(calls: Iterable[Json]) -> list[str]:
    return [call["status"] for call in calls]
