"""What a client must read before its first call: the size of tools/list."""

import json
from typing import Any

from benchmarks.figures import Row
from benchmarks.startup import OURS
from benchmarks.stdio import environment, started

MOST_INPUT, MOST_TOOL, MOST_REPLY = 15 * 1024, 2_400, 32 * 1024  # bytes


def size(tool: dict[str, Any]) -> int:
    """Return the bytes of what a host shows the model of one tool."""
    shown = [tool["name"], tool.get("description", ""), tool["inputSchema"]]
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def measure(state: str) -> list[Row]:
    with started(OURS, environment(ATOMS_MCP_STATE=state)) as server:
        reply = server.listed()
    sizes = {tool["name"]: size(tool) for tool in json.loads(reply)["result"]["tools"]}
    total, largest = sum(sizes.values()), max(sizes, key=lambda name: sizes[name])
    return [
        Row(
            f"`tools/list`: name, description and input schema of {len(sizes)} tools",
            f"{MOST_INPUT:,} bytes",
            f"{total:,} bytes",
            total <= MOST_INPUT,
        ),
        Row(
            "the largest tool",
            f"{MOST_TOOL:,} bytes",
            f"{sizes[largest]:,} bytes (`{largest}`)",
            sizes[largest] <= MOST_TOOL,
        ),
        Row(
            "the whole reply",
            f"{MOST_REPLY:,} bytes",
            f"{len(reply):,} bytes",
            len(reply) <= MOST_REPLY,
        ),
    ]
