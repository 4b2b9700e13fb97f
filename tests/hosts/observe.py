"""What each host does with our server, seen: `python -m tests.hosts.observe` writes it down."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.hosts.model import SAID, Model, standing_in
from tests.hosts.programs import HOSTS, PATIENCE, PROMPT, Host, home_env
from tests.hosts.terminal import Terminal, terminal
from tests.support.process import INITIALIZE, OURS as OUR_COMMAND, Child, spawned
from tests.support.world import DRAFT

OBSERVED = Path(__file__).with_name("observed.json")
OURS = tuple(Catalog.read().entries)
TRIES = 10  # a host may ask its model before our server has started
OUR_QUESTION = "Start campaign"
POLICY = 'calling_hours = "00:00-24:00"\n'


@contextmanager
def served(home: Path) -> Generator[Child]:
    """Speak to a server of the same home, which has the same sandbox."""
    with spawned(env=home_env(home)) as child:
        child.ask(1, "initialize", INITIALIZE)
        child.send("notifications/initialized")
        yield child


def call(child: Child, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = child.ask(2, "tools/call", {"name": tool, "arguments": arguments})
    return answer["result"]["structuredContent"]


def running(child: Child) -> str:
    """Make a campaign and start it."""
    given = {**DRAFT, "name": "It dials", "allow_duplicate": True}
    campaign = call(child, "create_campaign", **given)["campaign_id"]
    token = call(child, "start_campaign", campaign_id=campaign)["confirm_token"]
    call(child, "start_campaign", campaign_id=campaign, confirm_token=token)
    return campaign


def status(child: Child, campaign: str) -> str:
    return call(child, "get_campaign_status", campaign_id=campaign)["status"]


# Set in the terminal from which a host is started: which of them reach our server?
SET: dict[str, str] = {
    "ATOMS_MCP_LOG": "text",
    "MADE_UP_NAME": "x",
    "MADE_UP_KEY": "x",
    "MADE_UP_TOKEN": "x",
}
NOTES_AND_STARTS = """#!/bin/sh
env > "{seen}"
exec "{python}" "$@"
"""


def noting(home: Path) -> Path:
    """Have every file start our server by a program that notes what it is given."""
    seen, program = home / "seen", home / "python"
    program.write_text(NOTES_AND_STARTS.format(seen=seen, python=OUR_COMMAND[0]))
    program.chmod(0o755)
    for path in home.rglob("*"):
        if path.suffix in {".json", ".toml"} and OUR_COMMAND[0] in (text := path.read_text()):
            path.write_text(text.replace(OUR_COMMAND[0], str(program)))
    return seen


def passed_on(seen: Path) -> list[str]:
    """Say which of the variables reached our server as they were."""
    lines = set(seen.read_text().splitlines())
    return [name for name, text in SET.items() if f"{name}={text}" in lines]


def prepared(host: Host, home: Path, url: str) -> None:
    (home / "work").mkdir(parents=True)
    policy = home / ".config" / "atoms-campaigns-mcp" / "policy.toml"
    policy.parent.mkdir(parents=True)
    policy.write_text(POLICY)
    host.install(home, url)


def headless(host: Host, home: Path) -> dict[str, Any]:
    """Let it list, start and stop without a terminal; say what came of it."""
    with standing_in([]) as model:
        prepared(host, home, model.url)
        with served(home) as child:
            dialling = running(child)
            draft = call(child, "create_campaign", **DRAFT)["campaign_id"]
        seen = noting(home)
        model.script += [
            ("list_campaigns", {}),
            ("start_campaign", {"campaign_id": draft}),
            ("pause_campaign", {"campaign_id": "all"}),
        ]
        said = ""
        for _ in range(TRIES):
            if not model.offered:
                said = ran(host, home, model)
        with served(home) as child:
            states = status(child, draft), status(child, dialling)
    assert len(model.offered) > 10, said
    assert len(model.results) == 3, (said, model.results)
    return {
        "tools": sum(any(name.endswith(ours) for name in model.offered) for ours in OURS),
        "listed": "It dials" in model.results[0],
        "asked_headless": asked_of(model.results[1]),
        "started_headless": states[0] != "draft",
        "stopped": states[1] == "paused",
        "passes_on": passed_on(seen),
    }


def asked_of(result: str) -> str:
    """Say how a start ended for which nobody could be asked."""
    if re.search(r"confirm_token [0-9a-f]{24}", result):
        return "token"
    return "declined by itself"


def in_terminal(host: Host, home: Path) -> dict[str, Any]:
    """Let it start a campaign before someone who presses Enter alone; say what came of it."""
    with standing_in([]) as model:
        prepared(host, home, model.url)
        with served(home) as child:
            draft = call(child, "create_campaign", **DRAFT)["campaign_id"]
        model.script += [("start_campaign", {"campaign_id": draft})]
        env = {**home_env(home), **host.env(model.url)}
        with terminal([str(host.path), *host.terminal], env, home / "work") as shown:
            question = partial(_question, shown, model, [0])
            if host.leave:
                shown.until(partial(question, host.leave))
                shown.press("Enter")
            shown.until(partial(question, OUR_QUESTION))
            shown.until(partial(_entered, shown, model))
        with served(home) as child:
            state = status(child, draft)
    return {"asked": "form", "enter": "declines" if state == "draft" else "dials"}


def _question(shown: Terminal, model: Model, told: list[int], words: str, screen: str) -> bool:
    """Say whether a question is there; begin again if the model was asked without our tools."""
    if not model.offered and SAID in screen and model.without > told[0]:
        told[0] = model.without
        shown.enter(PROMPT)
    return words in screen


def _entered(shown: Terminal, model: Model, screen: str) -> bool:
    """Press Enter as long as our form is there; say whether the call has come back."""
    if not model.results and OUR_QUESTION in screen:
        shown.press("Enter")
    return bool(model.results)


def ran(host: Host, home: Path, model: Model) -> str:
    done = subprocess.run(
        [host.path, *host.headless],
        cwd=home / "work",
        env={**home_env(home), **SET, **host.env(model.url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return f"{done.returncode}\n{done.stdout}\n{done.stderr}"


def observed(host: Host) -> dict[str, Any]:
    """Run a host, and give what came of it."""
    with folder_of(host) as folder:
        seen = headless(host, folder / "home")
    if host.terminal:
        with folder_of(host) as folder:
            seen |= in_terminal(host, folder / "home")
    return {"version": host.version, **seen}


@contextmanager
def folder_of(host: Host) -> Generator[Path]:
    """Make a folder for a host, and leave nothing of it: neither files nor processes."""
    # Beside the program: Codex does not work in the folder for temporary files.
    with TemporaryDirectory(dir=host.folder, ignore_cleanup_errors=True) as folder:
        try:
            yield Path(folder)
        finally:  # Codex leaves a daemon
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if folder.encode() in (process / "cmdline").read_bytes():
                        os.kill(int(process.name), signal.SIGKILL)


def recorded() -> dict[str, Any]:
    """Give what was written down: what ran, and what did not and why."""
    return json.loads(OBSERVED.read_text("utf-8"))


def main(names: list[str]) -> None:
    """Observe the hosts of those names, or all, and write it down."""
    known = recorded()
    for host in HOSTS:
        if not names or host.program in names:
            known["ran"][host.name] = observed(host)
            sys.stdout.write(f"{host.name}: {known['ran'][host.name]}\n")
    OBSERVED.write_text(json.dumps(known, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
