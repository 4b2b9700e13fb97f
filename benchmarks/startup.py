"""Spawn to the reply of tools/list: our server against a bare one on the same SDK, interleaved.

Run it with PYTHONDONTWRITEBYTECODE unset, or every start compiles every module anew.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RUNS = 11
BARE = """
import anyio
from mcp.server.mcpserver import MCPServer
server = MCPServer("bare")
@server.tool()
def ping() -> str: return "pong"
anyio.run(server.run_stdio_async)
"""
CLIENT = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
LINES = "".join(
    json.dumps({"jsonrpc": "2.0", **line}) + "\n"
    for line in (
        {"id": 1, "method": "initialize", "params": CLIENT},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    )
)


def seconds(command: list[str], env: dict[str, str]) -> float:
    """Time from spawn to the second reply."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(LINES.encode())
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.readline()
        taken = time.perf_counter() - start
        process.stdin.close()
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as state:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"ATOMS_MCP_STATE": state}
        ours = [sys.executable, "-m", "atoms_campaigns_mcp"]
        bare = [sys.executable, "-c", BARE]
        seconds(ours, env)
        seconds(bare, env)
        pairs = [(seconds(ours, env), seconds(bare, env)) for _ in range(RUNS)]
    mine, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"ours {mine * 1000:.0f} ms, bare {theirs * 1000:.0f} ms, medians of {RUNS}")
    print(f"ratio of medians {mine / theirs:.3f}, median of ratios {ratio:.3f} (budget 1.10)")


if __name__ == "__main__":
    main()
