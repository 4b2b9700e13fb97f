"""The command `guard`: what it says, how it ends, and what it refuses."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.cli.guard import WAITS, GuardOptions, watch
from atoms_campaigns_mcp.cli.start import main
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.sandbox.engine.faults import Fault
from tests.guard.conftest import place
from tests.guard.yard import Yard, begin, numbers

pytestmark = pytest.mark.anyio
__all__ = ["place"]
ONCE = GuardOptions(once=True)


async def ended(place: Yard, wish: GuardOptions = ONCE) -> int:
    return await watch(
        place.settings, wish, place.said.append, place.clock.clocks(), place.bench.wire
    )


async def started_near_the_end(place: Yard) -> str:
    async with place.bench.client() as client:
        campaign = await begin(client, numbers(60, "+91981"))
    place.clock.moment = place.clock.now().replace(hour=12, minute=58)
    return campaign


@pytest.mark.slow
async def test_once_stops_what_must_stop_and_ends_well(place: Yard) -> None:
    campaign = await started_near_the_end(place)
    assert await ended(place) == 0
    assert await place.status(campaign) == "paused"
    assert "calling hours 09:00-18:30" in place.said[0]
    assert "stopped 1" in place.said[-1]


@pytest.mark.slow
async def test_once_ends_badly_where_the_api_does_not_confirm(place: Yard) -> None:
    await started_near_the_end(place)
    place.bench.world.inject(Fault(kind="error_500", route="POST /campaign/{id}/pause"))
    assert await ended(place) == 1
    assert "1 could not be stopped" in place.said[-1]


@pytest.mark.parametrize(
    "route", ["*", "GET /campaign", "GET /conversation"], ids=["nothing", "campaigns", "calls"]
)
async def test_once_ends_badly_where_a_list_of_what_dials_cannot_be_read(
    place: Yard, route: str
) -> None:
    place.bench.world.inject(Fault(kind="error_500", route=route))
    assert await ended(place) == 1
    assert "not be read" in place.said[-1]


async def test_once_ends_badly_where_the_key_is_not_accepted_any_more(place: Yard) -> None:
    def refuse(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(401, json={"status": False, "errors": ["Unauthorized"]})

    place.bench.wire.below = httpx2.MockTransport(refuse)
    assert await ended(place) == 1


async def test_once_leaves_it_to_a_guard_that_is_there(place: Yard) -> None:
    async with place.guard() as guard:
        await guard.round()
        assert await ended(place) == WAITS
        await guard.lease.release()
    assert await ended(place) == 0


@pytest.mark.slow
async def test_a_dry_run_stops_nothing(place: Yard) -> None:
    campaign = await started_near_the_end(place)
    assert await ended(place, GuardOptions(once=True, dry_run=True)) == 0
    assert await place.status(campaign) == "running"
    assert any("Would stop" in text for text in place.said)
    assert "would stop 1" in place.said[-1]


@pytest.mark.parametrize(
    ("changes", "wish", "word"),
    [
        ({"calling_hours": None}, ONCE, "no rule"),
        ({"read_only": True}, ONCE, "read-only"),
        ({"no_dial": True}, GuardOptions(once=True, resume=True), "NO_DIAL"),
        ({"guard_webhook": "https://example.com/"}, ONCE, "WEBHOOK_SECRET"),
    ],
)
async def test_a_guard_that_could_not_do_its_work_does_not_start(
    place: Yard, changes: dict[str, Any], wish: GuardOptions, word: str
) -> None:
    settings = replace(place.settings, **changes)
    with pytest.raises(ConfigurationError, match=word):
        await watch(settings, wish, place.said.append, place.clock.clocks(), place.bench.wire)


def test_a_server_guards_its_own_account_only(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--http", "127.0.0.1:0", "--guard"])
    assert "--auth none" in capsys.readouterr().err
