"""Being asked to end, on systems that ask by signal."""

import signal
import sys
from collections.abc import Callable

import anyio


async def end_on_signal(end: Callable[[], object]) -> None:
    """Wait for SIGTERM or SIGINT, then call `end`."""
    if sys.platform == "win32":  # there, the client ends the process
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        await anext(signals)
        end()
