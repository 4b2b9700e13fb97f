"""Made-up machines: a home folder of the test's, any platform, any environment."""

from pathlib import Path

from atoms_campaigns_mcp.cli.install.machine import Machine
from tests.support.clock import FakeClock

PYTHON = "/opt/atoms/bin/python3"
PLATFORMS = ("linux", "darwin", "win32")


def machine_in(home: Path, platform: str = "linux", **environ: str) -> Machine:
    return Machine(home, platform, environ, FakeClock().now, PYTHON)
