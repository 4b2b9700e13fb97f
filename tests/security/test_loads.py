"""One tenant's load leaves the others their stop, and the server its memory."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.security.target import ATTACKER, VICTIM, Target, large_list, target
from tests.support.process import INITIALIZE
from tests.support.team import ACCEPT, request, routing

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.alone,
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]
AT_ONCE = 60
STOPPED = 1.0  # seconds until a stop has left
MEMORY = 600.0  # MB
JSON = {"Content-Type": "application/json"}


async def sent(
    to: Target, bodies: list[bytes], headers: dict[str, str], statuses: Counter[int]
) -> None:
    """Send all bodies at once."""
    async with to.http(ATTACKER) as http, anyio.create_task_group() as tasks:

        async def send(body: bytes) -> None:
            answer = await http.post(to.url, content=body, headers={**headers, **JSON})
            statuses[answer.status_code] += 1

        for body in bodies:
            tasks.start_soon(send, body)


async def test_many_large_lists_of_one_tenant_delay_no_stop_of_another(tmp_path: Path) -> None:
    text, statuses = large_list(), Counter[int]()

    def creating(number: int) -> bytes:
        arguments = {"name": f"List {number}", "csv": text}
        call = {"name": "create_audience", "arguments": arguments}
        return json.dumps(request("tools/call", call)).encode()

    bodies = [creating(number) for number in range(AT_ONCE)]
    head = routing("tools/call", {"name": "create_audience"})
    with target(tmp_path) as to:
        campaign = await to.dialling()
        async with to.http(VICTIM) as http:
            shown = await to.call(http, "get_campaign_status", campaign_id=campaign)
        assert shown.status_code == 200
        left, said = STOPPED, ""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sent, to, bodies, head, statuses)
            await anyio.sleep(1)  # by when the first lists are being read
            left, answer = await to.stop(campaign)
            said = answer.text
        print(f"the stop left after {left:.2f} s; {to.peak:.0f} MB; {dict(statuses)}")  # noqa: T201
        assert '"status":"paused"' in said
        assert statuses[200] > 0
        assert set(statuses) <= {200, 429}
        assert (left < STOPPED, to.peak < MEMORY) == (True, True)


async def test_messages_of_empty_objects_take_no_memory(tmp_path: Path) -> None:
    statuses = Counter[int]()
    boxes = "[" + "{}," * 480_000 + "{}]"

    def opening(experimental: str) -> bytes:
        params: dict[str, Any] = {**INITIALIZE, "capabilities": {"experimental": {"a": "@"}}}
        body = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
        return json.dumps(body).replace('"@"', experimental).encode()

    addresses = [f"atoms://campaigns/{number:024x}" for number in range(100_000)]
    wanted = {"notifications": {"resourceSubscriptions": addresses}}
    listening = json.dumps(request("subscriptions/listen", wanted)).encode()
    asking = json.dumps(request("tools/list")).replace('"params": {', '"params": {"a": @, ')
    large = asking.replace("@", "[" + "{}," * 1_900_000 + "{}]").encode()
    fitting = opening('{"b": [' + "{}," * 1_000 + "{}]}")
    with target(tmp_path) as to:
        await sent(to, [opening(boxes)] * 10, ACCEPT, statuses)
        await sent(to, [listening] * 16, routing("subscriptions/listen"), statuses)
        await sent(to, [large] * AT_ONCE, routing("tools/list"), statuses)
        assert set(statuses) <= {413, 429}
        for _ in range(4):
            await sent(to, [fitting] * 50, ACCEPT, statuses)
        print(f"{to.peak:.0f} MB; {dict(statuses)}")  # noqa: T201
        assert statuses[200] == 200
        assert to.peak < MEMORY / 2
