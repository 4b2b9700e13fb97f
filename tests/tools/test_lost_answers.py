"""What a tool answers when the API's answer to a change does not come, or is of no use."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.server.history import entries
from atoms_campaigns_mcp.state.sqlite import SqliteStore
from tests.support.bench import Bench
from tests.support.serving import Caller, text_of
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
WHEN = "2027-01-05T10:00:00+05:30"
CSV = "phone,name\n+12025550143,Ada\n+12025550144,Bob"
Sandbox = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
Trouble = Callable[[httpx2.Request, Sandbox], Awaitable[httpx2.Response]]


async def lost(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    raise httpx2.ReadError("reset")


async def timed_out(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    raise httpx2.ReadTimeout("no byte")


async def fault(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(500, json={"status": False, "errors": ["Internal server error"]})


async def gateway(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(504, html="<h1>504 Gateway Time-out</h1>")


async def truncated(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    answer = await sandbox(request)
    return httpx2.Response(answer.status_code, content=(await answer.aread())[:-3])


async def empty(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200)


async def page(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200, html="<h1>Welcome</h1>")


async def other_shape(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(201, json={"status": True, "data": 7})


async def denied(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(200, json={"status": False, "errors": ["Something went wrong"]})


async def redirected(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:
    await sandbox(request)
    return httpx2.Response(302, headers={"Location": "http://elsewhere/"})


async def nothing_done(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
    raise httpx2.RemoteProtocolError("server disconnected")


WITH_EFFECT: list[Trouble] = [
    lost,
    timed_out,
    fault,
    gateway,
    truncated,
    empty,
    page,
    denied,
    redirected,
]


def trouble(bench: Bench, method: str, what: Trouble, times: int = 1) -> None:
    """Let `what` happen to the next requests of that method."""
    below, left = bench.wire.below, [times]

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method != method or not left[0]:
            return await below.handle_async_request(request)
        left[0] -= 1
        return await what(request, below.handle_async_request)

    bench.wire.below = httpx2.MockTransport(answer)


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
    (last,) = await entries(bench.settings, 1)
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
    (last,) = await entries(bench.settings, 1)
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


@pytest.mark.parametrize("how", [{}, {"scheduled_at": WHEN}], ids=["draft", "scheduled"])
async def test_asking_again_finds_what_was_made_after_nobody_looked_any_more(
    bench: Bench, how: dict[str, Any]
) -> None:
    late: list[httpx2.Request] = []

    async def put_off(request: httpx2.Request, sandbox: Sandbox) -> httpx2.Response:  # noqa: ARG001
        late.append(request)
        raise httpx2.ReadError("reset")

    async with bench.client() as client:
        sandbox = bench.wire.below
        trouble(bench, "POST", put_off)
        await client.refused("create_campaign", **DRAFT, **how)
        await sandbox.handle_async_request(late.pop())
        again = await client.call("create_campaign", **DRAFT, **how)
        third = await client.refused("create_campaign", **DRAFT, **how)
        rows = await client.call("list_campaigns", search=DRAFT["name"])
    assert "an earlier equal request, whose outcome had been unknown, made it" in again["next_step"]
    assert again["campaign_id"] in third
    assert len(rows["campaigns"]) == 1
    assert [entry.outcome for entry in await entries(bench.settings, 9)] == ["done"]


async def test_asking_again_creates_what_is_not_there_and_says_so(bench: Bench) -> None:
    async with bench.client() as client:
        trouble(bench, "POST", nothing_done)
        await client.refused("create_campaign", **DRAFT)
        again = await client.call("create_campaign", **DRAFT)
        rows = await client.call("list_campaigns", search=DRAFT["name"])
    assert "nothing of it was there, so this is new" in again["next_step"]
    assert len(rows["campaigns"]) == 1
    assert [entry.outcome for entry in await entries(bench.settings, 9)] == ["done", "absent"]


@pytest.mark.parametrize("tool", ["create_campaign", "create_audience"])
async def test_after_a_crash_the_same_request_finds_what_the_first_one_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    """The server ends between the API's answer and its record: the intent stays open."""
    arguments = CHANGES[tool][2]

    async def gone(*_: object) -> None:
        raise SystemError("killed")

    async with bench.client() as client:
        monkeypatch.setattr(SqliteStore, "finish", gone)
        await client.refused(tool, **arguments)
        monkeypatch.undo()
    async with bench.client() as client:
        again = await client.call(tool, **arguments)
    assert "an earlier equal request" in again["next_step"]
    assert bench.wire.changes == [tool.removeprefix("create_")]


async def test_a_killed_server_keeps_its_successor_out_for_less_than_a_minute(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise SystemError("killed")

    async with bench.client() as client:
        monkeypatch.setattr(SqliteStore, "finish", gone)
        monkeypatch.setattr(SqliteStore, "release", gone)
        await client.refused("create_campaign", **DRAFT)
        monkeypatch.undo()
    async with bench.client() as client:
        busy = await client.refused("create_campaign", **DRAFT)
        bench.clock.advance(seconds=41)
        again = await client.call("create_campaign", **DRAFT)
    assert "for up to 40 seconds" in busy
    assert "an earlier equal request" in again["next_step"]


async def test_an_equal_campaign_that_is_not_over_is_named_instead_of_made_again(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        first = await client.call("create_campaign", **DRAFT)
        text = await client.refused("create_campaign", **DRAFT, description="Other words")
        second = await client.call("create_campaign", **DRAFT, allow_duplicate=True)
    assert first["campaign_id"] in text
    assert "allow_duplicate" in text
    assert second["campaign_id"] != first["campaign_id"]
    assert bench.wire.changes == ["campaign", "campaign"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "January renewals 2"},
        {"audience_id": "Newsletter readers"},
        {"max_retries": 4},
        {"retry_delay": 16},
        {"scheduled_at": WHEN},
        {"phone_ids": ["6963d3a8862e1cb702da7244", "6963d3a8862e1cb702da7245"]},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_campaign_that_differs_in_anything_is_another_one(
    bench: Bench, change: dict[str, Any]
) -> None:
    async with bench.client() as client:
        numbers = (await client.call("list_phone_numbers"))["phone_numbers"]
        if "phone_ids" in change:
            change = {"phone_ids": [row["id"] for row in numbers[:2]]}
        await client.call("create_campaign", **DRAFT)
        await client.call("create_campaign", **(DRAFT | change))
    assert bench.wire.changes == ["campaign", "campaign"]


async def test_a_campaign_that_is_over_can_be_made_again(bench: Bench) -> None:
    async with bench.client() as client:
        first = await running(client)
        bench.clock.advance(hours=3)
        over = await client.call("get_campaign_status", **first)
        await client.call("create_campaign", **DRAFT)
    assert over["status"] == "completed"


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


async def test_two_equal_creations_at_once_make_one_campaign(bench: Bench) -> None:
    results: list[str] = []

    async def create(client: Caller) -> None:
        results.append(
            json.dumps((await client.raw("create_campaign", **DRAFT)).structured_content)
        )

    async with bench.client() as one, bench.client() as two, anyio.create_task_group() as tasks:
        for client in (one, two, one, two):
            tasks.start_soon(create, client)
    assert bench.wire.changes == ["campaign"]
    assert sum('"status": "draft"' in result for result in results) == 1


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
