import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina
from redis import Redis

from tests.support.bench import Bench
from tests.support.redis import RedisServer, redis_in


def pytest_configure() -> None:
    for name in list(os.environ):
        if name.startswith(("SMALLEST_", "ATOMS_")):
            del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest begin first: at the end they would leave the other cores idle.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_waiting_between_retries() -> Iterator[None]:
    with stamina.set_testing(testing=True, attempts=4, cap=True):
        yield


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_in(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def emptied_redis(running_redis: RedisServer) -> RedisServer:
    with Redis(port=running_redis.port) as redis:
        redis.flushdb()  # pyright: ignore[reportUnknownMemberType]
    return running_redis


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path) as bench:
        yield bench
