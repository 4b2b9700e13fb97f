"""What each tool takes: one model per tool, flat, so that every host can read its schema."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from atoms_campaigns_mcp.schemas.campaigns import KnownStatus
from atoms_campaigns_mcp.schemas.fields import (
    CallerIds,
    CampaignId,
    ConfirmToken,
    Description,
    Limit,
    MaxRetries,
    Name,
    Page,
    Reference,
    RetryDelay,
    ScheduledAt,
    Search,
)


class Args(BaseModel):
    """Base of every arguments model; an unknown argument is refused, never dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class ListCampaignsArgs(ListAgentsArgs):
    """Arguments of `list_campaigns`."""

    status: Annotated[KnownStatus | None, Field(description="Only this state.")] = None


class CreateCampaignArgs(Args):
    """Arguments of `create_campaign`."""

    name: Annotated[Name, Field(description="Name of the campaign.")]
    agent_id: Annotated[Reference, Field(description="Agent that talks: id or exact name.")]
    audience_id: Annotated[Reference, Field(description="Audience to call: id or exact name.")]
    phone_ids: Annotated[CallerIds, Field(description="Caller IDs: ids or E.164 numbers.")]
    description: Annotated[Description | None, Field(description="Note for people.")] = None
    max_retries: Annotated[
        MaxRetries, Field(description="Further attempts after no answer or a failure.")
    ] = 3
    retry_delay: Annotated[RetryDelay, Field(description="Minutes between attempts.")] = 15
    scheduled_at: Annotated[
        ScheduledAt | None,
        Field(
            description="Dial by itself then: ISO-8601 with zone, in the future. "
            "Without it: a draft."
        ),
    ] = None
    confirm_token: Annotated[
        ConfirmToken | None,
        Field(description="With scheduled_at: the token of the refused call."),
    ] = None


class CampaignArgs(Args):
    """One campaign."""

    campaign_id: Annotated[
        CampaignId, Field(description="24 hex digits, from create_campaign or list_campaigns.")
    ]


class GetCampaignStatusArgs(CampaignArgs):
    """Arguments of `get_campaign_status`."""


class PauseCampaignArgs(CampaignArgs):
    """Arguments of `pause_campaign`."""


class ConfirmedCampaignArgs(CampaignArgs):
    """One campaign, and the word that it may be done."""

    confirm_token: Annotated[
        ConfirmToken | None,
        Field(description="The token that the refused call gave, if no person could be asked."),
    ] = None


class StartCampaignArgs(ConfirmedCampaignArgs):
    """Arguments of `start_campaign`."""


class DeleteCampaignArgs(ConfirmedCampaignArgs):
    """Arguments of `delete_campaign`."""
