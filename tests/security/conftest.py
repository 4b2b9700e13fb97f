from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.team import Team, prepared, serving_team


@pytest.fixture
async def team(tmp_path: Path) -> AsyncGenerator[Team]:
    with prepared(tmp_path) as bench:
        async with serving_team(bench) as team:
            yield team
