"""What a guard notes of a campaign that it stops, so that it knows its own pause again."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from atoms_campaigns_mcp.schemas.fields import ID_PATTERN

PAUSED = "paused"
# Seconds before a guard's stop in which a person's stop may have been what paused it.
OVERLAP = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A stop: `stopping` until the guard's own pause is confirmed, then `paused`.

    `at` is in seconds since 1970, before the pause was asked for; `agreed` is the digest that a
    resumption must find again, `zones` are those of whoever it may still call, and `paused_at` is
    when the API says that it was paused.
    """

    state: str
    at: float
    rule: str
    agreed: str
    paused_at: str
    zones: tuple[str, ...] = ()

    def dump(self) -> str:
        """Write it for the state."""
        return json.dumps(asdict(self))


def notes_of(kept: Mapping[str, str]) -> dict[str, Note | None]:
    """Return the notes by campaign; None where one cannot be read."""
    return {
        subject: _read(text) for subject, text in kept.items() if re.fullmatch(ID_PATTERN, subject)
    }


def _read(text: str) -> Note | None:
    try:
        return Note(**json.loads(text))
    except (ValueError, TypeError):
        return None
