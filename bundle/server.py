"""Starts the server inside an MCP bundle, whose folder holds the package beside this file."""

from atoms_campaigns_mcp.cli.start import main

main()
