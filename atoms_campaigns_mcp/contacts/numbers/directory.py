"""Where a number belongs: from E.164 to a country and time zones."""

import re
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumber
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number

from atoms_campaigns_mcp.contacts.zone_names import current, one_a_clock, zones_of_country

NORTH_AMERICA = 1  # the country code that 25 countries share

_E164 = re.compile(r"\+?[0-9]{7,15}")


class Directory:
    """Tells where a number belongs. Keeps what it found per country and area code; not per number.

    Says where a number was issued, which for a mobile need not be where its owner is.
    """

    def __init__(self) -> None:
        self._area_countries: dict[str, str] = {}
        self._country_zones: dict[int, tuple[str, ...]] = {}

    def country(self, number: str) -> str:
        """Return the country (ISO 3166, two letters) of an E.164 number; "" if it has none.

        An unassigned number counts for the main country of its country code, except under +1:
        there an unknown area code may belong to any of 25 countries.
        """
        found = _split(number)
        if found is None:
            return ""
        code, national = found
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
        if code == NORTH_AMERICA:
            region = self._by_area(national[:3])
        elif len(regions) == 1:
            region = regions[0]
        else:
            region = phonenumbers.region_code_for_number(_joined(code, national)) or regions[0]
        return region if region.isalpha() else ""  # 001 stands for satellite and the like

    def zones(self, number: str) -> tuple[str, ...]:
        """Return the IANA names of the time zones an E.164 number may be in; () if unknown.

        A mobile or service number is in any zone of its country, as far as the library knows no
        better. Under +1 such a number (toll-free, personal) is unknown: 42 zones from Guam to
        Bermuda would say nothing.
        """
        found = _split(number)
        if found is None:
            return ()
        code, national = found
        anywhere = self._anywhere(code)
        if len(anywhere) <= 1:
            return anywhere
        parsed = _joined(code, national)
        narrow = _current(time_zones_for_geographical_number(parsed), code)
        if code == NORTH_AMERICA:
            return () if narrow == anywhere else narrow
        if narrow == anywhere or phonenumbers.is_number_geographical(parsed):
            return narrow
        # A prefix of mobiles may name one city's zone (+61 4: Sydney) though they are sold
        # everywhere; too wide a set only asks for more care.
        return anywhere

    def _by_area(self, area: str) -> str:
        # An area code is never split between countries; 234 5678 is a subscriber it can have.
        if area not in self._area_countries:
            sample = PhoneNumber(
                country_code=NORTH_AMERICA, national_number=int(f"{area or 0}2345678")
            )
            self._area_countries[area] = phonenumbers.region_code_for_number(sample) or ""
        return self._area_countries[area]

    def _anywhere(self, code: int) -> tuple[str, ...]:
        # There is no public way to ask for a whole country, but a prefix that has no zones of its
        # own has the country's, and no country has zones for all ten first digits.
        if code not in self._country_zones:
            answers = (
                time_zones_for_geographical_number(
                    PhoneNumber(country_code=code, national_number=digit)
                )
                for digit in range(10)
            )
            self._country_zones[code] = _current(max(answers, key=len), code)
        return self._country_zones[code]


def _current(zones: tuple[str, ...], code: int) -> tuple[str, ...]:
    """Return the zones by their names of today, one a clock; none if one is not known here.

    The library names a neighbour's zone for some countries (Paris for Algiers, Nairobi for Juba),
    whose clocks differ in summer or always. The database's own zones of the country count then.

    Debian 13 and Ubuntu 24.04 moved former names to a package that is not installed by default
    (tzdata-legacy), where `zoneinfo` would not find them. The library may be newer than the
    machine's database; its other zones alone would be too few.
    """
    names = dict.fromkeys(map(current, zones))
    names.pop(UNKNOWN_TIMEZONE, None)
    if not all(map(_is_known, names)):
        return ()
    own = _own_zones(code)
    return one_a_clock(names if own >= names.keys() or not own else sorted(own))


@cache
def _own_zones(code: int) -> frozenset[str]:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    return frozenset[str]().union(*map(zones_of_country, regions))


@cache
def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _split(number: str) -> tuple[int, str] | None:
    """Split an E.164 number, with or without +, into country code and national number."""
    if not _E164.fullmatch(number):
        return None
    digits = number.removeprefix("+")
    for length in (1, 2, 3):
        if (code := int(digits[:length])) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code, digits[length:]
    return None


def _joined(code: int, national: str) -> PhoneNumber:
    # Ten times as fast as parsing, for a number that was written by us or by the API.
    zeros = len(national) - len(national.lstrip("0"))
    return PhoneNumber(
        country_code=code,
        national_number=int(national),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
