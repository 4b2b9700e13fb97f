"""All ways in which people write the world's example numbers, read under every default region.

The numbers are the library's examples: of every region and every type of number. `scripts/numbers`
reads the whole grid and prints what came of it; the tests read samples of it.

What must hold: whatever the default region, the outcome is the original number, a refusal, a
question, or a doubt; never another number without a doubt. "Whatever the default region" includes
none and "+", for everything that tells its country: +, 00, a dialled international prefix, an
international number that lost its plus, one before which its country's trunk prefix was put. A
national number tells none: whose it is, is what `default_region` states, so national writings are
read with their own region. Nor does the grid hold a trunk prefix of one country before the country
code of another: 0151 23456789 is a German mobile, not 0 before a number of Texas.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from random import Random
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError
from atoms_campaigns_mcp.contacts.numbers.column_reading import AmbiguousColumnError, read_column

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
DEFAULTS: list[str | None] = [None, "+", *REGIONS]
ANOTHER = "another number"
COLUMN = 20  # cells of one column, at most


class Original(NamedTuple):
    """A number that exists, by the library's plans, and the region it was published for."""

    number: str
    region: str


class Trial(NamedTuple):
    """One original, written in one way, read under one default region."""

    original: Original
    way: str
    text: str
    default: str | None


def originals() -> list[Original]:
    """Return the example numbers of every region and type, each once."""
    found: dict[str, str] = {}
    for region in REGIONS:
        for kind in PhoneNumberType.values():
            example = phonenumbers.example_number_for_type(region, kind)
            if example and phonenumbers.is_valid_number(example):
                found.setdefault(_written(example, PhoneNumberFormat.E164), region)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        example = phonenumbers.example_number_for_non_geo_entity(code)
        if example and phonenumbers.is_valid_number(example):
            found.setdefault(_written(example, PhoneNumberFormat.E164), "001")
    return [Original(*item) for item in found.items()]


def anywhere(original: Original) -> dict[str, str]:
    """Write a number in the ways that tell its country."""
    number = phonenumbers.parse(original.number)
    digits, spaced = original.number[1:], _written(number, PhoneNumberFormat.INTERNATIONAL)
    code, national = _parts(original)
    ways = {
        "+": original.number,
        "+, spaces": spaced,
        "+, .00": f"{original.number}.00",
        "+, record's separator": f'"{spaced},"',
        "00": f"00{digits}",
        "00, spaces": f"00 {spaced[1:]}",
        "00, .0": f"00{digits}.0",
        "no plus": digits,
        "no plus, spaces": spaced[1:],
        "no plus, .0": f"{digits}.0",
        "no plus, ,00": f"{digits},00",
        "no plus, thousands": f"{int(digits):,}.00",
    }
    if trunk := _trunk(original.region):
        ways["trunk prefix before the code"] = f"{trunk}{spaced[1:]}"
    if trunk == "0":
        ways["+, (0)"] = f"+{code} (0){national}"
    if code == "52":
        ways |= {f"{plus}52 1": f"{plus}521{national}" for plus in ("+", "", "00")}
    return ways


def at_home(original: Original) -> dict[str, str]:
    """Write a number in the ways that need its own region to be understood."""
    if original.region == "001":
        return {}
    number = phonenumbers.parse(original.number)
    trunk, (code, national) = _trunk(original.region), _parts(original)
    ways = {
        "national": _written(number, PhoneNumberFormat.NATIONAL),
        "national, digits": re.sub(r"\D", "", _written(number, PhoneNumberFormat.NATIONAL)),
        "national, .0": f"{national}.0",
        "national, no trunk prefix": national,
        "national, trunk prefix": f"{trunk}{national}",
        "own trunk prefix before the code": f"{trunk}{code}{national}",
    }
    if code == "52":
        ways |= {f"former {prefix}": f"{prefix}{national}" for prefix in ("01", "044", "045", "1")}
    if code == "55" and len(national) in {10, 11}:  # carriers are chosen between areas
        ways |= {f"carrier {carrier}": f"0{carrier}{national}" for carrier in (15, 21, 31, 55)}
    return ways


def dialled(original: Original, default: str) -> dict[str, str]:
    """Write a number with the international prefixes that are dialled in a region."""
    metadata = PhoneMetadata.metadata_for_region(default)
    pattern = (metadata and metadata.international_prefix) or ""
    prefixes = [f"00{digit}" for digit in "1256789"]
    prefixes = [prefix for prefix in prefixes if re.fullmatch(pattern, prefix)]
    if re.fullmatch(r"(?!00)\d{3}", pattern):
        prefixes.append(pattern)
    if default == "AU":
        prefixes.append("0011")
    return {f"dialled {prefix}": f"{prefix}{original.number[1:]}" for prefix in prefixes}


def read_anywhere(original: Original, default: str | None) -> Iterator[Trial]:
    """Write a number in the ways that tell its country, to be read under a default region."""
    ways = anywhere(original)
    if default and default != "+":
        ways |= dialled(original, default)
    for way, text in ways.items():
        yield Trial(original, way, text, default)


