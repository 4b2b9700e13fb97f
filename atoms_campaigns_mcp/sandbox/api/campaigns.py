"""Operations on campaigns: create, list, get, start, pause, delete."""

import json
import sqlite3

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError, UnknownRouteError
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Operation,
    Reply,
    ok,
    reply_json,
)
from atoms_campaigns_mcp.sandbox.api.requests.paging import Page
from atoms_campaigns_mcp.sandbox.api.requests.validation import Fields, QueryFields
from atoms_campaigns_mcp.sandbox.api.views import campaigns as documents
from atoms_campaigns_mcp.sandbox.engine.dialer import PAUSE_TIME, PROCESSING_TIME
from atoms_campaigns_mcp.sandbox.engine.ids import object_id, task_id
from atoms_campaigns_mcp.sandbox.engine.roster import freeze_contacts

STATUSES = ("draft", "scheduled", "processing", "running", "paused", "completed", "failed")
LONGEST_NAME = 40  # S22: the dashboard's limits
LONGEST_DESCRIPTION = 250
MOST_RETRIES = 10
LONGEST_DELAY = 1440  # minutes
DONE = {"status": True}

# Creation order and time differ only after virtual time fell back to the wall clock.
SORT = {"createdAt": "campaign.pk", "updatedAt": "campaign.updated_at"}

# What the seed's sample shows for the first campaign and the first start (S32).
SAMPLE_CAMPAIGN = "696ddd2a04ff172dbd8eddad"
SAMPLE_TASK = "081a5402-3f1f-4447-a257-6dd7bc6bad60"


def create(ctx: Context) -> Reply:
    """Store a draft, or a schedule when `scheduledAt` is given; calls nobody."""
    fields = Fields(ctx.request.json())
    name = fields.text("name", required=True, shortest=1, longest=LONGEST_NAME)
    description = fields.text("description", longest=LONGEST_DESCRIPTION)
    retries = fields.integer("maxRetries", default=3, low=0, high=MOST_RETRIES)
    delay = fields.integer("retryDelay", default=15, low=1, high=LONGEST_DELAY)
    scheduled_at = fields.time("scheduledAt")
    if scheduled_at is not None and scheduled_at <= ctx.now:
        fields.problem("scheduledAt must be in the future")
    agent = _agent(ctx, fields)
    audience, participants = _audience(ctx, fields)
    phones = _phone_numbers(ctx, fields)
    fields.check()
    pk = queries.next_pk(ctx.db, "campaign")
    ordinal = _count_up(ctx, "campaigns_created")
    values = {
        "pk": pk,
        "org_pk": ctx.organization.pk,
        "ordinal": ordinal,
        "id": SAMPLE_CAMPAIGN if ordinal == 1 else object_id("campaign", pk, ctx.now),
        "name": name,
        "description": description,
        "agent_pk": agent,
        "audience_pk": audience,
        "phone_pks": json.dumps(phones),
        "rules": ctx.options.rules(),
        "participants": participants,
        "max_retries": retries,
        "retry_delay": delay,
        "status": "draft" if scheduled_at is None else "scheduled",
        "scheduled_at": scheduled_at,
        "created_at": ctx.now,
        "updated_at": ctx.now,
    }
    queries.insert(ctx.db, "campaign", values)
    ctx.moment.wakes_dialer = scheduled_at is not None
    return ok(documents.created(ctx, pk), 201)


def index(ctx: Context) -> Reply:
    """One page of campaigns."""
    fields = QueryFields(ctx.request.query)
    page = Page.read(fields, size=5)
    status = fields.choice("status", STATUSES)
    search = fields.text("search")
    column = fields.choice("sortField", ("createdAt", "updatedAt"), default="createdAt")
    order = fields.choice("sortOrder", ("asc", "desc"), default="desc")
    fields.check()
    condition = "campaign.org_pk = :org AND campaign.deleted_at IS NULL"
    values: dict[str, object] = {"org": ctx.organization.pk}
    total = queries.count(ctx.db, "campaign", condition, values)
    if status:
        condition += " AND campaign.status = :status"
        values["status"] = status
    if search:
        condition += " AND (contains(campaign.name, :search) OR campaign.id = :search)"
        values["search"] = search
    found = queries.count(ctx.db, "campaign", condition, values)
    limit, offset = page.limits
    rows = ctx.db.execute(
        f"{documents.SELECT} WHERE {condition} ORDER BY {SORT[column]} {order},"
        f" campaign.pk {order} LIMIT :limit OFFSET :offset",
        values | {"limit": limit, "offset": offset},
    )
    return ok(
        {
            "campaigns": [documents.listed(ctx, row) for row in rows.fetchall()],
            "pagination": page.describe(found),
            "totalCampaignCount": total,
        }
    )


def show(ctx: Context) -> Reply:
    """A campaign with its executions, events and metrics."""
    campaign = queries.campaign(ctx)
    return ok(documents.details(ctx, campaign["pk"]))


