"""Campaigns: as the API tells them, and as the campaign tools give them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import AliasChoices, AliasPath, Field

from atoms_campaigns_mcp.schemas.base import AgreedResult, Noun, PageResult, Result, Row
from atoms_campaigns_mcp.schemas.fields import Reason, ShortText, Text, named, word
from atoms_campaigns_mcp.schemas.text import clean, counted

KnownStatus = Literal[
    "draft", "scheduled", "processing", "running", "paused", "completed", "failed"
]
ListedStatus = Literal[KnownStatus, "finished"]
KNOWN = frozenset[str](get_args(KnownStatus))
STARTABLE = frozenset({"draft", "paused"})
ACTIVE = frozenset({"processing", "running"})
LAST_EVENTS = 5
LAST_EXECUTIONS = 10
TERMINAL = frozenset({"completed", "failed"})


def moment(text: str | None) -> datetime | None:
    """Read a time of the API; nothing for what is absent or no time."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def retries(most: int | None, delay: int | None) -> str:
    """Report how often a contact is called again, as a part of a sentence; nothing if not known."""
    if most is None:
        return ""
    apart = f", {delay} min apart" if most and delay is not None else ""
    return f", max_retries {most}{apart}"


def known(count: int | None) -> str:
    """Write a count for a sentence, which says of what could not be read that it is unknown."""
    return "unknown" if count is None else str(count)


def percent(part: int, whole: int) -> float:
    """Return `part` of `whole` as a percentage with one decimal; nothing of nothing is 0."""
    return round(100 * part / whole, 1) if whole else 0.0


class Execution(Noun):
    """A start or a resumption, which hands contacts to the dialer; retries add none."""

    number: int | None = Field(
        default=None, validation_alias=AliasChoices("executionNumber", "number")
    )
    status: Text = "unknown"
    contacts: int | None = Field(
        default=None, validation_alias=AliasChoices("totalMembers", "contacts")
    )
    handed_over: int | None = Field(
        default=None, validation_alias=AliasChoices("processedMembers", "handed_over")
    )

    def __str__(self) -> str:
        """Write it for a sentence."""
        handed, contacts = known(self.handed_over), known(self.contacts)
        return f"no. {known(self.number)} {word(self.status)}, {handed} of {contacts} contacts"


class Event(Noun):
    """One entry of a campaign's history, newest first."""

    action: Text = Field(default="unknown", validation_alias=AliasChoices("eventAction", "action"))
    source: Text = Field(default="", validation_alias=AliasChoices("triggerSource", "source"))
    at: Text = Field(default="", validation_alias=AliasChoices("createdAt", "at"))


class Metrics(Noun):
    """Contacts of a campaign, counted once however often they were dialled."""

    total_participants: int | None = None
    contacts_called: int | None = None
    contacts_connected: int | None = None

    def rates(self) -> dict[str, float]:
        """Derive what is left and the two rates, where the API gave what they need."""
        if self.total_participants is None or self.contacts_called is None:
            return {}
        return {
            "contacts_remaining": max(self.total_participants - self.contacts_called, 0),
            "called_percent": percent(self.contacts_called, self.total_participants),
            "connected_percent": percent(self.contacts_connected or 0, self.contacts_called),
        }


