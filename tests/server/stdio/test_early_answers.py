"""What is answered before the SDK is there is what the SDK would have answered."""

import json
from collections.abc import Sequence
from itertools import product
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings as tries, strategies as st
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError, JSONRPCRequest, JSONRPCResponse
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.jsonrpc import read
from atoms_campaigns_mcp.server.mcp.server import build
from atoms_campaigns_mcp.server.runtime_pool import RuntimePool
from atoms_campaigns_mcp.server.stdio.early import EarlyAnswers
from tests.support.process import ENVELOPE, INITIALIZE

HANDSHAKES = [
    *(version for version in KNOWN_PROTOCOL_VERSIONS if version not in MODERN_PROTOCOL_VERSIONS),
    *("2026-07-28", "2099-01-01", ""),
]
MODES = [
    Settings(api_key=key, read_only=read_only, no_dial=no_dial)
    for key, read_only, no_dial in product(["", "sk_test"], [False, True], [False, True])
] + [
    Settings(confirm="human", max_contacts=5, calling_hours=(540, 600), allowed_agents=("a",)),
    Settings(confirm="token"),
    Settings(confirm="never", show_numbers=True),
]
RICH: dict[str, Any] = {
    "capabilities": {
        "roots": {"listChanged": True},
        "sampling": {"tools": {}},
        "elicitation": {"form": {}, "url": {}},
        "experimental": {"x": {"y": [1, None]}},
        "extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}},
        "tasks": {"list": {}, "requests": {"elicitation": {"create": {}}}},
    },
    "clientInfo": {"name": "claude-ai", "version": "0.1.0", "title": "Claude é", "extra": 1},
}


def line(method: str, params: Any = None, number: Any = 1, **more: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params, **more}
    if params is None:
        del message["params"]
    if number is None:
        del message["id"]
    return json.dumps(message, ensure_ascii=False).encode() + b"\n"


def hello(version: str = "2025-11-25", **more: Any) -> bytes:
    return line("initialize", {**INITIALIZE, "protocolVersion": version, **more})


INITIALIZED = line("notifications/initialized", number=None)
HANDSHAKE = [hello(), INITIALIZED, line("ping", number="two"), line("tools/list", {}, 3)]
STATELESS = [line("server/discover", ENVELOPE), line("tools/list", ENVELOPE, 2)]


def told_early(settings: Settings, lines: Sequence[bytes]) -> list[bytes | None]:
    early = EarlyAnswers(settings)
    return [early.answer(said) for said in lines]


def told_by_sdk(settings: Settings, lines: Sequence[bytes]) -> list[bytes | None]:
    """What a session of the SDK answers to each of these lines."""

    async def converse() -> list[bytes | None]:
        server = build(settings, RuntimePool(settings))
        into, heard = anyio.create_memory_object_stream[SessionMessage | Exception](len(lines))
        out, said = anyio.create_memory_object_stream[SessionMessage](99)
        answers: list[bytes | None] = []
        async with into, heard, out, said, anyio.create_task_group() as tasks:
            tasks.start_soon(server.run, heard, out, server.create_initialization_options())
            for raw in lines:
                message = read(raw)
                answers.append(None)
                if isinstance(message, JSONRPCRequest | JSONRPCResponse | JSONRPCError):
                    await into.send(SessionMessage(message))
                if isinstance(message, JSONRPCRequest):
                    answer = (await said.receive()).message
                    dumped = answer.model_dump_json(by_alias=True, exclude_unset=True)
                    answers[-1] = dumped.encode() + b"\n"
            tasks.cancel_scope.cancel()
        return answers

    return anyio.run(converse)


