"""Being asked to end, on systems that ask by signal."""

import signal
import sys
from collections.abc import Callable

import anyio


async def shut_down_on_signal(end: Callable[[], object]) -> None:
    """Wait for SIGTERM, SIGINT or SIGHUP (the terminal is gone), then call `end`."""
    if sys.platform == "win32":  # there, the client ends the process
        return
    awaited = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup leaves it
        awaited.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*awaited) as signals:
        await anext(signals)
        end()
