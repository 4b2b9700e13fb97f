"""What is read without the library's help is what the library would read."""

from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from atoms_campaigns_mcp.contacts.numbers import plans
from atoms_campaigns_mcp.contacts.numbers.plans import Reading

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def by_the_library(text: str) -> str | None:
    """The number in E.164 if it is assigned and may be dialled."""
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    kind = phonenumbers.number_type(number)
    if kind in {PhoneNumberType.UNKNOWN, PhoneNumberType.PREMIUM_RATE}:
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@pytest.mark.slow
@pytest.mark.parametrize("trunk", ["", "0", "1", "8"])
def test_digits_after_a_code_are_read_as_the_library_reads_them(trunk: str) -> None:
    rng = Random(18)  # noqa: S311 - which digits does not matter, that they repeat does
    compared = 0
    for _ in range(4_000):
        code = rng.choice(CODES)
        digits = f"{code}{trunk}{rng.randrange(10**5, 10 ** rng.randint(7, 11))}"
        found, expected = plans.international(digits), by_the_library(f"+{digits}")
        if isinstance(found, Reading) and not found.doubtful:
            assert found.number == expected or found.number.startswith("+52"), digits
            compared += 1
        if expected is not None:
            assert plans.may_be_international(digits), digits
    assert compared > 100
