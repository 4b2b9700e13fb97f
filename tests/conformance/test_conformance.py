import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
def test_the_protocols_conformance_suite_passes() -> None:
    if not (shutil.which("node") and shutil.which("npm")) and os.environ.get("CI") != "true":
        pytest.skip("the conformance suite needs npm")
    done = subprocess.run(
        [ROOT / "scripts" / "conformance"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\nok ") + done.stdout.startswith("ok ") == 21
