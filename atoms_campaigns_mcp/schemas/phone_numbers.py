"""Caller IDs: the account's rented phone numbers."""

from pydantic import AliasChoices, AliasPath, Field

from atoms_campaigns_mcp.schemas.base import Noun, Result
from atoms_campaigns_mcp.schemas.fields import Text, word
from atoms_campaigns_mcp.schemas.text import counted


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
        """Return number and id."""
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
