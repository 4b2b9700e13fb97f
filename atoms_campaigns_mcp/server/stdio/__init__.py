"""Serving over stdin and stdout.

A chat waits for the first answers and for nothing else, so these are given from files, by the
thread that reads, while the MCP SDK is still being imported.
"""

import gc
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.stdio.early import EarlyAnswers
from atoms_campaigns_mcp.server.stdio.pipes import Inbox, Outbox, take

_SWITCH = 0.0005  # seconds after which an import makes way for an answer; usually 0.005


def serve(settings: Settings) -> None:
    """Serve until stdin ends, nobody reads stdout any more, or the process is asked to end.

    Raises:
        ConfigurationError: A package that the settings need is not installed.
    """
    if isinstance(settings.state, RedisAddress):
        from atoms_campaigns_mcp.state.open import require_client  # noqa: PLC0415 - for this one

        require_client(settings)
    stdin, stdout = take()
    outbox = Outbox(stdout)
    inbox = Inbox(stdin, outbox, EarlyAnswers(settings))
    _leave_when_asked()
    # What is imported stays: looking for garbage in it takes a seventh of the time. The session
    # switches that on again.
    gc.disable()
    with making_way():
        outbox.start()
        inbox.start()
        from atoms_campaigns_mcp.server.stdio.session import run  # noqa: PLC0415 - the SDK
    status = run(settings, inbox, outbox)
    if status is not None:
        # A thread waits for the end of stdin, or imports.
        os._exit(status)


@contextmanager
def making_way() -> Generator[None]:
    """Let answers interrupt the import that goes on meanwhile."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def _leave_when_asked() -> None:
    """End in good order when asked to, as a server that serves does; nothing has begun yet.

    The handlers stay until the session brings its own.
    """

    def leave(_: int, __: FrameType | None) -> None:
        os._exit(0)

    if sys.platform != "win32":  # there, the client ends the process
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
                signal.signal(number, leave)
