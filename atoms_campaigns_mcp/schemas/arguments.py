"""What each tool takes: one model per tool, flat, so that every host can read its schema."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from atoms_campaigns_mcp.schemas.calls import CallStatus
from atoms_campaigns_mcp.schemas.campaigns import ListedStatus
from atoms_campaigns_mcp.schemas.fields import (
    CallerIds,
    CallId,
    CampaignName,
    CampaignsToDelete,
    CampaignsToStop,
    ClockTime,
    ColumnNames,
    ConfirmToken,
    Csv,
    Description,
    FileName,
    Limit,
    LocalDate,
    MaxRetries,
    Name,
    Page,
    Reference,
    References,
    Region,
    Regions,
    RetryDelay,
    RowLimit,
    Sample,
    ScheduledAt,
    Search,
    Turn,
    UploadId,
    WaitSeconds,
    WavesName,
    Weekdays,
    Zones,
)
from atoms_campaigns_mcp.schemas.results import Outcome, Outcomes


class Args(BaseModel):
    """Base of every arguments model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    several: ClassVar[bool] = False
    """Whether `campaign_id` may name several campaigns."""
    of_waves: ClassVar[tuple[str, ...]] = ()
    """Arguments in which the common name of waves stands for all of them."""


class NoArgs(Args):
    """A tool without arguments."""


class PageArgs(Args):
    """A page of a list."""

    page: Annotated[Page, Field(description="Page, from 1.")] = 1
    limit: Annotated[Limit, Field(description="Rows a page.")] = 20


class ListAgentsArgs(PageArgs):
    """Arguments of `list_agents`."""

    search: Annotated[Search | None, Field(description="Part of the name.")] = None


class ListAudiencesArgs(ListAgentsArgs):
    """Arguments of `list_audiences`."""


class GetAudienceArgs(PageArgs):
    """Arguments of `get_audience`."""

    audience_id: Annotated[Reference, Field(description="Audience: id or exact name.")]


class ListCampaignsArgs(ListAgentsArgs):
    """Arguments of `list_campaigns`."""

    status: Annotated[ListedStatus | None, Field(description="finished: completed or failed.")] = (
        None
    )


class CreateCampaignArgs(Args):
    """Arguments of `create_campaign`."""

    name: Annotated[CampaignName, Field(description="Name of the campaign.")]
    agent_id: Annotated[Reference, Field(description="Agent that talks: id or exact name.")]
    audience_id: Annotated[Reference, Field(description="Audience to call: id or exact name.")]
    phone_ids: Annotated[
        CallerIds,
        Field(
            description="Caller IDs, ids or E.164: active, of the contacts' country; ask if "
            "several fit."
        ),
    ]
    description: Annotated[Description | None, Field(description="Note for people.")] = None
    max_retries: Annotated[
        MaxRetries, Field(description="Further attempts after no answer or a failure.")
    ] = 3
    retry_delay: Annotated[
        RetryDelay, Field(description="Minutes between attempts, at most a day.")
    ] = 15
    scheduled_at: Annotated[
        ScheduledAt | None,
        Field(description="Dial by itself then: ISO-8601 with zone, within 366 days."),
    ] = None
    allow_duplicate: Annotated[bool, Field(description="Even if an equal one is not over.")] = False
    confirm_token: Annotated[
        ConfirmToken | None,
        Field(description="With scheduled_at: the token of the refused call."),
    ] = None


class ScheduleWavesArgs(Args):
    """Arguments of `schedule_waves`."""

    name: Annotated[WavesName, Field(description="Their common name.")]
    agent_id: Annotated[Reference, Field(description="Id or name.")]
    audience_id: Annotated[Reference, Field(description="Id or name.")]
    phone_ids: Annotated[CallerIds, Field(description="Caller IDs.")]
    date: Annotated[LocalDate, Field(description="First day, YYYY-MM-DD.")]
    local_start: Annotated[
        ClockTime | None, Field(description="HH:MM; default: calling hours.")
    ] = None
    local_end: Annotated[ClockTime | None, Field(description="HH:MM.")] = None
    weekdays: Annotated[Weekdays | None, Field(description="Like mon.")] = None
    max_retries: Annotated[MaxRetries, Field(description="Further attempts.")] = 3
    retry_delay: Annotated[RetryDelay, Field(description="In minutes.")] = 15
    confirm_token: Annotated[ConfirmToken | None, Field(description="From the refused call.")] = (
        None
    )


class CampaignArgs(Args):
    """One campaign."""

    campaign_id: Annotated[Reference, Field(description="Campaign: id or exact name.")]


class GetCampaignStatusArgs(CampaignArgs):
    """Arguments of `get_campaign_status`."""


class PreviewCampaignArgs(CampaignArgs):
    """Arguments of `preview_campaign`."""


class PauseCampaignArgs(Args):
    """Arguments of `pause_campaign`."""

    campaign_id: Annotated[
        CampaignsToStop | None,
        Field(description="Id or exact name, or all: everything that dials now."),
    ] = None
    hang_up: Annotated[
        bool, Field(description="Then also end its calls that are queued, ring or talk.")
    ] = False


class ConfirmedCampaignArgs(CampaignArgs):
    """One campaign, and the word that it may be done."""

    confirm_token: Annotated[
        ConfirmToken | None,
        Field(description="The token of the refused call."),
    ] = None


