"""MCP lives here and nowhere else: `build` assembles, `adapter` makes a result of a call."""
