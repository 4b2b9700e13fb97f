"""What every store must do, in one process and between several."""

import secrets
from dataclasses import replace
from typing import Any

import anyio
import hypothesis
import pytest
from hypothesis import strategies as st

from atoms_campaigns_mcp.rate_limit import Slot
from atoms_campaigns_mcp.state.journal import UNDER_WAY, Created, Intent, Wanted
from atoms_campaigns_mcp.state.store import LONGEST_LOCK, PlanRecord, Store, Upload
from tests.state.conftest import Stores

pytestmark = pytest.mark.anyio
RECORD = PlanRecord(
    "plan", "tenant", "start_campaign", "digest", 1000.5, "audience", ("warn: late",)
)
INTENT = Intent("tenant", "start_campaign", '{"campaign_id": "x"}', "asked", "digest")


async def test_a_plan_comes_back_as_it_was_kept_even_by_another_server(stores: Stores) -> None:
    async with stores(2) as (one, two):
        await one.plans.keep(RECORD)
        assert await two.plans.get("plan") == RECORD
        assert await two.plans.get("other") is None


async def test_a_plan_is_used_by_one_of_many_who_try_at_once(stores: Stores) -> None:
    used: list[bool] = []

    async def use(store: Store) -> None:
        used.append(await store.plans.use("plan"))

    async with stores(4) as opened:
        await opened[0].plans.keep(RECORD)
        async with anyio.create_task_group() as tasks:
            for store in opened * 5:
                tasks.start_soon(use, store)
    assert sorted(used) == [False] * 19 + [True]


async def test_a_plan_that_was_never_kept_cannot_be_used(stores: Stores) -> None:
    async with stores(1) as (store,):
        assert not await store.plans.use("plan")


async def test_a_lock_keeps_others_out_until_it_is_released_or_ends(stores: Stores) -> None:
    async with stores(2) as (one, two):
        assert await one.locks.acquire("campaign", "one", 100, 160)
        assert not await two.locks.acquire("campaign", "two", 160, 220)
        assert await two.locks.acquire("another", "two", 100, 160)
        assert await two.locks.acquire("campaign", "two", 161, 221)
        await two.locks.release("campaign", "two")
        assert await one.locks.acquire("campaign", "one", 161, 221)


async def test_a_lock_that_another_has_taken_cannot_be_extended_or_released(
    stores: Stores,
) -> None:
    async with stores(2) as (one, two):
        assert await one.locks.acquire("campaign", "one", 100, 160)
        assert await one.locks.extend("campaign", "one", 200)
        assert not await two.locks.acquire("campaign", "two", 161, 221)
        assert await two.locks.acquire("campaign", "two", 201, 261)
        assert not await one.locks.extend("campaign", "one", 300)
        await one.locks.release("campaign", "one")
        assert not await one.locks.acquire("campaign", "one", 202, 262)
        await two.locks.release("campaign", "two")
        assert not await two.locks.extend("campaign", "two", 300)


async def test_a_lock_of_a_clock_that_was_ahead_keeps_nobody_out(stores: Stores) -> None:
    async with stores(2) as (one, two):
        assert await one.locks.acquire("campaign", "one", 9_100, 9_140)
        assert await two.locks.acquire("campaign", "two", 100, 140)
        assert not await one.locks.extend("campaign", "one", 9_150)
        assert not await one.locks.acquire("campaign", "one", 101, 141)
        assert await one.locks.acquire("other", "one", 100, 100 + LONGEST_LOCK)
        assert not await two.locks.acquire("other", "two", 100, 140)


async def test_creations_of_unknown_outcome_are_found_by_their_key(stores: Stores) -> None:
    asked = replace(INTENT, key="k", known=("c1", "c2"))
    async with stores(2) as (one, two):
        done, unknown = await one.journal.begin(asked, 1), await one.journal.begin(asked, 2)
        left = await one.journal.begin(replace(asked, known=()), 3)
        other = await one.journal.begin(replace(asked, tenant="other", known=()), 4)
        await one.journal.begin(replace(asked, key="other"), 5)
        await one.journal.finish(done, "done")
        await one.journal.finish(unknown, "unknown")
        found = await two.journal.unresolved("k")
    assert [(entry.id, entry.intent.known) for entry in found] == [
        (unknown, ("c1", "c2")),
        (left, ()),
        (other, ()),  # of one account; whose, the key says
    ]


