"""Rows are found whatever stands around them, and what is no list is named."""

import pytest

from atoms_campaigns_mcp.contacts import records
from atoms_campaigns_mcp.contacts.table import Contacts, parse
from atoms_campaigns_mcp.errors import InvalidArguments

NUMBER = "+919876543210"


def read(text: str | bytes, *columns: str) -> Contacts:
    return parse(text, phone_columns=columns, region="IN")


def refusal(text: str | bytes) -> InvalidArguments:
    with pytest.raises(InvalidArguments) as refused:
        read(text)
    return refused.value


@pytest.mark.parametrize("above", ["Customers of January\n", "Customers,,\n\nas of 1 May,,\n"])
def test_a_title_above_the_header_is_not_the_header(above: str) -> None:
    contacts = read(f"{above}Phone,Name,City\n{NUMBER},Ada,Pune\n12,Bea,Goa\n")
    assert contacts.columns == ("phoneNumber", "Name", "City")
    header = above.count("\n") + 1
    assert contacts.notes == (f"The header is row {header}.",)
    assert contacts.rejected[0].row == header + 2


def test_a_single_column_of_numbers_has_no_title() -> None:
    assert read(f"Phone\n{NUMBER}\n+919876543211,x\n").rows == ((NUMBER,),)


def test_bars_separate_cells() -> None:
    assert read(f"phone|name\n{NUMBER}|Ada, B\n").rows == ((NUMBER, "Ada, B"),)


def test_a_comma_in_a_number_does_not_separate_cells_if_the_header_has_semicolons() -> None:
    contacts = parse("Wer;Was\nAda;4915112345678,00\n", phone_columns=["Was"], region="DE")
    assert contacts.rows == (("+4915112345678", "Ada"),)
    asked = refusal("Wer;Was\nAda;4915112345678,00\n")
    assert '"Wer", "Was"' in asked.message


def test_a_row_without_its_last_separators_has_empty_cells() -> None:
    assert read(f"name,phone,a,b\nAda,{NUMBER}\n").rows == ((NUMBER, "Ada", "", ""),)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("BEGIN:VCARD\nVERSION:3.0\n", "a vCard"),
        ('{"phone": "1"}', "JSON"),
        ('[\n {"phone": "1"}]', "JSON"),
        ("<!DOCTYPE html><html></html>", "HTML"),
        ("\ufeff<table><tr>", "HTML"),
        ('<?xml version="1.0"?>', "XML"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel file (.xls) or one with a password"),
    ],
)
def test_what_is_no_list_is_named(text: str | bytes, kind: str) -> None:
    assert f"it is {kind}" in refusal(text).message


def test_too_many_rows_are_refused_with_their_number_and_the_parts() -> None:
    text = "phone\n" + "1\n" * 24_310
    refused = refusal(text)
    assert "24,310 rows" in refused.message
    assert "3 parts, each with the header" in refused.next_step


def test_too_many_bytes_are_refused_with_the_parts() -> None:
    assert "3 parts, each with the header" in refusal("x" * 12_000_000).next_step


@pytest.mark.parametrize("separator", list(",;\t|"))
def test_a_header_of_millions_of_columns_ends_early(
    separator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at = 0

    def value(cell: str) -> str:
        nonlocal looked_at
        looked_at += 1
        return cell

    monkeypatch.setattr(records, "value", value)
    refused = refusal(separator.join(["phone", *["c"] * 2_400_000]) + "\n1")
    assert "more than 100 columns" in refused.message
    assert "32" not in refused.message  # how many of them were looked at
    assert looked_at < 200_000


def test_two_rows_of_one_number_are_one_contact_with_the_cells_of_both() -> None:
    contacts = read(f"phone,name,city\n{NUMBER},,Pune\n98765 43210,Ada,Goa\n")
    assert contacts.rows == ((NUMBER, "Ada", "Pune"),)
    assert contacts.duplicates == ((3, 3, 2),)


def test_a_row_is_told_by_its_first_cell_that_a_person_knows_it_by() -> None:
    rows = ["12,,+14155550177,Ada Lovelace", '12,"=cmd()",A-17,x', "12," + "y" * 50 + ",,"]
    contacts = read("phone,a,b,c\n" + "\n".join(rows))
    assert [trouble.telling for trouble in contacts.rejected] == ["Ada Lovelace", "A-17", ""]


def test_rejected_rows_can_be_corrected_in_a_file_and_read_again() -> None:
    contacts = read(f"Mobile,name\n{NUMBER},Ada\n12,Bea\n13,Cid,x\n")
    file = contacts.rejects_csv().decode()
    assert file.splitlines() == [
        "Mobile,name,why_rejected",
        '12,Bea,"the number is too short, or a short code"',
        '13,Cid,"it has 3 cells, the header 2",x',
    ]
    again = read(file.replace("12,", "9876543211,").replace(",x", ""))
    assert again.rows == (("+919876543211", "Bea"),)
    assert again.columns == ("phoneNumber", "name")
