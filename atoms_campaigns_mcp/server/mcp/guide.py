"""The guide: what an agent may want to look up about states, parameters and metrics."""

from pathlib import Path

from atoms_campaigns_mcp.tool_calls.catalog import span

_PAGE = Path(__file__).with_name("guide.md")


def text() -> str:
    """Return the page, with the ranges that the tools take."""
    ranges = {name: span("create_campaign", name) for name in ("max_retries", "retry_delay")}
    return _PAGE.read_text("utf-8").format(**ranges)
