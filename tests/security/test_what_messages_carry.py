"""No message takes more memory than its text: what is large must be a contact list."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.server import jsonrpc
from atoms_campaigns_mcp.server.http import message_limits
from atoms_campaigns_mcp.server.http.message_limits import PARTS, SMALL, TooLargeError
from atoms_campaigns_mcp.server.mcp import subscriptions
from tests.support.process import INITIALIZE
from tests.support.serving import ERAS
from tests.support.team import ACCEPT, ANNA, LEGACY, Team, request, routing, told

pytestmark = pytest.mark.anyio
LARGE = SMALL + 1
JSON = {"Content-Type": "application/json"}
PAUSE: dict[str, Any] = {"name": "pause_campaign", "arguments": {"campaign_id": "all"}}


def call(**arguments: Any) -> bytes:
    params = {"name": "create_audience", "arguments": arguments}
    return json.dumps(request("tools/call", params)).encode()


@given(st.text(), st.text(), st.booleans())
def test_a_list_is_left_out_whatever_it_holds(csv: str, name: str, ascii_only: bool) -> None:
    params = {"name": "create_audience", "arguments": {"csv": csv, "name": name}}
    body = json.dumps(request("tools/call", params), ensure_ascii=ascii_only)
    told = json.loads(message_limits.without_list(body.encode("utf-8", "replace")))
    assert told["params"]["arguments"]["csv"] == ""
    named = name.encode("utf-8", "replace").decode()
    assert told["params"]["arguments"]["name"] in {name, named}


@pytest.mark.parametrize(
    "body",
    [
        call(name="x" * LARGE),
        call(name="Boxes", csv=[{}] * LARGE),
        call(name="Boxes", csv="phone\n+12025550111", more=[{}] * PARTS),
        call(name="Boxes", csv="x" * LARGE, more=[{}] * PARTS),
        call(name="Boxes", more={"csv": "x" * LARGE}),
        json.dumps({**request("tools/list"), "csv": "x" * LARGE}).encode(),
        b'{"csv": "' + b"x" * LARGE,
        b'{"csv": "' * LARGE,
        b"[" * LARGE,
        b"{}," * PARTS,
    ],
)
def test_what_is_larger_than_what_it_carries_needs_is_refused(body: bytes) -> None:
    with pytest.raises(TooLargeError):
        message_limits.decoded(body)


@pytest.mark.parametrize("text", ["phone\n" + '+12025550111,"a\\b"\n' * 9_000, "\\" * LARGE])
def test_a_large_list_is_taken(text: str) -> None:
    message = jsonrpc.object_in(message_limits.decoded(call(name="Large", csv=text)))
    assert message["params"]["arguments"] == {"csv": text, "name": "Large"}


def test_of_a_clients_own_words_only_what_is_looked_at_is_kept() -> None:
    boxes: dict[str, Any] = {str(number): {} for number in range(100)}
    params: dict[str, Any] = {
        **INITIALIZE,
        "capabilities": {"elicitation": {"form": boxes}, "experimental": boxes, "roots": boxes},
        "clientInfo": {"name": "n" * 9_000, "version": "1", "icons": [boxes]},
        "_meta": {"other": boxes, "traceparent": "00-1-2-03"},
        "more": boxes,
    }
    message = {**request("initialize", params), "params": params, "more": boxes}
    kept = jsonrpc.object_in(message_limits.decoded(json.dumps(message).encode()))
    assert len(json.dumps(kept)) < 1_000
    assert kept["params"]["capabilities"] == {"elicitation": {"form": {}}}
    assert kept["params"]["_meta"] == {"traceparent": "00-1-2-03"}


@pytest.mark.parametrize("era", ERAS)
async def test_a_message_of_boxes_is_refused_in_words_and_the_stop_goes_on(
    team: Team, era: str
) -> None:
    body = json.dumps(request("initialize" if era == "legacy" else "tools/list"))
    body = body.replace('"params": {', '"params": {"boxes": [' + "{}," * 20_000 + "{}], ")
    headers = ACCEPT if era == "legacy" else routing("tools/list")
    async with team.http(ANNA) as http:
        answer = await http.post("/mcp", content=body.encode(), headers={**headers, **JSON})
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, -32600)
        assert (await team.post(ANNA, "tools/call", PAUSE)).status_code == 200


async def test_a_session_begins_with_what_is_left_of_a_talkative_client(team: Team) -> None:
    boxes: dict[str, Any] = {"experimental": {"boxes": [{}] * 1_000}, "elicitation": {}}
    params: dict[str, Any] = {**INITIALIZE, "capabilities": boxes}
    body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    async with team.http(ANNA) as http:
        answer = await http.post("/mcp", json=body, headers=ACCEPT)
    assert answer.status_code == 200
    assert told(answer)["result"]["serverInfo"]["name"] == "atoms-campaigns"


async def test_a_stream_listens_to_so_many_resources_and_not_to_more(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "ADDRESSES", 3)
    addresses = [f"atoms://campaigns/{number:024x}" for number in range(4)]
    wanted = {"notifications": {"resourceSubscriptions": addresses}}
    refused = told(await team.post(ANNA, "subscriptions/listen", wanted))
    assert "3 resources" in refused["error"]["message"]


async def test_a_body_that_breaks_off_is_no_fault_of_ours(
    team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    for head in (routing("tools/list"), {**ACCEPT, **LEGACY}):
        named = {name.replace("-", "_"): value for name, value in {**head, **JSON}.items()}
        async with await team.connection() as stream:
            sent = team.head("POST", "/mcp", ANNA, Content_Length="1000", **named) + b'{"json'
            await stream.send(sent)
        assert (await team.post(ANNA, "tools/list")).status_code == 200
    assert [record for record in caplog.records if record.exc_info] == []
