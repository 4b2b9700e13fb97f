"""No call after the hours, whatever is killed and fails; and what a person paused stays paused."""

from pathlib import Path

import pytest

from tests.guard.chaos import Completion, chaos

pytestmark = pytest.mark.anyio
MANY = range(5)  # for the gate: a seed takes up to 25 seconds, and 30 of them gave the same


@pytest.mark.slow
@pytest.mark.parametrize("completion", ["settled", "dispatched"])
@pytest.mark.parametrize("seed", MANY)
async def test_killed_guards_let_nobody_be_called_after_the_hours(
    tmp_path: Path, seed: int, completion: Completion
) -> None:
    found = await chaos(tmp_path, seed, completion)
    assert found.dials
    assert found.late == []
    if found.paused_by_person:
        assert found.morning == 0
        assert found.status != "running"


async def test_without_a_guard_the_same_campaign_goes_on_after_the_hours(tmp_path: Path) -> None:
    """The others would prove nothing if it ended by itself."""
    found = await chaos(tmp_path, 5, "settled", guards=False)
    assert found.late
