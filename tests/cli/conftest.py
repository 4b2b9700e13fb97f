"""A command sends the log of its process to stderr, which in a test is gone once it has ended."""

import logging
from collections.abc import Iterator

import pytest

from atoms_campaigns_mcp.telemetry import log


@pytest.fixture(autouse=True)
def the_log_is_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, levels = root.handlers[:], (root.level, log.level)
    yield
    added = [one for one in root.handlers if one not in before]
    for handler in added:
        if handler.__class__ is logging.StreamHandler:  # pytest has handlers of its own
            root.removeHandler(handler)
    root.setLevel(levels[0])
    log.setLevel(levels[1])