class Campaign(Row):
    """A campaign; lists and details share it."""

    status: Text = "unknown"
    description: Text | None = None
    agent_id: Text = Field(
        default="", validation_alias=AliasChoices(AliasPath("agent", "_id"), "agentId", "agent_id")
    )
    agent: Text | None = Field(
        default=None, validation_alias=AliasChoices(AliasPath("agent", "name"))
    )
    audience_id: Text = Field(
        default="",
        validation_alias=AliasChoices(AliasPath("audience", "_id"), "audienceId", "audience_id"),
    )
    audience: Text | None = Field(
        default=None, validation_alias=AliasChoices(AliasPath("audience", "name"))
    )
    participants: int | None = Field(
        default=None, validation_alias=AliasChoices("participantsCount", "participants")
    )
    max_retries: int | None = Field(default=None, validation_alias=AliasChoices("maxRetries"))
    retry_delay: int | None = Field(default=None, validation_alias=AliasChoices("retryDelay"))
    retry_attempts: int | None = Field(default=None, validation_alias=AliasChoices("retryAttempts"))
    scheduled_at: Text | None = Field(default=None, validation_alias=AliasChoices("scheduledAt"))
    paused_at: Text | None = Field(default=None, validation_alias=AliasChoices("pausedAt"))
    cancelled_calls: int | None = Field(
        default=None, validation_alias=AliasChoices("cancelledCallsCount")
    )
    error: Reason | None = None
    created_at: Text | None = Field(default=None, validation_alias=AliasChoices("createdAt"))
    updated_at: Text | None = Field(default=None, validation_alias=AliasChoices("updatedAt"))
    executions: tuple[Execution, ...] | None = None
    phone_ids: tuple[Text, ...] | None = Field(
        default=None, validation_alias=AliasChoices("phoneNumberIds", "phone_ids")
    )

    def told(self) -> str:
        """Report by what one knows it beside others of its name."""
        made = f", created {word(self.created_at)}" if self.created_at else ""
        return f"{self.label} {word(self.status)}{made}"

    def is_like(self, body: Mapping[str, Any]) -> bool:
        """Return whether the request `body` of a creation describes it; caller IDs are not told."""
        asked = body["name"], body["agentId"], body["audienceId"]
        same = (self.name, self.agent_id, self.audience_id) == (clean(asked[0]), *asked[1:])
        retries = (self.max_retries, self.retry_delay) == (body["maxRetries"], body["retryDelay"])
        return same and retries and moment(self.scheduled_at) == moment(body.get("scheduledAt"))


class CampaignDetails(Noun):
    """A campaign with its history and metrics, from one request."""

    campaign: Campaign
    events: tuple[Event, ...] = ()
    metrics: Metrics = Metrics()


class CampaignRow(Row):
    """A campaign in a list; its status has the rest."""

    status: ShortText
    agent: ShortText | None = None
    audience: ShortText | None = None
    participants: int | None = None
    called: int | None = None
    connected: int | None = None
    connected_percent: float | None = Field(default=None, description="of those called")
    caller_ids: list[Text] | None = Field(default=None, description="their numbers, if known")
    scheduled_at: Text | None = None
    created_at: Text | None = None

    def counts(self) -> str:
        """Report contacts, and how many of them were called and connected."""
        told = "" if self.participants is None else f", {counted(self.participants, 'contact')}"
        if self.created_at:
            told += f", created {word(self.created_at[:10])}"
        if self.scheduled_at and self.status == "scheduled":
            told += f", dials at {word(self.scheduled_at)}"
        told += f", {known(self.called)} called, {known(self.connected)} connected"
        if self.connected_percent is not None:
            told += f" ({self.connected_percent}%)"
        return told + (f", from {', '.join(map(word, self.caller_ids))}" if self.caller_ids else "")


class CampaignPage(PageResult):
    """Result of `list_campaigns`."""

    campaigns: list[CampaignRow]

    def kind(self) -> str:
        """Name what is listed."""
        return "campaigns"

    def rows(self) -> list[str]:
        """Return name, state and id of each."""
        return [
            f"{row.label} {word(row.status)}{row.counts()} ({word(row.id)})"
            for row in self.campaigns
        ]


