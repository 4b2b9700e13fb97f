"""Every message a client sends is served, or its sender is told what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from mcp_types import (
    CallToolRequestParams,
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
)

from atoms_campaigns_mcp.server.jsonrpc import InvalidMessage, read

ASKED: dict[str, Any] = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
AROUND = ("arguments", "_meta", "task", "inputResponses", "requestState", "strange")
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | JSON,
        "id": st.integers() | st.text() | JSON,
        "method": st.text() | JSON,
        "params": JSON,
        "result": JSON,
        "error": JSON,
    },
)


def call(tool: str, text: str) -> bytes:
    """A call whose argument is written as an escape."""
    params = {"name": tool, "arguments": {"name": "X"}}
    return (
        json.dumps({**ASKED, "method": "tools/call", "params": params})
        .encode()
        .replace(b'"X"', f'"{text}"'.encode())
    )


@pytest.mark.parametrize(
    ("sent", "ids", "code"),
    [
        ({**ASKED, "params": ["all"]}, (7,), -32602),
        ({"id": 7, "method": "ping"}, (7,), -32600),
        ({**ASKED, "jsonrpc": "1.0"}, (7,), -32600),
        ({**ASKED, "id": None}, (None,), -32600),
        ({**ASKED, "id": 1.5}, (None,), -32600),
        ({**ASKED, "id": True}, (None,), -32600),
        ({**ASKED, "method": 5}, (7,), -32600),
        ({"jsonrpc": "2.0", "id": 7}, (7,), -32600),
        ([ASKED, {**ASKED, "id": "b"}], (7, "b"), -32600),
        ([{"jsonrpc": "2.0", "method": "notifications/initialized"}], (None,), -32600),
        ([], (None,), -32600),
        (5, (None,), -32600),
        # Nobody waits for an answer to these.
        ({"method": "notifications/initialized"}, (), -32600),
        ({"jsonrpc": "2.0", "method": "notifications/initialized", "params": [1]}, (), -32602),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_ids_that_can_be_read(
    sent: object, ids: tuple[Any, ...], code: int
) -> None:
    refused = read(json.dumps(sent).encode())
    assert isinstance(refused, InvalidMessage)
    assert (refused.ids, refused.code) == (ids, code)


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b"[" * 100_000, b"\xef\xbb\xbf", b"1" * 5000])
def test_what_is_no_json_is_refused_without_an_id(raw: bytes) -> None:
    refused = read(raw)
    assert isinstance(refused, InvalidMessage)
    assert refused.ids == (None,)


def test_a_byte_order_mark_is_no_part_of_the_message() -> None:
    assert read(b"\xef\xbb\xbf" + json.dumps(ASKED).encode()) == JSONRPCRequest(**ASKED)


@pytest.mark.parametrize(
    "raw", [call("create_campaign", "\\ud83d"), b'{"id": 7, "method": "\xf0\x9f"}']
)
def test_half_a_character_is_refused_with_the_id_and_without_the_text(raw: bytes) -> None:
    refused = read(raw)
    assert isinstance(refused, InvalidMessage)
    assert (refused.ids, refused.code) == ((7,), -32700)
    refused.words.encode()


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ([], {}),
        ("", {}),
        ("null", {}),
        ("{}", {}),
        ('{"csv": "phone", "limit": 2}', {"csv": "phone", "limit": 2}),
        ({"limit": 2}, {"limit": 2}),
        (None, {}),
    ],
)
def test_arguments_may_come_as_their_text_or_as_nothing_at_all(sent: Any, taken: Any) -> None:
    params = {"name": "add_contacts", "arguments": sent}
    message = read(json.dumps({**ASKED, "method": "tools/call", "params": params}).encode())
    assert isinstance(message, JSONRPCRequest)
    assert message.params == {"name": "add_contacts", "arguments": taken}


@pytest.mark.parametrize("sent", [["all"], "all", "[1]", '{"half', 5, True])
def test_arguments_that_name_nothing_are_refused_in_words(sent: Any) -> None:
    params = {"name": "start_campaign", "arguments": sent}
    refused = read(json.dumps({**ASKED, "method": "tools/call", "params": params}).encode())
    assert isinstance(refused, InvalidMessage)
    assert (refused.ids, refused.code) == ((7,), -32602)
    assert refused.words.startswith("arguments must be an object")


@pytest.mark.slow
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(AROUND, JSON)), JSON)
def test_whatever_stands_around_it_the_emergency_stop_is_taken(
    around: dict[str, Any], token: Any
) -> None:
    stop = {"name": "pause_campaign", "arguments": {"campaign_id": "all"}}
    meta = {"_meta": {"progressToken": token}}
    for params in ({**stop, **around}, {**stop, **meta}):
        sent = json.dumps({**ASKED, "method": "tools/call", "params": params})
        message = read(sent.encode())
        assert isinstance(message, JSONRPCRequest)
        CallToolRequestParams.model_validate(message.params)


@pytest.mark.parametrize("number", [b'"\\ud83d"', b'"\xe9"', b'["\\ud83d"]'])
def test_an_id_that_is_no_text_is_not_made_up(number: bytes) -> None:
    refused = read(b'{"jsonrpc": "2.0", "method": "ping", "id": ' + number + b"}")
    assert isinstance(refused, InvalidMessage)
    assert refused.ids == (None,)


def test_half_a_character_does_not_hold_up_the_emergency_stop() -> None:
    message = read(call("pause_campaign", "\\ud83d"))
    assert isinstance(message, JSONRPCRequest)
    assert message.params == {"name": "pause_campaign", "arguments": {"name": "?"}}


def test_an_answer_with_half_a_character_still_answers() -> None:
    said = read(b'{"jsonrpc":"2.0","id":3,"result":{"action":"decline","note":"\\ud83d"}}')
    assert said == JSONRPCResponse(jsonrpc="2.0", id=3, result={"action": "decline", "note": "?"})


@pytest.mark.parametrize("answer", [{"result": []}, {"error": "no"}, {"result": None}])
def test_an_answer_that_makes_no_sense_ends_the_waiting_for_it(answer: dict[str, Any]) -> None:
    said = read(json.dumps({"jsonrpc": "2.0", "id": 3, **answer}).encode())
    assert isinstance(said, JSONRPCError)
    assert said.id == 3


@pytest.mark.slow
@given(PARTS | JSON | st.lists(PARTS, max_size=3))
def test_whatever_comes_is_read_or_refused_and_nothing_of_it_is_repeated(value: Any) -> None:
    read_ = read(json.dumps(value).encode())
    if isinstance(read_, InvalidMessage):
        assert read_.words in WORDS
        if isinstance(value, dict) and isinstance(value.get("id"), str) and "method" in value:  # pyright: ignore[reportUnknownMemberType]
            assert read_.ids == (value["id"],) or "\\ud" in json.dumps(value["id"])
    elif isinstance(value, dict):
        assert isinstance(read_, JSONRPCNotification) == ("id" not in value)


WORDS = {
    refused.words
    for raw in (
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","method":5}',
        b'{"jsonrpc":"2.0","method":"x","id":null}',
        b'{"jsonrpc":"2.0","method":"x","params":[]}',
        b'{"result":5}',
        b'{"method":"x","id":"\\ud83d"}',
    )
    if isinstance(refused := read(raw), InvalidMessage)
}
