import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina

from tests.support.bench import Bench


def pytest_configure() -> None:
    for name in list(os.environ):
        if name.startswith(("SMALLEST_", "ATOMS_")):
            del os.environ[name]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=4, cap=True):
        yield


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path) as bench:
        yield bench
