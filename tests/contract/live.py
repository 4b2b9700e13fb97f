"""Compares a real account's answers with openapi.yaml: it only reads, and keeps shapes, no values.

scripts/contract --live        # with the key in SMALLEST_API_KEY
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

import anyio
import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from tests.contract.shapes import PREFIX, Difference, differences, operation_of

BILLING: Final = "/payment/v1"
BAD_USAGE: Final = 2
LARGEST: Final = 20_000_000  # bytes of an answer; the export of a large campaign may have more


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
            yield f"differs: {one}"
        if self.read and not self.differences:
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


async def compare(http: httpx2.AsyncClient, billing: str = "") -> Report:
    """Read one of everything that the account has, and compare it.

    `http` has the API's address as its base, and the key in its headers; `billing` is the address
    of billing, "" for the one on the same host.
    """
    reader = _Reader(http, billing or str(http.base_url.copy_with(path=BILLING)))
    for path in ("/user", "/user/subscription", "/account/get-account-details", "/concurrency"):
        await reader.get(path)
    await reader.get("/credits/balance")
    await reader.get("/product/phone-numbers")
    await reader.get("/dnc", offset="50", page="1")
    await reader.get("/analytics/call-counts-log", limit="5", page="1")
    agents = await reader.get("/agent", offset="5", page="1")
    await reader.first(agents, "agents", "_id", "/agent/{}")
    audiences = await reader.get("/audience")
    await reader.first(audiences, "", "_id", "/audience/{}")
    await reader.first(audiences, "", "_id", "/audience/{}/members", page="1", offset="5")
    await reader.first(audiences, "", "_id", "/audience/{}/members/search", query="1")
    await _campaigns(reader)
    calls = await reader.get("/conversation", limit="5", page="1")
    await reader.first(calls, "logs", "callId", "/conversation/{}")
    await reader.first(calls, "logs", "callId", "/conversation/{}/retries")
    return reader.report


async def _campaigns(reader: "_Reader") -> None:
    newest = await reader.get("/campaign", offset="5", page="1")
    # The exports of a draft are empty, so one that has called is better.
    over = await reader.get("/campaign", offset="5", page="1", status="completed")
    listed = over if _rows(over, "campaigns") else newest
    await reader.first(listed, "campaigns", "_id", "/campaign/{}")
    await reader.first(listed, "campaigns", "_id", "/campaign/{}/export/by-audience-member")
    await reader.first(
        listed, "campaigns", "_id", "/campaign/{}/export/by-audience-member", format="csv"
    )
    await reader.first(listed, "campaigns", "_id", "/campaign/{}/logs/export")


class _Reader:
    def __init__(self, http: httpx2.AsyncClient, billing: str) -> None:
        self._http = http
        self._billing = billing
        self._refused: dict[int, str] = {}
        self.report = Report()

    async def get(self, path: str, **query: str) -> Any:
        """Return an answer's data, None if there is none; what differs goes into the report."""
        paid = path.startswith("/credits/")
        operation = operation_of("GET", (BILLING if paid else PREFIX) + path)
        if operation is None:
            raise LookupError(f"the document has no GET {path}")
        url = self._billing + path if paid else path.removeprefix("/")
        try:
            async with self._http.stream("GET", url, params=query) as response:
                content = await _read(response)
        except httpx2.TransportError:
            self.report.skipped[operation.id] = "no answer"
            return None
        if content is None:
            self.report.skipped[operation.id] = f"more than {LARGEST // 1_000_000} MB"
            return None
        self.report.read[operation.id] = self.report.read.get(operation.id, 0) + 1
        body = _parsed(content)
        kind = response.headers.get("content-type", "")
        found = differences(operation, response.status_code, kind, body)
        self.report.differences.update(found)
        return _member(body, "data") if response.is_success else response.status_code

    async def first(self, data: Any, rows: str, key: str, path: str, **query: str) -> None:
        """Read what the first row of a list names; `data` is a status where it was refused."""
        operation = operation_of("GET", PREFIX + path.format("1"))
        if operation is None:
            raise LookupError(f"the document has no GET {path}")
        listed = _rows(data, rows)
        found = _member(listed[0], key) if listed else None
        if isinstance(found, str) and re.fullmatch(r"[\w-]+", found):
            await self.get(path.format(found), **query)
        elif isinstance(data, int):
            self.report.skipped[operation.id] = f"the list before it answered {data}"
        else:
            self.report.skipped[operation.id] = "the account has none"


async def _read(response: httpx2.Response) -> bytes | None:
    """Return the body, or nothing of one that is too large."""
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > LARGEST:
            return None
    return bytes(content)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _rows(data: Any, name: str) -> list[Any]:
    listed = _member(data, name) if name else data
    return cast("list[Any]", listed) if isinstance(listed, list) else []


def _member(value: Any, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


async def _compared(settings: Settings) -> Report:
    async with httpx2.AsyncClient(
        transport=ReadOnly(httpx2.AsyncHTTPTransport()),
        base_url=settings.api_url.rstrip("/") + "/",
        headers={"Authorization": f"Bearer {settings.api_key}"},
        timeout=30,
        trust_env=False,
    ) as http:
        return await compare(http, settings.billing_url)


def live_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings, which must have a key.

    Raises:
        ConfigurationError: They have none, or contradict each other.
    """
    settings = Settings.load(environment)
    if not settings.api_key:
        raise ConfigurationError("Set SMALLEST_API_KEY to the key of the account.")
    return settings


def main(argv: Sequence[str] | None = None) -> int:
    """Print what differs; 0 if nothing does, 1 if something does, 2 if it could not be asked."""
    parser = argparse.ArgumentParser(prog="scripts/contract", description=__doc__)
    parser.add_argument("--live", action="store_true", required=True, help="ask the real API")
    parser.parse_args(argv)
    try:
        settings = live_settings(os.environ)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_USAGE
    sys.stdout.write(f"Reading from {urlsplit(settings.api_url).hostname}; nothing is changed.\n")
    report = anyio.run(_compared, settings)
    sys.stdout.write("\n".join([*report.lines(), ""]))
    if not report.read:
        return BAD_USAGE
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
