"""What a tool answers when the API's answer to a change does not come, or is of no use."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.state.open import journal_entries
from tests.support.bench import Bench
from tests.support.lost import WITH_EFFECT, Sandbox, Trouble, nothing_done, trouble
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T10:00:00+05:30"
CSV = "phone,name\n+12025550143,Ada\n+12025550144,Bob"


async def campaign(client: Caller) -> dict[str, Any]:
    return {"campaign_id": (await client.call("create_campaign", **DRAFT))["campaign_id"]}


async def running(client: Caller) -> dict[str, Any]:
    started = await campaign(client)
    await client.call("start_campaign", **started)
    return started


async def nothing(_: Caller) -> dict[str, Any]:
    return {}


async def audience(client: Caller) -> dict[str, Any]:
    made = await client.call("create_audience", name="Spare", csv="phone\n+12025550100")
    return {"audience_id": made["audience_id"]}


CHANGES: dict[str, tuple[str, Callable[[Caller], Awaitable[dict[str, Any]]], dict[str, Any]]] = {
    "create_campaign": ("POST", nothing, DRAFT),
    "start_campaign": ("POST", campaign, {}),
    "pause_campaign": ("POST", running, {}),
    "delete_campaign": ("DELETE", campaign, {}),
    "create_audience": ("POST", nothing, {"name": "Mine", "csv": CSV}),
    "add_contacts": ("POST", audience, {"csv": CSV}),
    "delete_audience": ("DELETE", audience, {}),
}
EXPECTED = {
    "create_campaign": {"status": "draft", "participants": 2},
    "start_campaign": {"status": "running", "changed": True},
    "pause_campaign": {"status": "paused", "changed": True},
    "delete_campaign": {"status": "deleted", "changed": True},
    "create_audience": {"contacts": 2},
    "add_contacts": {"added": 2, "skipped": 0},
    "delete_audience": {"name": "Spare"},
}


@pytest.mark.slow
@pytest.mark.parametrize("what", WITH_EFFECT)
@pytest.mark.parametrize("tool", CHANGES)
async def test_what_was_done_is_found_although_its_answer_was_of_no_use(
    bench: Bench, tool: str, what: Trouble
) -> None:
    method, prepare, arguments = CHANGES[tool]
    async with bench.client() as client:
        given = await prepare(client) | arguments
        before = len(bench.wire.changes)
        trouble(bench, method, what)
        result = await client.call(tool, **given)
    assert EXPECTED[tool].items() <= result.items()
    (last,) = await journal_entries(bench.settings, 1)
    assert (last.intent.tool, last.outcome) == (tool, "done")
    if tool != "pause_campaign":  # which is sent again until it is seen to have worked
        assert len(bench.wire.changes) == before + 1
        assert last.detail == "the answer was lost, the effect was seen"


@pytest.mark.parametrize("tool", sorted(set(CHANGES) - {"pause_campaign"}))
async def test_what_is_not_seen_is_called_unknown_and_never_sent_again(
    bench: Bench, tool: str
) -> None:
    method, prepare, arguments = CHANGES[tool]
    async with bench.client() as client:
        given = await prepare(client) | arguments
        before = len(bench.wire.changes)
        trouble(bench, method, nothing_done)
        text = await client.refused(tool, **given)
    assert "does not say whether it was carried out" in text
    assert "looked for and not seen so far" in text
    assert "Look with" in text
    assert "Nothing was" not in text
    assert len(bench.wire.changes) == before + 1
    (last,) = await journal_entries(bench.settings, 1)
    assert (last.intent.tool, last.outcome) == (tool, "unknown")


async def test_a_pause_is_sent_again_while_the_campaign_is_seen_to_dial(bench: Bench) -> None:
    async with bench.client() as client:
        dialling = await running(client)
        trouble(bench, "POST", nothing_done, times=3)
        stopped = await client.call("pause_campaign", **dialling)
    assert stopped["status"] == "paused"
    assert bench.wire.changes.count("pause") == 4


async def test_work_that_the_api_does_a_little_late_is_found(bench: Bench) -> None:
    late: list[httpx2.Request] = []

    async def put_off(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
        late.append(request)
        raise httpx2.ReadError("reset")

    async with bench.client() as client:
        trouble(bench, "POST", put_off)
        below, looks = bench.wire.below, list[int]()

        async def third_look(request: httpx2.Request) -> httpx2.Response:
            if late and request.method == "GET":
                looks.append(1)
                if len(looks) == 3:
                    await below.handle_async_request(late.pop())
            return await below.handle_async_request(request)

        bench.wire.below = httpx2.MockTransport(third_look)
        made = await client.call("create_campaign", **DRAFT)
    assert made["status"] == "draft"
    assert len(looks) == 3


async def test_a_start_that_somebody_else_made_meanwhile_is_no_error(bench: Bench) -> None:
    below = bench.wire.below

    async def overtaken(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith("/start"):
            await below.handle_async_request(request)
        return await below.handle_async_request(request)

    async with bench.client() as client:
        waiting = await campaign(client)
        bench.wire.below = httpx2.MockTransport(overtaken)
        result = await client.raw("start_campaign", **waiting)
    data = result.structured_content
    assert data is not None
    assert (data["status"], data["changed"]) == ("running", False)
    assert "already been started" in text_of(result)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "prepare"), [("start_campaign", campaign), ("pause_campaign", running)]
)
async def test_what_was_accepted_is_no_failure_because_it_cannot_be_seen(
    bench: Bench, tool: str, prepare: Callable[[Caller], Awaitable[dict[str, Any]]]
) -> None:
    below, accepted = bench.wire.below, list[str]()

    async def blind(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            accepted.append(request.url.path)
        elif accepted:
            return httpx2.Response(503)
        return await below.handle_async_request(request)

    async with bench.client() as client:
        given = await prepare(client)
        bench.wire.below = httpx2.MockTransport(blind)
        result = await client.raw(tool, **given)
    assert not result.is_error
    assert result.structured_content is not None
    assert (result.structured_content["status"], result.structured_content["changed"]) == (
        "unknown",
        True,
    )
    assert "accepted" in text_of(result)
    assert "get_campaign_status" in text_of(result)


async def test_an_audience_that_is_newer_than_what_was_read_is_found(bench: Bench) -> None:
    async with bench.client() as one, bench.client() as two:
        before = bench.wire.below
        answered: list[int] = []

        async def old(request: httpx2.Request) -> httpx2.Response:
            response = await before.handle_async_request(request)
            if request.url.path.endswith("/audience") and not answered:
                answered.append(1)
                return httpx2.Response(200, json={"status": True, "data": []})
            return response

        made = await one.call("create_audience", name="Fresh", csv=CSV)
        bench.wire.below = httpx2.MockTransport(old)
        added = await two.call(
            "add_contacts", audience_id=made["audience_id"], csv="phone\n+12025550145"
        )
    assert added["added"] == 1
