"""An MCP server with which AI agents run outbound voice-call campaigns on Smallest.ai Atoms."""

__version__ = "0.1.0"