class StartCampaignArgs(ConfirmedCampaignArgs):
    """Arguments of `start_campaign`."""


class DeleteCampaignArgs(Args):
    """Arguments of `delete_campaign`."""

    several: ClassVar[bool] = True

    campaign_id: Annotated[
        CampaignsToDelete,
        Field(description="Id or exact name; up to 50 ids; NAME * for its scheduled waves."),
    ]
    confirm_token: Annotated[
        ConfirmToken | None, Field(description="The token of the refused call.")
    ] = None


class GetAccountArgs(Args):
    """Arguments of `get_account`."""


class ContactsArgs(Args):
    """Where contacts come from: exactly one of `csv` and `file`, or over HTTP `upload_id`."""

    csv: Annotated[Csv | None, Field(description="CSV text.")] = None
    file: Annotated[FileName | None, Field(description="Or an allowed CSV or .xlsx.")] = None
    upload_id: Annotated[UploadId | None, Field(description="Or what PUT /contacts has given.")] = (
        None
    )
    phone_columns: Annotated[
        ColumnNames | None,
        Field(description="Of numbers, preferred first."),
    ] = None
    phone_column: Annotated[Search | None, Field(description="Or one.")] = None
    default_region: Annotated[
        Region | None,
        Field(description="Country of numbers without a code (US); + if all lack only the plus."),
    ] = None
    sheet: Annotated[Search | None, Field(description="Default: the first.")] = None
    rejects_file: Annotated[
        FileName | None,
        Field(description="CSV of rejected and doubtful rows."),
    ] = None


class CreateAudienceArgs(ContactsArgs):
    """Arguments of `create_audience`."""

    of_waves: ClassVar[tuple[str, ...]] = ("from_campaign_id", "exclude_campaign_ids")

    name: Annotated[Name, Field(description="Its name.")]
    description: Annotated[Description | None, Field(description="Note.")] = None
    from_audience_id: Annotated[Reference | None, Field(description="Or another audience.")] = None
    from_campaign_id: Annotated[Reference | None, Field(description="Or a campaign's.")] = None
    outcomes: Annotated[Outcomes | None, Field(description="Default: last two.")] = None
    exclude_dnc: Annotated[bool, Field(description="Leave out do-not-call.")] = True
    exclude_campaign_ids: Annotated[
        References | None, Field(description="Whom they called or may call.")
    ] = None
    exclude_audience_ids: Annotated[References | None, Field(description="Not their contacts.")] = (
        None
    )
    time_zones: Annotated[Zones | None, Field(description="IANA names.")] = None
    countries: Annotated[Regions | None, Field(description="Like IN.")] = None
    sample: Annotated[Sample | None, Field(description="Only so many.")] = None
    remainder_name: Annotated[Name | None, Field(description="Audience of the others.")] = None
    dry_run: Annotated[bool, Field(description="Only count.")] = False


class AddContactsArgs(ContactsArgs):
    """Arguments of `add_contacts`."""

    audience_id: Annotated[Reference, Field(description="Audience: id or exact name.")]


class DeleteAudienceArgs(Args):
    """Arguments of `delete_audience`."""

    audience_id: Annotated[Reference, Field(description="Audience: id or exact name.")]
    confirm_token: Annotated[
        ConfirmToken | None, Field(description="The token of the refused call.")
    ] = None


class WatchCampaignArgs(CampaignArgs):
    """Arguments of `watch_campaign`."""

    until: Annotated[
        Literal["change", "running", "paused", "finished"],
        Field(description="What to wait for; finished: no call or retry is left."),
    ] = "change"
    wait_seconds: Annotated[WaitSeconds, Field(description="At most this long.")] = 25
    since: Annotated[
        ConfirmToken | None, Field(description="`since` of the last result: what changed after it.")
    ] = None


class GetCampaignResultsArgs(Args):
    """Arguments of `get_campaign_results`."""

    of_waves: ClassVar[tuple[str, ...]] = ("campaign_id",)

    campaign_id: Annotated[Reference | None, Field(description="Campaign: id or exact name.")] = (
        None
    )
    campaign_ids: Annotated[
        References | None, Field(description="Or up to 5 to compare; the first is told in full.")
    ] = None
    outcome: Annotated[
        Outcome | None,
        Field(description="Only such contacts; not_reached: called, not reached."),
    ] = None
    page: Annotated[Page, Field(description="Page, from 1.")] = 1
    limit: Annotated[
        RowLimit | None, Field(description="Contacts a page; default 0, with outcome 20.")
    ] = None
    file: Annotated[
        FileName | None,
        Field(description="Write all, full numbers, as CSV in an allowed folder."),
    ] = None


class ListCallsArgs(CampaignArgs, PageArgs):
    """Arguments of `list_calls`."""

    status: Annotated[CallStatus | None, Field(description="Only this status.")] = None
    attempt: Annotated[Literal["all", "initial", "retry"], Field(description="Which attempts.")] = (
        "all"
    )


class GetCallArgs(Args):
    """Arguments of `get_call`."""

    call_id: Annotated[CallId, Field(description="Id of the call, from list_calls.")]
    from_turn: Annotated[Turn, Field(description="First turn of the transcript to give.")] = 0