class CampaignCreated(AgreedResult):
    """Result of `create_campaign`."""

    campaign_id: Text
    name: Text
    status: Text
    agent_id: Text
    agent: Text | None = None
    audience_id: Text
    audience: Text | None = None
    phone_ids: list[Text]
    caller_ids: list[Text] = Field(default_factory=list[str], description="their numbers")
    participants: int | None = None
    max_retries: int | None = None
    retry_delay: int | None = None
    scheduled_at: Text | None = None

    def summary(self) -> str:
        """Report what was stored."""
        when = f" for {word(self.scheduled_at)}" if self.scheduled_at else ""
        people = ""
        if self.participants is not None:
            people = f" to call {counted(self.participants, 'contact')}"
        return (
            f"Created campaign {named(self.name, self.campaign_id)}, {word(self.status)}"
            f"{when}{people}, with agent {named(self.agent or '', self.agent_id)}, audience "
            f"{named(self.audience or '', self.audience_id)}, caller IDs "
            f"{', '.join(map(word, [*self.caller_ids, *self.phone_ids]))}"
            f"{retries(self.max_retries, self.retry_delay)}."
        )


class CampaignChanged(AgreedResult):
    """Result of starting, pausing or deleting a campaign: its real state, not the hoped one."""

    campaign_id: Text
    name: Text
    status: Text
    changed: bool = Field(description="false: it was already so, and nothing was sent")
    message: str

    def summary(self) -> str:
        """Report what happened."""
        about = named(self.name, self.campaign_id)
        return f"Campaign {about} is {word(self.status)}. {self.message}"

    def touched(self) -> list[str]:
        """Return its id, if this call changed it."""
        return [self.campaign_id] if self.changed else []


class CampaignsDeleted(CampaignChanged):
    """Result of `delete_campaign`; ids and names of several are separated by commas."""

    campaign_id: str
    name: str
    campaigns: int = 1

    def summary(self) -> str:
        """Report what is gone."""
        if self.campaigns == 1:
            return super().summary()
        count = counted(self.campaigns, "campaign")
        return f"{count} {word(self.status)}: {self.campaign_id}. {self.message}"

    def touched(self) -> list[str]:
        """Return their ids."""
        return self.campaign_id.split(", ")


class Paused(Row):
    """One campaign of an emergency stop."""

    status: ShortText
    scheduled_at: Text | None = None


class CampaignsPaused(Result):
    """Result of `pause_campaign`."""

    campaign_id: Text
    status: Text
    changed: bool = Field(description="false: nothing had to be sent")
    message: str
    campaigns: list[Paused] = Field(description="what was dialling, and its state now")
    calls_in_progress: int | None = Field(
        default=None, description="of these campaigns; they go on to their end"
    )
    hung_up: int | None = Field(default=None, description="calls ended by hang_up")
    not_hung_up: int | None = Field(default=None, description="calls that could not be ended")
    others: list[Paused] = Field(
        default_factory=list[Paused], description="what else dials and was not to be paused"
    )
    scheduled: list[Paused] = Field(
        default_factory=list[Paused], description="will dial by themselves; only deletion stops"
    )

    def summary(self) -> str:
        """Report what has stopped and what has not."""
        rows = [f"{row.label} ({word(row.id)}) is {word(row.status)}" for row in self.campaigns]
        later = [
            f"{row.label} ({word(row.id)})"
            + (f" at {word(row.scheduled_at)}" if row.scheduled_at else "")
            for row in self.scheduled
        ]
        warned = f" Still scheduled to dial: {'; '.join(later)}." if later else ""
        if self.others:
            more = "; ".join(f"{row.label} ({word(row.id)})" for row in self.others)
            warned = f" Still dialling: {more}.{warned}"
        listed = f" {'; '.join(rows)}." if rows else ""
        return f"{self.message}{listed}{self._calls()}{warned}"

    def _calls(self) -> str:
        told = ""
        if self.hung_up is not None:
            told += (
                f" {counted(self.hung_up, 'call')} hung up, whose contacts are not called again; "
                f"{self.not_hung_up} not hung up."
            )
        if self.calls_in_progress is not None:
            told += f" {counted(self.calls_in_progress, 'call')} in progress, to their end."
        return told

    def touched(self) -> list[str]:
        """Return what was dialling."""
        return [row.id for row in self.campaigns] if self.changed else []
