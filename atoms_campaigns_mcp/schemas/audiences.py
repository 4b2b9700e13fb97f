"""Results of the tools that make audiences and add contacts."""

from pydantic import AliasChoices, Field

from atoms_campaigns_mcp.schemas.base import AgreedResult, Noun, PageResult, Result, Row
from atoms_campaigns_mcp.schemas.fields import ShortText, Text, named, word
from atoms_campaigns_mcp.schemas.text import clean, counted, quoted

SPANS_SHOWN = 300  # runs of rejected lines listed; the count is always whole


class ContactList(Result):
    """What became of a list of contacts."""

    audience_id: Text | None = None
    name: Text
    on_dnc: int | None = Field(
        default=None, description="contacts on a do-not-call list; null: cannot be known now"
    )
    phone_columns: list[str] = Field(default_factory=list[str], description="column: contacts")
    rejected_rows: int = 0
    rejected: list[str] = Field(default_factory=list[str], description="rows (cell) reason")
    doubtful_rows: int = 0
    doubtful: list[str] = Field(default_factory=list[str], description="rows (cell) reason")
    duplicates: int = 0
    merged: list[str] = Field(default_factory=list[str], description="row into row")
    renamed: list[str] = Field(default_factory=list[str], description="old: new")
    notes: list[str] = Field(default_factory=list[str])
    rejects_file: Text | None = None
    columns: tuple[Text, ...] = ()
    countries: list[str] = Field(default_factory=list[str], description="country: contacts")
    time_zones: list[str] = Field(default_factory=list[str], description="zone: contacts")

    def troubles(self) -> str:
        """Report which rows were left out or are doubtful, and why."""
        parts: list[str] = []
        if self.duplicates:
            merged = ", ".join(self.merged)
            parts.append(f"{counted(self.duplicates, 'duplicate')} merged: {merged}.")
        if self.rejected_rows:
            listed = "; ".join(self.rejected)
            parts.append(f"{counted(self.rejected_rows, 'row')} rejected: {listed}.")
        if self.doubtful_rows:
            listed = "; ".join(self.doubtful)
            parts.append(f"{counted(self.doubtful_rows, 'row')} kept but doubtful: {listed}.")
        if self.rejects_file:
            parts.append(f"They are in {self.rejects_file} with their reasons.")
        return " ".join(parts)

    def do_not_call(self) -> str:
        """Report how many of the contacts are on a do-not-call list."""
        if self.on_dnc is None:
            return "Do-not-call: unknown, no list could be read to its end."
        return f"Do-not-call: {self.on_dnc} of them on a list."

    def contents(self) -> str:
        """Report where the numbers came from, what columns there are, and where its people are."""
        numbers = f"Numbers from {', '.join(self.phone_columns)}. " if self.phone_columns else ""
        new = f" (renamed: {', '.join(self.renamed)})" if self.renamed else ""
        where = f" Countries: {', '.join(self.countries)}." if self.countries else ""
        zones = f" Local time zones: {', '.join(self.time_zones)}." if self.time_zones else ""
        columns = f"Columns: {', '.join(map(word, self.columns))}{new}."
        return " ".join([f"{numbers}{columns}{where}{zones}", *self.notes])


class AudienceCreated(ContactList):
    """Result of `create_audience`."""

    contacts: int
    dry_run: bool = False
    excluded: list[str] = Field(default_factory=list[str], description="reason: contacts left out")
    excluded_contacts: int = 0
    remainder_id: Text | None = None
    remainder_name: Text | None = None
    remainder: int | None = None

    def summary(self) -> str:
        """Report what was created and what was left out."""
        size = counted(self.contacts, "contact")
        if self.audience_id is None:
            made = f"Nothing was made: audience {quoted(self.name)} would have {size}."
        else:
            made = f"Created audience {named(self.name, self.audience_id)} with {size}."
        parts = [made, self.left_out(), self.others(), self.do_not_call()]
        return " ".join(filter(None, [*parts, self.contents(), self.troubles()]))

    def left_out(self) -> str:
        """Report how many contacts filters left out, by reason."""
        if not self.excluded:
            return ""
        return f"Left out {self.excluded_contacts} ({', '.join(self.excluded)})."

    def others(self) -> str:
        """Report where the others than the sample are."""
        if self.remainder is None:
            return ""
        size = counted(self.remainder, "contact")
        if self.remainder_name is None:
            return f"The other {size} are in no audience."
        verb = "are" if self.remainder_id else "would be"
        name = named(self.remainder_name, self.remainder_id or "")
        return f"The others {verb} in audience {name} with {size}."


