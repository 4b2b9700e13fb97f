"""The two exports of a campaign: grouped by contact, and flat."""

import csv
import io
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError, NotFoundError
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Document,
    Operation,
    Reply,
    reply_json,
)
from atoms_campaigns_mcp.sandbox.api.views import calls as documents, conversations
from atoms_campaigns_mcp.sandbox.api.views.calls import LoggedCall
from atoms_campaigns_mcp.sandbox.engine.costs import call_cost
from atoms_campaigns_mcp.sandbox.engine.times import SECOND, iso

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
CALL_COLUMNS = ("attempt", "callId", "status", "disconnectionReason", "duration", "callCost")
LATE_COLUMNS = ("createdAt", "recordingUrl", "finalStatus")
METRICS = tuple(entry["identifier"] for entry in conversations.DISPOSITIONS)

OF_CAMPAIGN = "call.campaign_pk = ?"
CONTACTS = """
    SELECT member.id, member.data, '+' || member.digits AS phone, contact.position, contact.state
    FROM member {join} contact ON member.pk = contact.member_pk AND contact.campaign_pk = :campaign
    WHERE {condition} ORDER BY member.pk
"""
FROZEN = CONTACTS.format(join="JOIN", condition="TRUE")
NOT_STARTED = CONTACTS.format(
    join="LEFT JOIN", condition="audience_pk = :audience AND deleted_at IS NULL"
)


def by_member(ctx: Context) -> Reply:
    """Results grouped by contact with every attempt, as JSON or CSV; not in an envelope.

    No 400 is documented here: a malformed id is unknown, an unknown format is JSON.
    """
    try:
        campaign = queries.campaign(ctx)
    except BadRequestError:
        raise NotFoundError("Campaign not found") from None
    form = "csv" if ctx.request.query.get("format") == "csv" else "json"
    results = list(_results(ctx, campaign))
    name = f"{_safe(campaign['name'])}-{iso(ctx.now)}.{form}"
    disposition = f"attachment; filename=campaign-results-{name}"
    headers = {"Content-Disposition": disposition}
    if form == "csv":
        return Reply(200, _csv(results), "text/csv; charset=utf-8", headers)
    return reply_json(
        {
            "campaign": campaign["name"],
            "exportedAt": iso(ctx.now),
            "totalAudienceMembers": len(results),
            "data": results,
        },
        headers=headers,
    )


def logs(ctx: Context) -> Reply:
    """Every call of the campaign as a bare array; an unknown campaign is a 400 here."""
    try:
        campaign = queries.campaign(ctx)
    except NotFoundError:
        raise BadRequestError(f"no campaign found for id {ctx.request.params['id']}") from None
    calls = documents.select(ctx, OF_CAMPAIGN, (campaign["pk"],), "call.pk")
    name = f"campaign-logs-{_safe(campaign['name'])}-{iso(campaign['created_at'])}.json"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    return reply_json([documents.exported(ctx, call) for call in calls], headers=headers)


def _results(ctx: Context, campaign: sqlite3.Row) -> Iterator[Document]:
    calls: defaultdict[int, list[LoggedCall]] = defaultdict(list)
    for call in documents.select(ctx, OF_CAMPAIGN, (campaign["pk"],), "call.pk"):
        calls[call.position].append(call)
    contacts = ctx.db.execute(
        NOT_STARTED if campaign["contacts"] is None else FROZEN,
        {"campaign": campaign["pk"], "audience": campaign["audience_pk"]},
    )
    for contact in contacts:
        attempts = _attempts(contact, calls[contact["position"] or 0])
        logged = [documents.attempt(ctx, call) for call in attempts]
        talk = sum(call.talk for call in attempts)
        yield {
            "audienceMemberId": contact["id"],
            "audienceMemberData": json.loads(contact["data"]),
            "phoneNumber": contact["phone"],
            "originalCall": logged[0] if logged else None,
            "retryAttempts": logged[1:],
            "totalAttempts": len(logged),
            "finalStatus": _final_status(contact, attempts),
            "totalCallDuration": talk // SECOND,
            "totalCallCost": call_cost(talk),
        }


def _attempts(contact: sqlite3.Row, calls: list[LoggedCall]) -> list[LoggedCall]:
    """Calls that count: not those a pause took out of the queue, which come again."""
    settled = contact["state"] == "settled"
    return [
        call
        for call in calls
        if call.status != "cancelled" or call.dialed_at or (settled and call is calls[-1])
    ]


def _final_status(contact: sqlite3.Row, attempts: list[LoggedCall]) -> str:
    """What became of a contact (S11)."""
    statuses = [call.status for call in attempts]
    if not statuses:
        return "pending"
    if "completed" in statuses:
        return "completed"
    exhausted = contact["state"] == "settled" and statuses[-1] in ("failed", "no_answer")
    return "failed" if exhausted else statuses[-1]


def _csv(results: list[Document]) -> bytes:
    """One row per attempt, and one for a contact without any; the columns are ours (S15)."""
    own = dict.fromkeys(column for result in results for column in result["audienceMemberData"])
    own.pop("phoneNumber", None)
    head = ("audienceMemberId", "phoneNumber", *own, *CALL_COLUMNS, *LATE_COLUMNS, *METRICS)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for result in results:
        start = [result["audienceMemberId"], result["phoneNumber"]]
        start += [result["audienceMemberData"].get(column, "") for column in own]
        calls: list[Document] = [result["originalCall"] or {}, *result["retryAttempts"]]
        writer.writerows([*start, *_csv_call(call, result["finalStatus"])] for call in calls)
    return text.getvalue().encode()


def _csv_call(call: Document, final_status: str) -> list[object]:
    attempt = call["retryAttemptNumber"] + 1 if call else ""
    metrics = call.get("dispositionMetrics", {})
    return [
        attempt,
        *[call.get(column, "") for column in (*CALL_COLUMNS[1:], *LATE_COLUMNS[:-1])],
        final_status,
        *[metrics.get(metric, "") for metric in METRICS],
    ]


def _safe(name: str) -> str:
    return UNSAFE.sub("_", name)


OPERATIONS = (
    Operation("GET /campaign/{id}/export/by-audience-member", by_member),
    Operation("GET /campaign/{id}/logs/export", logs),
)
