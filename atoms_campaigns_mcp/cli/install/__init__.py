"""Telling clients of this server. Names only: the command line loads this on every start."""

CLIENT_NAMES = ("claude-desktop", "claude-code", "cursor", "vscode", "codex", "gemini")