class ContactsAdded(ContactList):
    """Result of `add_contacts`."""

    added: int
    skipped: int = 0

    def summary(self) -> str:
        """Report how many are new and what was left out."""
        return (
            f"Added {counted(self.added, 'contact')} to audience "
            f"{named(self.name, self.audience_id or '')}; {self.skipped} were already in it. "
            f"{self.do_not_call()} {self.contents()} {self.troubles()}".rstrip()
        )


class AudienceDeleted(AgreedResult):
    """Result of `delete_audience`."""

    audience_id: Text
    name: Text

    def summary(self) -> str:
        """Report what is gone."""
        about = named(self.name, self.audience_id)
        return f"Audience {about} is deleted with its contacts."


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
        """Return its name, size and age."""
        size = "" if self.contacts is None else f", {counted(self.contacts, 'contact')}"
        return f"{self.label}{size}" + (
            f", of {word(self.created_at[:10])}" if self.created_at else ""
        )

    def is_like(self, name: str, contacts: int) -> bool:
        """Return whether it has that name and as many contacts."""
        return (self.name, self.contacts) == (clean(name), contacts)


class AudiencePage(PageResult):
    """Result of `list_audiences`."""

    audiences: list[Audience]

    def kind(self) -> str:
        """Name what is listed."""
        return "audiences"

    def rows(self) -> list[str]:
        """Return name, size and id of each."""
        return [f"{row.told()} ({word(row.id)})" for row in self.audiences]


class AudienceMember(Noun):
    """A contact of an audience; its number is masked unless the operator shows numbers."""

    phone: Text
    country: Text = Field(default="", description="empty: unknown")
    fields: list[str] = Field(default_factory=list[str], description='column: "value"')


class AudienceContents(PageResult):
    """Result of `get_audience`."""

    audience_id: Text
    name: Text
    contacts: list[AudienceMember]
    columns: list[str]
    countries: list[str] = Field(description="country: contacts")
    time_zones: list[str] = Field(description="zone: contacts")
    invalid: int = Field(description="numbers that nobody can be called at")
    doubtful: int = Field(description="numbers that no plan assigns to anybody")
    on_dnc: int | None = Field(
        description="valid numbers on a do-not-call list; null: cannot be known now"
    )
    opted_out: int = Field(description="whose own columns say not to call them")
    campaigns: list[str] = Field(description="that use it: name (id) status")
    more_campaigns: bool = Field(description="true: older campaigns were not looked at")

    def kind(self) -> str:
        """Name what is listed."""
        return f"contacts of audience {named(self.name, self.audience_id)}"

    def rows(self) -> list[str]:
        """Return number and country of each."""
        return [f"{word(row.phone)} {word(row.country)}".rstrip() for row in self.contacts]

    def summary(self) -> str:
        """Report what the audience holds, then the page without its fields."""
        listed = "unknown" if self.on_dnc is None else str(self.on_dnc)
        older = " (older ones were not looked at)" if self.more_campaigns else ""
        return (
            f"Countries: {', '.join(self.countries) or 'none'}. Local time zones: "
            f"{', '.join(self.time_zones) or 'none'}. Invalid numbers: {self.invalid}, doubtful: "
            f"{self.doubtful}, on a do-not-call list: {listed}, opted out in their own columns: "
            f"{self.opted_out}. Campaigns that use it{older}: "
            f"{', '.join(self.campaigns) or 'none'}. Columns: "
            f"{', '.join(map(word, self.columns))}. {super().summary()}"
        )
