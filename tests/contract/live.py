"""Compares a real account's answers with openapi.yaml: it only reads, and keeps shapes, no values.

scripts/contract --live        # with the key in SMALLEST_API_KEY
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

import anyio
import httpx2

from atoms_campaigns_mcp.config.settings import DEFAULT_API_URL
from tests.contract.document import Operation, operations

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_]{0,39}")
PREFIX: Final = "/atoms/v1"  # as the document writes it, whatever the host has


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """Where answers differ from the document: operation, status, place in the answer, and how.

    `place` holds names of the document, and `*` where a name or an index could be somebody's data.
    """

    operation: str
    status: int
    place: str
    how: str


@dataclass(slots=True)
class Report:
    """What was read, and how it differs."""

    read: dict[str, int] = field(default_factory=dict[str, int])
    differences: set[Difference] = field(default_factory=set[Difference])
    skipped: dict[str, str] = field(default_factory=dict[str, str])

    def lines(self) -> Iterator[str]:
        yield f"{sum(self.read.values())} answers of {len(self.read)} operations were compared."
        for operation, why in sorted(self.skipped.items()):
            yield f"not read: {operation}: {why}"
        for one in sorted(self.differences):
            yield f"differs: {one.operation} {one.status} {one.place or 'answer'}: {one.how}"
        if not self.differences:
            yield "No answer differs from the document."


class ReadOnly(httpx2.AsyncBaseTransport):
    """Lets nothing but GET through."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "GET":
            raise PermissionError(f"{request.method} would change something; nothing was sent")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def compare(http: httpx2.AsyncClient) -> Report:
    """Read one of everything that the account has, and compare it.

    `http` has the API's address as its base, and the key in its headers.
    """
    reader = _Reader(http)
    for path in ("/user", "/user/subscription", "/account/get-account-details", "/concurrency"):
        await reader.get(path)
    await reader.get("/product/phone-numbers")
    await reader.get("/dnc", offset="50", page="1")
    agents = await reader.get("/agent", offset="5", page="1")
    await reader.first(agents, "agents", "_id", "get_agent", "/agent/{}")
    audiences = await reader.get("/audience")
    await reader.first(audiences, "", "_id", "get_audience", "/audience/{}")
    await reader.first(
        audiences, "", "_id", "list_members", "/audience/{}/members", page="1", offset="5"
    )
    campaigns = await reader.get("/campaign", offset="5", page="1")
    await reader.first(campaigns, "campaigns", "_id", "get_campaign", "/campaign/{}")
    calls = await reader.get("/conversation", limit="5", page="1")
    await reader.first(calls, "logs", "callId", "get_call", "/conversation/{}")
    await reader.first(calls, "logs", "callId", "list_retries", "/conversation/{}/retries")
    return reader.report


class _Reader:
    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self.report = Report()

    async def get(self, path: str, **query: str) -> Any:
        """Return an answer's data, None if there is none; what differs goes into the report."""
        request = self._http.build_request("GET", path.removeprefix("/"), params=query)
        operation = _operation(path)
        try:
            response = await self._http.send(request)
            await response.aread()
        except httpx2.TransportError:
            self.report.skipped[operation.id] = "no answer"
            return None
        self.report.read[operation.id] = self.report.read.get(operation.id, 0) + 1
        try:
            body = response.json()
        except ValueError:
            body = None
        found = _differences(operation, response, body)
        self.report.differences.update(
            Difference(operation.id, response.status_code, place, how) for place, how in found
        )
        return _member(body, "data") if response.is_success else None

    async def first(
        self, data: Any, rows: str, key: str, operation: str, path: str, **query: str
    ) -> None:
        """Read what the first row of a list names."""
        listed = _member(data, rows) if rows else data
        row = cast("list[Any]", listed)[0] if isinstance(listed, list) and listed else None
        found = _member(row, key)
        if isinstance(found, str) and re.fullmatch(r"[\w-]+", found):
            await self.get(path.format(found), **query)
        else:
            self.report.skipped[operation] = "the account has none"


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def _operation(path: str) -> Operation:
    return next(
        one for one in operations() if one.method == "GET" and one.path.fullmatch(PREFIX + path)
    )


def _differences(
    operation: Operation, response: httpx2.Response, body: Any
) -> Iterator[tuple[str, str]]:
    reply = operation.replies.get(response.status_code)
    if reply is None:
        yield "", "this status is not in the document"
        return
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    validator = reply.media.get(kind)
    if validator is None:
        yield "", "another media type"
    elif kind == "application/json":
        for error in validator.iter_errors(body):
            yield _place(error.instance_path), _how(error.kind, error.schema_path)


def _place(path: list[str | int]) -> str:
    return "".join("[*]" if isinstance(step, int) else f".{_named(step)}" for step in path)


def _how(kind: Any, schema_path: list[str | int]) -> str:
    missing = getattr(kind, "property", None)
    if isinstance(missing, str):
        return f"{_named(missing)} is missing"
    return f"breaks {_named(str(schema_path[-1]))}" if schema_path else "differs"


def _named(text: str) -> str:
    """Return a name that can be no number, address or id; else a star."""
    return text if NAME.fullmatch(text) else "*"


def _client(environment: Mapping[str, str]) -> httpx2.AsyncClient:
    key = environment.get("SMALLEST_API_KEY", "").strip()
    if not key:
        raise SystemExit("Set SMALLEST_API_KEY to the key of the account to compare.")
    url = environment.get("ATOMS_API_URL", "").strip() or DEFAULT_API_URL
    return httpx2.AsyncClient(
        transport=ReadOnly(httpx2.AsyncHTTPTransport()),
        base_url=url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )


async def _compared(environment: Mapping[str, str]) -> Report:
    async with _client(environment) as http:
        return await compare(http)


def main() -> int:
    """Print what differs; 1 if something does."""
    parser = argparse.ArgumentParser(prog="scripts/contract", description=__doc__)
    parser.add_argument("--live", action="store_true", required=True, help="ask the real API")
    parser.parse_args()
    report = anyio.run(_compared, os.environ)
    sys.stdout.write("\n".join([*report.lines(), ""]))
    return 1 if report.differences or not report.read else 0


if __name__ == "__main__":
    sys.exit(main())
