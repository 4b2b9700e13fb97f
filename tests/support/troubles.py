"""What may be wrong with an account before a start, each as a function that arranges it."""

from collections.abc import Callable
from typing import Any

from tests.support.bench import Bench
from tests.support.serving import Caller
from tests.support.tampering import alter, fail
from tests.support.world import AGENT


async def archived(bench: Bench, client: Caller) -> None:  # noqa: ARG001
    alter(bench, f"GET /agent/{AGENT}", lambda agent: {**agent, "archived": True})


async def gone(bench: Bench, client: Caller) -> None:  # noqa: ARG001
    fail(bench, f"GET /agent/{AGENT}", status=404)


def every_number(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[..., Any]:
    async def prepare(bench: Bench, client: Caller) -> None:  # noqa: ARG001
        alter(bench, "GET /product/phone-numbers", lambda rows: [change(row) for row in rows])

    return prepare


def members(change: Callable[[list[Any]], list[Any]]) -> Callable[..., Any]:
    async def prepare(bench: Bench, client: Caller) -> None:  # noqa: ARG001
        alter(
            bench,
            "GET /audience/*/members*",
            lambda data: {**data, "members": change(data["members"])},
        )

    return prepare


def listed(number: str, owner: str) -> Callable[..., Any]:
    """Put a number on the list of the organization (owner "") or of the agent."""

    async def prepare(bench: Bench, client: Caller) -> None:  # noqa: ARG001
        pattern = f"GET /dnc?*agentId={owner}*" if owner else "GET /dnc?[!a]*"
        alter(
            bench,
            pattern,
            lambda data: {**data, "entries": [*data["entries"], {"phoneNumber": number}]},
        )

    return prepare


async def rival(bench: Bench, client: Caller) -> None:  # noqa: ARG001
    def busy(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        running = {"_id": "f" * 24, "name": "Rival", "status": "running"}
        return [
            {**row, "campaigns": [*row["campaigns"], running]} if row["name"] == "List" else row
            for row in rows
        ]

    alter(bench, "GET /audience", busy)


async def poor(bench: Bench, client: Caller) -> None:  # noqa: ARG001
    alter(bench, "GET /payment/v1/credits/balance", lambda data: {**data, "creditBalance": 0})


async def full(bench: Bench, client: Caller) -> None:  # noqa: ARG001
    alter(
        bench,
        "GET /conversation*",
        lambda data: {**data, "pagination": {**data["pagination"], "total": 20}},
    )
