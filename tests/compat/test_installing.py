"""scripts/clients puts the clients of others in place, whoever else does so at the same time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "clients"
# Stands in for npm: the first that runs is overtaken by a whole run of the script, and fails as npm
# does (217) if what it is filling has been taken away.
NPM = """#!/bin/sh
while [ "$1" != --prefix ]; do shift; done
echo $$ > "$2/package.json"
if mkdir "$ONCE" 2>&1; then scripts/clients; fi
[ "$(cat "$2/package.json")" = $$ ] || exit 217
"""


def test_two_installs_at_once_both_end_well(tmp_path: Path) -> None:
    for folder in ("scripts", "bin"):
        (tmp_path / folder).mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts" / "clients")
    npm = tmp_path / "bin" / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    env = {"PATH": f"{npm.parent}:{os.environ['PATH']}", "ONCE": str(tmp_path / "once")}

    first, second = (
        subprocess.run(
            [tmp_path / "scripts" / "clients"],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for _ in range(2)
    )
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert "Installing" in first.stderr
    assert "Installing" not in second.stderr  # all is in place
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["clients"]
    left = {path.name for path in (tmp_path / ".cache" / "clients").iterdir()}
    assert left == {"package.json", ".ready"}


def test_the_name_of_no_host_installs_and_removes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hosts.programs", "claude", "clade"],
        cwd=SCRIPT.parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "claude, codex" in done.stderr
