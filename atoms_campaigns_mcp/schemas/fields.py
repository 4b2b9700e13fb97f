"""Field types of tool arguments: the one place for every range.

Ranges come from the vendor's API reference (retries 0-10, delay 1-1440 minutes, ids of 24 hex
digits) or are ours (page sizes, which keep every reply under 25,000 tokens).
"""

import json
import re
import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from atoms_campaigns_mcp.redaction import redact
from atoms_campaigns_mcp.schemas.text import TEXT_MAX, capped, clean, flat, quoted

ID_PATTERN = "^[a-f0-9]{24}$"
E164_PATTERN = r"^\+[1-9]\d{6,14}$"
UPLOAD_PATTERN = "^[a-f0-9]{32}$"
REGION_PATTERN = r"^([A-Z]{2}|\+[0-9]{0,3})$"
CALL_PATTERN = r"^CALL-\d{13}-[a-z0-9]{6}$"
NAME_MAX = 100  # characters
CAMPAIGN_NAME_MAX = 40  # characters; what the dashboard allows, the API says nothing
CSV_MAX = 5_000_000  # characters; the API takes 5 MB
WAVES_NAME_MAX = 20  # characters; zone and number of each wave follow it
_WHOLE = re.compile(r"(-?\d{1,9})(?:\.0*)?")
_WORD = re.compile(r"[\w.:+*/-]{0,64}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_ISO_DATE = re.compile(r"\s*\d{4}-\d\d-\d\d", re.ASCII)
EXAMPLE_ID = "696ddd2a04ff172dbd8eddad"


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _printable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # Printable text, which is nearly all, is not walked through character by character.
    if not value.isprintable() and any(unicodedata.category(char) == "Cc" for char in value):
        raise ValueError("control characters are not allowed")
    return value.strip()


def _capitals(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _anything(value: Any) -> str:
    return value.strip() if isinstance(value, str) else json.dumps(value)


def _whole(value: Any) -> Any:
    # pydantic alone would take True for 1.
    if isinstance(value, str) and (digits := _WHOLE.fullmatch(value.strip())):
        return int(digits[1])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number")  # noqa: TRY004 - pydantic reports ValueError
    return value


def listed(value: Any) -> Any:
    """Read a list that came as its JSON text; leave anything else as it is."""
    if isinstance(value, str) and value.strip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _caller_id(value: Any) -> Any:
    compact = re.sub(r"[ ().-]", "", value) if isinstance(value, str) else value
    if not isinstance(compact, str) or not re.match(f"{ID_PATTERN}|{E164_PATTERN}", compact):
        raise ValueError("neither an id nor an E.164 number")
    return compact


def _reference(value: Any) -> Any:
    text = _printable(value)
    if isinstance(text, str) and not 1 <= len(text) <= NAME_MAX:
        raise ValueError("empty or too long")
    return text


def _several(value: Any) -> Any:
    ids = listed(value)
    if isinstance(ids, list) and all(isinstance(one, str) for one in cast("list[Any]", ids)):
        return _printable(", ".join(cast("list[str]", ids)))
    return _printable(value)


def _moment(value: Any) -> Any:
    # pydantic would read a bare number as seconds since 1970.
    if not isinstance(value, datetime) and not _ISO_DATE.match(str(value)):
        raise ValueError("not an ISO-8601 time")
    return _trimmed(value)


def _day(value: Any) -> str:
    text = str(_trimmed(value))
    if not _DAY.fullmatch(text):
        raise ValueError("no day")
    return date.fromisoformat(text).isoformat()


def _clock(value: Any) -> Any:
    if not _CLOCK.fullmatch(str(value).strip()):
        raise ValueError("no time of day")
    return str(value).strip()


# The bounds stand inside the validators, where pydantic can publish them as JSON Schema.
Name = Annotated[
    str,
    Field(min_length=1, max_length=NAME_MAX, examples=["January renewals"]),
    BeforeValidator(_printable),
]
CampaignName = Annotated[
    str,
    Field(min_length=1, max_length=CAMPAIGN_NAME_MAX, examples=["January renewals"]),
    BeforeValidator(_printable),
]
WavesName = Annotated[
    str,
    Field(min_length=1, max_length=WAVES_NAME_MAX, examples=["Morning calls"]),
    BeforeValidator(_printable),
]
Reference = Annotated[
    str,
    Field(min_length=1, max_length=NAME_MAX, examples=[EXAMPLE_ID]),
    BeforeValidator(_printable),
]
"""An id or an exact name, which the server resolves.

Names of campaigns become ids before a tool runs, in every argument whose name ends in campaign_id.
"""

CallerIds = Annotated[
    list[Annotated[str, BeforeValidator(_caller_id)]],
    Field(min_length=1, max_length=20, examples=[["+912268093560"]]),
    BeforeValidator(listed),
]
CampaignsToStop = Annotated[str, Field(examples=[EXAMPLE_ID]), BeforeValidator(_anything)]
"""Whatever names the campaigns of an emergency stop: it is never refused over its form."""

CampaignsToDelete = Annotated[
    str,
    Field(min_length=1, max_length=1500, examples=[EXAMPLE_ID]),
    BeforeValidator(_several),
]
"""An id or exact name, several ids, or the common name of waves with an asterisk."""

MaxRetries = Annotated[int, Field(ge=0, le=10, examples=[3]), BeforeValidator(_whole)]
RetryDelay = Annotated[int, Field(ge=1, le=1440, examples=[15]), BeforeValidator(_whole)]
ScheduledAt = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "examples": ["2027-01-15T10:00:00+05:30"]}),
]
# Formats are for messages: what is published goes without them.
LocalDate = Annotated[
    str,
    BeforeValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2027-01-15"]}),
]
ClockTime = Annotated[
    str,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "format": "time", "examples": ["09:30"]}),
]
Weekdays = Annotated[
    list[
        Annotated[
            Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
            BeforeValidator(_trimmed),
            WithJsonSchema({"type": "string"}),
        ]
    ],
    Field(max_length=7, examples=[["mon", "tue"]]),
    BeforeValidator(listed),
]
Description = Annotated[
    str, Field(max_length=250, examples=["Spring list"]), BeforeValidator(_printable)
]
Search = Annotated[
    str, Field(min_length=1, max_length=NAME_MAX, examples=["renewal"]), BeforeValidator(_printable)
]
Page = Annotated[int, Field(ge=1, le=10_000, examples=[1]), BeforeValidator(_whole)]
Limit = Annotated[int, Field(ge=1, le=100, examples=[20]), BeforeValidator(_whole)]
RowLimit = Annotated[int, Field(ge=0, le=100, examples=[20]), BeforeValidator(_whole)]
ConfirmToken = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_trimmed)]


