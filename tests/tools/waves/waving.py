"""A list over several zones, and the words with which tests schedule it."""

from typing import Any

from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.world import AGENT, CALLER_ID

NEW_YORK = [f"+1212555{number:04d}" for number in range(100, 104)]
CHICAGO = [f"+1312555{number:04d}" for number in range(100, 103)]
KOLKATA = [f"+9198765{number:05d}" for number in range(43210, 43212)]
TOLL_FREE = ["+18005550199"]  # in nobody knows which zone
EVERYBODY = [*NEW_YORK, *CHICAGO, *KOLKATA, *TOLL_FREE]
CALLS: dict[str, Any] = {
    "name": "Morning calls",
    "agent_id": AGENT,
    "audience_id": "Everybody",
    "phone_ids": [CALLER_ID],
    "date": "2027-01-11",
    "local_start": "10:00",
    "local_end": "18:00",
}
NAMES = ["Morning calls · Kolkata", "Morning calls · New York", "Morning calls · Chicago"]


async def listed(client: Caller, numbers: list[str] = EVERYBODY, name: str = "Everybody") -> str:
    """Make an audience of these numbers; give its id."""
    text = "phone,name\n" + "\n".join(f"{n},Person {i}" for i, n in enumerate(numbers))
    return (await client.call("create_audience", name=name, csv=text))["audience_id"]


async def campaigns(bench: Bench, name: str = "Morning calls") -> list[dict[str, Any]]:
    """Read the campaigns of that name behind the server's back, the earliest start first."""
    rows = (await bench.api("GET", f"/campaign?search={name}&offset=100"))["campaigns"]
    return sorted(rows, key=lambda row: row["scheduledAt"])


async def members(bench: Bench, audience_id: str) -> set[str]:
    """Read the numbers of an audience behind the server's back."""
    rows = (await bench.api("GET", f"/audience/{audience_id}/members?offset=500"))["members"]
    return {row["data"]["phoneNumber"] for row in rows}


async def audiences(bench: Bench) -> dict[str, str]:
    """Read names and ids of all audiences behind the server's back."""
    return {row["name"]: row["_id"] for row in await bench.api("GET", "/audience")}
