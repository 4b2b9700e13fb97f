"""Refusing a list as a whole, and showing what stands in it without giving numbers away."""

import math
from collections.abc import Sequence

from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.fields import hidden
from atoms_campaigns_mcp.schemas.text import quoted

SHOWN = 20  # names in one text
SHOWN_LENGTH = 40  # characters of each


def refused(what: str, next_step: str, argument: str = "csv") -> InvalidArguments:
    """Make the error for a list that cannot be used."""
    return InvalidArguments(f"{argument}: {what}. Nothing was created.", next_step=next_step)


def too_large(size: int, most: int) -> InvalidArguments:
    """Make the error for a list of `size` bytes, of which `most` are allowed."""
    return refused(
        f"it has {math.ceil(size / 100_000) / 10} MB; at most {most // 1_000_000} MB are allowed",
        "Leave out columns that the agent does not need, or split it into "
        f"{math.ceil(size / most)} parts, each with the header line on top.",
    )


def shown(name: str) -> str:
    """Quote text of a list, which comes from outside, and of one without a header is a contact."""
    return quoted(hidden(name, SHOWN_LENGTH))


def shown_names(names: Sequence[str]) -> str:
    """List names of columns or sheets."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(shown, names[:SHOWN])) + more
