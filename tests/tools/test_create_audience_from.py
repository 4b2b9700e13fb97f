"""Audiences from what is there: sources, filters, a sample with its remainder, a count alone."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.do_not_call import list_as_seeded
from tests.support.lost import nothing_done, trouble
from tests.support.tampering import fail, slow
from tests.support.troubles import listed
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
SOURCE = {"from_audience_id": "Newsletter readers"}


@pytest.fixture(autouse=True)
def _listed_people(bench: Bench) -> None:
    list_as_seeded(bench.world)


async def numbers(bench: Bench, audience_id: str) -> set[str]:
    data = await bench.api("GET", f"/audience/{audience_id}/members?page=1&offset=500")
    return {row["data"]["phoneNumber"] for row in data["members"]}


@pytest.mark.slow
async def test_whoever_is_on_a_do_not_call_list_is_left_out_and_counted(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_audience", name="Clean", **SOURCE)
        whole = await client.call("create_audience", name="All", **SOURCE, exclude_dnc=False)
    assert (made["contacts"], made["excluded"]) == (496, ["do_not_call: 4"])
    assert (whole["contacts"], whole["on_dnc"]) == (500, 4)
    assert made["columns"] == whole["columns"]
    clean, every = (
        await numbers(bench, made["audience_id"]),
        await numbers(bench, whole["audience_id"]),
    )
    assert clean < every


async def test_a_do_not_call_list_that_cannot_be_read_is_never_taken_for_a_clean_one(
    bench: Bench,
) -> None:
    fail(bench, "GET /dnc*", status=500)
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", **SOURCE)
    assert "exclude_dnc: false" in text
    assert "for the user to decide" in text
    assert "audience" not in bench.wire.changes


async def test_an_entry_of_the_list_that_is_no_number_leaves_it_unknown(bench: Bench) -> None:
    async with bench.client() as client:
        await listed("(202) 555-0111", "")(bench, client)
        text = await client.refused("create_audience", name="A", **SOURCE)
    assert "exclude_dnc: false" in text
    assert "audience" not in bench.wire.changes


async def test_contacts_of_other_audiences_are_left_out(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_audience", name="New", **SOURCE, exclude_audience_ids=["Spring renewals"]
        )
    assert set(made["excluded"]) == {"do_not_call: 4", "in_excluded_audience: 24"}
    assert made["contacts"] == 500 - 28


@pytest.mark.slow
async def test_whom_a_campaign_called_or_may_still_call_is_left_out(bench: Bench) -> None:
    async with bench.client() as client:
        rows = (await client.call("list_campaigns", status="completed"))["campaigns"]
        made = await client.call(
            "create_audience", name="New", **SOURCE, exclude_campaign_ids=[rows[0]["id"]]
        )
        named = await client.call(
            "create_audience",
            name="New by name",
            **SOURCE,
            exclude_campaign_ids=["spring renewals, FIRST round"],
        )
        text = await client.refused(
            "create_audience", name="None", **SOURCE, exclude_campaign_ids=["Spring renewals"]
        )
    excluded = dict(entry.split(": ") for entry in made["excluded"])
    assert int(excluded["in_excluded_campaign"]) == 24
    assert (named["contacts"], named["excluded"]) == (made["contacts"], made["excluded"])
    assert '"Spring renewals, first round"' in text  # a candidate, never a guess
    assert bench.wire.changes == ["audience", "audience"]
    assert made["contacts"] + made["excluded_contacts"] == 500


@pytest.mark.slow
async def test_a_sample_and_its_remainder_share_nobody_and_lose_nobody(bench: Bench) -> None:
    pilot: dict[str, Any] = {"name": "Pilot", "sample": 20, "remainder_name": "Rest", **SOURCE}
    async with bench.client() as client:
        counted = await client.call("create_audience", **pilot, dry_run=True)
        assert "audience" not in bench.wire.changes
        made = await client.call("create_audience", **pilot)
        again = await client.call("create_audience", **pilot)
    assert (made["contacts"], made["remainder"]) == (20, 476)
    assert (counted["contacts"], counted["remainder"]) == (20, 476)
    assert "audience_id" not in counted
    sample = await numbers(bench, made["audience_id"])
    rest = await numbers(bench, made["remainder_id"])
    assert (len(sample), len(rest), len(sample & rest)) == (20, 476, 0)
    ids = ("audience_id", "remainder_id")
    assert [again[name] for name in ids] == [made[name] for name in ids]


@pytest.mark.slow
async def test_asking_again_finishes_a_job_of_which_the_second_audience_was_lost(
    bench: Bench,
) -> None:
    pilot: dict[str, Any] = {"name": "Pilot", "sample": 20, "remainder_name": "Rest", **SOURCE}
    async with bench.client() as client:
        first = await client.call("create_audience", name="Pilot", sample=20, **SOURCE)
        trouble(bench, "POST", nothing_done)
        await client.refused("create_audience", **pilot)
        made = await client.call("create_audience", **pilot)
        rows = (await client.call("list_audiences", limit=100))["audiences"]
    assert made["audience_id"] == first["audience_id"]
    assert made["next_step"].startswith('"Pilot": It was there already')
    assert '"Rest": An earlier equal request' in made["next_step"]
    assert sorted(row["name"] for row in rows if row["name"] in {"Pilot", "Rest"}) == [
        "Pilot",
        "Rest",
    ]


async def test_only_those_in_the_zones_and_countries_are_kept(bench: Bench) -> None:
    csv = "phone,name\n+12025550143,Ada\n+919876543210,Ravi\n+442079460958,Bo\n"
    async with bench.client() as client:
        zone = await client.call(
            "create_audience", name="A", csv=csv, time_zones=["Asia/Kolkata"], dry_run=True
        )
        country = await client.call(
            "create_audience", name="A", csv=csv, countries=["GB", "us"], dry_run=True
        )
    assert (zone["contacts"], zone["excluded"]) == (1, ["other_time_zone: 2"])
    assert (country["contacts"], country["excluded"]) == (2, ["other_country: 1"])


@pytest.mark.parametrize(
    ("zone", "kept"),
    [("Europe/London", 1), ("GB", 1), ("Asia/Calcutta", 2), ("US/Eastern", 1)],
)
async def test_a_zone_is_known_by_its_former_name_and_its_islands(
    bench: Bench, zone: str, kept: int
) -> None:
    csv = "phone,tz\n+12025550143,\n+919876543210,\n+447700900123,\n+13105550143,asia/calcutta\n"
    arguments = {"name": "A", "csv": csv, "time_zones": [zone], "dry_run": True}
    async with bench.client() as client:
        made = await client.call("create_audience", **arguments)
    assert made["contacts"] == kept
    assert len(made["time_zones"]) == 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [(["UK"], 1), (["united kingdom"], 1), (["USA", "India"], 2), (["44"], 1)],
)
async def test_a_country_is_known_by_its_names_too(
    bench: Bench, given: list[str], kept: int
) -> None:
    csv = "phone,name\n+12025550143,Ada\n+919876543210,Ravi\n+442079460958,Bo\n"
    arguments = {"name": "A", "csv": csv, "countries": given, "dry_run": True}
    async with bench.client() as client:
        made = await client.call("create_audience", **arguments)
    assert made["contacts"] == kept


async def test_that_everybody_asked_not_to_be_called_is_no_reason_to_call_them(
    bench: Bench,
) -> None:
    listed_one = (await bench.api("GET", "/dnc"))["entries"][0]["phoneNumber"]
    csv = f"phone,opted out\n{listed_one},\n+12025550143,yes\n"
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", csv=csv)
    assert "do_not_call: 1" in text
    assert "opted_out: 1" in text
    assert "filter" not in text
    assert "exclude_dnc" not in text


async def test_whoever_is_taken_though_on_a_do_not_call_list_is_said_to_keep_a_start_from(
    bench: Bench,
) -> None:
    listed_one = (await bench.api("GET", "/dnc"))["entries"][0]["phoneNumber"]
    csv = f"phone\n{listed_one}\n+12025550143\n"
    async with bench.client() as client:
        made = await client.call("create_audience", name="A", csv=csv, exclude_dnc=False)
        added = await client.call("add_contacts", audience_id="Newsletter readers", csv=csv)
        clean = await client.call("create_audience", name="B", csv=csv)
        bench.configure(require_dnc_clean=False)
    async with bench.client() as client:
        allowed = await client.call("create_audience", name="C", csv=csv, exclude_dnc=False)
    for told in (made, added):
        assert "start is refused" in told["next_step"]
        assert "create_audience with from_audience_id" in told["next_step"]
    assert "refused" not in clean["next_step"]
    assert "refused" not in allowed["next_step"]
    assert "create_audience with from_audience_id" in allowed["next_step"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"time_zones": ["PST"]}, "time_zones: entry 1"),
        ({"sample": 497}, "sample: more than the 496"),
        ({"countries": ["FR"]}, "Nobody is left"),
        ({"countries": ["US", "Texas"]}, "countries"),
        ({"remainder_name": "Rest"}, "remainder_name: only goes with sample"),
        ({"remainder_name": "a", "sample": 3}, "remainder_name: must differ"),
        ({"remainder_name": "Rest", "sample": 496}, "leaves nobody"),
        ({"exclude_audience_ids": ["no such"]}, "exclude_audience_ids"),
    ],
    ids=str,
)
async def test_what_cannot_be_meant_makes_nothing(
    bench: Bench, arguments: dict[str, Any], word: str
) -> None:
    async with bench.client() as client:
        text = await client.refused("create_audience", name="A", **SOURCE, **arguments)
    assert word in text
    assert "audience" not in bench.wire.changes


@pytest.mark.slow
async def test_ten_thousand_contacts_are_filtered_in_under_ten_seconds(bench: Bench) -> None:
    csv = "phone,name\n" + "\n".join(f"+1415{n:07d},C{n}" for n in range(2000000, 2010000))
    async with bench.client() as client:
        campaigns = (await client.call("list_campaigns", status="completed"))["campaigns"]
        await client.call("create_audience", name="Large", csv=csv)
        slow(bench, seconds=0.2)
        before, sent = bench.clock.monotonic(), len(bench.wire.requests)
        made = await client.call(
            "create_audience",
            name="Pilot",
            from_audience_id="Large",
            exclude_audience_ids=["Newsletter readers"],
            exclude_campaign_ids=[campaigns[0]["id"]],
            sample=100,
            remainder_name="Rest",
        )
        took = bench.clock.monotonic() - before
    assert (made["contacts"], made["remainder"]) == (100, 9900)
    assert len(bench.wire.requests) - sent > 20  # pages of 500, read to their end
    assert took < 10


async def test_adding_contacts_says_at_once_how_many_are_on_a_list(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call(
            "create_audience", name="Mine", csv="phone,name\n+12025550143,Ada\n"
        )
        await listed("+919876543210", "")(bench, client)
        added = await client.call(
            "add_contacts",
            audience_id=made["audience_id"],
            csv="phone,name\n+919876543210,Ravi\n+919876543211,Uma\n",
        )
    assert (added["added"], added["on_dnc"]) == (2, 1)


async def test_whom_a_paused_campaign_may_call_counts_though_added_after_its_start(
    bench: Bench,
) -> None:
    new = "phone\n+12125550100\n"
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        campaign = {"campaign_id": made["campaign_id"]}
        await client.call("start_campaign", **campaign)
        await client.call("pause_campaign", **campaign)
        await client.call("add_contacts", audience_id=DRAFT["audience_id"], csv=new)
        text = await client.refused(
            "create_audience", name="A", csv=new, exclude_campaign_ids=[made["campaign_id"]]
        )
    assert "in_excluded_campaign: 1" in text
