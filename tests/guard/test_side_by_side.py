"""No campaign waits for another: what is slow to stop, to read or to resume delays nothing else."""

from datetime import datetime, timedelta
from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.guard.act import AT_ONCE
from atoms_campaigns_mcp.guard.process import POLL
from atoms_campaigns_mcp.guard.rules import LEAD
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.toolkit.hanging_up import IN_A_ROW
from tests.guard.simulated import Simulated, simulated
from tests.guard.yard import begin, numbers

DISPATCHED = Options(speed=1, org_limit=3, completion="dispatched")
SETTLED = Options(speed=1, org_limit=3)
INDIA, BRITAIN = "+91981", "+44791"
SOON = timedelta(seconds=POLL + 3)  # a round, and the requests that lead to a pause


def to_cancel(request: httpx2.Request) -> bool:
    return request.url.path.endswith("/conversation/cancel")


async def near_the_end(yard: Simulated) -> tuple[str, str]:
    """Start one that is called completed and has queued calls, and one that dials until 13:00.

    The first may be dialled again, so its calls come too late before those of the second.
    """
    yard.clock.set(yard.clock.now().replace(day=4, hour=12, minute=53))
    async with yard.place.bench.client() as client:
        over = await begin(client, numbers(60, INDIA), name="Over", max_retries=1)
        await anyio.sleep(10)
        dials = await begin(client, numbers(300, INDIA), name="Guarded", max_retries=0)
    await anyio.sleep(10)
    assert await yard.place.status(over) == "completed"
    assert await yard.place.status(dials) == "running"
    return over, dials


@pytest.mark.slow
def test_a_campaign_is_paused_in_time_while_the_calls_of_another_cannot_be_cancelled(
    tmp_path: Path,
) -> None:
    async def live(yard: Simulated) -> None:
        network = yard.hang(to_cancel)
        async with yard.watching():
            _, dials = await near_the_end(yard)
            end = yard.clock.now().replace(hour=13, minute=0, second=0, microsecond=0)
            await anyio.sleep((end - yard.clock.now()).total_seconds() + 60)
        assert network.first("/conversation/cancel") < end - LEAD
        assert network.first(f"/campaign/{dials}/pause") <= end - LEAD + SOON
        assert await yard.place.status(dials) == "paused"
        assert max(at for at, _ in yard.place.dials()) < end

    simulated(tmp_path, DISPATCHED, live)


@pytest.mark.slow
def test_a_round_gives_up_on_calls_that_cannot_be_cancelled_and_keeps_its_lease(
    tmp_path: Path,
) -> None:
    async def live(yard: Simulated) -> None:
        await near_the_end(yard)
        yard.clock.set(yard.clock.now().replace(hour=12, minute=58))
        tried = set[bytes]()

        def hangs(request: httpx2.Request) -> bool:
            if to_cancel(request):
                tried.add(request.content)
            return request.method == "POST"

        yard.hang(hangs)
        async with (
            yard.place.guard() as guard,
            yard.place.guard() as other,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(guard.round)
            await anyio.sleep(48)
            assert (await other.round()).standby
        # Of the one that is over; the other one's pause is not confirmed, and calls may go on.
        assert len(tried) == IN_A_ROW * 2

    simulated(tmp_path, DISPATCHED, live)


@pytest.mark.slow
def test_a_campaign_is_paused_in_time_while_another_cannot_be_read(tmp_path: Path) -> None:
    async def live(yard: Simulated) -> None:
        async with yard.place.bench.client() as client:
            dials = await begin(client, numbers(300, INDIA), name="Guarded", max_retries=0)
        await anyio.sleep(10)
        end = yard.clock.now().replace(hour=13, minute=0, second=0, microsecond=0)
        unread = set[str]()
        network = yard.hang(lambda request: request.url.path.split("/")[-1] in unread)
        async with yard.watching():
            yard.clock.set(end - LEAD - timedelta(seconds=40))
            async with yard.place.bench.client() as client:
                for number in range(6):
                    name = f"Other {number}"
                    unread.add(await begin(client, numbers(9, BRITAIN), name=name, max_retries=0))
            await anyio.sleep(60)
        assert network.first(f"/campaign/{dials}/pause") <= end - LEAD + SOON

    simulated(tmp_path, SETTLED, live)


@pytest.mark.slow
def test_a_campaign_is_paused_in_time_while_no_other_pause_is_answered(tmp_path: Path) -> None:
    async def live(yard: Simulated) -> None:
        async with yard.place.bench.client() as client:
            for number in range(AT_ONCE + 1):
                name = f"Guarded {number}"
                await begin(client, numbers(300, INDIA), name=name, max_retries=0)
        await anyio.sleep(10)
        end = yard.clock.now().replace(hour=13, minute=0, second=0, microsecond=0)
        unanswered, answered = set[str](), list[datetime]()

        def hangs(request: httpx2.Request) -> bool:
            path = request.url.path
            if not path.endswith("/pause"):
                return False
            if path in unanswered or len(unanswered) < AT_ONCE:
                unanswered.add(path)
                return True
            answered.append(yard.clock.now())
            return False

        yard.hang(hangs)
        async with yard.watching():
            yard.clock.set(end - LEAD - timedelta(seconds=40))
            await anyio.sleep(70)
        assert len(unanswered) == AT_ONCE
        assert answered[0] <= end - LEAD + SOON

    simulated(tmp_path, SETTLED, live)


@pytest.mark.slow
def test_a_campaign_is_paused_in_time_while_the_resumption_of_another_hangs(
    tmp_path: Path,
) -> None:
    async def live(yard: Simulated) -> None:
        yard.clock.set(yard.clock.now().replace(hour=12, minute=50))
        async with yard.place.bench.client() as client:
            rests = await begin(client, numbers(200, INDIA), name="Rests", max_retries=0)
            async with yard.place.guard(resumes=True) as guard:
                yard.clock.set(yard.clock.now().replace(hour=12, minute=58))
                await guard.round()
                assert await yard.place.status(rests) == "paused"
            yard.clock.set(yard.clock.now().replace(day=5, hour=3, minute=40))  # 09:10 in Kolkata
            await begin(client, numbers(200, INDIA), name="Guarded", max_retries=0)
        due = yard.clock.now() + timedelta(seconds=POLL + 3)
        yard.place.configure(guard_until=due + LEAD)
        network = yard.hang(lambda request: request.url.path.endswith(f"/campaign/{rests}"))
        async with yard.watching(resumes=True):
            await anyio.sleep(60)
        assert network.first(f"/campaign/{rests}") < due
        assert network.first("/pause") <= due + SOON

    simulated(tmp_path, SETTLED, live)
