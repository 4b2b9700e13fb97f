"""A client that leaves while the server still imports what a first call needs."""

import sys
from pathlib import Path

import pytest

from tests.support.process import INITIALIZE, environment, spawned

# Whatever the machine's speed, the import is not over: it waits for something that never comes.
SLOW_IMPORTS = """
import atexit, sys, threading
from atoms_campaigns_mcp.cli.start import main
from atoms_campaigns_mcp.server.stdio import session
session.import_module = lambda name: threading.Event().wait()
atexit.register(print, "the interpreter ends", file=sys.stderr)
main([])
"""


@pytest.mark.slow
def test_the_interpreter_is_not_taken_down_under_a_thread_that_imports(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW_IMPORTS]
    with spawned(env=environment(tmp_path), command=command) as child:
        child.ask(1, "initialize", INITIALIZE)
        child.ask(2, "resources/list", {})  # by the SDK, whose session has begun
        code, err = child.leave()
    assert (code, err) == (0, "")
