"""The API key and contacts' numbers leave the server for the API only."""

import json
import re
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.emulated import Front, emulated, fronted
from tests.support.process import INITIALIZE, Child, environment, spawned
from tests.support.world import DRAFT

KEY = "sk_live_7f3Qz9LkT2mXw8RbYc4Nd6Vh"
BAD_KEY = "ak-0a1B2c3D4e5F6g7H8i9J"  # not of the usual form, so no pattern can know it
CONTACTS = ("+12025550111", "+12025550112", "+447700900123", "+912268093577")
CSV = "phone,name\n" + "\n".join(f"{number},Person {n}" for n, number in enumerate(CONTACTS))
# The server as it is, but for how long it waits for an API that is away.
BRISK = """
import stamina
from atoms_campaigns_mcp.atoms import changes
from atoms_campaigns_mcp.cli.start import main
changes.WINDOW = 0.5
stamina.set_testing(True, attempts=3, cap=True)
main()
"""
COMMAND = (sys.executable, "-c", BRISK)
LEAK = {"status": False, "errors": [f"no credit for {CONTACTS[0]}, key {KEY}, Bearer {KEY}"]}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with emulated(tmp_path_factory.mktemp("api")) as origin:
        yield origin


@pytest.fixture
def front(api: str) -> Generator[Front]:
    with fronted(api) as front:
        yield front


def server_environment(state: Path, front: Front, key: str) -> dict[str, str]:
    settings = {"SMALLEST_API_KEY": key, "ATOMS_API_URL": f"{front.url}/atoms/v1"}
    return environment(state, **settings, ATOMS_MCP_RATE="100")


