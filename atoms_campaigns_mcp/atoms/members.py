"""Contacts as the API lists them: members of audiences, and the do-not-call list."""

from typing import Any

from pydantic import AliasChoices, BaseModel, Field

from atoms_campaigns_mcp.schemas.base import Noun
from atoms_campaigns_mcp.schemas.fields import Text


class Member(BaseModel):
    """A contact of an audience: its columns by name. No `Noun`: there may be 10,000 of them."""

    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class DoNotCall(Noun):
    """An entry of the do-not-call list; for the whole organization unless it names an agent."""

    number: Text = Field(default="", validation_alias=AliasChoices("phoneNumber", "number"))
    agent_id: Text = Field(default="", validation_alias=AliasChoices("agentId", "agent_id"))


class AddedCounts(Noun):
    """What became of the members of one request."""

    added: int = 0
    skipped: int = 0


class Added(Noun):
    """The only element of the list that adding members answers with."""

    data: AddedCounts = AddedCounts()
