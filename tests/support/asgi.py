"""An ASGI application and its messages, for tests of one middleware."""

import anyio
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from atoms_campaigns_mcp.server.auth.principal import SCOPE, Principal


async def hanging(_: Scope, __: Receive, ___: Send) -> None:
    await anyio.sleep_forever()


def request_of(tenant: str, method: str = "POST", headers: dict[str, str] | None = None) -> Scope:
    raw = Headers(headers or {}).raw
    scope: Scope = {"type": "http", "method": method, "path": "/mcp", "headers": raw}
    return {**scope, SCOPE: Principal(tenant)}


async def nothing() -> Message:
    await anyio.sleep_forever()
    raise AssertionError


async def unheard(_: Message) -> None:
    pass
