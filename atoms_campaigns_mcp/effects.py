"""What tools do to the world; hints, modes, scopes, rights and confirmation derive from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LONGEST_NOTHING = 20  # characters


class Effect(StrEnum):
    """What a tool does; each tool has one."""

    READS = "reads"
    CHANGES = "changes"
    DIALS = "dials"
    DESTROYS = "destroys"


EVERYTHING = frozenset(Effect)
SCOPES = {
    "campaigns:read": Effect.READS,
    "campaigns:write": Effect.CHANGES,
    "campaigns:dial": Effect.DIALS,
    "campaigns:delete": Effect.DESTROYS,
}
"""The scopes of access tokens: each stands for one effect, and none implies another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What calls of one tool do: its effect, and dialing where an argument makes it dial.

    `dials_when` names that argument. An `emergency` tool stops dialing: it goes ahead even if it
    cannot be recorded.
    """

    effect: Effect
    dials_when: str = ""
    emergency: bool = False

    def of(self, arguments: Mapping[str, Any]) -> frozenset[Effect]:
        """Return what a call with these arguments does, whether they have been checked or not."""
        dials = bool(self.dials_when) and not absent(arguments.get(self.dials_when))
        return frozenset({self.effect, Effect.DIALS} if dials else {self.effect})

    def needed(self, arguments: Mapping[str, Any], allowed: frozenset[Effect]) -> frozenset[Effect]:
        """Return the rights that a call takes from somebody who is `allowed` some effects.

        Whoever may dial may also stop it: the emergency stop takes either right.
        """
        if self.emergency and Effect.DIALS in allowed:
            return frozenset({Effect.DIALS})
        return self.of(arguments)


def absent(value: Any) -> bool:
    """Return whether an optional argument of this value counts as left out.

    Strict schemas make hosts send every argument, so that models write one of these for none.
    """
    if isinstance(value, str):
        return len(value) <= LONGEST_NOTHING and value.strip() in {"", "null", "[]"}
    return value is None or value == []


def permitted(*, read_only: bool, no_dial: bool) -> frozenset[Effect]:
    """Return the effects that the modes leave."""
    left = frozenset({Effect.READS}) if read_only else EVERYTHING
    return left - {Effect.DIALS} if no_dial else left


def scope_of(effects: Iterable[Effect]) -> str:
    """Name the scopes that allow `effects`, as OAuth writes them, always in the same order."""
    wanted = set(effects)
    return " ".join(name for name, effect in SCOPES.items() if effect in wanted)
