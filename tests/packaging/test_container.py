"""The container, where a program to build it and its base image are at hand."""

import json
import re
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import httpx2
import pytest

from tests.support.emulated import free_port
from tests.support.process import INITIALIZE, killed_at_the_end

ROOT = Path(__file__).parents[2]
NAME = "localhost/atoms-campaigns-tested"
BUILDER = shutil.which("buildah") or ""
WRITABLE = "find / -xdev -type d -writable 2>/dev/null | grep -E '^/(state|opt|usr|etc)'"
(BASE, *_) = re.findall(r"^FROM (\S+)", (ROOT / "Containerfile").read_text("utf-8"), re.MULTILINE)


def buildah(*words: str, said: str = "") -> str:
    done = subprocess.run(
        [BUILDER, *words], input=said, capture_output=True, text=True, check=False, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def container() -> Generator[str]:
    """Build the image; give a container of it."""
    if not BUILDER or not buildah("images", "-q", "--filter", f"reference={BASE}"):
        pytest.skip(f"needs buildah and the image {BASE}")
    local = ("--pull=never", "--network", "host", "--isolation", "chroot")
    buildah("build", *local, "--format", "docker", "-t", NAME, "-f", "Containerfile", str(ROOT))
    made = buildah("from", "--pull=never", "--isolation", "chroot", NAME)
    yield made
    buildah("rm", made)
    buildah("rmi", NAME)


@pytest.mark.slow
def test_it_runs_as_its_user_who_owns_nothing_but_the_state(container: str) -> None:
    assert buildah("run", container, "--", "id", "-u") == "10001"
    assert buildah("run", container, "--", "sh", "-c", WRITABLE) == "/state"


@pytest.mark.slow
def test_it_serves_over_stdio(container: str) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}
    line = buildah(
        "run", container, "--", "atoms-campaigns-mcp", "serve", said=f"{json.dumps(hello)}\n"
    )
    assert json.loads(line)["result"]["serverInfo"]["name"] == "atoms-campaigns"


@pytest.mark.slow
def test_it_serves_over_http_and_is_healthy(container: str) -> None:
    port = free_port()
    words = ("atoms-campaigns-mcp", "serve", "--http", f"127.0.0.1:{port}", "--auth", "key")
    process = subprocess.Popen(
        [BUILDER, "run", container, "--", *words], stderr=subprocess.PIPE, text=True
    )
    with killed_at_the_end(process):
        assert process.stderr is not None
        assert any("listening" in line for line in process.stderr)
        answer = httpx2.get(f"http://127.0.0.1:{port}/health/ready")
        assert answer.json() == {"ready": True, "state": "ok"}
        process.terminate()
        assert process.wait(timeout=60) is not None
