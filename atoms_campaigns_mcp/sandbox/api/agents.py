"""Operations on agents and phone numbers."""

import json
import sqlite3

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError, ConflictError, NotFoundError
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Document,
    Operation,
    Reply,
    ok,
)
from atoms_campaigns_mcp.sandbox.api.requests.paging import Page
from atoms_campaigns_mcp.sandbox.api.requests.validation import Fields, QueryFields
from atoms_campaigns_mcp.sandbox.engine.ids import OBJECT_ID, object_id
from atoms_campaigns_mcp.sandbox.engine.times import iso

WORKFLOW_TYPES = ("single_prompt", "workflow_graph", "multi_agents")
MODELS = (
    "electron",
    "electron-kogta",
    "electron-kogta-v2",
    "gpt-4o",
    "gpt-4.1",
    "gpt-5.2",
    "gpt-realtime",
    "gpt-realtime-mini",
)
SOUNDS = ("", "office", "cafe", "call_center", "static")
LANGUAGES = ("en", "hi", "mr", "gu", "ta", "es", "north_indic", "bn", "or")
SORT = {
    "createdAt": "agent.pk",
    "updatedAt": "agent.updated_at",
    "totalCalls": "total_calls",
    "name": "agent.name COLLATE NOCASE",
    "workflowType": "agent.workflow_type",
}
SELECT = """
    SELECT agent.*,
        (SELECT count(*) FROM campaign JOIN call ON campaign_pk = campaign.pk
            WHERE campaign.agent_pk = agent.pk) AS total_calls,
        (SELECT json_group_array(number) FROM phone_number WHERE agent_pk = agent.pk) AS numbers
    FROM agent
"""
LONGEST = {"globalPrompt": 4000, "firstMessage": 500}
LONGEST_END_TEXT = 200


def list_numbers(ctx: Context) -> Reply:
    """Rented numbers, not paged."""
    rows = ctx.db.execute(
        "SELECT phone_number.*, agent.id AS agent_id FROM phone_number"
        " LEFT JOIN agent ON agent.pk = agent_pk WHERE phone_number.org_pk = ? ORDER BY pk",
        (ctx.organization.pk,),
    )
    return ok([_number(row) for row in rows])


def index(ctx: Context) -> Reply:
    """One page of agents, with the keys that the live service was recorded with (D14)."""
    fields = QueryFields(ctx.request.query)
    page = Page.read(fields, size=10)
    search = fields.text("search")
    kind = fields.choice("type", WORKFLOW_TYPES)
    column = fields.choice("sortField", tuple(SORT), default="createdAt")
    order = fields.choice("sortOrder", ("asc", "desc"), default="desc")
    archived = fields.choice("archived", ("true", "false"), default="false")
    fields.check()
    condition = "org_pk = :org AND (archived_at IS NOT NULL) = :archived"
    if search:
        condition += " AND contains(name, :search)"
    if kind:
        condition += " AND workflow_type = :kind"
    values = {
        "org": ctx.organization.pk,
        "archived": archived == "true",
        "search": search,
        "kind": kind,
    }
    total = queries.count(ctx.db, "agent", condition, values)
    limit, offset = page.limits
    rows = ctx.db.execute(
        f"{SELECT} WHERE {condition} ORDER BY {SORT[column]} {order}, agent.pk {order}"
        " LIMIT :limit OFFSET :offset",
        values | {"limit": limit, "offset": offset},
    )
    return ok(
        {
            "agents": [document(ctx, row) for row in rows],
            "totalCount": total,
            "totalPages": page.pages(total),
            "hasMore": page.has_more(total),
            "isSearchResults": bool(search),
        }
    )


def show(ctx: Context) -> Reply:
    """One agent; an unknown one is a 400 here."""
    return ok(document(ctx, _find(ctx)))


def create(ctx: Context) -> Reply:
    """Store an agent; the reply is its bare id."""
    body = ctx.request.json()
    fields = Fields(body)
    name = fields.text("name", required=True, shortest=1)
    description = fields.text("description")
    kind = fields.choice("workflowType", WORKFLOW_TYPES, default=WORKFLOW_TYPES[0])
    _check_settings(fields)
    numbers = [
        queries.find(ctx, "phone_number", text) for text in fields.texts("telephonyProductId")
    ]
    if None in numbers:
        fields.problem("Invalid phone number id")
    fields.check()
    pk = queries.next_pk(ctx.db, "agent")
    own = ("name", "description", "workflowType", "telephonyProductId")
    settings = {key: value for key, value in body.items() if key not in own}
    values = {
        "pk": pk,
        "org_pk": ctx.organization.pk,
        "id": object_id("agent", pk, ctx.now),
        "name": name,
        "description": description,
        "workflow_type": kind,
        "settings": json.dumps({"slmModel": "electron"} | settings),
        "created_at": ctx.now,
        "updated_at": ctx.now,
    }
    queries.insert(ctx.db, "agent", values)
    ctx.db.executemany(
        "UPDATE phone_number SET agent_pk = ?, updated_at = ? WHERE pk = ?",
        [(pk, ctx.now, row["pk"]) for row in numbers if row],
    )
    return ok(values["id"], 201)


