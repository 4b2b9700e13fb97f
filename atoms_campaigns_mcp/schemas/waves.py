"""Results of the tools that make and delete several campaigns at once."""

from pydantic import Field

from atoms_campaigns_mcp.schemas.base import AgreedResult, Noun
from atoms_campaigns_mcp.schemas.fields import Text, named, word
from atoms_campaigns_mcp.schemas.text import counted, quoted


class WaveRow(Noun):
    """One wave: a scheduled campaign and the audience that was made for it."""

    campaign_id: Text
    name: Text
    status: Text
    audience_id: Text
    time_zone: Text
    contacts: int
    local_start: Text = Field(description="in its zone")
    starts_at: Text = Field(description="UTC")
    latest_end: Text = Field(description="UTC, when its last call has ended")

    def __str__(self) -> str:
        """Write it for a sentence."""
        return (
            f"{quoted(self.name)} ({self.campaign_id}, {word(self.status)}): "
            f"{counted(self.contacts, 'contact')} (audience {self.audience_id}), "
            f"{self.local_start} {self.time_zone} "
            f"({self.starts_at}), ends by {self.latest_end}"
        )


class WavesScheduled(AgreedResult):
    """Result of `schedule_waves`."""

    name: Text
    audience_id: Text
    contacts: int = Field(description="in all waves")
    waves: list[WaveRow]
    left: list[str] = Field(description="reason: contacts that are in no wave")
    left_audience_id: Text | None = None
    left_audience: Text | None = None

    def touched(self) -> list[str]:
        """Return the ids of the campaigns."""
        return [wave.campaign_id for wave in self.waves]

    def summary(self) -> str:
        """Report every wave, and who is in none."""
        rows = "; ".join(map(str, self.waves))
        left = ""
        if self.left:
            left = f" In no wave and not scheduled: {', '.join(self.left)}."
        if self.left_audience_id:
            left += (
                f" They are in audience {named(self.left_audience or '', self.left_audience_id)}."
            )
        return (
            f"{counted(len(self.waves), 'wave')} of {quoted(self.name)} with "
            f"{counted(self.contacts, 'contact')} of audience {word(self.audience_id)}: "
            f"{rows}.{left}"
        )
