import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parent.parent.parent.parent / "benchmarks" / "team.py"


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_two_hundred_clients_of_twenty_tenants_get_what_is_theirs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARK], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n0 wrong answers; 200 starts for " in done.stdout
    with capsys.disabled():
        sys.stdout.write(f"\n{done.stdout}")
