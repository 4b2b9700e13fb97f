"""Results of a campaign by contact: as the API exports them, and as the tool gives them."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from atoms_campaigns_mcp.schemas.base import Noun, PageResult
from atoms_campaigns_mcp.schemas.calls import Call
from atoms_campaigns_mcp.schemas.fields import Text, listed, word
from atoms_campaigns_mcp.schemas.text import counted, quoted

FinalStatus = Literal["completed", "failed", "no_answer", "cancelled", "blocked", "pending"]
Unreached = Literal["failed", "no_answer", "cancelled", "pending"]
Outcome = Literal["failed", "no_answer", "cancelled", "pending", "not_reached"]
Outcomes = Annotated[
    list[Outcome],
    Field(min_length=1, max_length=5, examples=[["no_answer", "failed"]]),
    BeforeValidator(listed),
]
NOT_REACHED: tuple[Unreached, ...] = ("failed", "no_answer", "cancelled", "pending")


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

    phone: str
    name: Text | None = None
    attempts: int
    final_status: Text
    seconds: float
    cost: float


class ResultsPage(PageResult):
    """Result of `get_campaign_results`."""

    campaign_id: Text
    name: Text
    status: Text
    provisional: bool = Field(description="true: calls are in progress or retries are due")
    calls_in_progress: int
    retries_due: int
    contacts: int
    outcomes: list[str] = Field(description="final status: contacts")
    connected_percent: float = Field(description="of the contacts that were dialled")
    by_attempt: list[str] = Field(description="attempt (0: first): connected of calls")
    by_caller_id: list[str]
    by_country: list[str]
    by_local_hour: list[str] = Field(description="hour where the contact is")
    talk_seconds: float
    cost: float
    results: list[ContactRow]
    csv: str = Field(description="resource or file that holds every row")

    def kind(self) -> str:
        """Name what is listed."""
        return "contacts"

    def rows(self) -> list[str]:
        """Return number, attempts and final status of each."""
        return [
            f"{word(row.phone)}{f' {quoted(row.name)}' if row.name else ''} "
            f"{word(row.final_status)} after {counted(row.attempts, 'attempt')}, {row.seconds:g} s"
            for row in self.results
        ]

    def _rates(self) -> str:
        groups = {
            "attempt": self.by_attempt,
            "caller ID": self.by_caller_id,
            "country": self.by_country,
            "local hour": self.by_local_hour,
        }
        return "; ".join(
            f"by {name} {', '.join(rates) or 'none'}" for name, rates in groups.items()
        )

    def summary(self) -> str:
        """Report the outcome in counts, then the page."""
        state = "final"
        if self.provisional:
            state = (
                f"provisional: {counted(self.calls_in_progress, 'call')} in progress, "
                f"{self.retries_due} retries due"
            )
        return (
            f"Results of campaign {quoted(self.name)} ({self.campaign_id}, {word(self.status)}; "
            f"{state}): "
            f"{self.contacts} contacts, {', '.join(self.outcomes)}; {self.connected_percent}% of "
            f"those dialled connected ({self._rates()}); "
            f"{self.talk_seconds:g} s talked, cost {self.cost:g}. All rows: {self.csv}. "
            f"{super().summary()}"
        )
