"""Contacts by time zone: how many, what the clock shows there at the start, and whether it may."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from atoms_campaigns_mcp.guardrails import hours
from atoms_campaigns_mcp.guardrails.facts import ContactFact
from atoms_campaigns_mcp.guardrails.policy import Hours


@dataclass(frozen=True, slots=True)
class ZoneShare:
    """Contacts that may be in the same zones; `allowed` is None where no zone is known."""

    zones: tuple[str, ...]
    contacts: int
    allowed: bool | None

    @property
    def label(self) -> str:
        """Name the first zone and count the others."""
        if not self.zones:
            return "unknown"
        more = len(self.zones) - 1
        return f"{self.zones[0]} and {more} more" if more else self.zones[0]

    def outside(self, moment: datetime, allowed: Hours) -> bool:
        """Return whether the moment is outside the hours in every zone that it may be."""
        return bool(self.zones) and not any(
            hours.allowed([zone], moment, moment, allowed) for zone in self.zones
        )

    def clock(self, moment: datetime) -> str:
        """Return the local time (HH:MM), or earliest-latest where several zones are possible."""
        local = {moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in self.zones}
        if not local:
            return ""
        ends = dict.fromkeys(f"{at:%H:%M}" for at in (min(local), max(local)))
        return "-".join(ends)


def shares(
    contacts: Iterable[ContactFact], start: datetime, last: datetime, allowed: Hours
) -> list[ZoneShare]:
    """Group contacts by zone for calls from `start` to `last`: problems first, then by number."""
    found = [
        ZoneShare(
            zones, count, hours.allowed(zones, start, last, allowed) if zones else _any(allowed)
        )
        for zones, count in Counter(contact.zones for contact in contacts).items()
    ]
    worst = (False, None, True)
    return sorted(
        found, key=lambda share: (worst.index(share.allowed), -share.contacts, share.zones)
    )


def _any(allowed: Hours) -> bool | None:
    return True if allowed.all_day else None
