from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.team import Team, prepared, serving_team


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    with prepared(tmp_path) as bench:
        yield bench


@pytest.fixture
async def team(bench: Bench) -> AsyncGenerator[Team]:
    async with serving_team(bench) as team:
        yield team
