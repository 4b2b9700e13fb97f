"""The preview of a start."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from atoms_campaigns_mcp.schemas.base import Noun, Result
from atoms_campaigns_mcp.schemas.campaigns import retries
from atoms_campaigns_mcp.schemas.fields import Text, word
from atoms_campaigns_mcp.schemas.text import counted, quoted


class CheckRow(Noun):
    """A check and its result; what could not be read is unknown, not ok."""

    check: str
    verdict: Literal["ok", "block", "warn", "unknown"]
    result: str

    def __str__(self) -> str:
        """Write it for a list of checks."""
        return f"{self.check.replace('_', ' ')} {self.verdict}: {self.result}"


class FindingRow(Noun):
    """A problem, or what could not be read: unknown is not clean."""

    severity: Literal["block", "warn", "unknown"]
    rule: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        """Write it with its remedy."""
        return f"{self.severity}: {self.reason} ({self.rule}). {self.next_step}"


class ZoneRow(Noun):
    """Contacts in one time zone, and its clock (HH:MM, or a range) at the start."""

    zone: str
    contacts: int
    local_start: str = ""
    within_hours: bool | None = None

    def __str__(self) -> str:
        """Write it for a sentence."""
        clock = f" ({self.local_start} there)" if self.local_start else ""
        return f"{self.zone}{clock}: {self.contacts}"


class CampaignPreview(Result):
    """Result of `preview_campaign`."""

    campaign_id: Text
    name: Text
    status: Text
    agent: Text
    audience: Text
    contacts: int
    caller_ids: list[Text]
    max_retries: int | None = None
    retry_delay: int | None = None
    starts_at: datetime
    dials: str
    duration: str
    ends_before: datetime
    calling_hours: str
    next_start: datetime | None = Field(
        default=None, description="first start that ends within calling hours for all"
    )
    latest_start: datetime | None = Field(default=None, description="last such start that day")
    start_times: str = Field(description="both, in UTC and local time")
    cost: str = Field(description="estimate from finished campaigns, or unknown")
    guarded: str | None = None
    zones: list[ZoneRow]
    verdict: Literal["allowed", "blocked"]
    checks: list[CheckRow]
    findings: list[FindingRow]

    def summary(self) -> str:
        """Report what would happen, the result of every check, and what to do about problems."""
        found = " ".join(map(str, self.findings))
        callers = f" from {', '.join(map(word, self.caller_ids))}" if self.caller_ids else ""
        lasts = f", {self.duration}" if self.duration else ""
        new = " that it has not called yet" if self.status == "paused" else ""
        zones = ", ".join(str(row) for row in self.zones) or "none"
        return (
            f"Starting campaign {quoted(self.name)} ({self.campaign_id}, {word(self.status)}) is "
            f"{self.verdict}: agent {quoted(self.agent)} calls "
            f"{counted(self.contacts, 'contact')} of audience {quoted(self.audience)}{new}"
            f"{callers}, {self.dials} dials{retries(self.max_retries, self.retry_delay)}{lasts}, "
            f"from {self.starts_at.isoformat(timespec='minutes')} to at most "
            f"{self.ends_before.isoformat(timespec='minutes')}. "
            f"Contacts by time zone: {zones}; calling hours {self.calling_hours}; "
            f"{self.start_times}. Cost: {self.cost}. "
            f"Guarded: {self.guarded or 'unknown'}. "
            f"Checks: {'; '.join(map(str, self.checks))}. "
            f"Findings: {found or 'none.'}"
        )
