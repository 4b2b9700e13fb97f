"""Work that keeps a processor busy leaves room: for other accounts, and for records."""

import threading
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from atoms_campaigns_mcp.state.sqlite.store import SqliteStore
from atoms_campaigns_mcp.workers import Workers

pytestmark = pytest.mark.anyio
MANY = 60


async def test_one_account_takes_one_thread_however_much_it_asks_for(tmp_path: Path) -> None:
    workers, store = Workers(2), SqliteStore.open(tmp_path)
    hers, his, go = workers.worker(), workers.worker(), threading.Event()
    begun: list[str] = []

    def job(name: str, until: threading.Event | None = None) -> str:
        begun.append(name)
        return name if until is None or until.wait(30) else "late"

    async with anyio.create_task_group() as tasks:
        for _ in range(MANY):
            tasks.start_soon(hers, job, "hers", go)
        await anyio.wait_all_tasks_blocked()
        assert await his(job, "his") == "his"
        assert await store.journal.entries(1) == []
        assert begun == ["hers", "his"]
        go.set()
    assert begun.count("hers") == MANY
    await store.close()


async def test_records_are_kept_while_every_thread_of_the_common_pool_is_taken(
    tmp_path: Path,
) -> None:
    store, go = SqliteStore.open(tmp_path), threading.Event()
    async with anyio.create_task_group() as tasks:
        for _ in range(MANY):
            tasks.start_soon(anyio.to_thread.run_sync, go.wait, 30)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(20):
            assert await store.journal.entries(1) == []
        go.set()
    await store.close()