async def test_the_pace_is_kept_together_and_ends_with_the_second(stores: Stores) -> None:
    slot = Slot(now=1000.0, step=0.5)
    async with stores(2) as (one, two):
        waits = [await store.pace.book("key", slot) for store in (one, two, one, two)]
        assert waits == [0, 0, 0.5, 1.0]
        assert await one.pace.book("other key", slot) == 0
        await two.pace.hold("key", 1000.0, 1005.0)
        assert await one.pace.book("key", slot) == 5.5
        assert await one.pace.book("key", Slot(now=1000.0, step=0.5, patience=1)) == 6.0
        assert await one.pace.book("key", slot) == 6.0  # the impatient one has not booked


async def test_a_lock_is_acquired_by_one_of_many_who_try_at_once(stores: Stores) -> None:
    taken: list[bool] = []

    async def acquire(store: Store) -> None:
        taken.append(await store.locks.acquire("campaign", secrets.token_hex(), 100, 160))

    async with stores(4) as opened, anyio.create_task_group() as tasks:
        for store in opened * 5:
            tasks.start_soon(acquire, store)
    assert sorted(taken) == [False] * 19 + [True]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["acquire", "extend", "release"]),
        st.sampled_from(["one", "two", "three"]),
        st.integers(0, 5),  # seconds that pass
        st.integers(0, 8),  # seconds that it is wanted for
    ),
    max_size=12,
)


@pytest.mark.slow
@hypothesis.settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
@hypothesis.given(steps=STEPS)
def test_locks_of_several_servers_follow_one_rule(
    stores: Stores, steps: list[tuple[str, str, int, int]]
) -> None:
    subject = secrets.token_hex(8)

    async def act() -> None:
        now, holder, end = 100.0, "", 0.0
        async with stores(3) as opened:
            names: list[str] = ["one", "two", "three"]
            servers = dict(zip(names, opened, strict=True))
            for what, who, passed, wanted in steps:
                now += passed
                if what == "acquire":
                    free = not holder or end < now
                    assert await servers[who].locks.acquire(subject, who, now, now + wanted) == free
                    holder, end = (who, now + wanted) if free else (holder, end)
                elif what == "extend":
                    kept = await servers[who].locks.extend(subject, who, now + wanted)
                    assert kept == (holder == who)
                    end = now + wanted if kept else end
                else:
                    await servers[who].locks.release(subject, who)
                    holder = "" if holder == who else holder

    anyio.run(act)


async def test_caller_ids_are_kept_by_tenant_and_campaign(stores: Stores) -> None:
    async with stores(2) as (one, two):
        await one.caller_ids.keep("a", "c1", ("p1", "p2"))
        await one.caller_ids.keep("a", "c1", ("p3",))
        assert await two.caller_ids.get("a", "c1") == ("p3",)
        assert await two.caller_ids.get("b", "c1") is None
        assert await two.caller_ids.get("a", "c2") is None


async def test_the_journal_gives_the_latest_entries_first(stores: Stores) -> None:
    async with stores(1) as (store,):
        first = await store.journal.begin(INTENT, 10.5)
        second = await store.journal.begin(INTENT, 11.5)
        await store.journal.finish(first, "done", "detail", "request")
        entries = await store.journal.entries(10)
        assert [entry.id for entry in entries] == [second, first]
        assert [entry.id for entry in await store.journal.entries(1)] == [second]
    latest, earliest = entries
    assert (latest.outcome, latest.intent) == ("", INTENT)
    assert (earliest.at, earliest.outcome, earliest.detail) == (10.5, "done", "detail")
    assert earliest.request_id == "request"


async def test_the_journal_keeps_how_long_an_answer_took(stores: Stores) -> None:
    async with stores(1) as (store,):
        asked = replace(INTENT, answered_after=12.25)
        await store.journal.begin(asked, 1)
        await store.journal.begin(INTENT, 2)
        latest, earliest = await store.journal.entries(2)
    assert (latest.intent, earliest.intent) == (INTENT, asked)


