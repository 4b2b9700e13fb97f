"""A number leads to its country and its time zones."""

import random
import zoneinfo

import phonenumbers
import pytest

from atoms_campaigns_mcp.contacts.numbers import directory
from atoms_campaigns_mcp.contacts.numbers.directory import Directory

INDIAN = "+919876543210"
FICTIONAL = "+12025550143"


@pytest.mark.parametrize(
    ("number", "country", "zones"),
    [
        (INDIAN, "IN", {"Asia/Kolkata"}),
        ("919876543210", "IN", {"Asia/Kolkata"}),
        ("+910000000000", "IN", {"Asia/Kolkata"}),
        (FICTIONAL, "US", {"America/New_York"}),
        ("+13105550143", "US", {"America/Los_Angeles"}),
        ("+14165550143", "CA", {"America/Toronto"}),
        ("+18765550143", "JM", {"America/Jamaica"}),
        ("+12085550143", "US", {"America/Boise", "America/Los_Angeles"}),
        ("+5491123456789", "AR", {"America/Argentina/Buenos_Aires"}),
        ("+77272345678", "KZ", {"Asia/Almaty"}),
        ("+447700900123", "GB", {"Europe/London"}),
        ("+4740612345", "NO", {"Europe/Oslo"}),
        ("+393123456789", "IT", {"Europe/Rome"}),
        ("+18005550143", "US", set[str]()),
        ("+15555550100", "", set[str]()),
        ("+80012345678", "", set[str]()),
        ("+999123456789", "", set[str]()),
        ("", "", set[str]()),
        ("not a number", "", set[str]()),
    ],
)
def test_a_number_leads_to_its_country_and_zones(
    number: str, country: str, zones: set[str]
) -> None:
    directory = Directory()
    assert directory.country(number) == country
    assert set(directory.zones(number)) == zones


def test_a_mobile_may_be_anywhere_in_a_country_of_several_zones() -> None:
    assert {"Australia/Perth", "Australia/Sydney"} <= set(Directory().zones("+61412345678"))
    assert set(Directory().zones("+61298765432")) == {"Australia/Sydney"}


def test_an_example_number_of_a_shared_country_code_counts_for_the_main_country() -> None:
    assert Directory().country("+447700900123") == "GB"


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        ("+213551234567", {"Africa/Algiers"}),  # not Paris, whose clock changes in summer
        ("+211921234567", {"Africa/Juba"}),  # not Nairobi, an hour ahead
        ("+353861234567", {"Europe/Dublin"}),
        ("+37121234567", {"Europe/Riga"}),
        ("+212612345678", {"Africa/Casablanca", "Africa/El_Aaiun"}),
    ],
)
def test_a_country_has_its_own_zones_where_the_library_names_a_neighbours(
    number: str, zones: set[str]
) -> None:
    assert set(Directory().zones(number)) == zones


def test_what_was_looked_up_before_does_not_change_an_answer() -> None:
    rng = random.Random(1)  # noqa: S311 - which numbers does not matter, that they repeat does
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    numbers = [f"+{rng.choice(codes)}{rng.randrange(10**6, 10**9)}" for _ in range(500)]
    used = Directory()
    first = {number: (used.country(number), used.zones(number)) for number in numbers}
    rng.shuffle(numbers)
    for number in numbers:
        fresh = Directory()
        assert first[number] == (fresh.country(number), fresh.zones(number))


def test_every_country_has_zones_of_current_names_that_python_can_load() -> None:
    directory = Directory()
    names: set[str] = set()
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number(region)
        assert example is not None
        number = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        assert directory.country(number)
        zones = directory.zones(number)
        assert zones, region
        names.update(zones)
    assert names <= zoneinfo.available_timezones()
    assert not names & {"Asia/Calcutta", "Asia/Katmandu", "Asia/Rangoon"}


def test_the_area_codes_of_north_america_are_found_for_any_subscriber() -> None:
    directory = Directory()
    for area in ("202", "310", "416", "876", "787", "671", "809"):
        answers = {
            directory.country(f"+1{area}{rest}") for rest in ("5550100", "2345678", "9876543")
        }
        assert len(answers) == 1
        assert answers != {""}


@pytest.mark.parametrize("number", ["+12025550143", "+919876543210", "+61412345678"])
def test_a_zone_that_this_machine_does_not_know_is_unknown_and_no_crash(
    number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def newer(_: object) -> tuple[str, ...]:
        return ("America/New_York", "Mars/Olympus_Mons")

    monkeypatch.setattr(directory, "time_zones_for_geographical_number", newer)
    assert Directory().zones(number) == ()
