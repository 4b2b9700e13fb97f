"""The contacts of a plan by time zone."""

from datetime import UTC, datetime

import pytest

from atoms_campaigns_mcp.contacts.numbers import directory
from tests.support.bench import Bench
from tests.support.previews import draft
from tests.support.serving import text_of

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def daytime(bench: Bench) -> None:
    bench.clock.moment = datetime(2027, 1, 4, 16, tzinfo=UTC)  # 21:30 in Kolkata


async def test_contacts_are_counted_by_zone_with_its_clock_and_problems_first(bench: Bench) -> None:
    """It is 21:30 in Kolkata; a toll-free number may be anywhere, an Australian mobile between."""
    numbers = ["+12025550111", "+12025550112", "+912268093561", "+18005550111", "+61412345678"]
    async with bench.client() as client:
        campaign = await draft(client, "phone\n" + "\n".join(numbers))
        result = await client.raw("preview_campaign", **campaign)
    preview = result.structured_content
    assert preview is not None
    kolkata, australia, unknown, washington = preview["zones"]
    assert kolkata == {
        "zone": "Asia/Kolkata",
        "contacts": 1,
        "local_start": "21:30",
        "within_hours": False,
    }
    assert australia["zone"].endswith(" more")
    assert (australia["local_start"], australia["within_hours"]) == ("22:30-03:00", False)
    assert unknown == {"zone": "unknown", "contacts": 1, "local_start": ""}
    assert (washington["contacts"], washington["within_hours"]) == (2, True)
    text = getattr(result.content[0], "text", "")
    assert "America/New_York (11:00 there): 2" in text
    assert preview["calling_hours"] == "08:00-21:00"


async def test_a_column_opens_no_hours_that_the_operator_has_closed(bench: Bench) -> None:
    """It is 21:30 in Kolkata, and 04:00 in the zone of the column."""
    bench.configure(calling_hours=(0, 1_260))
    csv = "phone,timezone\n+912268093561,Etc/GMT+12\n"
    async with bench.client() as client:
        campaign = await draft(client, csv)
        preview = await client.call("preview_campaign", **campaign)
        refused = await client.refused("start_campaign", **campaign)
    assert [f["rule"] for f in preview["findings"] if f["severity"] == "block"] == ["calling_hours"]
    assert "calling hours" in refused or "outside" in refused
    assert "start" not in bench.wire.changes


async def test_a_column_narrows_the_hours_that_the_number_allows(bench: Bench) -> None:
    """It is 11:00 in Washington, and 01:00 in the zone of the column."""
    bench.configure(calling_hours=(480, 1_260))
    csv = "phone,Time Zone\n+12025550111,asia/tokyo\n"
    async with bench.client() as client:
        campaign = await draft(client, csv)
        preview = await client.call("preview_campaign", **campaign)
    assert [f["rule"] for f in preview["findings"] if f["severity"] == "block"] == ["calling_hours"]


async def test_zones_beyond_the_eighth_are_counted_together(bench: Bench) -> None:
    zones = [f"Etc/GMT+{hour}" for hour in range(1, 11)]
    rows = [f"+1202555{n:04d},{zone}" for n, zone in enumerate(zones)]
    async with bench.client() as client:
        campaign = await draft(client, "phone,timezone\n" + "\n".join(rows))
        preview = await client.call("preview_campaign", **campaign)
    *shown, rest = preview["zones"]
    assert len(shown) == 8
    assert (rest["zone"], rest["contacts"]) == ("2 others", 2)


async def test_it_names_the_next_start_that_ends_in_time_and_the_latest(bench: Bench) -> None:
    """It is 05:30 in Washington."""
    bench.clock.moment = datetime(2027, 1, 4, 10, 30, tzinfo=UTC)
    async with bench.client() as client:
        campaign = await draft(client)
        result = await client.raw("preview_campaign", **campaign)
    preview = result.structured_content
    assert preview is not None
    (finding,) = preview["findings"]
    assert "2 contacts will be called at 05:30 their time" in finding["reason"]
    assert preview["next_start"] == "2027-01-04T13:00:00Z"
    assert preview["latest_start"] == "2027-01-05T01:56:00Z"
    assert "2027-01-04T13:00Z (Mon 08:00 America/New_York)" in preview["start_times"]
    assert preview["start_times"] in text_of(result)
    assert preview["start_times"] in finding["next_step"]


async def test_a_zone_newer_than_this_machine_is_counted_as_unknown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(_: object) -> tuple[str, ...]:
        return ("Mars/Olympus_Mons",)

    monkeypatch.setattr(directory, "time_zones_for_geographical_number", newer)
    async with bench.client() as client:
        campaign = await draft(client, "phone\n+912268093561")
        preview = await client.call("preview_campaign", **campaign)
    assert preview["zones"] == [{"zone": "unknown", "contacts": 1, "local_start": ""}]
