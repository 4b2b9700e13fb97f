"""What is said over stdio, when some of it cannot be written."""

import json
import os

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, JSONRPCMessage, JSONRPCNotification, JSONRPCResponse

from atoms_campaigns_mcp.server import pipes

HALF = {"said": "\ud83d"}  # half an emoji, for which UTF-8 has no bytes
pytestmark = pytest.mark.anyio


async def test_an_answer_that_cannot_be_written_becomes_an_error_for_its_id() -> None:
    to_say: list[JSONRPCMessage] = [
        JSONRPCResponse(jsonrpc="2.0", id=7, result=HALF),
        JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params=HALF),
        JSONRPCResponse(jsonrpc="2.0", id="next", result={}),
    ]
    reading, writing = os.pipe()
    with open(os.devnull, "rb") as nothing, open(reading, "rb") as client:  # noqa: ASYNC230, PTH123
        send, receive = anyio.create_memory_object_stream[SessionMessage](len(to_say))
        with send:
            for message in to_say:
                send.send_nowait(SessionMessage(message))
        try:
            await pipes.write_messages(pipes.Pipes(nothing, writing), receive)
        finally:
            os.close(writing)
        said = [json.loads(line) for line in client]

    assert [message["id"] for message in said] == [7, "next"]
    assert said[0]["error"]["code"] == INTERNAL_ERROR
    assert said[1]["result"] == {}
