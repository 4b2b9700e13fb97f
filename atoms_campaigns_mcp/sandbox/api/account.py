"""Operations on the account: who the key is, its plan, credits, call slots and DNC list."""

import sqlite3

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import NotFoundError
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Document,
    Operation,
    Reply,
    ok,
    reply_json,
)
from atoms_campaigns_mcp.sandbox.api.requests.paging import Page
from atoms_campaigns_mcp.sandbox.api.requests.validation import QueryFields
from atoms_campaigns_mcp.sandbox.engine.costs import spent
from atoms_campaigns_mcp.sandbox.engine.ids import OBJECT_ID
from atoms_campaigns_mcp.sandbox.engine.times import DAY, iso

PERSON = {"firstName": "Sandbox", "lastName": "User"}
EMAIL = "sandbox@example.com"
PLAN = "plan_standard"
DNC_PAGE = 50
LARGEST_DNC_PAGE = 500
DNC_ORDERS = {"createdAt": "dnc_entry.created_at", "phoneNumber": "number"}


def user(ctx: Context) -> Reply:
    """The user behind the key."""
    return ok(
        {
            "_id": ctx.organization.user_id,
            **PERSON,
            "userEmail": EMAIL,
            "authProvider": "email",
            "isEmailVerified": True,
            "organizationId": ctx.organization.id,
        }
    )


def subscription(ctx: Context) -> Reply:
    """Plan limits and feature flags; only the call limit is enforced here."""
    return ok(
        {
            "_id": ctx.organization.id,
            "organization": ctx.organization.id,
            "planId": PLAN,
            "totalCredits": ctx.options.credits,
            "currentCredits": _balance(ctx),
            "renewalDate": iso(ctx.now + 30 * DAY),
            "subscriptionActive": True,
            "onPremEnabled": False,
            "limits": {
                "agents": 100,
                "campaigns": 100,
                "numbers": 10,
                "dailyCalls": 100_000,
                "concurrentCalls": ctx.options.org_limit,
                "knowledgeBaseItemLimit": 100,
                "knowledgeBaseLimits": 10,
            },
            "features": {"campaign": True, "telephony": True, "telephony_outbound": True},
        }
    )


def details(ctx: Context) -> Reply:
    """Profile and organizations, without an envelope."""
    organization = {
        "orgId": ctx.organization.id,
        "name": "Sandbox",
        "ownerEmail": EMAIL,
        "roleId": 0,
        "onPremEnabled": False,
    }
    return reply_json(
        {
            "userId": ctx.organization.user_id,
            "email": EMAIL,
            **PERSON,
            "phone": None,
            "picture": "",
            "hasOnboarded": True,
            "organizations": [organization],
        }
    )


def balance(ctx: Context) -> Reply:
    """Credits left, in US dollars."""
    data = {"creditBalance": _balance(ctx), "planId": PLAN, "isEnterprise": False}
    return reply_json({"success": True, "data": data})


def concurrency(ctx: Context) -> Reply:
    """Call slots; nothing is reserved in the sandbox."""
    limit = ctx.options.org_limit
    data: Document = {
        "orgLimit": limit,
        "totalReserved": 0,
        "unreservedPool": limit,
        "agents": [],
    }
    return reply_json({"success": True, "data": data})


def dnc(ctx: Context) -> Reply:
    """One page of the do-not-call list; page numbers out of range are moved into it."""
    fields = QueryFields(ctx.request.query)
    column = fields.choice("sortField", tuple(DNC_ORDERS), default="createdAt")
    order = fields.choice("sortOrder", ("asc", "desc"), default="desc")
    page = Page(
        number=max(1, fields.integer("page", default=1)),
        size=min(max(1, fields.integer("offset", default=DNC_PAGE)), LARGEST_DNC_PAGE),
    )
    search, agent = fields.text("search"), fields.text("agentId")
    if agent and not OBJECT_ID.fullmatch(agent):
        fields.problem("Invalid agent id")
    fields.check()
    values: dict[str, object] = {"org": ctx.organization.pk, "search": search}
    condition = "dnc_entry.org_pk = :org"
    if search:
        condition += " AND contains(number, :search)"
    if agent:
        condition += " AND dnc_entry.agent_pk = :agent"
        values["agent"] = _agent(ctx, agent)
    total = queries.count(ctx.db, "dnc_entry", condition, values)
    limit, offset = page.limits
    rows = ctx.db.execute(
        "SELECT dnc_entry.*, agent.id AS agent_id FROM dnc_entry"  # noqa: S608 - our own names
        f" LEFT JOIN agent ON agent.pk = agent_pk WHERE {condition}"
        f" ORDER BY {DNC_ORDERS[column]} {order}, dnc_entry.pk {order} LIMIT :limit OFFSET :offset",
        values | {"limit": limit, "offset": offset},
    )
    entries = [_dnc_entry(ctx, row) for row in rows]
    return ok({"entries": entries, "pagination": page.describe(total)})


def _dnc_entry(ctx: Context, row: sqlite3.Row) -> Document:
    """An entry as the API shows it; one for the whole organization names no agent."""
    entry: Document = {
        "id": row["id"],
        "orgId": ctx.organization.id,
        "phoneNumber": row["number"],
        "source": row["source"],
        "detectedInCallId": None,
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["created_at"]),
    }
    return entry | ({"agentId": row["agent_id"]} if row["agent_id"] else {})


def _agent(ctx: Context, name: str) -> int:
    agent = queries.find(ctx, "agent", name)
    if agent is None:
        raise NotFoundError("Agent not found")
    return agent["pk"]


def _balance(ctx: Context) -> float:
    return round(ctx.options.credits - spent(ctx.db, ctx.organization.pk), 4)


OPERATIONS = (
    Operation("GET /user", user),
    Operation("GET /user/subscription", subscription),
    Operation("GET /account/get-account-details", details),
    Operation("GET /concurrency", concurrency),
    Operation("GET /dnc", dnc),
    Operation("GET /payment/v1/credits/balance", balance),
)
