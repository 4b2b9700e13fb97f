"""The paths that are served."""

MCP = "/mcp"
UPLOADS = "/contacts"
HEALTH = "/health/"