def read_at_home(original: Original) -> Iterator[Trial]:
    """Write a number in the ways that need its own region, to be read there."""
    for way, text in at_home(original).items():
        yield Trial(original, way, text, original.region)


def outcome(trial: Trial) -> str:
    """Read a column of one cell."""
    return outcomes([trial])[0]


def outcomes(column: Sequence[Trial]) -> list[str]:
    """Read a column and say of each cell what came of it."""
    try:
        found = read_column([t.text for t in column], [t.default for t in column])
    except AmbiguousColumnError:
        return ["asked"] * len(column)
    said: list[str] = []
    for trial, reading in zip(column, found.readings, strict=True):
        if isinstance(reading, BadNumberError):
            said.append("refused")
        elif reading.doubtful:
            said.append("doubtful")
        else:
            said.append("right" if reading.number == trial.original.number else ANOTHER)
    return said


def columns(
    same_region: Sequence[Original], defaults: Sequence[str | None]
) -> Iterator[list[Trial]]:
    """Write the numbers of one region in one way, as a column, for every way."""
    few = same_region[:COLUMN]
    for default in defaults:
        yield from _by_way(trial for original in few for trial in read_anywhere(original, default))
    yield from _by_way(trial for original in few for trial in read_at_home(original))


def _by_way(trials: Iterable[Trial]) -> Iterable[list[Trial]]:
    ways: dict[str, list[Trial]] = {}
    for trial in trials:
        ways.setdefault(trial.way, []).append(trial)
    return ways.values()


def by_region(numbers: Sequence[Original]) -> dict[str, list[Original]]:
    """Group numbers by their region."""
    groups: dict[str, list[Original]] = {}
    for original in numbers:
        groups.setdefault(original.region, []).append(original)
    return groups


def sample(count: int, seed: int) -> Iterator[Trial]:
    """Draw trials from the grid, about `count` of them; the same ones for the same seed."""
    rng = Random(seed)  # noqa: S311 - which trials does not matter, that they repeat does
    numbers = originals()
    drawn = 0
    while drawn < count:
        original = rng.choice(numbers)
        for trial in (*read_anywhere(original, rng.choice(DEFAULTS)), *read_at_home(original)):
            yield trial
            drawn += 1


def _written(number: phonenumbers.PhoneNumber, form: int) -> str:
    return phonenumbers.format_number(number, form)


def _parts(original: Original) -> tuple[str, str]:
    code = str(phonenumbers.parse(original.number).country_code)
    return code, original.number[1 + len(code) :]


def _trunk(region: str) -> str:
    metadata = PhoneMetadata.metadata_for_region(region) if region != "001" else None
    return (metadata and metadata.national_prefix) or ""


class Tally(NamedTuple):
    """What came of many readings: counts by way of writing and outcome, and the exceptions."""

    counts: Counter[tuple[str, str]]
    exceptions: list[Trial]

    def take(self, column: Sequence[Trial], prefix: str) -> None:
        """Read a column and count what came of its cells."""
        for trial, said in zip(column, outcomes(column), strict=True):
            way = re.sub(r"(dialled|carrier|former) .*", r"\1", trial.way)
            self.counts[prefix + way, said] += 1
            if said == ANOTHER:
                self.exceptions.append(trial)


def whole(same_region: Sequence[Original]) -> Tally:
    """Read the numbers of one region under every default region, one by one and as columns."""
    tally = Tally(Counter(), [])
    for original in same_region:
        for default in DEFAULTS:
            for trial in read_anywhere(original, default):
                tally.take([trial], "")
        for trial in read_at_home(original):
            tally.take([trial], "")
    for column in columns(same_region, DEFAULTS):
        tally.take(column, "column of ")
    return tally


def main() -> int:
    """Read the whole grid and print the counts by way of writing; 1 if there is an exception."""
    parser = argparse.ArgumentParser(prog="scripts/numbers", description=main.__doc__)
    parser.add_argument(
        "--examples", type=int, default=10, help="exceptions to print (%(default)s)"
    )
    shown = parser.parse_args().examples
    numbers = originals()
    counts: Counter[tuple[str, str]] = Counter()
    exceptions: list[Trial] = []
    with ProcessPoolExecutor() as workers:
        for tally in workers.map(whole, by_region(numbers).values()):
            counts.update(tally.counts)
            exceptions += tally.exceptions
    _print(counts)
    for trial in exceptions[:shown]:
        _say(f"EXCEPTION {trial}")
    _say(
        f"{len(numbers):,} numbers of {len(REGIONS)} regions, {counts.total():,} readings: "
        f"{len(exceptions):,} gave another number without a doubt"
    )
    return 1 if exceptions else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _print(counts: Counter[tuple[str, str]]) -> None:
    kinds = ["right", "doubtful", "asked", "refused", ANOTHER]
    _say(f"{'':44}" + "".join(f"{kind:>15}" for kind in kinds))
    for way in dict.fromkeys(way for way, _ in counts):
        _say(f"{way:44}" + "".join(f"{counts[way, kind]:15,}" for kind in kinds))


if __name__ == "__main__":
    raise SystemExit(main())