async def test_the_journal_takes_any_text_and_drops_halves_of_characters(stores: Stores) -> None:
    async with stores(1) as (store,):
        half = replace(INTENT, arguments='{"name": "caf\u00e9 \ud83d"}')
        number = await store.journal.begin(half, 1)
        await store.journal.finish(number, "refused", "no \udc00 such \U0001f600", "id \ud83d")
        (entry,) = await store.journal.entries(1)
    assert entry.intent.arguments == '{"name": "caf\u00e9 ?"}'
    assert (entry.outcome, entry.detail, entry.request_id) == (
        "refused",
        "no ? such \U0001f600",
        "id ?",
    )


async def test_what_was_to_dial_is_known_until_it_is_seen_or_another_change_is_done(
    stores: Stores,
) -> None:
    dials = replace(INTENT, account="a", dials=True)
    async with stores(2) as (one, two):
        begun = [
            await one.journal.begin(replace(dials, campaign_id=f"c{n}"), 10 + n) for n in range(5)
        ]
        for number, outcome in zip(begun, ["done", "unknown", "refused", "failed"], strict=False):
            await one.journal.finish(number, outcome)
        made = await one.journal.begin(dials, 20)
        await one.journal.finish(made, "done", created=Created("c9", "c9"))
        await one.journal.begin(replace(dials, account="b"), 21)
        assert [entry.intent.campaign_id for entry in await two.journal.begun("a", 0)] == [
            "c0",
            "c1",
            "c3",
            "c4",
            "c9",
        ]
        await two.journal.saw("a", "c0")
        pause = await two.journal.begin(replace(INTENT, account="a", campaign_id="c1"), 22)
        assert len(await one.journal.begun("a", 0)) == 4
        await two.journal.finish(pause, "done")
        again = await one.journal.begin(replace(dials, campaign_id="c3"), 23)
        await one.journal.finish(again, "done")
        left = await two.journal.begun("a", 14)
    assert [(entry.id, entry.outcome) for entry in left] == [
        (begun[4], ""),
        (made, "done"),
        (again, "done"),
    ]


async def test_entries_say_their_mode_and_what_was_created_and_are_found_by_it(
    stores: Stores,
) -> None:
    async with stores(2) as (one, two):
        live = replace(INTENT, mode="live", campaign_id="c1")
        for at in range(3):
            await one.journal.begin(replace(live, mode="sandbox"), at)
        made = await one.journal.begin(replace(live, campaign_id=""), 10)
        await one.journal.finish(made, "done", created=Created("a1"))
        started = await one.journal.begin(live, 20)
        other = await one.journal.begin(replace(live, tenant="other"), 30)

        async def found(limit: int = 9, **wanted: Any) -> list[int]:
            return [entry.id for entry in await two.journal.entries(limit, Wanted(**wanted))]

        assert await found(mode="live") == [other, started, made]
        assert await found(1, campaign_id="c1", tenant="tenant") == [started]
        assert len(await found(campaign_id="c1", mode="sandbox")) == 3
        assert await found(since=20) == [other, started]
        assert made not in await found(unfinished=True)
        assert await found(campaign_id="c2") == []
        (_, _, created, *_) = await two.journal.entries(9)
    assert (created.created, created.intent.mode, created.intent.campaign_id) == ("a1", "live", "")


async def test_pruning_deletes_what_is_older_and_leaves_what_is_in_doubt(stores: Stores) -> None:
    async with stores(2) as (one, two):
        numbers = [await one.journal.begin(replace(INTENT, key="k"), at) for at in range(6)]
        for number, outcome in zip(numbers, ["done", "refused", "unknown", "done"], strict=False):
            await one.journal.finish(number, outcome)
        assert await two.journal.prune(3) == 2
        assert [entry.id for entry in await one.journal.entries(9)] == numbers[:1:-1]
        assert await two.journal.prune(3) == 0
        assert await two.journal.prune(99) == 1
        left = await one.journal.entries(9)
        assert [entry.id for entry in left] == [numbers[5], numbers[4], numbers[2]]
        assert numbers[2] in [entry.id for entry in await two.journal.unresolved("k")]
        assert await one.journal.begin(INTENT, 100) == numbers[-1] + 1


