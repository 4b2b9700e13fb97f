from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser

from tests.support.app_host import browsing


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def browser() -> AsyncGenerator[Browser]:
    async with browsing() as started:
        yield started
