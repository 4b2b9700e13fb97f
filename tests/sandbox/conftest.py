from collections.abc import AsyncIterator, Callable

import pytest

from tests.sandbox.harness import Sandbox

OpenSandbox = Callable[..., Sandbox]


@pytest.fixture
async def open_sandbox() -> AsyncIterator[OpenSandbox]:
    """Opens sandboxes and closes them after the test."""
    opened: list[Sandbox] = []

    def open_one(*args: object, **options: object) -> Sandbox:
        opened.append(Sandbox.open(*args, **options))  # pyright: ignore[reportArgumentType]
        return opened[-1]

    yield open_one
    for sandbox in opened:
        await sandbox.close()


@pytest.fixture
def sandbox(open_sandbox: OpenSandbox) -> Sandbox:
    return open_sandbox()