class Job:
    """Calls tools of a child in a row."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._number = 1
        child.ask(1, "initialize", INITIALIZE)
        child.send("notifications/initialized")

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        self._number += 1
        answer = self._child.ask(self._number, "tools/call", {"name": tool, "arguments": arguments})
        return answer["result"]

    def done(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(tool, **arguments)
        assert not result.get("isError"), result
        return result["structuredContent"]


def whole_job(job: Job, front: Front) -> None:
    """From a list to results, with what can go wrong on the way going wrong."""
    audience = job.done("create_audience", name="List", csv=CSV)["audience_id"]
    job.call("create_audience", name="Broken", csv=CSV + f"\n{CONTACTS[0]}99999999,Eve")
    job.call("add_contacts", audience_id=audience, csv=f"phone\n{CONTACTS[0]}")
    # Numbers and the key where nobody expects them.
    job.call("list_campaigns", search=CONTACTS[0])
    job.call("list_agents", **{CONTACTS[1]: KEY})
    job.call("get_call", call_id=CONTACTS[2])
    job.call("create_campaign", **{**DRAFT, "name": f"Call {CONTACTS[0]}", "agent_id": "Nobody"})
    made = {**DRAFT, "audience_id": audience, "max_retries": 0}
    text = f"by phone: {CONTACTS[3][1:]}, key {KEY}"
    campaign = {
        "campaign_id": job.done("create_campaign", **{**made, "description": text})["campaign_id"]
    }
    job.done("preview_campaign", **campaign)
    first = job.call("start_campaign", **campaign)["structuredContent"]
    for status in (500, 400, 402, 422):
        front.faults.append(("/start", status, LEAK))
        token = job.call("start_campaign", **campaign)["structuredContent"]["confirm_token"]
        job.call("start_campaign", **campaign, confirm_token=token)
        front.faults.clear()
    front.faults.append(("GET /atoms/v1/campaign/", 500, LEAK))
    job.call("get_campaign_status", **campaign)
    odd = {"data": {"agents": [{"_id": 5, "name": {"number": CONTACTS[0], "key": KEY}}]}}
    front.faults[:] = [("GET /atoms/v1/agent", 200, odd)]
    job.call("list_agents")
    front.faults.clear()
    job.done("start_campaign", **campaign, confirm_token=first["confirm_token"])
    job.done("watch_campaign", **campaign, until="finished", wait_seconds=45)
    job.done("get_campaign_results", **campaign)
    calls = job.done("list_calls", **campaign)["calls"]
    assert calls
    job.done("get_call", call_id=calls[0]["id"])
    job.call("pause_campaign", campaign_id="all")
    job.call("delete_audience", audience_id=audience)


def written(folder: Path) -> bytes:
    """Everything in the state folder, write-ahead logs included."""
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def assert_no_secrets(where: str, text: str, *keys: str) -> None:
    for key in keys:
        assert key not in text, where
    # However a number is written, its digits stand in a row or between separators.
    digits = re.sub(r"(?<=\d)[ ().-]{1,2}(?=\d)", "", text)
    for number in CONTACTS:
        assert number[1:] not in digits, where
        assert number[3:] not in digits, where


@pytest.mark.slow
def test_a_whole_job_leaves_neither_the_key_nor_a_contacts_number_anywhere(
    tmp_path: Path, front: Front
) -> None:
    state = tmp_path / "state"
    with spawned(command=COMMAND, env=server_environment(state, front, KEY)) as child:
        whole_job(Job(child), front)
        kept = written(state)
        code, err = child.leave()
    out = "".join(child.lines)
    assert code == 0
    # What is looked for was there to be found: the key reached the API, numbers came masked.
    assert front.keys == {f"Bearer {KEY}"}
    assert "+12*******11" in out
    assert b"start_campaign" in kept
    assert err
    assert_no_secrets("stdout", out, KEY)
    assert_no_secrets("stderr", err, KEY)
    assert_no_secrets("state", kept.decode(errors="replace"), KEY)
    assert_no_secrets("state after the end", written(state).decode(errors="replace"), KEY)
    assert "Traceback" not in out


@pytest.mark.slow
@pytest.mark.parametrize("key", [KEY, BAD_KEY])
def test_a_key_that_is_refused_is_not_shown_even_if_the_api_repeats_it(
    tmp_path: Path, front: Front, key: str
) -> None:
    state = tmp_path / "state"
    refusal = {"message": f"User not authenticated: Bearer {key}"}
    with spawned(command=COMMAND, env=server_environment(state, front, key)) as child:
        job = Job(child)
        front.faults.append(("", 401, refusal))
        texts = [job.call(tool)["content"][0]["text"] for tool in ("list_agents", "get_account")]
        front.faults[:] = [("", 500, LEAK)]
        job.call("create_audience", name="List", csv=CSV)
        code, err = child.leave()
    assert code == 0
    assert all("SMALLEST_API_KEY" in text for text in texts)
    assert_no_secrets("stdout", "".join(child.lines), key)
    assert_no_secrets("stderr", err, key)
    assert_no_secrets("state", written(state).decode(errors="replace"), key)


@pytest.mark.slow
@pytest.mark.parametrize(
    "extra",
    [
        {"ATOMS_MCP_CONFIRM": KEY},
        {"ATOMS_MCP_CALLING_HOURS": CONTACTS[0]},
        {"ATOMS_API_KEY": KEY},
        {"ATOMS_API_URL": f"https://{KEY}@api.smallest.ai"},
        {"ATOMS_MCP_SECRET": KEY[:20]},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_a_start_up_error_shows_no_value(tmp_path: Path, extra: dict[str, str]) -> None:
    with spawned(env=environment(tmp_path, SMALLEST_API_KEY="sk_other") | extra) as child:
        code, err = child.leave()
    assert code == 2
    assert next(iter(extra)) in err
    assert_no_secrets("stderr", err, KEY, KEY[:20], "sk_other")


@pytest.mark.slow
def test_the_state_folder_is_for_its_owner_only_and_its_secret_too(
    tmp_path: Path, front: Front
) -> None:
    state = tmp_path / "state"
    with spawned(env=server_environment(state, front, KEY)) as child:
        job = Job(child)
        made = job.done("create_campaign", **DRAFT)
        job.call("delete_campaign", campaign_id=made["campaign_id"])  # refused with a token
        child.leave()
    assert state.stat().st_mode & 0o077 == 0
    assert {path.name for path in state.iterdir() if path.stat().st_mode & 0o077} == set()
    assert (state / "secret").exists()
    assert (state / "pace.sqlite3").exists()
    assert json.dumps(sorted(path.name for path in state.iterdir())).count("sandbox") == 0
