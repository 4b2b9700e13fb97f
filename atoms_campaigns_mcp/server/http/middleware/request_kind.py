"""Telling apart, before a body is received, what only waits and what must get through."""

import anyio
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from atoms_campaigns_mcp.server import jsonrpc
from atoms_campaigns_mcp.server.http.middleware.bodies import MESSAGE, replaying

STOP_BYTES = 4096  # of a call that stops something; what is longer is none
STOP_SECONDS = 2.0  # in which it must have arrived


def only_waits(scope: Scope) -> bool:
    """Return whether a request holds its place without doing much, as far as its head tells.

    A watch of the era with sessions has no header that names it.
    """
    headers = Headers(scope=scope)
    return (
        scope["method"] == "GET"
        or headers.get("mcp-method") == "subscriptions/listen"
        or headers.get("mcp-name") == "watch_campaign"
    )


async def emergency(scope: Scope, receive: Receive) -> Receive | None:
    """Look into a small message; if it is the emergency stop, give what receives it again.

    Headers do not tell it in every era, and what they tell need not be true.
    """
    length = Headers(scope=scope).get("content-length", "")
    if scope["method"] != "POST" or not length.isdecimal() or int(length) > STOP_BYTES:
        return None
    body = bytearray()
    with anyio.move_on_after(STOP_SECONDS):
        while len(body) < int(length):
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
    scope[MESSAGE] = jsonrpc.decode(bytes(body))
    stops = jsonrpc.is_stop(jsonrpc.object_in(scope[MESSAGE]))
    return replaying(bytes(body), receive) if stops else None
