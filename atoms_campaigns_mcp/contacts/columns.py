"""What the columns of a contact list are called in every upload."""

import re
import unicodedata
from collections.abc import Sequence

from atoms_campaigns_mcp.contacts.refusals import refused, shown_names
from atoms_campaigns_mcp.schemas.fields import hidden

PHONE = "phoneNumber"  # the column of the numbers
TIME_ZONE = "timezone"  # the column of time zones, if there is one
LONGEST_NAME = 64  # characters of a column name; ours

_LEGAL = re.compile(rf"[A-Za-z0-9_]{{1,{LONGEST_NAME}}}")


def output_names(
    header: Sequence[str], kept: Sequence[int], spare: Sequence[int], zones: Sequence[int]
) -> tuple[str, ...]:
    """Name every column as the API takes it: ASCII letters, digits and underscore.

    Args:
        header: Names as they stand in the file.
        kept: The columns that are uploaded, the one of the numbers first.
        spare: Further columns of numbers, which may not take the name of the first.
        zones: Columns of time zones.

    Raises:
        InvalidArguments: One has no name, or two end up the same.
    """
    for place in kept:
        if not header[place]:
            raise refused(
                f"column {place + 1} has no name", "Name it in the first line, or remove it."
            )
    names = [PHONE if p == kept[0] else _legal(header[p], p) for p in kept]
    for place in spare:
        if _legal(header[place], place) == PHONE:
            names[kept.index(place)] = f"{PHONE}_{place + 1}"
    if len(zones) == 1:
        names[kept.index(zones[0])] = TIME_ZONE
    for name in names:
        same = [header[p] for p, new in zip(kept, names, strict=True) if new == name]
        if len(same) > 1:
            raise refused(
                f"the columns {shown_names(same)} would all be called {hidden(name)}",
                "Rename or remove all but one of them.",
            )
    return tuple(names)


def _legal(name: str, place: int) -> str:
    if _LEGAL.fullmatch(name):
        return name
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_")
    return joined[:LONGEST_NAME].rstrip("_") or f"column_{place + 1}"
