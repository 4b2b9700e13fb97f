"""Campaigns as the API shows them."""

import sqlite3

from atoms_campaigns_mcp.sandbox.api.requests.messages import Context, Document
from atoms_campaigns_mcp.sandbox.engine.dialer import BATCH
from atoms_campaigns_mcp.sandbox.engine.ids import object_id
from atoms_campaigns_mcp.sandbox.engine.times import iso

SELECT = """
    SELECT campaign.*, agent.id AS agent_id, agent.name AS agent_name, agent.workflow_type,
        audience.id AS audience_id, audience.name AS audience_name
    FROM campaign
    JOIN agent ON agent.pk = campaign.agent_pk
    JOIN audience ON audience.pk = campaign.audience_pk
"""


def created(ctx: Context, pk: int) -> Document:
    """The reply to a creation: the raw stored document, with plain ids."""
    row = _row(ctx, pk)
    return _common(ctx, row) | {"agentId": row["agent_id"], "audienceId": row["audience_id"]}


def listed(ctx: Context, row: sqlite3.Row) -> Document:
    """A campaign as lists and the single view show it, with nested agent and audience."""
    agent = {
        "_id": row["agent_id"],
        "name": row["agent_name"],
        "workflowType": row["workflow_type"],
    }
    audience = {"_id": row["audience_id"], "name": row["audience_name"]}
    executions = ctx.db.execute(
        "SELECT * FROM execution WHERE campaign_pk = ? ORDER BY number", (row["pk"],)
    ).fetchall()
    document = _common(ctx, row) | {"agent": agent, "audience": audience}
    document |= _optional(row)
    document["executions"] = [_execution(execution) for execution in executions]
    if executions and row["status"] in ("processing", "running"):
        document["currentExecution"] = _current_execution(executions[-1])
    return document


def details(ctx: Context, pk: int) -> Document:
    """A campaign with its events, newest first, and metrics."""
    row = _row(ctx, pk)
    events = ctx.db.execute(
        "SELECT * FROM campaign_event WHERE campaign_pk = ? ORDER BY pk DESC", (pk,)
    )
    return {
        "campaign": listed(ctx, row),
        "events": [_event(row, event) for event in events],
        "metrics": _metrics(row),
    }


def _row(ctx: Context, pk: int) -> sqlite3.Row:
    return ctx.db.execute(f"{SELECT} WHERE campaign.pk = ?", (pk,)).fetchone()


def _common(ctx: Context, row: sqlite3.Row) -> Document:
    document: Document = {
        "_id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "organization": ctx.organization.id,
        "createdBy": ctx.organization.user_id,
        "participantsCount": row["participants"],
        "maxRetries": row["max_retries"],
        "retryDelay": row["retry_delay"],
        "retryAttempts": row["retry_attempts"],
        "status": row["status"],
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
    }
    if row["scheduled_at"] is not None:
        document["scheduledAt"] = iso(row["scheduled_at"])
    return document


def _optional(row: sqlite3.Row) -> Document:
    document: Document = {}
    if row["paused_at"] is not None:
        document["pausedAt"] = iso(row["paused_at"])
        document["cancelledCallsCount"] = row["cancelled_calls"]
    if row["failed_at"] is not None:
        document["failedAt"] = iso(row["failed_at"])
        document["error"] = row["error"]
    return document


def _execution(row: sqlite3.Row) -> Document:
    document: Document = {
        "executionNumber": row["number"],
        "status": row["status"],
        "totalMembers": row["total"],
        "processedMembers": row["processed"],
        "failedMembers": row["failed"],
        "executionType": row["kind"],
        "startedAt": iso(row["started_at"]),
    }
    if row["completed_at"] is not None:
        document["completedAt"] = iso(row["completed_at"])
    return document


def _current_execution(row: sqlite3.Row) -> Document:
    return {
        "executionNumber": row["number"],
        "executionType": row["kind"],
        "totalBatches": -(-row["total"] // BATCH),
        "processedBatches": -(-row["processed"] // BATCH),
        "failedBatches": 0,
        "totalMembers": row["total"],
        "processedMembers": row["processed"],
        "failedMembers": row["failed"],
        "startedAt": iso(row["started_at"]),
    }


def _event(campaign: sqlite3.Row, row: sqlite3.Row) -> Document:
    at = iso(row["created_at"])
    return {
        "_id": object_id("campaign event", row["pk"], row["created_at"]),
        "campaignId": campaign["id"],
        "triggerSource": "system",
        "eventAction": row["action"],
        "createdAt": at,
        "updatedAt": at,
    }


def _metrics(campaign: sqlite3.Row) -> Document:
    """Counts of contacts, not of dials (D5)."""
    contacts = campaign["contacts"]
    return {
        "total_participants": campaign["participants"] if contacts is None else contacts,
        "contacts_called": campaign["called"],
        "contacts_connected": campaign["connected"],
    }
