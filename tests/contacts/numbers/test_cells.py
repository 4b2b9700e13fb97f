"""A number is read as it was meant, or refused with a reason; never guessed."""

import re

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.contacts.numbers.cells import BadNumberError, Reason
from atoms_campaigns_mcp.contacts.numbers.column_reading import normalise
from atoms_campaigns_mcp.schemas.fields import E164_PATTERN

REGIONS = [None, "IN", "US", "GB", "DE", "IT", "AU", "BR"]
INDIAN = "+919876543210"
FICTIONAL = "+12025550143"
WRITTEN = st.text("+0123456789 -.()/x,'\u202a\uff11\u0663eE#\n", max_size=30)


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        (INDIAN, None, INDIAN),
        ("+91 98765 43210", None, INDIAN),
        ("+91-98765-43210", None, INDIAN),
        ("+91.98765.43210", None, INDIAN),
        ("(+91) 98765 43210", None, INDIAN),
        ("[+91] 98765 43210", None, INDIAN),
        (" +91\u00a098765\u00a043210 ", None, INDIAN),
        ("\u202a+91 98765 43210\u202c", None, INDIAN),
        (
            "\uff0b\uff19\uff11 \uff19\uff18\uff17\uff16\uff15 \uff14\uff13\uff12\uff11\uff10",
            None,
            INDIAN,
        ),
        ("+\u0669\u0661\u0669\u0668\u0667\u0666\u0665\u0664\u0663\u0662\u0661\u0660", None, INDIAN),
        ("'+919876543210", None, INDIAN),
        ("\u2019+919876543210", None, INDIAN),
        ('="+919876543210"', None, INDIAN),
        ("tel:+91-98765-43210", None, INDIAN),
        ("TEL: +919876543210", None, INDIAN),
        ("whatsapp:+919876543210", None, INDIAN),
        ("p:+919876543210", None, INDIAN),
        ("9876543210", "IN", INDIAN),
        ("9876543210", "in", INDIAN),
        ("09876543210", "IN", INDIAN),
        ("919876543210", "IN", INDIAN),
        ("919876543210.0", "IN", INDIAN),
        ("00919876543210", "IN", INDIAN),
        ("0091 98765 43210", "GB", INDIAN),
        ("0091 98765 43210", "US", INDIAN),
        ("0091 98765 43210", None, INDIAN),
        ("0055 51 98765-4321", "BR", "+5551987654321"),
        ("0033 6 12 34 56 78", "TH", "+33612345678"),
        ("0049 151 12345678", "TH", "+4915112345678"),
        ("8 10 44 20 7946 0958", "RU", "+442079460958"),
        ("0011 44 20 7946 0958", "AU", "+442079460958"),
        ("010 44 20 7946 0958", "JP", "+442079460958"),
        ("919876543210.00", "IN", INDIAN),
        ("98765 43210.0", "IN", INDIAN),
        ("+91 98765-43210,00", None, INDIAN),
        ("9,876,543,210.00", "IN", INDIAN),
        ("919.876.543.210,00", "IN", INDIAN),
        ("06.12.34.56.00", "FR", "+33612345600"),
        ("091 98765 43210", "IN", INDIAN),
        ("44 7400 123456", "IN", "+447400123456"),
        ("44 7400 123456", "+", "+447400123456"),
        ("07400 123456", "+44", "+447400123456"),
        ("447400123456", "+44", "+447400123456"),
        ("+52 1 55 1234 5678", None, "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("045 55 1234 5678", "MX", "+525512345678"),
        ("01 55 1234 5678", "MX", "+525512345678"),
        ("8 (912) 345-67-89", "RU", "+79123456789"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("+54 11 15 2345 6789", None, "+5491123456789"),
        ("0 15 11 98765-4321", "BR", "+5511987654321"),
        ("06 20 123 4567", "HU", "+36201234567"),
        ("06 698 1234", "IT", "+39066981234"),
        ("0044 (0)20 7946 0958", "IT", "+442079460958"),
        ("295-1234", "BM", "+14412951234"),
        ("919876543210.000", "IN", INDIAN),
        ("+14155552671,", None, "+14155552671"),
        ('"+14155552671",', None, "+14155552671"),
        ("011 91 98765 43210", "US", INDIAN),
        ("(202) 555-0143", "US", FICTIONAL),
        ("202.555.0143", "US", FICTIONAL),
        ("1 202 555\u20130143", "US", FICTIONAL),
        ("+44 (0)20 7946 0958", None, "+442079460958"),
        ("07700 900123", "GB", "+447700900123"),
        ("030/12345678", "DE", "+493012345678"),
        ("+39 02 3661 8300", None, "+390236618300"),
        ("+1 800 555 0143", None, "+18005550143"),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, region: str | None, number: str) -> None:
    assert normalise(text, region=region) == number


@pytest.mark.parametrize("number", [FICTIONAL, "+15555550100", "+447700900123", "+61491570156"])
def test_example_numbers_are_accepted_though_nobody_has_them(number: str) -> None:
    assert normalise(number, region=None) == number


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", None, Reason.EMPTY),
        (" - ", None, Reason.EMPTY),
        ("9.19877E+11", "IN", Reason.SPREADSHEET),
        ("9,19877e+11", None, Reason.SPREADSHEET),
        ("9E11", "IN", Reason.SPREADSHEET),
        ("+1 202 555 0143 ext. 5", None, Reason.EXTENSION),
        ("+1 202 555 0143 x123", None, Reason.EXTENSION),
        ("+1 202 555 0143;ext=123", None, Reason.EXTENSION),
        ("+1 202 555 0143,,123#", None, Reason.EXTENSION),
        ("+1 202 555 0143 #123", None, Reason.EXTENSION),
        ("9876543210 / 9876543211", "IN", Reason.SEVERAL),
        ("9876543210 or 9876543211", "IN", Reason.SEVERAL),
        ("+919876543210 +919876543211", None, Reason.SEVERAL),
        ("+919876543210\n+919876543211", None, Reason.SEVERAL),
        ("1234567/1234568", "DE", Reason.SEVERAL),
        ("1-800-FLOWERS", "US", Reason.LETTERS),
        ("n/a", "IN", Reason.LETTERS),
        ("call me", "IN", Reason.LETTERS),
        ("+1202555014\u00b3", None, Reason.SIGNS),
        ("++919876543210", None, Reason.SIGNS),
        ("919876543210+", "IN", Reason.SIGNS),
        ("=1+1", "IN", Reason.SIGNS),
        ("()", "IN", Reason.EMPTY),
        ("#####", "IN", Reason.SIGNS),
        ("9876543210", None, Reason.NO_COUNTRY),
        ("919876543210", "DE", Reason.TWO_READINGS),
        ("919876543210", None, Reason.NO_PLUS),
        ("1234567890", "US", Reason.PLACEHOLDER),
        ("5555555555", "US", Reason.PLACEHOLDER),
        ("0000000000", "IN", Reason.PLACEHOLDER),
        ("9999999999", "IN", Reason.PLACEHOLDER),
        ("+999123456789", None, Reason.UNKNOWN_COUNTRY),
        ("+0123456789", None, Reason.UNKNOWN_COUNTRY),
        ("555-0143", "US", Reason.NO_AREA),
        ("919876543210.5", "IN", Reason.SPREADSHEET),
        ("+8 (495) 123-45-67", "RU", Reason.UNKNOWN_COUNTRY),
        ("1 55 1234 5678", "MX", Reason.TWO_READINGS),
        ("001 45 8234 5678", "HK", Reason.TWO_READINGS),
        ("98765", "IN", Reason.SHORT),
        ("911", "US", Reason.SHORT),
        ("112", "DE", Reason.SHORT),
        ("11833", "DE", Reason.SHORT),
        ("+4911833", None, Reason.SHORT),
        ("+491234", None, Reason.SHORT),
        ("+9198765432101234", None, Reason.LONG),
        ("+4912345678901234", None, Reason.LONG),
        ("+91" + "9" * 1000, None, Reason.LONG),
        ("+1 900 555 0100", None, Reason.PREMIUM),
        ("+44 909 879 0123", None, Reason.PREMIUM),
        ("0001784813", "BR", Reason.UNKNOWN_COUNTRY),
        ("+55 00 178 4813", None, Reason.IMPOSSIBLE),
    ],
)
def test_a_number_that_may_not_be_dialled_is_refused_with_the_reason(
    text: str, region: str | None, reason: Reason
) -> None:
    with pytest.raises(BadNumberError) as refusal:
        normalise(text, region=region)
    assert refusal.value.reason is reason
    assert str(refusal.value) == reason.value


