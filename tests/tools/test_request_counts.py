"""How many requests a person waits for, and which of them a question may leave out."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.support.bench import Bench
from tests.support.previews import draft
from tests.support.running import running
from tests.support.tampering import alter, fail
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
SLOW = ("/dnc", "/concurrency", "/balance", "/members", "/audience", "/agent/")
"""What hardly changes, and is not read twice for a preview and the question after it."""


@contextmanager
def requests(bench: Bench) -> Generator[list[str]]:
    """Give the paths that are requested meanwhile, each with its method."""
    before, found = len(bench.wire.requests), list[str]()
    yield found
    found += [f"{r.method} {r.url.path}" for r in bench.wire.requests[before:]]


def slow(paths: list[str]) -> list[str]:
    return [path for path in paths if any(part in path for part in SLOW)]


async def test_a_draft_takes_five_requests_of_which_four_are_made_at_once(bench: Bench) -> None:
    async with bench.client() as client:
        with requests(bench) as sent:
            await client.call("create_campaign", **DRAFT)
    assert len(sent) == 5
    assert sent[4:] == ["POST /atoms/v1/campaign"]


async def test_a_question_uses_what_a_preview_has_just_read_and_after_the_yes_all_is_read_anew(
    bench: Bench,
) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        with requests(bench) as previewed:
            await client.call("preview_campaign", **campaign)
        with requests(bench) as asked:
            token = await client.token("start_campaign", **campaign)
        with requests(bench) as started:
            await client.call("start_campaign", **campaign, confirm_token=token)
    assert len(slow(previewed)) == 7
    assert asked == []
    assert sorted(slow(started)) == sorted(slow(previewed))
    start = f"POST /atoms/v1/campaign/{campaign['campaign_id']}/start"
    assert started.index(start) == 13  # the campaign is read anew as well


async def test_what_was_read_half_a_minute_ago_is_read_again_for_a_question(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        await client.call("preview_campaign", **campaign)
        bench.clock.advance(seconds=31)
        with requests(bench) as asked:
            await client.token("start_campaign", **campaign)
    assert len(slow(asked)) == 7


async def test_a_second_preview_reads_everything_anew(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("preview_campaign", **campaign)
        with requests(bench) as again:
            await client.call("preview_campaign", **campaign)
    assert len(slow(again)) == 7


async def test_whom_the_preview_did_not_see_is_not_called_although_the_question_did_not_look(
    bench: Bench,
) -> None:
    """Somebody puts a contact on the do-not-call list between preview and yes."""
    bench.configure(require_dnc_clean=True)
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("preview_campaign", **campaign)
        alter(
            bench,
            "GET /dnc*",
            lambda data: {**data, "entries": [{"phoneNumber": "+12025550112"}]},
        )
        text = await client.refused("start_campaign", **campaign)
    assert "(dnc)" in text
    assert "start" not in bench.wire.changes


async def test_what_could_not_be_read_for_a_preview_is_read_for_the_question(bench: Bench) -> None:
    async with bench.client(answer=None) as client:
        campaign = await draft(client)
        below = bench.wire.below
        fail(bench, "GET /concurrency")
        await client.call("preview_campaign", **campaign)
        bench.wire.below = below
        with requests(bench) as asked:
            await client.token("start_campaign", **campaign)
    assert [path.rpartition("/")[2] for path in slow(asked)] == ["concurrency"]


async def test_a_stop_by_id_leaves_before_anything_is_read(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await client.call("start_campaign", **campaign)
        with requests(bench) as sent:
            await client.call("pause_campaign", **campaign)
    assert sent[0].startswith("POST ")
    assert sent[0].endswith("/pause")


@pytest.mark.slow
async def test_of_many_ids_every_stop_leaves_before_anything_is_looked_at(bench: Bench) -> None:
    async with bench.client() as client:
        ids = await running(client, 6)
        with requests(bench) as sent:
            await client.call("pause_campaign", campaign_id=", ".join(ids))
    assert [path for path in sent[:6] if not path.endswith("/pause")] == []
