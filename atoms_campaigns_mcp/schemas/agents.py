"""What a campaign is made of: caller IDs, agents and audiences."""

from pydantic import AliasChoices, Field

from atoms_campaigns_mcp.schemas.base import PageResult, Row
from atoms_campaigns_mcp.schemas.fields import ShortText, Text, word


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
        """Return name and id of each."""
        return [f"{row.label} ({word(row.id)})" for row in self.agents]