@pytest.mark.slow
@given(
    WRITTEN | st.text(max_size=80) | st.from_regex(r"(\+|00|0)?[1-9][0-9]{5,14}", fullmatch=True),
    st.sampled_from(REGIONS),
)
def test_any_text_is_refused_or_gives_e164_that_reads_the_same_in_any_region(
    text: str, region: str | None
) -> None:
    try:
        number = normalise(text, region=region)
    except BadNumberError:
        return
    assert re.fullmatch(E164_PATTERN, number)
    assert {normalise(number, region=other) for other in REGIONS} == {number}


@pytest.mark.parametrize(
    "text",
    [
        *["M: 98765 43210", "Mob. 98765 43210", "mobile - 9876543210", "Tel 98765 43210"],
        *["9876543210 (home)", "+91 98765 43210 (WhatsApp)", "Ph:+91 9876543210 [mobile]"],
        *["https://wa.me/919876543210", "919876543210@c.us", "919876543210@s.whatsapp.net"],
    ],
)
def test_a_label_beside_a_number_is_no_part_of_it(text: str) -> None:
    assert normalise(text, region="IN") == "+919876543210"


@pytest.mark.parametrize(
    "text",
    [
        *["9876543210 (fax)", "9876543210 (old)", "9876543210 (wrong number)", "F: 9876543210"],
        *["9876543210 (do not call)", "Fax 9876543210", "9876543210 (Bob's)", "C9876543210"],
        *["Tel 2 9876543210", "Phone-2 9876543210", "Mob. 1  98765 43210"],
    ],
)
def test_what_else_is_said_of_a_number_keeps_it_from_being_dialled(text: str) -> None:
    with pytest.raises(BadNumberError) as refused:
        normalise(text, region="IN")
    assert refused.value.reason is Reason.LETTERS