def sorted_keys(answer: bytes | None) -> bytes | None:
    """The same line with the keys of its objects in order."""
    if answer is None:
        return None
    text = json.dumps(json.loads(answer), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def assert_equal(settings: Settings, lines: Sequence[bytes]) -> int:
    """Hold early answers to the SDK's; return how many there are."""
    pairs = zip(told_early(settings, lines), told_by_sdk(settings, lines), strict=True)
    early = [(ours, theirs) for ours, theirs in pairs if ours is not None]
    for ours, theirs in early:
        assert theirs is not None
        assert len(ours) == len(theirs)
        assert sorted_keys(ours) == sorted_keys(theirs)
    return len(early)


@pytest.mark.parametrize("settings", MODES)
@pytest.mark.parametrize("version", HANDSHAKES)
def test_the_handshake_era_is_answered_as_by_the_sdk(settings: Settings, version: str) -> None:
    assert assert_equal(settings, [hello(version), *HANDSHAKE[1:]]) == 3


@pytest.mark.parametrize("settings", MODES)
def test_the_stateless_era_is_answered_as_by_the_sdk(settings: Settings) -> None:
    assert assert_equal(settings, STATELESS) == 2
    assert assert_equal(settings, STATELESS[::-1]) == 2


def test_what_hosts_say_of_themselves_is_no_reason_to_wait() -> None:
    meta = {"progressToken": 7, "traceparent": "00-0-0-0", "x": {"y": 1}}
    assert assert_equal(Settings(), [hello(**RICH), line("tools/list", {"_meta": meta}, 2)]) == 2
    prefix = "io.modelcontextprotocol/"
    envelope = {
        **ENVELOPE["_meta"],
        **meta,
        f"{prefix}clientCapabilities": RICH["capabilities"],
        f"{prefix}clientInfo": RICH["clientInfo"],
    }
    assert assert_equal(Settings(), [line("tools/list", {"_meta": envelope})]) == 1


@pytest.mark.parametrize(
    "first",
    [
        line("ping"),
        line("tools/list"),
        INITIALIZED,
        line("tools/call", {"name": "list_agents", "arguments": {}}),
        line("server/discover"),
        line("initialize"),
        hello(capabilities={"roots": None}),
        hello(clientInfo={"name": "x"}),
        b"{",
        b"[" + hello() + b"]",
        b"[" * 50_000,
        b"\xff",
        hello().replace(b'"test"', b'"\\ud83d"'),
    ],
)
def test_after_an_unusual_first_message_nothing_is_answered_early(first: bytes) -> None:
    assert set(told_early(Settings(), [first, *HANDSHAKE])) == {None}
    assert set(told_early(Settings(), [first, *STATELESS])) == {None}


def test_what_takes_the_sdk_waits_and_what_is_known_is_still_answered() -> None:
    call = line("tools/call", {"name": "list_agents", "arguments": {}}, 5)
    more = [call, line("prompts/list", number=6), line("tools/list", {"cursor": "x"}, 7)]
    lines = [*HANDSHAKE[:2], *more, b"{", line("ping", number=8)]
    early = told_early(Settings(), lines)
    assert [bool(answer) for answer in early] == [True, *[False] * 5, True]


def test_a_second_handshake_and_the_other_era_wait_for_the_sdk() -> None:
    lines = [*HANDSHAKE, STATELESS[1], hello("2024-11-05"), line("tools/list", number=9)]
    assert [bool(a) for a in told_early(Settings(), lines)] == [1, 0, 1, 1, 0, 0, 0]
    lines = [*STATELESS, line("tools/list", number=4), line("ping", ENVELOPE, 5), hello()]
    assert [bool(a) for a in told_early(Settings(), lines)] == [1, 1, 0, 0, 0]


def test_the_first_answered_request_is_what_the_sdk_must_hear() -> None:
    for lines in (HANDSHAKE, STATELESS):
        early = EarlyAnswers(Settings())
        for said in lines:
            early.answer(said)
        assert early.opening == lines[0]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2**70),
    st.floats(),
    st.sampled_from(["", "2.0", "2026-07-28", "2024-11-05", "tools/list", "initialize", "x"]),
    st.just([]),
    st.just({}),
    st.just({"x": None}),
    st.just({"x": {}}),
    st.just([{}]),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place inside a message."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, held in cast("dict[str, Any]", value).items():
            found += paths(held, (*path, key))
    return found


@st.composite
def spoiled(draw: st.DrawFn) -> list[bytes]:
    """A usual conversation in which one or two places hold something else, or nothing."""
    rich = [hello(**RICH), *HANDSHAKE[1:]]
    said = [json.loads(one) for one in draw(st.sampled_from([HANDSHAKE, rich, STATELESS]))]
    for _ in range(draw(st.integers(1, 2))):
        message = draw(st.sampled_from(said))
        *above, last = draw(st.sampled_from(paths(message)))
        holder: dict[str, Any] = message
        for key in above:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(VALUES)
        else:
            holder.pop(last, None)
        if draw(st.booleans()):
            holder[draw(st.sampled_from(["cursor", "x", "_meta", "name"]))] = draw(VALUES)
    return [json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in said]


@pytest.mark.slow
@tries(max_examples=150, deadline=None)
@given(spoiled())
def test_whatever_is_malformed_gets_the_answer_of_the_sdk(lines: list[bytes]) -> None:
    assert_equal(Settings(), lines)
