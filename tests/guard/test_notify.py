"""Messages to the operator, and a guard's notes, in whatever state there is."""

import httpx2
import pytest

from atoms_campaigns_mcp.guard.notes import Note, notes_of
from atoms_campaigns_mcp.guard.notify import ATTEMPTS, Webhook
from atoms_campaigns_mcp.state.guarding import EVERYTHING, STOPPED, Watch, stopped_at
from tests.guard.yard import SECRET
from tests.state.conftest import Stores, stores
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio
__all__ = ["stores"]
CAMPAIGN = "696ddd2a04ff172dbd8eddad"
OTHER = "696ddd2a04ff172dbd8eddae"
ELSEWHERE = httpx2.Response(302, headers={"Location": "https://elsewhere.example/"})


async def told(*answers: httpx2.Response | Exception, rounds: int = 1) -> list[httpx2.Request]:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(request)
        if isinstance(found, Exception):
            raise found
        return httpx2.Response(found.status_code, headers=found.headers)

    network = httpx2.MockTransport(answer)
    hook = Webhook("https://example.com/hook", (SECRET, SECRET[::-1]), FakeClock().now, network)
    hook.add("campaign.stopped", campaign_id=CAMPAIGN)
    for _ in range(rounds):
        await hook.deliver()
    return asked


async def test_a_redirect_is_not_followed() -> None:
    (request,) = await told(ELSEWHERE)
    assert request.url.host == "example.com"


async def test_a_message_that_does_not_arrive_is_sent_again_under_the_same_id() -> None:
    asked = await told(httpx2.ConnectError("no"), httpx2.Response(204), rounds=4)
    assert len(asked) == 2
    assert len({request.headers["webhook-id"] for request in asked}) == 1


async def test_a_message_that_nobody_takes_is_given_up_in_the_end() -> None:
    assert len(await told(httpx2.Response(500), rounds=2 * ATTEMPTS)) == ATTEMPTS


async def test_each_secret_signs_so_that_one_can_be_replaced() -> None:
    (request,) = await told(httpx2.Response(204))
    one, other = request.headers["webhook-signature"].split()
    assert one != other


async def test_what_a_guard_keeps_is_there_for_every_server(stores: Stores) -> None:
    note = Note(state="paused", at=1.0, rule="calling_hours", agreed="x", paused_at="then")
    async with stores(2) as (one, other):
        await one.guard.keep("account", CAMPAIGN, note.dump())
        await one.guard.keep_each("account", [STOPPED + EVERYTHING, STOPPED + OTHER], "2.5")
        await one.guard.keep_each("account", [], "2.5")
        await one.guard.keep("another", CAMPAIGN, "theirs")
        kept = await other.guard.kept("account")
        assert stopped_at(kept, CAMPAIGN) == 2.5
        assert set(kept) == {CAMPAIGN, STOPPED + EVERYTHING, STOPPED + OTHER}
        found = notes_of(kept)[CAMPAIGN]
        assert found is not None
        assert (found.state, found.at, found.agreed) == ("paused", 1.0, "x")
        await other.guard.drop("account", CAMPAIGN)
        assert CAMPAIGN not in await one.guard.kept("account")
        assert await one.guard.kept("another") == {CAMPAIGN: "theirs"}


def test_a_note_that_cannot_be_read_is_nobodys_to_resume() -> None:
    assert notes_of({CAMPAIGN: "{}", "watch": "x"}) == {CAMPAIGN: None}
    assert stopped_at({STOPPED + CAMPAIGN: "soon"}, CAMPAIGN) == float("inf")


def test_a_guard_that_was_heard_too_long_ago_or_by_a_wrong_clock_is_not_there() -> None:
    watch = Watch(owner="one", until=100.0, resumes=False, rules=("calling hours",))
    kept = {"watch": watch.dump()}
    assert Watch.read(kept, 99.0) == watch
    assert Watch.read(kept, 100.0) is None
    assert Watch.read(kept, -1000.0) is None
    assert Watch.read({"watch": '{"owner": 1}'}, 0) is None
