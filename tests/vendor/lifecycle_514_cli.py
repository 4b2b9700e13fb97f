"""smallestai 5.14.0's command line, `smallestai`, as a person or a script would use it.

Needs SMALLEST_API_KEY and SMALLEST_BASE_URL=http://HOST, and a home that may be written to.
"""

import json
import os
import subprocess
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from steps import RETRIES, RETRY_MINUTES, check_details, run_with_a_pause, step

COMMAND = str(Path(sys.executable).parent / "smallestai")
NOBODY = "f" * 24


def run(*words: str, status: int = 0, without: str = "") -> str:
    """Return what a command prints; it must end with this status."""
    env = {name: value for name, value in os.environ.items() if name != without}
    done = subprocess.run(
        [COMMAND, *words],
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    text = done.stdout + done.stderr
    assert done.returncode == status, f"{words} ended with {done.returncode}:\n{text}"
    return text if status else done.stdout


def run_json(*words: str) -> Any:
    """Return what a command prints with --json."""
    return json.loads(run(*words, "--json"))


def row_of(name: str, table: str) -> list[str]:
    """Return the cells of the row of a table that holds `name`."""
    (line,) = [line for line in table.splitlines() if name in line]
    return [cell.strip() for cell in line.strip("│ ").split("│")]


def look_around() -> dict[str, Any]:
    """Read what there is; gives a finished campaign, whose audience serves again."""
    number = row_of("plivo", run("phone-numbers", "list"))
    assert number[3] == "yes", number
    agents = run_json("agents", "list")
    (finished,) = run_json("campaigns", "list", "--status", "completed")["data"]["campaigns"]
    assert finished["agent"]["_id"] in [agent["id"] for agent in agents], agents
    step(f"phone-numbers list, agents list, campaigns list: {number[1]}, {len(agents)} agents")
    return {**finished, "number": number[0]}


def run_campaign(like: dict[str, Any]) -> None:
    """From a draft to the last 404."""
    words = ["--name", "May Outreach", "--audience-id", like["audience"]["_id"]]
    words += ["--agent-id", like["agent"]["_id"], "--phone-number-ids", like["number"]]
    words += ["--max-retries", str(RETRIES), "--retry-delay", str(RETRY_MINUTES)]
    made = run("campaigns", "create", *words).split()
    assert made[:2] == ["Created", "campaign"], made
    campaign_id = made[2]
    listed = row_of(campaign_id, run("campaigns", "list", "--search", "may"))
    assert listed == [campaign_id, "May Outreach", "draft", "—", "—"], listed  # reads other names
    shown = run("campaigns", "get", campaign_id)
    assert "status       : None" in shown, shown  # looks for the fields one level too high
    step("campaigns create, list, get: a draft; its agent and audience dashes, details None")

    def details() -> dict[str, Any]:
        return run_json("campaigns", "get", campaign_id)["data"]

    def start() -> None:
        assert "Started/resumed" in run("campaigns", "resume", campaign_id)

    def pause() -> None:
        assert "Paused" in run("campaigns", "pause", campaign_id)

    def status() -> str:
        return details()["campaign"]["status"]

    run_with_a_pause(start, pause, status, meanwhile=lambda: use_the_time(like))
    check_details(details(), like["participantsCount"])
    step("campaigns get --json: metrics, events and executions agree")
    calls = run_json("calls", "list", "--limit", "5", "--status", "completed")
    assert len(calls) == 5, calls
    call_id = calls[0]["call_id"]
    assert "recording     : https://" in run("calls", "get", call_id)
    assert "agent:" in run("calls", "transcript", call_id)
    step("calls list, get, transcript")
    assert "Aborted" in run("campaigns", "delete", campaign_id, status=1)
    assert "Deleted" in run("campaigns", "delete", campaign_id, "--yes")
    assert "404" in run("campaigns", "get", campaign_id, status=1)
    step("campaigns delete: only with --yes; 404 from then on")


def use_the_time(like: dict[str, Any]) -> None:
    """What else there is to do while a campaign runs."""
    host = os.environ["SMALLEST_BASE_URL"]
    assert "Login successful" in run("auth", "login", "--base-url", host)
    who = json.loads(run("whoami", "--json", without="SMALLEST_BASE_URL"))
    assert who["organization_id"] == like["organization"], who
    step(f"auth login --base-url, whoami: {who['email']}")
    words = ["--audience-id", like["audience"]["_id"], "--agent-id", like["agent"]["_id"]]
    run("campaigns", "create", "--name", "Later", *words, "--scheduled-at", "2130-01-01T10:00:00")
    (later,) = run_json("campaigns", "list", "--status", "scheduled")["data"]["campaigns"]
    asked = datetime.fromisoformat("2130-01-01T10:00:00").astimezone()
    assert datetime.fromisoformat(later["scheduledAt"]) == asked, later
    step(f"campaigns create --scheduled-at: scheduled, {asked.tzname()} by the local clock")
    refused = run("campaigns", "create", "--name", "x" * 41, *words, status=1)
    assert "BadRequestError" in refused, refused
    assert "404" in run("campaigns", "resume", NOBODY, status=1)
    step("mistakes: 400 and 404")


def main() -> None:
    """Run the command line."""
    assert version("smallestai") == "5.14.0"
    run_campaign(look_around())


if __name__ == "__main__":
    main()
