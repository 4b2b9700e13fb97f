"""Runs the vendor's own clients through whole campaigns, each against a sandbox of its own.

    .venv/bin/python tests/vendor/run.py [CLIENT ...]

scripts/vendor installs them first. The exit status says whether all of them saw what the API does.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / ".cache" / "vendor"
MCP_SERVER = "mcp-0.11.2/node_modules/@developer-smallestai/smallest-mcp-server/dist/index.js"
KEY = "sk_vendor"
LONGEST = 120  # seconds for one client
PATIENCE = 20  # seconds for a sandbox to answer


@dataclass(frozen=True)
class Client:
    """One of the vendor's clients, and how its reference says to redirect it.

    Attributes:
        python: The interpreter that has it.
        program: What drives it.
        speed: Of the sandbox: seconds a second. Half an hour until a retry is the time that a
            program has to pause a campaign, so a slow starter gets a slower sandbox.
        redirect: Its environment; HOST is replaced.
    """

    python: Path
    program: str
    speed: int
    redirect: dict[str, str]
    arguments: tuple[str, ...] = ()


def _sdk(version: str) -> Path:
    return INSTALLED / f"sdk-{version}" / "bin" / "python"


CLIENTS = {
    "sdk-4.3.1": Client(
        python=_sdk("4.3.1"),
        program="lifecycle_431.py",
        speed=600,
        redirect={"SMALLEST_API_KEY": KEY, "SMALLEST_BASE_URL": "HOST/atoms/v1"},
    ),
    "sdk-5.14.0": Client(
        python=_sdk("5.14.0"),
        program="lifecycle_514.py",
        speed=600,
        redirect={"SMALLEST_API_KEY": KEY, "SMALLEST_BASE_URL": "HOST/atoms/v1"},
    ),
    "cli-5.14.0": Client(
        python=_sdk("5.14.0"),
        program="lifecycle_514_cli.py",
        speed=200,
        redirect={"SMALLEST_API_KEY": KEY, "SMALLEST_BASE_URL": "HOST"},
    ),
    "mcp-0.11.2": Client(
        python=Path(sys.executable),
        program="lifecycle_mcp.py",
        speed=600,
        redirect={"ATOMS_API_KEY": KEY, "ATOMS_API_URL": "HOST/atoms/v1"},
        arguments=(str(INSTALLED / MCP_SERVER),),
    ),
}


def main(names: list[str]) -> int:
    """Run the clients with these names, or all of them."""
    results = {name: run(name, CLIENTS[name]) for name in names or CLIENTS}
    return int(not all(results.values()))


def run(name: str, client: Client) -> bool:
    """Return whether a client's program ended well, in time."""
    _say(f"{name} ({client.program})")
    started = time.monotonic()
    passed = False
    with TemporaryDirectory() as folder, (Path(folder) / "sandbox.log").open("w+") as log:
        try:
            with _sandbox(Path(folder), client.speed, log) as host:
                passed = _drive(client, host, Path(folder))
        finally:
            if not passed:
                log.seek(0)
                _say(f"The sandbox wrote:\n{log.read()}")
    _say(f"{name}: {'passed' if passed else 'FAILED'} in {time.monotonic() - started:.1f} s")
    return passed


def _drive(client: Client, host: str, home: Path) -> bool:
    env = _clean(home) | {k: v.replace("HOST", host) for k, v in client.redirect.items()}
    command = [str(client.python), str(HERE / client.program), *client.arguments]
    process = subprocess.Popen(command, env=env, cwd=home, start_new_session=True)
    try:
        return process.wait(LONGEST) == 0
    except subprocess.TimeoutExpired:
        _say(f"not done after {LONGEST} seconds")
        return False
    finally:
        _end_session(process)


def _clean(home: Path) -> dict[str, str]:
    """An environment with nothing from outside, in which only this machine can be reached."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "Asia/Kolkata",
        "COLUMNS": "200",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SMALLESTAI_TELEMETRY": "off",
        "DO_NOT_TRACK": "1",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def _sandbox(folder: Path, speed: int, log: IO[str]) -> Generator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["--port", str(port), "--db", str(folder / "sandbox.sqlite3"), "--speed", str(speed)]
    process = subprocess.Popen(
        [sys.executable, "-m", "atoms_campaigns_mcp", "sandbox", *words],
        env=_clean(folder),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        _wait_until_it_answers(process, port)
        yield f"http://127.0.0.1:{port}"
    finally:
        _end_session(process)


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the sandbox does not answer")


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here and still runs, with whatever it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
