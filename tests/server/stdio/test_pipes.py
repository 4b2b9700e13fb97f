"""The two threads that read and write, and what is said when some of it cannot be written."""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any, BinaryIO

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp_types import INTERNAL_ERROR, JSONRPCMessage, JSONRPCNotification, JSONRPCResponse

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.server.stdio import pipes
from atoms_campaigns_mcp.server.stdio.early import EarlyAnswers
from atoms_campaigns_mcp.server.stdio.pipes import Inbox, Outbox
from atoms_campaigns_mcp.server.stdio.streams import Answers

HALF = {"said": "\ud83d"}  # half an emoji, for which UTF-8 has no bytes
PATIENCE = 10  # seconds


@contextmanager
def written() -> Generator[tuple[Outbox, BinaryIO]]:
    """A started outbox, and what its client reads from; unread pages of a pipe block it."""
    reading, writing = os.pipe()
    outbox = Outbox(writing)
    outbox.start()
    with open(reading, "rb") as client:  # noqa: PTH123 - a descriptor
        yield outbox, client
    outbox.close()
    os.close(writing)


@pytest.mark.anyio
async def test_an_answer_that_cannot_be_written_becomes_an_error_for_its_id() -> None:
    to_say: list[JSONRPCMessage] = [
        JSONRPCResponse(jsonrpc="2.0", id=7, result=HALF),
        JSONRPCNotification(jsonrpc="2.0", method="notifications/message", params=HALF),
        JSONRPCResponse(jsonrpc="2.0", id="next", result={}),
    ]
    with written() as (outbox, client):
        answers = Answers(outbox)
        for message in to_say:
            await answers.send(SessionMessage(message))
        await answers.finish()
        said = [json.loads(client.readline()) for _ in range(2)]

    assert [message["id"] for message in said] == [7, "next"]
    assert said[0]["error"]["code"] == INTERNAL_ERROR
    assert said[1]["result"] == {}


@pytest.mark.anyio
async def test_who_answers_waits_for_a_client_that_does_not_read() -> None:
    long = JSONRPCResponse(jsonrpc="2.0", id=1, result={"x": "y" * pipes.MOST})
    with written() as (outbox, client):
        answers = Answers(outbox)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(answers.send, SessionMessage(long))
            await anyio.lowlevel.checkpoint()
            assert outbox.full
            await anyio.to_thread.run_sync(client.readline)
        assert not outbox.full


@pytest.mark.anyio
async def test_who_answers_learns_that_the_client_reads_no_more() -> None:
    with written() as (outbox, client):
        answers = Answers(outbox)
        client.close()
        await answers.send(SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=1, result={})))
        with anyio.fail_after(PATIENCE):
            await answers.lost()
            await answers.finish()


def test_lines_are_written_in_the_order_in_which_they_were_put() -> None:
    with written() as (outbox, client):
        lines = [b"%d\n" % number for number in range(500)]
        for line in lines:
            outbox.put(line)
        assert [client.readline() for _ in lines] == lines


def test_a_client_that_sends_more_than_is_served_must_wait() -> None:
    reading, writing = os.pipe()
    line = b'{"jsonrpc":"2.0","method":"x","params":{"y":"%b"}}\n' % (b"z" * 9999)
    many = 3 * pipes.MOST // len(line)

    def send() -> None:
        with open(writing, "wb", buffering=0) as client:  # noqa: PTH123 - a descriptor
            for _ in range(many):
                client.write(line)

    arrived = Event()
    with written() as (outbox, _), open(reading, "rb") as stdin:  # noqa: PTH123
        inbox = Inbox(stdin, outbox, EarlyAnswers(Settings()))
        inbox.start()
        inbox.hand_over(arrived.set)
        client = Thread(target=send)
        client.start()
        taken: list[Any] = []
        while len(taken) < many:
            found = inbox.take()
            if found is None:
                assert arrived.wait(PATIENCE)
                arrived.clear()
            else:
                taken.append(found)
            assert inbox.waiting <= pipes.MOST + len(line)
        client.join()
    assert taken == [line] * many
