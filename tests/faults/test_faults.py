"""The short fault test; scripts/soak is the long one."""

from pathlib import Path

import anyio
import pytest

from tests.faults.judge import NEVER
from tests.faults.run import Plan, report, run

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.alone]
LIFECYCLES = 60
LONGEST = 240  # seconds; far above what it takes, for a machine that is busy with other things
SHORT = Plan(lifecycles=LIFECYCLES, seconds=130, at_once=LIFECYCLES, kill_every=40, repeats=12)


async def test_faults_and_kills_leave_no_duplicate_no_double_start_and_no_false_answer(
    tmp_path: Path,
) -> None:
    with anyio.fail_after(LONGEST):
        outcome = await run(SHORT, tmp_path)
    print("\n".join(report(outcome, shown=3)))  # noqa: T201 - the figures
    assert {kind: outcome.verdict.count(kind) for kind in NEVER} == dict.fromkeys(NEVER, 0)
    assert outcome.evidence.completed > LIFECYCLES / 4  # the time limit cuts off the others
    assert outcome.evidence.kills
    assert outcome.evidence.faults.total() > outcome.evidence.requests * 0.25