def _check_settings(fields: Fields) -> None:
    """Note settings that are not of the published type; unpublished ones are stored as sent."""
    for field, longest in LONGEST.items():
        fields.text(field, longest=longest)
    fields.choice("slmModel", MODELS)
    fields.choice("backgroundSound", SOUNDS)
    fields.boolean("allowInboundCall")
    fields.record("defaultVariables")
    language = fields.record("language")
    language.choice("language.default", LANGUAGES)
    language.texts("language.supported")
    voicemail = fields.record("voiceMailDetectionConfig")
    voicemail.boolean("voiceMailDetectionConfig.enabled")
    voicemail.text("voiceMailDetectionConfig.endText", longest=LONGEST_END_TEXT)


def archive(ctx: Context) -> Reply:
    """Archive an agent, or restore it with `on=false` (D25)."""
    fields = QueryFields(ctx.request.query)
    archiving = fields.choice("on", ("true", "false"), default="true") == "true"
    fields.check()
    name = ctx.request.params["id"]
    if not OBJECT_ID.fullmatch(name):
        raise BadRequestError("Invalid agent id")
    agent = queries.find(ctx, "agent", name)
    if agent is None:
        raise NotFoundError("Agent not found")
    if archiving == (agent["archived_at"] is not None):
        raise ConflictError(f"Agent is already {'archived' if archiving else 'active'}")
    if archiving:
        _refuse_while_in_use(ctx, agent["pk"])
    ctx.db.execute(
        "UPDATE agent SET archived_at = ?, updated_at = ? WHERE pk = ?",
        (ctx.now if archiving else None, ctx.now, agent["pk"]),
    )
    return ok({"message": "Agent archived" if archiving else "Agent unarchived"})


def document(ctx: Context, row: sqlite3.Row) -> Document:
    """An agent as the API shows it."""
    agent: Document = {
        "allowInboundCall": True,
        **json.loads(row["settings"]),
        "_id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "organization": ctx.organization.id,
        "workflowId": object_id("workflow", row["pk"], row["created_at"]),
        "workflowType": row["workflow_type"],
        "createdBy": ctx.organization.user_id,
        "totalCalls": row["total_calls"],
        "archived": row["archived_at"] is not None,
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
    }
    if row["archived_at"] is not None:
        agent["archivedAt"] = iso(row["archived_at"])
    if numbers := json.loads(row["numbers"]):
        agent["phoneNumber"] = numbers
    return agent


def by_pk(ctx: Context, pk: int) -> Document:
    """An agent by its primary key."""
    return document(ctx, ctx.db.execute(f"{SELECT} WHERE pk = ?", (pk,)).fetchone())


def _find(ctx: Context) -> sqlite3.Row:
    name = ctx.request.params["id"]
    if not OBJECT_ID.fullmatch(name):
        raise BadRequestError("Invalid agent id")
    row = ctx.db.execute(
        f"{SELECT} WHERE org_pk = ? AND id = ?", (ctx.organization.pk, name)
    ).fetchone()
    if row is None:
        raise BadRequestError("No agent found")
    return row


def _refuse_while_in_use(ctx: Context, pk: int) -> None:
    """Campaigns that may still call keep their agent (S26)."""
    row = ctx.db.execute(
        "SELECT name, status FROM campaign WHERE agent_pk = ? AND deleted_at IS NULL"
        " AND status IN ('scheduled', 'processing', 'running', 'paused')",
        (pk,),
    ).fetchone()
    if row:
        raise ConflictError(
            f'Agent is associated with the {row["status"]} campaign "{row["name"]}".'
            " Complete or remove the campaign before archiving."
        )


def _number(row: sqlite3.Row) -> Document:
    return {
        "_id": row["id"],
        "productType": "telephony",
        "isActive": bool(row["active"]),
        "agentId": row["agent_id"],
        "attributes": {
            "provider": row["provider"],
            "phoneNumber": row["number"],
            "countryCode": row["country_code"],
            "areaCode": row["area_code"],
        },
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
        "__v": 0,
    }


OPERATIONS = (
    Operation("GET /product/phone-numbers", list_numbers),
    Operation("GET /agent", index),
    Operation("POST /agent", create, writes=True),
    Operation("GET /agent/{id}", show),
    Operation("DELETE /agent/{id}/archive", archive, writes=True),
)
