"""Bases of what comes from the API (`Noun`) and of what a tool gives (`Result`)."""

from typing import Any, cast

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from atoms_campaigns_mcp.schemas.fields import ShortText, Text
from atoms_campaigns_mcp.schemas.text import quoted

LABEL_MAX = 60  # characters


class Noun(BaseModel):
    """A thing of the API under our names.

    Unknown fields are ignored, so that neither additions nor secrets pass through; null counts as
    absent, since documents of the real service carry both. A number is one that JSON can write.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        fields = cast("dict[str, Any]", data)
        return {key: value for key, value in fields.items() if value is not None}


class Row(Noun):
    """A noun that lists show: it has an id and a name."""

    id: Text = Field(validation_alias=AliasChoices("_id", "id"))
    name: ShortText = ""

    @property
    def label(self) -> str:
        """The name as sentences show it: quoted, and no longer than a line."""
        return quoted(self.name, LABEL_MAX)

    def told(self) -> str:
        """Report by what one knows it beside others of its name."""
        return self.label


class Result(BaseModel):
    """What a tool gives: typed data, and the same facts as a sentence or two.

    Hosts show the model one or the other, so each is sufficient alone.
    """

    mode: str | None = None
    next_step: str = ""
    _remarks: list[str] = PrivateAttr(default_factory=list[str])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the caller must know of this call besides its result: `next_step` begins with it."""
        return tuple(self._remarks)

    def remark(self, text: str) -> None:
        """Add such a sentence before the others."""
        self._remarks.insert(0, text)
        self.next_step = f"{text} {self.next_step}".strip()

    def summary(self) -> str:
        """Report in one or two sentences what happened, with ids and counts."""
        raise TypeError(f"{type(self).__name__} has no summary")

    def agreement(self) -> str:
        """Report who agreed to it; nothing, where nobody has to."""
        return ""

    def touched(self) -> list[str]:
        """Return the ids of the campaigns that are not as they were before the call."""
        return []


class AgreedResult(Result):
    """What dials or destroys: how it was agreed to, and the warnings that came with the question.

    Nothing of this is there if nobody had to agree, as for a draft.
    """

    consent: str | None = Field(default=None, description="asked, token or nobody")
    answered_after: float | None = Field(default=None, description="seconds, if asked")
    warnings: list[str] | None = None

    def agreement(self) -> str:
        """Report who agreed to it, and what they were shown."""
        if self.consent is None:
            return ""
        warnings = "; ".join(self.warnings or ()) or "none"
        if self.consent == "nobody":
            return f"Nobody was asked (ATOMS_MCP_CONFIRM=never); warnings: {warnings}."
        if self.consent == "token":
            return f"It was agreed to with a token; warnings that came with it: {warnings}."
        after = "" if self.answered_after is None else f" after {self.answered_after} s"
        return f"The client asked, and its answer{after} was yes; warnings shown: {warnings}."


class PageResult(Result):
    """A page of a list."""

    page: int
    total: int | None = None
    has_more: bool = False

    def rows(self) -> list[str]:
        """Return one short line for each row of the page."""
        raise TypeError(f"{type(self).__name__} has no rows")

    def summary(self) -> str:
        """List the rows after their count."""
        lines, kind = self.rows(), self.kind()
        count = f"{len(lines)} of {self.total}" if self.total is not None else str(len(lines))
        more = f"; more on page {self.page + 1}" if self.has_more else ""
        return "; ".join([f"{count} {kind} on page {self.page}{more}", *lines]) + "."

    def kind(self) -> str:
        """Name what is listed, in the plural."""
        return "rows"


def nothing_here(page: int, otherwise: str) -> str:
    """Report what to do about an empty page of a list."""
    return "The list has no page as late as this: start at page 1." if page > 1 else otherwise
