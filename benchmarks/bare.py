"""What our server is compared with: the smallest one on the same SDK.

    python -m benchmarks.bare [URL]

With an address its tool makes the request that list_audiences makes.
"""

import sys
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer

server = MCPServer("bare")

if len(sys.argv) > 1:
    import httpx2

    http = httpx2.AsyncClient(base_url=sys.argv[1], headers={"Authorization": "Bearer sk_bench"})

    @server.tool()
    async def list_audiences() -> dict[str, Any]:
        return (await http.get("/audience")).json()
else:

    @server.tool()
    def ping() -> str:
        return "pong"


anyio.run(server.run_stdio_async)
