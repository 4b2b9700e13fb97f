"""What tools do to the world; hints, modes, scopes and confirmation derive from it."""

from enum import StrEnum


class Effect(StrEnum):
    """What a tool does; each tool has one."""

    READS = "reads"
    CHANGES = "changes"
    DIALS = "dials"
    DESTROYS = "destroys"


EVERYTHING = frozenset(Effect)


def permitted(*, read_only: bool, no_dial: bool) -> frozenset[Effect]:
    """Return the effects that the modes leave."""
    left = frozenset({Effect.READS}) if read_only else EVERYTHING
    return left - {Effect.DIALS} if no_dial else left