def start(ctx: Context) -> Reply:
    """Start a draft or resume a paused campaign; takes effect while time passes."""
    campaign = queries.campaign(ctx)
    status = campaign["status"]
    if status in ("draft", "paused"):
        action = "started" if status == "draft" else "resumed"
        if campaign["contacts"] is None:
            _freeze_contacts(ctx, campaign)
        ctx.db.execute(
            "UPDATE campaign SET status = 'processing', ready_at = ?, updated_at = ? WHERE pk = ?",
            (ctx.now + PROCESSING_TIME, ctx.now, campaign["pk"]),
        )
        ctx.db.execute(
            "INSERT INTO campaign_event (campaign_pk, action, created_at) VALUES (?, ?, ?)",
            (campaign["pk"], action, ctx.now),
        )
        ctx.moment.wakes_dialer = True
    elif not (ctx.options.idempotent_start and status in ("processing", "running")):
        raise BadRequestError(f"Campaign cannot be started from status {status}")
    number = _count_up(ctx, "starts")
    task = task_id(ctx.options.seed, ctx.organization.id, number)
    data = {
        "message": "Campaign is being processed",
        "taskId": SAMPLE_TASK if number == 1 else task,
        "campaignId": campaign["id"],
    }
    return ok(data, 202)


def pause(ctx: Context) -> Reply:
    """Ask for a pause, which takes effect while time passes (S2)."""
    campaign = queries.campaign(ctx)
    if campaign["status"] not in ("processing", "running"):
        raise BadRequestError("Campaign is not running")
    if campaign["pause_at"] is None:
        ctx.db.execute(
            "UPDATE campaign SET pause_at = ? WHERE pk = ?",
            (ctx.now + PAUSE_TIME, campaign["pk"]),
        )
        ctx.moment.wakes_dialer = True
    return reply_json(DONE)


def stop(ctx: Context) -> Reply:
    """What only the SDK's helpers call: unknown, unless a switch makes it a pause (D2)."""
    if not ctx.options.stop_route:
        raise UnknownRouteError
    return pause(ctx)


def delete(ctx: Context) -> Reply:
    """Delete a campaign with its execution history; its calls stay in the log (S3)."""
    campaign = queries.campaign(ctx)
    status, pk = campaign["status"], campaign["pk"]
    if status in ("processing", "running"):
        raise BadRequestError(f"Campaign is {status}. Pause it before deleting.")
    ctx.db.execute(
        "UPDATE call SET status = 'cancelled', updated_at = ?"
        " WHERE campaign_pk = ? AND status = 'in_queue'",
        (ctx.now, pk),
    )
    for table in ("contact", "execution", "campaign_event"):
        ctx.db.execute(f"DELETE FROM {table} WHERE campaign_pk = ?", (pk,))  # noqa: S608 - our own names
    ctx.db.execute(
        "UPDATE campaign SET deleted_at = ?, dialing = 0 WHERE pk = ?",
        (ctx.now, pk),
    )
    ctx.moment.wakes_dialer = True
    return reply_json(DONE)


def _agent(ctx: Context, fields: Fields) -> int:
    name = fields.text("agentId", required=True)
    agent = queries.find(ctx, "agent", name)
    if name and agent is None:
        fields.problem("Agent not found")
    if agent and agent["archived_at"] is not None:
        fields.problem("Agent is archived")
    return agent["pk"] if agent else 0


def _audience(ctx: Context, fields: Fields) -> tuple[int, int]:
    """The audience and how many members it has now."""
    name = fields.text("audienceId", required=True)
    audience = queries.find(ctx, "audience", name)
    if audience is None:
        if name:
            fields.problem("Audience not found")
        return 0, 0
    members = queries.count_members(ctx.db, audience["pk"])
    if members == 0:
        fields.problem("Audience has no members")
    return audience["pk"], members


def _phone_numbers(ctx: Context, fields: Fields) -> list[int]:
    rows = [queries.find(ctx, "phone_number", name) for name in fields.texts("phoneNumberIds")]
    if None in rows:
        fields.problem("Invalid phone number id")
    return list(dict.fromkeys(row["pk"] for row in rows if row))


def _freeze_contacts(ctx: Context, campaign: sqlite3.Row) -> None:
    contacts = freeze_contacts(ctx.db, campaign["pk"], campaign["audience_pk"])
    ctx.db.execute(
        "UPDATE campaign SET contacts = ?, undispatched = ?, unsettled = ? WHERE pk = ?",
        (contacts, contacts, contacts, campaign["pk"]),
    )


def _count_up(ctx: Context, counter: str) -> int:
    return ctx.db.execute(
        f"UPDATE organization SET {counter} = {counter} + 1 WHERE pk = ? RETURNING {counter}",  # noqa: S608 - our own names
        (ctx.organization.pk,),
    ).fetchone()[0]


OPERATIONS = (
    Operation("GET /campaign", index),
    Operation("POST /campaign", create, writes=True),
    Operation("GET /campaign/{id}", show),
    Operation("DELETE /campaign/{id}", delete, writes=True),
    Operation("POST /campaign/{id}/start", start, writes=True),
    Operation("POST /campaign/{id}/pause", pause, writes=True),
    Operation("POST /campaign/{id}/stop", stop, writes=True),
)
