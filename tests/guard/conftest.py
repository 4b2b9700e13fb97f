from collections.abc import Iterator
from pathlib import Path

import pytest

from atoms_campaigns_mcp.sandbox.engine.options import Options
from tests.guard.yard import Yard, yard

HOURS = (9 * 60, 18 * 60 + 30)  # in Kolkata they end at 13:00 of UTC


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Yard]:
    """Three slots, so that calls queue; calling hours that end in ten minutes."""
    with yard(tmp_path, Options(speed=1, org_limit=3)) as opened:
        opened.clock.advance(minutes=50)
        opened.configure(calling_hours=HOURS)
        yield opened


@pytest.fixture
def dispatched(tmp_path: Path) -> Iterator[Yard]:
    """A sandbox that calls a campaign completed once all its contacts are queued."""
    with yard(tmp_path, Options(speed=1, org_limit=3, completion="dispatched")) as opened:
        opened.configure(calling_hours=HOURS)
        yield opened
