"""Makes the fixtures of `plugin.py` available here, and what the tests of behaviours share."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.driver import Driver, driving
from tests.contract.plugin import referee, refereed

__all__ = ["referee", "refereed"]


def pytest_configure(config: pytest.Config) -> None:
    line = "behaviour(*ids): what the test covers of manifest.yaml"
    config.addinivalue_line("markers", line)


@pytest.fixture
async def api(anyio_backend: str) -> AsyncIterator[Driver]:
    assert anyio_backend
    async with driving() as driver:
        yield driver
