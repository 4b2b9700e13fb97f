"""Calls as the API shows them: log rows, details, exported rows."""

import json
import sqlite3

from atoms_campaigns_mcp.sandbox import agents, scripts
from atoms_campaigns_mcp.sandbox.costs import call_cost
from atoms_campaigns_mcp.sandbox.ids import object_id
from atoms_campaigns_mcp.sandbox.messages import Context, Document
from atoms_campaigns_mcp.sandbox.times import SECOND, iso

RECORDING_DELAY = 5 * SECOND  # recordings appear some seconds after the end

SOURCE = """
    call JOIN agent ON agent.pk = call.agent_pk JOIN campaign ON campaign.pk = call.campaign_pk
"""
SELECT = f"""
    SELECT call.*, agent.id AS agent_id, agent.name AS agent_name,
        campaign.id AS campaign_id, campaign.name AS campaign_name,
        (SELECT max(attempt) FROM call AS kin WHERE kin.campaign_pk = call.campaign_pk
            AND kin.position = call.position) AS retry_count,
        (SELECT call_id FROM call AS next WHERE next.campaign_pk = call.campaign_pk
            AND next.position = call.position AND next.attempt = call.attempt + 1
            ORDER BY pk LIMIT 1) AS retry_call_id
    FROM {SOURCE}
"""  # noqa: S608 - our own names


def is_over(row: sqlite3.Row) -> bool:
    """Whether the call has ended; of a live one the stored end is still a secret."""
    return row["ended_at"] is not None and row["next_at"] is None


def talk(row: sqlite3.Row) -> int:
    """Milliseconds of talk; 0 while live and when unanswered."""
    if not is_over(row) or row["answered_at"] is None:
        return 0
    return row["ended_at"] - row["answered_at"]


def recording(ctx: Context, row: sqlite3.Row) -> str | None:
    """Address of the recording, once there is one."""
    if not talk(row) or ctx.now < row["ended_at"] + RECORDING_DELAY:
        return None
    return f"https://storage.example.com/recordings/{row['call_id']}.mp3"


def object_id_of(row: sqlite3.Row) -> str:
    """The Mongo id of a call, which is not its callId."""
    return object_id("call", row["pk"], row["created_at"])


def log(ctx: Context, row: sqlite3.Row) -> Document:
    """A row of the call log."""
    document = _common(ctx, row)
    document |= {
        "agentId": row["agent_id"],
        "retryCount": row["retry_count"],
        "retryAttemptNumber": row["attempt"],
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
        "campaignId": row["campaign_id"],
        "agentDispositionConfig": scripts.DISPOSITIONS,
        "isTest": False,
    }
    if row["status"] == "completed":
        document["dispositionMetrics"] = scripts.dispositions(row["script"])
    return document


def detail(ctx: Context, row: sqlite3.Row) -> Document:
    """One call with its transcript, variables and events."""
    contact = ctx.db.execute(
        "SELECT data, identifier_column FROM member JOIN audience ON audience.pk = audience_pk"
        " WHERE member.pk = ?",
        (row["member_pk"],),
    ).fetchone()
    data: Document = json.loads(contact["data"])
    name = str(data.get(contact["identifier_column"] or "name", ""))
    agent = agents.by_pk(ctx, row["agent_pk"])
    document = _common(ctx, row)
    document |= {
        "agent": agent,
        "campaignId": row["campaign_id"],
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
        "retryAttemptNumber": row["attempt"],
        "transcript": _transcript(ctx, row, name),
        "variables": {**data, "call_id": row["call_id"], "user_number": row["to_number"]},
        "events": events(ctx, row),
        "slmModelUsed": agent["slmModel"],
    }
    return document


def events(ctx: Context, row: sqlite3.Row) -> list[Document]:
    """What happened in a call so far; the event names are ours."""
    times = {
        "queued": row["created_at"],
        "dialed": row["dialed_at"],
        "answered": row["answered_at"],
        "ended": row["ended_at"],
    }
    return [
        {"eventType": name, "timestamp": iso(at)}
        for name, at in times.items()
        if at is not None and at <= ctx.now and (name != "ended" or row["next_at"] is None)
    ]


def exported(ctx: Context, row: sqlite3.Row) -> Document:
    """A row of the flat export of a campaign's calls."""
    return {
        "_id": object_id_of(row),
        "callId": row["call_id"],
        "status": row["status"],
        "duration": talk(row) // SECOND,
        "recordingUrl": recording(ctx, row),
        "from": row["from_number"],
        "to": row["to_number"],
        "agentId": row["agent_id"],
        "statusDetails": [text for text in (row["failure"],) if text],
        "events": events(ctx, row),
    }


def counted(ctx: Context, row: sqlite3.Row) -> Document:
    """A record of the analytics route, where durations are milliseconds."""
    over = is_over(row)
    return {
        "orgId": ctx.organization.id,
        "callId": row["call_id"],
        "agentId": row["agent_id"],
        "agentName": row["agent_name"],
        "campaignId": row["campaign_id"],
        "campaignName": row["campaign_name"],
        "callType": "telephony_outbound",
        "timestamp": iso(row["created_at"]),
        "callDurationMs": talk(row),
        "callLatencyMs": scripts.average_latency(row["script"]) if talk(row) else 0,
        "costSpent": call_cost(talk(row)),
        "disconnectionReason": (row["reason"] if over else None) or "-",
        "source": "campaign",
        "recordingUrl": recording(ctx, row) or "",
        "callStatus": row["status"],
        "fromNumber": row["from_number"],
        "toNumber": row["to_number"],
    }


def _common(ctx: Context, row: sqlite3.Row) -> Document:
    document: Document = {
        "_id": object_id_of(row),
        "callId": row["call_id"],
        "status": row["status"],
        "duration": talk(row) // SECOND,
        "from": row["from_number"],
        "to": row["to_number"],
        "type": "telephony_outbound",
        "callCost": call_cost(talk(row)),
    }
    if is_over(row) and row["reason"]:
        document["disconnectionReason"] = row["reason"]
    if row["failure"]:
        document["callFailureReason"] = row["failure"]
    if row["retry_call_id"]:
        document["retryCallId"] = row["retry_call_id"]
    if url := recording(ctx, row):
        document["recordingUrl"] = url
        document["recordingDualUrl"] = url.replace(".mp3", "-dual.mp3")
    if row["status"] == "completed":
        document["postCallAnalytics"] = scripts.analytics(row["script"])
        document["turnLatencyMetrics"] = scripts.latency(row["script"])
    return document


def _transcript(ctx: Context, row: sqlite3.Row, name: str) -> list[Document]:
    if row["answered_at"] is None:
        return []
    return scripts.transcript(
        row["script"], name, start=row["answered_at"], end=row["ended_at"], now=ctx.now
    )
