"""Runs the protocol's conformance suite against our server; started by `scripts/conformance`.

Left out are scenarios that call tools, prompts and resources of a test server.
"""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.support.process import environment, serving_http

BOTH = (
    "completion-complete",
    "dns-rebinding-protection",
    "prompts-list",
    "resources-list",
    "server-sse-multiple-streams",
    "tools-list",
)
SCENARIOS = {
    "2025-11-25": (*BOTH, "ping", "server-initialize", "server-session-lifecycle"),
    "2026-07-28": (
        *BOTH,
        "caching",
        "http-header-validation",
        "input-required-result-ignore-extra-params",
        "input-required-result-unsupported-methods",
        "sep-2164-resource-not-found",
        "server-stateless",
    ),
}
BASELINE = Path(__file__).with_name("baseline.yml")


def run(suite: Path, url: str, job: tuple[str, str]) -> tuple[str, str]:
    """Run a scenario of a version; give its name and, if it failed, what the suite says."""
    version, scenario = job
    modules = suite / "node_modules"
    words = [
        str(modules / "node/bin/node"),
        str(modules / "@modelcontextprotocol/conformance/dist/index.js"),
        *("server", "--url", url, "--spec-version", version, "--scenario", scenario),
        *("--expected-failures", str(BASELINE)),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    return f"{version} {scenario}", "" if done.returncode == 0 else said or "no output"


def main() -> int:
    """Run every scenario, two at a time; give how many failed."""
    suite = Path(sys.argv[1])
    chosen = sys.argv[2:]
    jobs = [
        (version, scenario)
        for version, scenarios in SCENARIOS.items()
        for scenario in scenarios
        if not chosen or scenario in chosen
    ]
    with (
        tempfile.TemporaryDirectory() as state,
        serving_http("--auth", "none", env=environment(Path(state))) as (_, url),
        ThreadPoolExecutor(2) as pool,
    ):
        results = list(pool.map(partial(run, suite, url), jobs))
    for name, said in results:
        print(f"{'FAILED' if said else 'ok'} {name}\n{said}".rstrip())  # noqa: T201
    return sum(1 for _, said in results if said)


if __name__ == "__main__":
    sys.exit(main())
