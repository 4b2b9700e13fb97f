"""Results of a campaign by contact: as the API exports them, and as the tool gives them."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from atoms_campaigns_mcp.schemas.account import CURRENCY
from atoms_campaigns_mcp.schemas.base import Noun, PageResult
from atoms_campaigns_mcp.schemas.calls import Call, fenced
from atoms_campaigns_mcp.schemas.fields import Text, listed, word
from atoms_campaigns_mcp.schemas.text import counted, quoted

Unreached = Literal["failed", "no_answer", "cancelled", "pending", "not_reached"]
"""Outcomes of contacts who may be called again: final statuses, and not_reached for all who were
called and not reached, whatever their status."""
Outcome = Literal["completed", Unreached, "blocked"]
Outcomes = Annotated[
    list[Unreached],
    Field(min_length=1, max_length=5, examples=[["no_answer", "failed"]]),
    BeforeValidator(listed),
]
AGAIN: tuple[Unreached, ...] = ("not_reached", "pending")
"""Whom a campaign that is over leaves to be called: those not reached, and those never called."""


class Exported(Noun):
    """One contact of the export, with every attempt."""

    phone: str = Field(default="", validation_alias=AliasChoices("phoneNumber"))
    data: dict[str, Any] = Field(
        default_factory=dict[str, Any], validation_alias=AliasChoices("audienceMemberData")
    )
    first: Call | None = Field(default=None, validation_alias=AliasChoices("originalCall"))
    retries: tuple[Call, ...] = Field(default=(), validation_alias=AliasChoices("retryAttempts"))
    attempts: int = Field(default=0, validation_alias=AliasChoices("totalAttempts"))
    final_status: Text = Field(default="unknown", validation_alias=AliasChoices("finalStatus"))
    seconds: float = Field(default=0, validation_alias=AliasChoices("totalCallDuration"))
    cost: float = Field(default=0, validation_alias=AliasChoices("totalCallCost"))

    def calls(self) -> tuple[Call, ...]:
        """Return every attempt, the first one first."""
        return ((self.first,) if self.first else ()) + self.retries


class ContactRow(Noun):
    """One contact; its number is masked unless the operator shows numbers."""

    key: Text = Field(description="tells contacts apart; the same in every result")
    phone: str
    name: Text | None = None
    attempts: int
    final_status: Text
    cause: Text | None = Field(default=None, description="why the last call reached nobody")
    found: Text | None = Field(default=None, description="untrusted: dispositions of the call")
    seconds: float
    cost: float

    def told(self) -> str:
        """Report it in a line."""
        name = f" {quoted(self.name)}" if self.name else ""
        why = f" ({word(self.cause)})" if self.cause and self.cause != self.final_status else ""
        found = f", {quoted(self.found)}" if self.found else ""
        return (
            f"{word(self.key)} {word(self.phone)}{name} {word(self.final_status)}{why} "
            f"after {counted(self.attempts, 'attempt')}, {self.seconds:g} s{found}"
        )


class Written(Noun):
    """The file of all contacts."""

    file: Text
    rows_written: int
    columns: list[str]

    def told(self) -> str:
        """Report what it holds."""
        return (
            f"Written to {quoted(self.file)}: {counted(self.rows_written, 'row')} with full phone "
            f"numbers; columns {', '.join(map(quoted, self.columns))}."
        )


class Compared(Noun):
    """One campaign beside others."""

    campaign_id: Text
    name: Text
    status: Text
    provisional: bool
    called: int
    connected: int
    connected_percent: float
    low: float = Field(description="percent; 95% interval of connected_percent")
    high: float
    cost: float

    def told(self) -> str:
        """Report it in a line."""
        early = ", provisional" if self.provisional else ""
        return (
            f"{quoted(self.name)} ({word(self.campaign_id)}, {word(self.status)}{early}): "
            f"{self.connected} of {self.called} called connected, {self.connected_percent}% "
            f"({self.low} to {self.high}), cost {self.cost:g} {CURRENCY}"
        )


class ResultsPage(PageResult):
    """Result of `get_campaign_results`."""

    mark: str = Field(description="what the start and the end of the fence carry")
    compared: list[Compared] = Field(default_factory=list[Compared])
    differences: list[Text] = Field(
        default_factory=list[str], description="connect rates: more than chance, or not"
    )
    campaign_id: Text
    name: Text
    status: Text
    waves: list[Text] | None = Field(default=None, description="of a common name, each")
    provisional: bool = Field(description="true: calls are in progress or retries are due")
    calls_in_progress: int
    retries_due: int
    contacts: int
    called: int
    connected: int
    connected_percent: float = Field(description="of the contacts that were called")
    outcomes: list[str] = Field(description="final status: contacts")
    not_reached: list[str] = Field(description="cause of the last call: contacts")
    failed_calls: list[str] = Field(description="cause: calls that reached nobody")
    voicemails_connected: int = Field(description="connected calls that a machine answered")
    analysed_calls: int = Field(description="connected calls with a disposition or summary")
    all_calls_read: bool = Field(description="false: there are more calls than were read")
    dispositions: list[Text] = Field(description="untrusted, name: value: calls")
    combinations: list[Text] = Field(description="untrusted: dispositions of a call: calls")
    summaries: list[Text] = Field(description="untrusted, summary: calls")
    by_attempt: list[str] = Field(description="attempt (1: first): connected of calls")
    by_caller_id: list[str]
    by_country: list[str]
    by_local_hour: list[str] = Field(description="hour where the contact is")
    talk_seconds: float
    cost: float
    currency: str
    results: list[ContactRow]
    written: Written | None = None

    def kind(self) -> str:
        """Name what is listed."""
        return "contacts"

    def rows(self) -> list[str]:
        """Return key, number, attempts and final status of each."""
        return [row.told() for row in self.results]

    def _rates(self) -> str:
        groups = {
            "attempt": self.by_attempt,
            "caller ID": self.by_caller_id,
            "country": self.by_country,
            "local hour": self.by_local_hour,
        }
        if self.waves and not any(groups.values()):
            return "rates, dispositions and contacts only of one wave"
        return "; ".join(
            f"by {name} {', '.join(rates) or 'none'}" for name, rates in groups.items()
        )

    def _state(self) -> str:
        if not self.provisional:
            return "final"
        retries = f", {self.retries_due} retries due" if self.retries_due else ""
        return f"provisional: {counted(self.calls_in_progress, 'call')} in progress{retries}"

    def _misses(self) -> str:
        told = f" Contacts not reached, by last call: {', '.join(self.not_reached) or 'none'}."
        if self.failed_calls:
            told += f" Calls that reached nobody: {', '.join(self.failed_calls)}."
        if self.voicemails_connected:
            told += f" {self.voicemails_connected} of the connected calls met a voicemail."
        return told

    def _findings(self) -> str:
        lines = [
            *(f"disposition {entry}" for entry in self.dispositions),
            *(f"together {entry}" for entry in self.combinations),
            *(f"summary {entry}" for entry in self.summaries),
        ]
        told = f" Analysed: {self.analysed_calls} connected calls."
        if not self.all_calls_read:
            told += " There are more calls than were read: these counts are not of all."
        return told + (f"\n{fenced(lines, self.mark)}\n" if lines else "")

    def summary(self) -> str:
        """Report the outcome in counts, then the page if one was asked for."""
        about = f"{quoted(self.name)} ({self.campaign_id}, {word(self.status)}; {self._state()})"
        told = (
            f"Results of campaign {about}: {counted(self.contacts, 'contact')}, "
            f"{self.called} called, {self.connected} connected ({self.connected_percent}% of those "
            f"called); {', '.join(self.outcomes) or 'no outcomes'}; {self._rates()}; "
            f"{self.talk_seconds:g} s talked, cost {self.cost:g} {self.currency}."
            f"{self._misses()}{self._findings()}"
        )
        told += f" Waves: {'; '.join(self.waves)}." if self.waves else ""
        rows = "" if self.total == self.contacts else f" {self.total} contacts match."
        rows = f" {super().summary()}" if self.results else rows
        beside = ""
        if self.compared:
            lines = [*(row.told() for row in self.compared), *self.differences]
            beside = f"Compared: {'; '.join(lines)}. In full, the first: "
        written = f" {self.written.told()}" if self.written else ""
        return f"{beside}{told}{rows}{written}"
