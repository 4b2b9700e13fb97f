"""Stands between the replicas and the emulated API, and remembers what that accepted."""

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from atoms_campaigns_mcp.config.identity import tenant_of

KEPT = ("authorization", "content-type")
Made = tuple[str, str, str]
"""Tenant, tool, and the campaign's name or id; ids are the API's, and not unique across tenants."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A request that got its answer `at` so many seconds of `time.perf_counter`."""

    at: float
    method: str
    path: str
    accepted: bool
    tenant: str  # as the journal names it
    name: str = ""  # of the campaign that it creates

    @property
    def change(self) -> Made | None:
        """The change that this made, if it made one that must be recorded."""
        parts = self.path.split("/")[3:]
        if not self.accepted or parts[:1] != ["campaign"]:
            return None
        match self.method, parts[1:]:
            case "POST", []:
                return self.tenant, "create_campaign", self.name
            case "POST", [campaign, "start"]:
                return self.tenant, "start_campaign", campaign
            case "DELETE", [campaign]:
                return self.tenant, "delete_campaign", campaign
            case _:
                return None


@dataclass
class Passing:
    """An ASGI application."""

    origin: str
    http: httpx2.AsyncClient
    passed: list[Passed] = field(default_factory=list[Passed])
    _more: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        path, query = request.url.path, request.url.query
        reply = await self.http.request(
            request.method,
            f"{self.origin}{path}{'?' if query else ''}{query}",
            content=body,
            headers={k: v for k, v in request.headers.items() if k in KEPT},
        )
        creates = request.method == "POST" and path.endswith("/campaign")
        name = json.loads(body)["name"] if creates else ""
        tenant = tenant_of(request.headers.get("authorization", "").removeprefix("Bearer "))
        now = time.perf_counter()
        self.passed.append(Passed(now, request.method, path, reply.is_success, tenant, name))
        self._more.set()
        kind = reply.headers.get("content-type")
        return Response(reply.content, reply.status_code, media_type=kind)

    def changes(self) -> Counter[Made]:
        """Count each change that the API accepted and the journal must have."""
        return Counter(each.change for each in self.passed if each.change)

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for requests until it holds."""
        while not holds():
            self._more = anyio.Event()
            await self._more.wait()