async def test_an_intent_without_an_outcome_is_reported_once(stores: Stores) -> None:
    async with stores(2) as (one, two):
        done, left = await one.journal.begin(INTENT, 1), await one.journal.begin(INTENT, 2)
        await one.journal.finish(done, "done")
        assert [entry.id for entry in await two.journal.unfinished(500)] == [left]
        assert await one.journal.unfinished(500) == []


async def test_what_a_living_server_may_be_doing_is_not_reported_yet(stores: Stores) -> None:
    async with stores(2) as (one, two):
        early, late = await one.journal.begin(INTENT, 1000), await one.journal.begin(INTENT, 1001)
        assert await two.journal.unfinished(1000 + UNDER_WAY - 1) == []
        assert [entry.id for entry in await two.journal.unfinished(1000 + UNDER_WAY)] == [early]
        # A clock that was wrong when it began does not hide it for ever.
        assert [entry.id for entry in await two.journal.unfinished(1001 - UNDER_WAY)] == [late]


async def test_an_upload_is_its_tenants_until_it_expires(stores: Stores) -> None:
    upload = Upload("u1", "tenant", b"phone\n\x00\xff", 1900.0)
    async with stores(2) as (one, two):
        assert await one.uploads.keep(upload, 1000.0, 2)
        assert await two.uploads.get("tenant", "u1", 1900.0) == b"phone\n\x00\xff"
        assert await two.uploads.get("tenant", "u1", 1900.5) is None
        assert await two.uploads.get("other", "u1", 1000.0) is None
        assert await two.uploads.get("tenant", "u2", 1000.0) is None


async def test_a_tenant_has_no_more_uploads_than_allowed_at_a_time(stores: Stores) -> None:
    async with stores(2) as (one, two):
        assert await one.uploads.keep(Upload("u1", "tenant", b"1", 1900.0), 1000.0, 2)
        assert await two.uploads.keep(Upload("u2", "tenant", b"2", 1950.0), 1050.0, 2)
        assert not await one.uploads.keep(Upload("u3", "tenant", b"3", 2000.0), 1100.0, 2)
        assert await one.uploads.keep(Upload("u3", "other", b"3", 2000.0), 1100.0, 2)
        assert await one.uploads.get("tenant", "u3", 1100.0) is None
        assert await one.uploads.keep(Upload("u4", "tenant", b"4", 2800.0), 1900.5, 2)
        assert await two.uploads.get("tenant", "u1", 1000.0) is None


async def test_the_last_outcome_of_an_entry_counts(stores: Stores) -> None:
    async with stores(1) as (store,):
        entry = await store.journal.begin(replace(INTENT, key="k"), 1)
        await store.journal.finish(entry, "unknown", "lost", "r1")
        assert [found.id for found in await store.journal.unresolved("k")] == [entry]
        await store.journal.finish(entry, "absent", "looked for again")
        assert await store.journal.unresolved("k") == []
        assert [(e.outcome, e.detail) for e in await store.journal.entries(5)] == [
            ("absent", "looked for again")
        ]


async def test_entries_of_many_servers_are_numbered_in_order_and_none_is_lost(
    stores: Stores,
) -> None:
    numbers: list[int] = []

    async def write(store: Store, at: float) -> None:
        number = await store.journal.begin(INTENT, at)
        numbers.append(number)
        await store.journal.finish(number, "done", str(at))

    async with stores(3) as opened:
        async with anyio.create_task_group() as tasks:
            for at in range(30):
                tasks.start_soon(write, opened[at % 3], float(at))
        found = await opened[0].journal.entries(100)
    assert [entry.id for entry in found] == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 30
    assert sorted(entry.at for entry in found) == list(range(30))
    assert all(entry.detail == str(entry.at) for entry in found)


async def test_requests_of_many_servers_keep_the_pace_of_one(stores: Stores) -> None:
    waits: list[float] = []

    async def book(store: Store) -> None:
        waits.append(await store.pace.book("key", Slot(now=1000.0, step=0.125)))

    async with stores(3) as opened, anyio.create_task_group() as tasks:
        for store in opened * 8:
            tasks.start_soon(book, store)
    assert sorted(waits) == [max(0.125 * n - 1, 0) for n in range(1, 25)]
