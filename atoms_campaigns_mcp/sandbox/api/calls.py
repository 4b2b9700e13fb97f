"""Operations on calls: the log, one call, its retries, cancelling, the analytics log."""

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError, NotFoundError
from atoms_campaigns_mcp.sandbox.api.requests.call_filters import LogFilter, analytics_filter
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Operation,
    Reply,
    ok,
    reply_json,
)
from atoms_campaigns_mcp.sandbox.api.requests.paging import Page
from atoms_campaigns_mcp.sandbox.api.requests.validation import Fields, QueryFields
from atoms_campaigns_mcp.sandbox.api.views import calls as documents, conversations
from atoms_campaigns_mcp.sandbox.api.views.calls import LoggedCall
from atoms_campaigns_mcp.sandbox.engine.ids import CALL_ID

LARGEST_PAGE = 500
ENDED = ("completed", "failed", "no_answer", "cancelled", "blocked")


def index(ctx: Context) -> Reply:
    """One page of the call log; retries are left out unless asked for (S12)."""
    fields = QueryFields(ctx.request.query)
    page = Page.read(fields, size=5, name="limit", largest=LARGEST_PAGE)
    wanted = LogFilter.read(fields)
    fields.check()
    condition, values = wanted.sql(ctx.organization.pk)
    total = queries.count(ctx.db, documents.SOURCE, condition, values)
    order = f"{wanted.order} LIMIT ? OFFSET ?"
    calls = documents.select(ctx, condition, (*values, *page.limits), order)
    return ok(
        {
            "logs": [documents.log(ctx, call) for call in calls],
            "pagination": page.describe(total, size_name="limit"),
            "dispositionMetricsConfig": conversations.DISPOSITIONS,
        }
    )


def show(ctx: Context) -> Reply:
    """One call by its callId."""
    return ok(documents.detail(ctx, _find(ctx, ctx.request.params["id"])))


def retries(ctx: Context) -> Reply:
    """Every attempt to reach the same contact, root first."""
    call = _find(ctx, ctx.request.params["id"])
    family = documents.select(
        ctx,
        "call.campaign_pk = ? AND call.position = ?",
        (call.campaign_pk, call.position),
        "call.pk",
    )
    return ok({"retries": [documents.log(ctx, member) for member in family]})


def cancel(ctx: Context) -> Reply:
    """Cancel a queued or live call; its contact is not tried again (S30)."""
    fields = Fields(ctx.request.json())
    name = fields.text("callId", required=True, shortest=1)
    fields.text("reason")
    fields.check()
    call = _find(ctx, name)
    if call.status in ENDED:
        raise BadRequestError(f"Conversation with ID {name} has already ended as {call.status}")
    _cancel(ctx, call)
    data = {"callId": name, "status": "cancelled", "previousStatus": call.status}
    return ok(data)


def cancel_queued(ctx: Context) -> Reply:
    """Cancel a call that is still in the queue."""
    call = _find(ctx, ctx.request.params["id"])
    name = call.call_id
    if call.status != "in_queue":
        raise BadRequestError(
            f"Conversation with ID {name} is not in queue and cannot be cancelled"
        )
    _cancel(ctx, call)
    return ok({"callId": name, "status": "cancelled"})


def counts(ctx: Context) -> Reply:
    """One page of call records, retries included, newest first."""
    fields = QueryFields(ctx.request.query)
    page = Page.read(fields, size=10, name="limit")
    condition, values = analytics_filter(fields, ctx.organization.pk)
    fields.check()
    total = queries.count(ctx.db, documents.SOURCE, condition, values)
    order = "call.pk DESC LIMIT ? OFFSET ?"
    calls = documents.select(ctx, condition, (*values, *page.limits), order)
    data = {
        "calls": [documents.counted(ctx, call) for call in calls],
        "totalCalls": total,
        "totalPages": page.pages(total),
        "currentPage": page.number,
        "limit": page.size,
    }
    return reply_json({"success": True, "data": data})


def _find(ctx: Context, name: str) -> LoggedCall:
    if not CALL_ID.fullmatch(name):
        raise BadRequestError("Invalid call id")
    own = "call.org_pk = ? AND call.call_id = ?"
    found = documents.select(ctx, own, (ctx.organization.pk, name), "call.pk")
    if not found:
        raise NotFoundError(f"Conversation with ID {name} not found")
    return found[0]


def _cancel(ctx: Context, call: LoggedCall) -> None:
    """A queued call and its contact end here; the dialer ends a live one at this very time."""
    ctx.moment.wakes_dialer = True
    if call.status != "in_queue":
        answered = call.answered_at if call.status == "active" else None
        ctx.db.execute(
            "UPDATE call SET outcome = 'cancelled', reason = NULL, answered_at = ?, ended_at = ?,"
            " next_at = ? WHERE pk = ?",
            (answered, ctx.now, ctx.now, call.pk),
        )
        return
    ctx.db.execute(
        "UPDATE call SET status = 'cancelled', updated_at = ? WHERE pk = ?", (ctx.now, call.pk)
    )
    ctx.db.execute(
        "UPDATE contact SET state = 'settled' WHERE campaign_pk = ? AND position = ?",
        (call.campaign_pk, call.position),
    )
    ctx.db.execute(
        "UPDATE campaign SET unsettled = unsettled - 1 WHERE pk = ?", (call.campaign_pk,)
    )


OPERATIONS = (
    Operation("GET /conversation", index),
    Operation("POST /conversation/cancel", cancel, writes=True),
    Operation("GET /conversation/{id}", show),
    Operation("POST /conversation/{id}/cancel", cancel_queued, writes=True),
    Operation("GET /conversation/{id}/retries", retries),
    Operation("GET /analytics/call-counts-log", counts),
)
