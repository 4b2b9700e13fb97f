"""Columns of a contact list: which one holds the numbers, and what each is called afterwards."""

import re
import unicodedata
from collections.abc import Sequence

from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.fields import clean
from atoms_campaigns_mcp.texts import redact

PHONE = "phoneNumber"  # what the column of numbers is called in every upload
MOST_COLUMNS = 100  # ours; a call has a handful of variables
LONGEST_NAME = 64  # characters of a column name; ours
SHOWN = 20  # columns named in an error
SHOWN_LENGTH = 40  # characters of each

_LEGAL = re.compile(rf"[A-Za-z0-9_]{{1,{LONGEST_NAME}}}")
_DATA = re.compile(r"[\W\d_eE]*")  # no letters, except those of 9.19877E+11
_DATA_DIGITS = 6  # 9.19877E+11 shows six digits before its exponent
# Compared without case, accents, spaces and punctuation.
_PHONE_NAME = re.compile(
    r"(?:primary|contact|customer)?"
    r"(?:phone|telephone|tel|mobile|mob|cell|mobilephone|cellphone|whatsapp)"
    r"(?:number|num|nr|no)?(?:e164)?"
    r"|(?:contact|customer)?number|contactno|msisdn|e164"
    r"|telefon(?:o|e|nummer)?|handy(?:nummer)?|mobilnummer|rufnummer|celular|movil|portable"
    r"|numero(?:de)?(?:telefono|telefone|telephone|celular)"
)


def phone_places(header: Sequence[str], wanted: str) -> list[int]:
    """Find the columns (counted from 0) that may hold the numbers.

    Args:
        header: Names as they stand in the file.
        wanted: Name that the caller gave, matched exactly, else without case; "" to recognise the
            usual names.
    """
    if not wanted:
        return [place for place, name in enumerate(header) if _PHONE_NAME.fullmatch(_folded(name))]
    exact = [place for place, name in enumerate(header) if name == wanted]
    near = [place for place, name in enumerate(header) if name.casefold() == wanted.casefold()]
    return exact or near


def phone_place(header: Sequence[str], wanted: str) -> int:
    """Find the one column that holds the numbers.

    Raises:
        InvalidArguments: There is none, there are several, or the line is data and no header.
    """
    found = phone_places(header, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        names = [header[place] for place in found]
        raise InvalidArguments(
            f"phone_column: {len(found)} columns may hold the phone numbers: {_listed(names)}. "
            "Nothing was created.",
            next_step="Call again with phone_column set to the name of one of them; columns of "
            "the same name must be renamed first.",
        )
    if any(_is_data(name) for name in header):
        raise InvalidArguments(
            "csv: the first line looks like a contact, not like a header. Nothing was created.",
            next_step=f"Put a line with the names of the columns on top, such as {PHONE},name; "
            "if it is the header, give phone_column.",
        )
    problem = "no column has that name" if wanted else "no column is named like a phone number"
    raise InvalidArguments(
        f"phone_column: {problem}. The columns are {_listed(header)}. Nothing was created.",
        next_step="Call again with phone_column set to the column that holds the numbers.",
    )


def output_names(header: Sequence[str], phone: int) -> list[str]:
    """Name every column as the API takes it: ASCII letters, digits and underscore.

    Raises:
        InvalidArguments: There are too many columns, one has no name, or two end up the same.
    """
    if len(header) > MOST_COLUMNS:
        raise InvalidArguments(
            f"csv: it has {len(header)} columns; at most {MOST_COLUMNS} are allowed. "
            "Nothing was created.",
            next_step="Keep the column of phone numbers and those that the agent speaks of.",
        )
    for place, name in enumerate(header, 1):
        if not name:
            raise InvalidArguments(
                f"csv: column {place} has no name. Nothing was created.",
                next_step="Name it in the first line, or remove it.",
            )
    names = [PHONE if place == phone else _legal(name, place) for place, name in enumerate(header)]
    _check_distinct(header, names)
    return names


def _check_distinct(header: Sequence[str], names: Sequence[str]) -> None:
    for name in names:
        same = [old for old, new in zip(header, names, strict=True) if new == name]
        if len(same) > 1:
            raise InvalidArguments(
                f"csv: the columns {_listed(same)} would all be called {_shown(name)}. "
                "Nothing was created.",
                next_step="Rename or remove all but one of them.",
            )


def _legal(name: str, place: int) -> str:
    if _LEGAL.fullmatch(name):
        return name
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_")
    return joined[:LONGEST_NAME].rstrip("_") or f"column_{place + 1}"


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if char.isalnum())


def _is_data(name: str) -> bool:
    return bool(_DATA.fullmatch(name)) and sum(map(str.isdigit, name)) >= _DATA_DIGITS


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f'"{_shown(name)}"' for name in names[:SHOWN]) + more


def _shown(name: str) -> str:
    # A header is text from outside, and of a file without one it may be a contact.
    return redact(str(clean(name)).replace('"', "'"))[:SHOWN_LENGTH]
