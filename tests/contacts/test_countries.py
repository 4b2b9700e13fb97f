"""A row's own column decides in which country its number is read."""

import pytest

from atoms_campaigns_mcp.contacts.countries import country_of
from atoms_campaigns_mcp.contacts.table import Contacts, parse
from atoms_campaigns_mcp.errors import InvalidArguments


def read(text: str, region: str | None = None) -> Contacts:
    return parse(text, region=region)


def numbers(contacts: Contacts) -> list[str]:
    return [row[0] for row in contacts.rows]


@pytest.mark.parametrize(
    ("cell", "country"),
    [
        *[("44", "GB"), ("+44", "GB"), ("0044", "GB"), ("44.0", "GB"), ("GB", "GB"), ("gbr", "GB")],
        *[("UK", "GB"), ("United Kingdom", "GB"), ("Vereinigtes K\u00f6nigreich", "GB")],
        *[("India (+91)", "IN"), ("IN +91", "IN"), ("DE - Germany", "DE"), ("+1 (US)", "US")],
        *[("U.S.A.", "US"), ("1", "US"), ("1-684", "US"), ("\u4e2d\u56fd", "CN"), ("Brasil", "BR")],
        *[("\u0420\u043e\u0441\u0441\u0438\u044f", "RU"), ("C\u00f4te d\u2019Ivoire", "CI")],
        *[("\U0001f1ee\U0001f1f3", "IN"), ("Korea, Republic of", "KR"), ("M\u00c9XICO", "MX")],
        *[("", ""), ("-", ""), ("n/a", ""), ("unknown", "")],
        *[("Atlantis", None), ("999", None), ("US/CA", None), ("NA", None), ("12345", None)],
    ],
)
def test_codes_and_names_of_many_languages_are_countries(cell: str, country: str | None) -> None:
    assert country_of(cell) == country


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *[("phone_code", "44"), ("Country Code", "+44"), ("countryCode", "GB"), ("ISD", "0044")],
        *[("Country", "United Kingdom"), ("country_iso", "GBR"), ("Pa\u00eds", "Reino Unido")],
        *[("Land", "Vereinigtes K\u00f6nigreich"), ("\u0421\u0442\u0440\u0430\u043d\u0430", "GB")],
        *[("Country/Region", "UK"), ("Default Address Country Code", "GB"), ("Prefix", "44")],
        *[("Billing Country", "England"), ("L\u00e4ndervorwahl", "+44"), ("DDI", "44")],
        *[("Address 1 - Country", "GB"), ("Land/Region gesch\u00e4ftlich", "GB"), ("Code", "+44")],
        *[("Pays/R\u00e9gion (bureau)", "GB"), ("Pa\u00eds o regi\u00f3n del trabajo", "GB")],
        *[("Country of Residence", "GB"), ("Which country are you in?", "UK"), ("Ctry", "GB")],
    ],
)
def test_the_column_wins_over_the_default_region_and_that_is_told(column: str, cell: str) -> None:
    contacts = read(f"{column},phone_number\n{cell},7400123456\n", "IN")
    assert numbers(contacts) == ["+447400123456"]
    assert any(column in note for note in contacts.notes)
    assert any("1 of its rows name another country" in note for note in contacts.notes)


def test_each_row_is_read_in_its_own_country() -> None:
    contacts = read("phone,country\n7400123456,GB\n9876543210,India\n(415) 555-0177,1\n")
    assert numbers(contacts) == ["+447400123456", "+919876543210", "+14155550177"]


def test_an_unknown_country_is_never_replaced_by_the_default() -> None:
    rows = "9876543210,Atlantis\n9876543211,IN\n+919876543212,Atlantis\n9876543213,\nx,IN\nx,GB"
    contacts = read(f"phone,country\n{rows}\n", "IN")
    assert numbers(contacts) == ["+919876543211", "+919876543212", "+919876543213"]
    assert "names no known country" in contacts.rejected[0].reason


def test_a_column_about_the_phone_goes_before_one_about_the_person() -> None:
    contacts = read("phone,country,phone_code\n7400123456,India,44\n")
    assert numbers(contacts) == ["+447400123456"]


def test_two_countries_in_one_row_decide_nothing() -> None:
    contacts = read("phone,billing country,shipping country\n7400123456,GB,IN\n", "IN")
    assert [trouble.row for trouble in contacts.rejected] == [2]


def test_the_country_beside_the_phone_goes_before_that_of_another_address() -> None:
    contacts = read("billing_phone,billing_country,shipping_country\n7400123456,GB,IN\n", "IN")
    assert numbers(contacts) == ["+447400123456"]


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *[("IP Country Code", "GB"), ("CC", "gb"), ("State/Country", "IN"), ("Card Country", "GB")],
        *[("Pays taxes", "No"), ("EU country?", "no"), ("Country verified", "SI")],
    ],
)
def test_a_country_that_may_be_another_than_the_numbers_does_not_decide(
    column: str, cell: str
) -> None:
    contacts = read(f"{column},phone\n{cell},(415) 555-0177\n", "US")
    assert numbers(contacts) == ["+14155550177"]


def test_a_code_that_may_be_any_code_is_no_country() -> None:
    assert numbers(read("Code,phone\n44,9876543210\n", "IN")) == ["+919876543210"]


def test_what_says_that_numbers_are_national_says_so_for_each_rows_country() -> None:
    rows = "TR,0532 123 45 67\nID,0812-3456-7891\n"
    with pytest.raises(InvalidArguments) as asked:
        read(f"country,phone\n{rows}")
    assert 'default_region "+90"' in asked.value.next_step
    assert numbers(read(f"country,phone\n{rows}", "+90")) == ["+905321234567", "+6281234567891"]


def test_the_whole_list_may_be_of_the_uk() -> None:
    assert numbers(read("phone\n07400 123456\n", "uk")) == ["+447400123456"]


def test_a_plus_for_all_does_not_read_a_row_of_another_country() -> None:
    contacts = read("phone_code,phone\n44,7400123456\n44,447400123457\n", "+")
    assert numbers(contacts) == ["+447400123457"]


@pytest.mark.parametrize(("column", "cells"), [("Prefix", ["Ms", "Mr"]), ("Land", ["5", "320"])])
def test_a_column_that_only_sounds_like_countries_does_not_decide(
    column: str, cells: list[str]
) -> None:
    first, second = cells
    contacts = read(f"{column},phone\n{first},9876543210\n{second},9876543211\n", "IN")
    assert numbers(contacts) == ["+919876543210", "+919876543211"]
