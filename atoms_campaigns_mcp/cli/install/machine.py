"""The machine that a command looks at or writes to; tests pass made-up ones."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atoms_campaigns_mcp import NAME
from atoms_campaigns_mcp.cli import invocation
from atoms_campaigns_mcp.config.policy_file import Folder, folders, policies, user_home
from atoms_campaigns_mcp.config.sources import Source
from atoms_campaigns_mcp.errors import ConfigurationError


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
    command: str = NAME
    policy_folders: tuple[Folder, ...] = ()

    @classmethod
    def here(cls) -> "Machine":
        """Describe the machine that this runs on.

        Raises:
            ConfigurationError: Nobody knows where the user's files are.
        """
        if (home := user_home()) is None:
            raise ConfigurationError("The user's home folder is not known.", next_step="Set HOME.")
        return cls(
            home=home,
            platform=sys.platform,
            environ=os.environ,
            now=lambda: datetime.now(UTC),
            executable=sys.executable,
            command=invocation.command(),
            policy_folders=folders(home, sys.platform, os.environ),
        )

    @property
    def windows(self) -> bool:
        """Return whether files have no POSIX permissions here."""
        return self.platform == "win32"

    def policies(self) -> list[Source]:
        """Read the policies of the site and the user.

        Raises:
            ConfigurationError: One cannot be used.
        """
        return policies(self.policy_folders)

    def folder(self, variable: str, default: Path) -> Path:
        """Return the folder that `variable` names, or the default."""
        return Path(self.environ[variable]) if self.environ.get(variable) else default

    def application_data(self) -> Path:
        """Return the folder in which desktop programs keep their settings."""
        if self.windows:
            return self.folder("APPDATA", self.home / "AppData" / "Roaming")
        if self.platform == "darwin":
            return self.home / "Library" / "Application Support"
        return self.folder("XDG_CONFIG_HOME", self.home / ".config")
