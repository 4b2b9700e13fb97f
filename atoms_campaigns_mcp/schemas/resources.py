"""What a campaign is made of: caller IDs, agents and audiences."""

from pydantic import AliasChoices, AliasPath, Field

from atoms_campaigns_mcp.schemas.base import Noun, PageResult, Result, Row
from atoms_campaigns_mcp.schemas.fields import ShortText, Text, clean, counted, word


class PhoneNumber(Noun):
    """A caller ID of the account. Its own numbers are shown in full; contacts' numbers never."""

    id: Text = Field(validation_alias=AliasChoices("_id", "id"))
    number: Text = Field(
        default="", validation_alias=AliasChoices(AliasPath("attributes", "phoneNumber"), "number")
    )
    provider: Text | None = Field(
        default=None, validation_alias=AliasChoices(AliasPath("attributes", "provider"), "provider")
    )
    country: Text | None = Field(
        default=None,
        validation_alias=AliasChoices(AliasPath("attributes", "countryCode"), "country"),
    )
    active: bool = Field(default=False, validation_alias=AliasChoices("isActive", "active"))
    agent_id: Text | None = Field(
        default=None, validation_alias=AliasChoices("agentId", "agent_id")
    )

    def told(self) -> str:
        """Give number and id."""
        return f"{word(self.number)} ({word(self.id)})"


class PhoneNumberList(Result):
    """Result of `list_phone_numbers`."""

    phone_numbers: list[PhoneNumber]

    def summary(self) -> str:
        """List number, id and whether it can be used."""
        rows = [
            f"{word(row.number)} ({word(row.id)}, {'active' if row.active else 'inactive'}"
            + (f", agent {word(row.agent_id)})" if row.agent_id else ")")
            for row in self.phone_numbers
        ]
        return "; ".join([counted(len(rows), "caller ID"), *rows]) + "."


class Agent(Row):
    """An agent: the voice and script of a call."""

    description: ShortText | None = None
    kind: Text | None = Field(default=None, validation_alias=AliasChoices("workflowType", "kind"))
    archived: bool = False
    updated_at: Text | None = Field(
        default=None, validation_alias=AliasChoices("updatedAt", "updated_at")
    )


class AgentPage(PageResult):
    """Result of `list_agents`."""

    agents: list[Agent]

    def kind(self) -> str:
        """Name what is listed."""
        return "agents"

    def rows(self) -> list[str]:
        """Give name and id of each."""
        return [f"{row.label} ({word(row.id)})" for row in self.agents]


class Use(Row):
    """A campaign that refers to an audience."""

    status: Text = "unknown"


class Audience(Row):
    """An audience: the contacts that a campaign calls."""

    campaigns: tuple[Use, ...] = Field(default=(), exclude=True)

    description: ShortText | None = None
    contacts: int | None = Field(
        default=None, validation_alias=AliasChoices("memberCount", "contacts")
    )
    phone_column: Text | None = Field(
        default=None, validation_alias=AliasChoices("phoneNumberColumnName", "phone_column")
    )
    used: bool | None = Field(default=None, validation_alias=AliasChoices("hasCampaigns", "used"))
    created_at: Text | None = Field(
        default=None, validation_alias=AliasChoices("createdAt", "created_at")
    )

    def told(self) -> str:
        """Give its name, size and age."""
        size = "" if self.contacts is None else f", {counted(self.contacts, 'contact')}"
        return f"{self.label}{size}" + (
            f", of {word(self.created_at[:10])}" if self.created_at else ""
        )

    def is_like(self, name: str, contacts: int) -> bool:
        """Say whether it has that name and as many contacts."""
        return (self.name, self.contacts) == (clean(name), contacts)


class AudiencePage(PageResult):
    """Result of `list_audiences`."""

    audiences: list[Audience]

    def kind(self) -> str:
        """Name what is listed."""
        return "audiences"

    def rows(self) -> list[str]:
        """Give name, size and id of each."""
        return [f"{row.told()} ({word(row.id)})" for row in self.audiences]
