"""How a campaign is doing: results of the tools that look at one."""

from collections.abc import Mapping

from pydantic import Field

from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.schemas.campaigns import (
    LAST_EVENTS,
    LAST_EXECUTIONS,
    TERMINAL,
    CampaignDetails,
    Event,
    Execution,
    known,
    retries,
)
from atoms_campaigns_mcp.schemas.fields import Text, named, word
from atoms_campaigns_mcp.schemas.text import counted, quoted


def going_on(report: "WatchReport | CampaignReport") -> str:
    """Report calls in progress, contacts finished and, where there are retries, those too."""
    parts = [
        f"{known(report.calls_in_progress)} calls in progress",
        f"{known(report.contacts_finished)} contacts finished",
    ]
    if report.max_retries != 0:
        parts.append(f"{known(report.retries_due)} retries due")
        parts.append(f"{known(report.retry_attempts)} made")
    return ", ".join(parts)


class WatchReport(Result):
    """Result of `watch_campaign`."""

    campaign_id: Text
    name: Text
    status: Text
    reached: bool = Field(description="what was waited for has come")
    finished: bool = Field(description="no call is in progress and no retry is due")
    total_participants: int | None = None
    contacts_called: int | None = None
    contacts_connected: int | None = None
    max_retries: int | None = None
    retry_attempts: int | None = None
    calls_in_progress: int | None = None
    retries_due: int | None = None
    contacts_finished: int | None = None
    unknown: list[str] = Field(default_factory=list[str], description="counts not read")
    error: Text | None = None
    since: str = Field(description="pass it on to see what changes after this")

    def summary(self) -> str:
        """Report where the campaign is, and whether the wait is over."""
        counts = "the API gave no metrics"
        if self.total_participants is not None:
            counts = (
                f"{known(self.contacts_called)} of {self.total_participants} contacts called, "
                f"{known(self.contacts_connected)} connected"
            )
        failed = f" It failed: {quoted(self.error)}." if self.error else ""
        end = "It is finished." if self.finished else "It is not finished."
        return (
            f"Campaign {named(self.name, self.campaign_id)} is {word(self.status)}: "
            f"{counts}; {going_on(self)}{retries(self.max_retries, None)}.{failed} {end} "
            f"since {self.since}."
        )


class CampaignReport(Result):
    """Result of `get_campaign_status`."""

    campaign_id: Text
    name: Text
    status: Text
    agent_id: Text
    agent: Text | None = None
    audience_id: Text
    audience: Text | None = None
    total_participants: int | None = None
    contacts_called: int | None = None
    contacts_connected: int | None = None
    contacts_remaining: int | None = None
    called_percent: float | None = None
    connected_percent: float | None = Field(
        default=None, description="connected of called contacts"
    )
    max_retries: int | None = None
    retry_delay: int | None = None
    retry_attempts: int | None = None
    calls_in_progress: int | None = None
    retries_due: int | None = None
    contacts_finished: int | None = None
    unknown: list[str] = Field(default_factory=list[str], description="counts not read")
    cancelled_calls: int | None = None
    scheduled_at: Text | None = None
    paused_at: Text | None = None
    error: Text | None = None
    starts: tuple[Execution, ...] = Field(
        default=(), description="starts and resumptions: contacts handed to the dialer"
    )
    events: tuple[Event, ...] = ()

    def summary(self) -> str:
        """Report the state, the counts and what the two counts mean."""
        made_of = f"agent {word(self.agent_id)}, audience {word(self.audience_id)}"
        about = f"{quoted(self.name)} ({self.campaign_id}; {made_of})"
        parts = [f"Campaign {about} is {word(self.status)}."]
        if self.error:
            parts.append(f"It failed: {quoted(self.error)}.")
        if self.scheduled_at and self.status == "scheduled":
            parts.append(f"It dials by itself at {word(self.scheduled_at)}.")
        if self.contacts_called is None or self.total_participants is None:
            parts.append("The API gave no metrics.")
        else:
            parts.append(
                f"{self.contacts_called} of {self.total_participants} contacts called "
                f"({self.called_percent}%), {known(self.contacts_connected)} of them connected "
                f"({self.connected_percent}%), {self.contacts_remaining} not called"
                f"{' yet' if self.status not in TERMINAL else ''}; {going_on(self)}"
                f"{retries(self.max_retries, self.retry_delay)}."
            )
        if self.cancelled_calls:
            parts.append(f"{counted(self.cancelled_calls, 'call')} cancelled by pauses.")
        if self.starts:
            told = "; ".join(map(str, self.starts))
            parts.append(f"Starts and resumptions, with contacts handed to the dialer: {told}.")
        return " ".join(parts)

    @classmethod
    def of(cls, details: CampaignDetails, counts: Mapping[str, int | None]) -> "CampaignReport":
        """Derive the report from what the API told, and `counts` of what goes on.

        Absent metrics stay absent.
        """
        campaign, metrics = details.campaign, details.metrics
        fields = campaign.model_dump(include=set(cls.model_fields))
        return cls(
            campaign_id=campaign.id,
            starts=(campaign.executions or ())[-LAST_EXECUTIONS:],
            unknown=[name for name, count in counts.items() if count is None],
            **counts,
            events=details.events[:LAST_EVENTS],
            **metrics.model_dump(),
            **metrics.rates(),
            **fields,
        )
