import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.redis import require_redis

BENCHMARK = Path(__file__).parent.parent.parent / "benchmarks" / "replicas.py"
# A quarter of the full run. A dead replica's locks alone keep its clients waiting for 40 seconds.
SMALL = ("--clients", "40", "--tenants", "6", "--watchers", "150", "--wait", "15")
LONGEST = 300  # seconds; some 60 on two free cores


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_nothing_is_mixed_doubled_or_lost_when_a_replica_dies_and_redis_restarts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    require_redis()
    done = subprocess.run(
        [sys.executable, BENCHMARK, *SMALL],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 wrong answers; 40 starts for " in done.stdout
    assert "; 0 changes made twice; 0 lost journal entries\n" in done.stdout
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")
