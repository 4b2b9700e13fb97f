"""What the SDK says before a client calls a tool, written down for `server/stdio/early.py`."""

import json
from typing import Any

import anyio
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCRequest, JSONRPCResponse
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, LATEST_MODERN_VERSION

from atoms_campaigns_mcp.config.settings import Mode, Settings
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.server.stdio.early import OTHERS, STATELESS

HANDSHAKE = ["initialize", "ping", "tools/list"]
REQUESTS = ["server/discover", "tools/list"]
ENVELOPE = {
    "_meta": {
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
}


def greetings() -> str:
    """Return the file of results, by mode and era, as it should be."""
    if STATELESS != LATEST_MODERN_VERSION:
        raise SystemExit(f"server/stdio/early.py serves {STATELESS}, not {LATEST_MODERN_VERSION}")
    versions = {one: _offered(one) for one in HANDSHAKE_PROTOCOL_VERSIONS}
    versions[OTHERS] = _offered("")
    told = {mode: _told(mode) for mode in ("sandbox", "live")}
    return json.dumps({"versions": versions, **told}, indent=1, ensure_ascii=False) + "\n"


def _told(mode: Mode) -> dict[str, Any]:
    eras = {
        "handshake": _results(mode, [(method, _params(method)) for method in HANDSHAKE]),
        "stateless": _results(mode, [(method, ENVELOPE) for method in REQUESTS]),
    }
    del eras["handshake"]["initialize"]["protocolVersion"]
    for told in (eras["handshake"]["initialize"], eras["stateless"]["server/discover"]):
        del told["instructions"]  # depend on more than the mode
    for results in eras.values():
        del results["tools/list"]["tools"]  # in a snapshot of their own
    return eras


def _offered(version: str) -> str:
    results = _results("sandbox", [("initialize", _params("initialize", version))])
    return results["initialize"]["protocolVersion"]


def _params(method: str, version: str = "") -> dict[str, Any]:
    if method != "initialize":
        return {}
    client = {"name": "generate", "version": "1"}
    return {"protocolVersion": version, "capabilities": {}, "clientInfo": client}


def _results(mode: Mode, requests: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Have a session of the SDK answer requests; return its results by method."""
    settings = Settings(api_key="sk_live" if mode == "live" else "")

    async def converse() -> dict[str, Any]:
        server = build(settings, RuntimePool(settings))
        into, heard = anyio.create_memory_object_stream[SessionMessage | Exception]()
        out, said = anyio.create_memory_object_stream[SessionMessage]()
        found: dict[str, Any] = {}
        async with into, heard, out, said, anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, heard, out, server.create_initialization_options())
            for method, params in requests:
                request = JSONRPCRequest(jsonrpc="2.0", id=1, method=method, params=params)
                await into.send(SessionMessage(request))
                answer = (await said.receive()).message
                if not isinstance(answer, JSONRPCResponse):
                    raise SystemExit(f"{method} is refused: {answer}")
                found[method] = answer.result
            tasks.cancel_scope.cancel()
        return found

    return anyio.run(converse)
