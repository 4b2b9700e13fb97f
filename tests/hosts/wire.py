"""Raw JSON-RPC with our real server, over its pipes and over HTTP, in both eras; no SDK between."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx2

from tests.support.process import ENVELOPE, INITIALIZE, environment, serving_http, shutdown, spawned
from tests.support.team import ACCEPT, LEGACY, routing, told

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Sends a request of that method and those parameters; gives the message that answers it."""
# Any hour will do, and so little virtual time passes that no call ends a campaign.
SANDBOX = {"ATOMS_MCP_CALLING_HOURS": "00:00-24:00", "ATOMS_MCP_SANDBOX_SPEED": "30"}


@contextmanager
def over_stdio(state: Path, era: str) -> Generator[Ask]:
    """Start a server and speak over its pipes."""
    numbers = count(1)
    with spawned(env=environment(state, **SANDBOX)) as child:

        def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
            return child.ask(next(numbers), method, _with_envelope(era, params))

        if era == "legacy":
            ask("initialize", INITIALIZE)
            child.send("notifications/initialized")
        yield ask


@contextmanager
def over_http(state: Path, era: str) -> Generator[Ask]:
    """Start a server and speak over a socket."""
    numbers = count(1)
    env = environment(state, **SANDBOX)
    with (
        serving_http("--auth", "none", env=env) as (child, url),
        shutdown(child),
        httpx2.Client(timeout=30) as http,
    ):
        session: dict[str, str] = {}

        def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
            message = {"jsonrpc": "2.0", "id": next(numbers), "method": method}
            body = {**message, "params": _with_envelope(era, params)}
            headers = {**ACCEPT, **session} if era == "legacy" else routing(method, params)
            answer = http.post(url, content=json.dumps(body), headers={**headers, **_JSON})
            if number := answer.headers.get("mcp-session-id"):
                session.update(LEGACY, **{"Mcp-Session-Id": number})
            return told(answer)

        if era == "legacy":
            ask("initialize", INITIALIZE)
        yield ask


_JSON = {"Content-Type": "application/json"}


def _with_envelope(era: str, params: dict[str, Any]) -> dict[str, Any]:
    return params if era == "legacy" else {**params, **ENVELOPE}
