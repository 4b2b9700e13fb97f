"""No cell of an export is a formula, whichever separator the spreadsheet expects."""

import csv
import io
import re

import pytest
from hypothesis import example, given, strategies as st

from atoms_campaigns_mcp.contacts.spreadsheets import spreadsheet_safe

PIECES = st.sampled_from([*"=+@-;\t|\r\n\"', 1a", "\uff1d", "\uff20", "HYPERLINK(1)"])
NUMBER = re.compile(r"[+-]?[\d*]+(\.\d+)?", re.ASCII)


@pytest.mark.parametrize(
    ("value", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("Ada;=HYPERLINK(1)", "Ada;'=HYPERLINK(1)"),
        (";=HYPERLINK(1)", ";'=HYPERLINK(1)"),
        ('Ada;"=HYPERLINK(1)"', 'Ada;\'"=HYPERLINK(1)"'),
        ("Ada\n=1", "Ada\n'=1"),
        ("Ada\t +1+1", "Ada\t' +1+1"),
        ("+44********08", "+44********08"),
        ("+919876543210", "+919876543210"),
        ("-5.5", "-5.5"),
        ("Anil; Bea", "Anil; Bea"),
        ("", ""),
    ],
)
def test_exports_neutralise_formulas_and_leave_the_rest(value: str, safe: str) -> None:
    assert spreadsheet_safe(value) == safe


@given(st.lists(st.lists(PIECES, max_size=8).map("".join), min_size=1, max_size=3))
@example([";=1"])
@example(['a;"=1'])
@example(["a\r=1"])
def test_no_separator_makes_a_formula_of_any_value(values: list[str]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file).writerow(["Ada", *map(spreadsheet_safe, values)])
    for separator in ",;\t|":
        for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=separator):
            for cell in row:
                begins = cell.lstrip(" \"'\t\r\n")[:1] in [*"=+@-", "\uff1d", "\uff0b", "\uff20"]
                protected = cell.lstrip(' "\t\r\n').startswith("'")
                plain = NUMBER.fullmatch(cell.strip(' "\r\n'))
                assert not begins or protected or plain, (separator, cell)
