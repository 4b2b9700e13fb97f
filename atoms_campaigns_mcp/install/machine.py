"""The machine that a command looks at or writes to; tests pass made-up ones."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atoms_campaigns_mcp import invocation


@dataclass(frozen=True, slots=True)
class Machine:
    """A home folder, a platform as `sys.platform` names it, an environment, a clock, a Python.

    `command` starts this program again when it is typed.
    """

    home: Path
    platform: str
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    executable: str
    command: str = invocation.NAME

    @classmethod
    def here(cls) -> "Machine":
        """Describe the machine that this runs on."""
        return cls(
            home=Path.home(),
            platform=sys.platform,
            environ=os.environ,
            now=lambda: datetime.now(UTC),
            executable=sys.executable,
            command=invocation.command(),
        )

    @property
    def windows(self) -> bool:
        """Say whether files have no POSIX permissions here."""
        return self.platform == "win32"

    def folder(self, variable: str, default: Path) -> Path:
        """Give the folder that `variable` names, or the default."""
        return Path(self.environ[variable]) if self.environ.get(variable) else default

    def application_data(self) -> Path:
        """Give the folder in which desktop programs keep their settings."""
        if self.windows:
            return self.folder("APPDATA", self.home / "AppData" / "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", self.home / ".config")
