"""The short way to serving over stdio, which a chat waits for."""

import subprocess
import sys
from pathlib import Path

from tests.support.process import environment

# What takes long to import, and what no first answer needs.
LATER = {"argparse", "asyncio", "hashlib", "mcp", "opentelemetry", "pydantic", "shutil", "tomllib"}


def test_settings_are_checked_before_anything_slow_is_imported(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from atoms_campaigns_mcp.cli.start import main\n"
        "try: main(['serve'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import sys; sys.path += sys.argv[1:]\n" + script, *sys.path],
        capture_output=True,
        text=True,
        env=environment(tmp_path, ATOMS_MCP_LIVE="1"),
        timeout=30,
        check=True,
    )
    assert "ATOMS_MCP_LIVE is set but there is no API key." in done.stderr
    assert LATER.isdisjoint(done.stdout.split())
