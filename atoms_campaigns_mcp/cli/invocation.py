"""How this program was called, so that a message can name a command that works when typed."""

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from atoms_campaigns_mcp import NAME

MODULE = "atoms_campaigns_mcp"


def command(
    called: str = sys.argv[0],
    python: str = sys.executable,
    find: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
) -> str:
    """Return the words that start it again: its name, if a shell finds it, or its path.

    `called` is `sys.argv[0]`; `find` looks a name up as a shell would.
    """
    script = Path(called).absolute()
    if script.stem != NAME:
        return quoted([python, "-m", MODULE], platform)
    found = find(NAME)
    if found and Path(found).absolute().parent == script.parent:
        return NAME
    return quoted([str(script)], platform)


def quoted(words: list[str], platform: str = sys.platform) -> str:
    """Return words as they are typed into a shell, whatever they hold."""
    return subprocess.list2cmdline(words) if platform == "win32" else shlex.join(words)
