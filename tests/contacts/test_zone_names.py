"""A zone is what the IANA database names, in any case; nothing else, and no file of the machine."""

from zoneinfo import ZoneInfo

import pytest

from atoms_campaigns_mcp.contacts.zone_names import current, one_a_clock, zone_of


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("asia/kolkata", "Asia/Kolkata"),
        ("PACIFIC/HONOLULU", "Pacific/Honolulu"),
        (" America/New York ", "America/New_York"),
        ("America / Argentina / Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("etc/gmt+12", "Etc/GMT+12"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
    ],
)
def test_a_name_in_any_case_is_a_zone_that_can_be_computed_with(text: str, zone: str) -> None:
    assert zone_of(text) == zone
    assert ZoneInfo(zone)


@pytest.mark.parametrize(
    "text",
    [
        *["PST", "EST", "IST", "GMT-10", "UTC+5:30", "+05:30", "Eastern Time", "localtime"],
        *["Factory", "posixrules", "posix/Asia/Kolkata", "Nowhere/Town", "Asia", "New York"],
        *["../etc/passwd", "/etc/passwd", "A\0B", "x" * 5000],
    ],
)
def test_anything_else_is_no_zone(text: str) -> None:
    assert zone_of(text) is None


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "unknown"])
def test_an_empty_cell_names_none_and_is_no_fault(text: str) -> None:
    assert zone_of(text) == ""


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("US/Central", "America/Chicago"),
        ("GB", "Europe/London"),
        ("Iceland", "Atlantic/Reykjavik"),
        ("Pacific/Truk", "Pacific/Chuuk"),
        ("Europe/Stockholm", "Europe/Stockholm"),  # linked to Berlin, and a name of today
        ("CET", "CET"),
        ("UTC", "UTC"),
    ],
)
def test_a_former_name_stands_for_the_zone_of_today(former: str, today: str) -> None:
    assert current(former) == today


def test_of_zones_with_one_clock_the_known_one_stays() -> None:
    islands = ("Europe/Guernsey", "Europe/Isle_of_Man", "Europe/London")
    assert one_a_clock(islands) == ("Europe/London",)
    assert one_a_clock(("Arctic/Longyearbyen", "Europe/Oslo")) == ("Europe/Oslo",)
    assert one_a_clock(("Europe/Paris", "Europe/Berlin")) == ("Europe/Paris", "Europe/Berlin")
