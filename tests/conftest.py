import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import stamina
from jsonschema import Draft202012Validator

from atoms_campaigns_mcp.config.policy_file import folders
from tests.support.bench import Bench
from tests.support.home import without_policies
from tests.support.redis import RedisServer, redis_in

# Nothing is judged by the clock on the wall: the machine may be busy. The gate tries the same
# examples every time, a developer others.
hypothesis.settings.register_profile(
    "patient",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("patient")
HOME = tempfile.TemporaryDirectory(prefix="atoms-tests-home-", ignore_cleanup_errors=True)


def pytest_configure() -> None:
    # A shell has what it starts in the background ignore Ctrl-C, and so would programs that tests
    # start and send it to.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name.startswith(("SMALLEST_", "ATOMS_")):
            del os.environ[name]
    # Servers that tests start read policies: the developer's own is not in the home that they see.
    os.environ.update(without_policies(Path.home(), Path(HOME.name), os.environ))
    site, *users = folders(Path.home(), sys.platform, os.environ)
    assert not [folder for folder in users if folder.path.exists()]
    if site.file.exists():
        pytest.exit(f"{site.file} holds for every server here: take it away while tests run.")


def pytest_unconfigure() -> None:
    HOME.cleanup()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest begin first: at the end they would leave the other cores idle.
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session", autouse=True)
def output_schemas_checked_once() -> Iterator[None]:
    """A client checks the schema of each tool's output anew, which takes longer than most calls."""
    check, checked = Draft202012Validator.check_schema, set[str]()

    def once(schema: dict[str, Any], **options: Any) -> None:
        if (text := json.dumps(schema, sort_keys=True)) not in checked:
            check(schema, **options)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Draft202012Validator, "check_schema", once)
        yield


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
    running_redis.empty()
    return running_redis


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench.open(tmp_path) as bench:
        yield bench
