from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.state.open import open_state
from atoms_campaigns_mcp.state.store import Store

Stores = Callable[[int], AbstractAsyncContextManager[list[Store]]]
"""Opens a number of stores on the same state."""


@pytest.fixture(params=["sqlite", "redis"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    settings = Settings(state=tmp_path)
    if request.param == "redis":
        settings = Settings(state=request.getfixturevalue("emptied_redis").address)

    @asynccontextmanager
    async def opened(count: int = 1) -> AsyncGenerator[list[Store]]:
        every = [open_state(settings) for _ in range(count)]
        try:
            yield every
        finally:
            for store in every:
                await store.close()

    return opened
