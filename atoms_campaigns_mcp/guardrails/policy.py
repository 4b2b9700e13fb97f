"""The operator's policy. Agents cannot change it or argue with it."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from atoms_campaigns_mcp.config.parsing import MIDNIGHT
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.schemas.fields import ID_PATTERN
from atoms_campaigns_mcp.schemas.text import clean

CHANGED_BY = "Only the operator of this server can change {}."


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours in which contacts may be called: minutes after midnight, `end` at most 1440."""

    start: int
    end: int

    @property
    def all_day(self) -> bool:
        """Whether every moment is within them."""
        return (self.start, self.end) == (0, MIDNIGHT)

    def __str__(self) -> str:
        """Write them as the setting does."""
        clock = (f"{minute // 60:02d}:{minute % 60:02d}" for minute in (self.start, self.end))
        return "-".join(clock)


DEFAULT_HOURS = Hours(8 * 60, 21 * 60)  # what telemarketing rules of many countries allow at most


@dataclass(frozen=True, slots=True)
class Policy:
    """What a plan is judged by.

    `hours_enforced` says whether the operator set the calling hours: the default only warns.
    Agents and caller IDs are ids, names or numbers; no entry means that all are allowed.
    """

    max_contacts: int = 10_000
    max_running: int | None = None
    hours: Hours = DEFAULT_HOURS
    hours_enforced: bool = False
    agents: frozenset[str] = frozenset()
    caller_ids: frozenset[str] = frozenset()
    require_dnc_clean: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Take the policy out of the settings."""
        hours = Hours(*settings.calling_hours) if settings.calling_hours else DEFAULT_HOURS
        return cls(
            max_contacts=settings.max_contacts,
            max_running=settings.max_running,
            hours=hours,
            hours_enforced=settings.calling_hours is not None,
            agents=frozenset(settings.allowed_agents),
            caller_ids=frozenset(settings.allowed_caller_ids),
            require_dnc_clean=settings.require_dnc_clean,
        )

    def allows_agent(self, agent_id: str, name: str) -> bool:
        """Return whether an agent is allowed: by its id, or by a name that shows alike.

        A name that is written as an id is nobody's id.
        """
        if not self.agents or agent_id in self.agents:
            return True
        named = {_shown(agent) for agent in self.agents if not re.match(ID_PATTERN, agent)}
        return _shown(name) in named


def _shown(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", clean(name)).casefold().split())
