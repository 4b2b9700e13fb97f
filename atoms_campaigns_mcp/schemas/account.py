"""The account behind the key: who, what plan, how much credit, how many calls at once."""

from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from atoms_campaigns_mcp.schemas.base import Noun, Result
from atoms_campaigns_mcp.schemas.fields import Text, named, word

CURRENCY = "USD"
"""Of credit, which calls are paid from, and so of what they cost; a call does not tell it."""


def _first(value: Any) -> Any:
    # A key belongs to one organization; the API lists all of the user's.
    rows = cast("list[Any]", value) if isinstance(value, list) else []
    return rows[0] if rows else {}


class Organization(Noun):
    """The organization that campaigns belong to."""

    id: Text = Field(default="", validation_alias=AliasChoices("orgId", "id"))
    name: Text = ""


class Account(Noun):
    """The user and organization of the key."""

    organization: Annotated[Organization, BeforeValidator(_first)] = Field(
        default=Organization(), validation_alias=AliasChoices("organizations")
    )


class Balance(Noun):
    """Credit, in US dollars."""

    credit: float | None = Field(default=None, validation_alias=AliasChoices("creditBalance"))
    plan: Text | None = Field(default=None, validation_alias=AliasChoices("planId"))


class Reservation(Noun):
    """Calls at once that are kept for outbound calls of an agent."""

    agent_id: str = Field(default="", validation_alias=AliasChoices("agentId"))
    outbound: int | None = None


class Concurrency(Noun):
    """How many calls may be in progress at once, of all kinds together."""

    limit: int | None = Field(default=None, validation_alias=AliasChoices("orgLimit"))
    reserved: int | None = Field(default=None, validation_alias=AliasChoices("totalReserved"))
    shared: int | None = Field(default=None, validation_alias=AliasChoices("unreservedPool"))
    agents: tuple[Reservation, ...] = ()

    def usable(self, agent_id: str) -> int | None:
        """Return how many outbound calls of an agent may be in progress at once.

        What is reserved for others is lost to it even while they do not call.
        """
        if self.limit is None or self.shared is None:
            return self.limit
        own = sum(row.outbound or 0 for row in self.agents if row.agent_id == agent_id)
        return min(self.shared + own, self.limit)


class Subscription(Noun):
    """Quotas of the plan; absent on enterprise plans."""

    campaigns: int | None = Field(default=None, validation_alias=AliasPath("limits", "campaigns"))
    daily_calls: int | None = Field(
        default=None, validation_alias=AliasPath("limits", "dailyCalls")
    )


class StopRow(Noun):
    """A campaign that the guard stopped or resumed lately, and whether the API confirmed it."""

    at: datetime
    campaign_id: Text
    name: Text = ""
    rule: Text
    figures: Text
    outcome: Text = Field(description="confirmed, unconfirmed or resumed")

    def __str__(self) -> str:
        """Write it for a sentence."""
        about = named(self.name, self.campaign_id)
        return f"{about} for {word(self.rule)} ({self.figures}), {word(self.outcome)}"


class AccountReport(Result):
    """Result of `get_account`."""

    organization_id: Text
    organization: Text
    plan: Text | None = None
    balance_usd: float | None = None
    campaigns_allowed: int | None = None
    daily_calls_allowed: int | None = None
    call_limit: int | None = None
    reserved: int | None = None
    shared_pool: int | None = None
    calls_in_progress: int | None = None
    free_slots_estimate: int | None = None
    dialling: Literal["on", "off"] = Field(
        description="off: by the operator's modes, or not allowed to this client"
    )
    in_force: list[str] = Field(default_factory=list[str])
    """The operator's limits and modes, and where each is set."""
    guarded: str | None = Field(default=None, description="by which rules, or no; absent: unknown")
    stops: list[StopRow] = Field(default_factory=list[StopRow], description="the guard's last ones")
    clock: datetime
    unknown: list[str] = Field(default_factory=list[str])

    def summary(self) -> str:
        """Report who the key is and what it may do now."""
        facts = [f"Organization {named(self.organization, self.organization_id)}"]
        facts += [f"plan {word(self.plan)}"] if self.plan else []
        facts += [f"balance {self.balance_usd:g} USD"] if self.balance_usd is not None else []
        if self.call_limit is not None:
            facts.append(f"{self.call_limit} calls at once, {self.reserved or 0} of them reserved")
        facts += [f"shared pool {self.shared_pool}"] if self.shared_pool is not None else []
        if self.calls_in_progress is not None:
            facts.append(f"{self.calls_in_progress} in progress")
        if self.free_slots_estimate is not None:
            facts.append(f"about {self.free_slots_estimate} free")
        if self.campaigns_allowed is not None:
            facts.append(f"at most {self.campaigns_allowed} campaigns")
        if self.daily_calls_allowed is not None:
            facts.append(f"at most {self.daily_calls_allowed} calls a day")
        facts += ["dialling is switched off"] if self.dialling == "off" else []
        facts += [f"in force: {', '.join(self.in_force)}"] if self.in_force else []
        facts += [f"guarded: {self.guarded}"] if self.guarded else []
        facts += [f"the guard stopped {', '.join(map(str, self.stops))}"] if self.stops else []
        facts += [f"unknown: {', '.join(self.unknown)}"] if self.unknown else []
        return "; ".join([*facts, f"now {self.clock.isoformat(timespec='seconds')}"]) + "."
