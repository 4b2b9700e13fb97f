"""An MCP server with which AI agents run outbound voice-call campaigns on Smallest.ai Atoms."""

NAME = "atoms-campaigns-mcp"
__version__ = "0.1.0"
