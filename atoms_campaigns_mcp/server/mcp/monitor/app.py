"""The campaign monitor: a page that hosts with MCP Apps show beside a result.

The page is one file, asks for no network, and does everything through the host's `tools/call`.
The SDK's own helper belongs to its high-level server, whose import would delay the first reply.
"""

from pathlib import Path
from typing import Any

from mcp_types import Resource, TextResourceContents

from atoms_campaigns_mcp.server.mcp import uris

EXTENSION = "io.modelcontextprotocol/ui"
MIME = "text/html;profile=mcp-app"
PAGE = Path(__file__).with_name("page.html")
# No domain is named, so the host allows no network at all.
META: dict[str, Any] = {"ui": {"csp": {}, "prefersBorder": True}}


def listed() -> Resource:
    """Return the entry of the page in the list of resources."""
    return Resource(
        uri=uris.MONITOR,
        name="monitor",
        title="Campaign monitor",
        description="Page on which hosts with MCP Apps show a campaign, live.",
        mime_type=MIME,
        _meta=META,
    )


def page() -> TextResourceContents:
    """Return the page itself."""
    text = PAGE.read_text("utf-8")
    return TextResourceContents(uri=uris.MONITOR, mime_type=MIME, text=text, _meta=META)
