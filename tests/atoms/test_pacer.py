"""The pace: what any mixture of requests, bursts and holds may not exceed."""

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.errors import NotRecorded, RateLimited
from atoms_campaigns_mcp.rate_limit import BURST, LONGEST_HOLD, Slot, booked, held
from tests.support.clock import FakeClock

GAPS = st.lists(st.floats(0, 3), min_size=1, max_size=60)


@pytest.mark.slow
@given(gaps=GAPS, rate=st.floats(0.5, 50))
def test_no_second_holds_more_requests_than_a_burst_and_the_rate_allow(
    gaps: list[float], rate: float
) -> None:
    now, due, sent = 1000.0, 0.0, list[float]()
    for gap in gaps:
        now += gap
        due, delay = booked(due, Slot(now, 1 / rate, patience=1e9))
        sent.append(now + delay)
    for first in sent:
        within = [moment for moment in sent if first <= moment < first + 1]
        assert len(within) <= rate * (BURST + 1) + 1


@given(due=st.floats(0, 1e6), now=st.floats(0, 1e6), step=st.floats(0.01, 10))
def test_whoever_would_wait_too_long_takes_no_turn(due: float, now: float, step: float) -> None:
    after, delay = booked(due, Slot(now, step, patience=2))
    assert delay >= 0
    if delay > 2:
        assert after <= max(due, now)


@given(due=st.floats(0, 1e9), now=st.floats(0, 1e6))
def test_a_clock_that_was_set_back_stops_nobody_for_long(due: float, now: float) -> None:
    _, delay = booked(due, Slot(now, 0.1, patience=1e9))
    assert delay <= LONGEST_HOLD + 10


@given(until=st.floats(0, 1e9))
def test_no_hold_is_longer_than_a_minute(until: float) -> None:
    _, delay = booked(held(0, 1000, until), Slot(1000, 0.1, patience=1e9))
    assert delay <= LONGEST_HOLD + 0.1


@pytest.mark.anyio
async def test_requests_wait_for_their_turn() -> None:
    clock = FakeClock()
    pacer = Pacer(10, clock.monotonic, clock.sleep)
    before = clock.monotonic()
    for _ in range(40):
        await pacer.wait()
    assert clock.monotonic() - before == pytest.approx(3.0, abs=0.001)


@pytest.mark.anyio
async def test_a_queue_that_is_too_long_is_reported_with_the_time_to_wait() -> None:
    async def never(_: float) -> None:
        """Stand still, as in a burst that comes all at once."""

    clock = FakeClock()
    pacer = Pacer(1, clock.monotonic, never)
    for _ in range(9):
        await pacer.wait()
    with pytest.raises(RateLimited, match="are waiting") as caught:
        await pacer.wait()
    assert caught.value.retry_after == 9
    clock.advance(seconds=9)
    await pacer.wait()


@pytest.mark.anyio
async def test_without_the_shared_book_a_process_keeps_its_own_pace() -> None:
    async def broken(*_: object) -> float:
        raise NotRecorded("The disk is full.")

    async def broken_hold(*_: object) -> None:
        raise NotRecorded("The disk is full.")

    clock = FakeClock()
    pacer = Pacer(10, clock.monotonic, clock.sleep, book=broken, hold=broken_hold)
    before = clock.monotonic()
    await pacer.slow_down(2)
    for _ in range(20):
        await pacer.wait()
    assert clock.monotonic() - before == pytest.approx(4.0, abs=0.11)