CallId = Annotated[
    str,
    Field(pattern=CALL_PATTERN, examples=["CALL-1778226705739-7e4c17"]),
    BeforeValidator(_trimmed),
]
Csv = Annotated[
    str, Field(min_length=1, max_length=CSV_MAX, examples=["phone,name\n+12025550143,Ada"])
]
FileName = Annotated[
    str,
    Field(min_length=1, max_length=1000, examples=["january.csv"]),
    BeforeValidator(_printable),
]
UploadId = Annotated[
    str,
    Field(pattern=UPLOAD_PATTERN, examples=["0123456789abcdef0123456789abcdef"]),
    BeforeValidator(_trimmed),
]
Region = Annotated[str, Field(pattern=REGION_PATTERN, examples=["IN"]), BeforeValidator(_capitals)]
ColumnNames = Annotated[
    list[Annotated[str, Field(max_length=NAME_MAX)]],
    Field(min_length=1, max_length=10, examples=[["Mobile", "Phone"]]),
    BeforeValidator(listed),
]
# An empty list is none. Items are held to their form by validators that publish nothing: what a
# tool publishes has to fit its budget.
References = Annotated[
    list[Annotated[str, BeforeValidator(_reference)]],
    Field(max_length=5, examples=[[EXAMPLE_ID]]),
    BeforeValidator(listed),
]
Zones = Annotated[
    list[Annotated[str, BeforeValidator(_reference)]],
    Field(max_length=50, examples=[["Asia/Kolkata"]]),
    BeforeValidator(listed),
]
Regions = Annotated[
    list[Annotated[str, BeforeValidator(_reference)]],
    Field(max_length=50, examples=[["IN"]]),
    BeforeValidator(listed),
]
Sample = Annotated[int, Field(ge=1, le=10_000, examples=[20]), BeforeValidator(_whole)]
WaitSeconds = Annotated[int, Field(ge=1, le=45, examples=[25]), BeforeValidator(_whole)]
Turn = Annotated[int, Field(ge=0, le=100_000, examples=[0]), BeforeValidator(_whole)]


def hidden(text: str, limit: int = TEXT_MAX) -> str:
    """Make text fit to show that may hold anybody's number: numbers are masked."""
    # Before it is cut: what is left of a number or key at the end would not be known as one.
    return capped(redact(flat(text)), limit)


def word(text: str) -> str:
    """Return an id, state or number from outside as it is if it is one word, else quoted."""
    return text if _WORD.fullmatch(text) else quoted(text, NAME_MAX)


def named(name: str, id_: str) -> str:
    """Name a thing as sentences do: quoted, with its id."""
    return f"{quoted(name)} ({word(id_)})" if id_ else quoted(name)


def _short(value: Any) -> Any:
    return clean(value, limit=NAME_MAX)


ShortText = Annotated[str, BeforeValidator(_short)]
"""Text that lists repeat in every row: as long as a name that an argument may hold."""

Text = Annotated[str, BeforeValidator(clean)]
"""Text that someone else wrote: names, descriptions."""


def _reason(value: Any) -> Any:
    return hidden(value) if isinstance(value, str) else value


Reason = Annotated[str, BeforeValidator(_reason)]
"""Why something failed; carriers put the number that was called into it."""
