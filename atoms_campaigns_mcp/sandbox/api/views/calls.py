"""Calls as the API shows them: log rows, details, exported rows."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from atoms_campaigns_mcp.sandbox.api import agents
from atoms_campaigns_mcp.sandbox.api.requests.messages import Context, Document
from atoms_campaigns_mcp.sandbox.api.views import conversations
from atoms_campaigns_mcp.sandbox.engine.costs import call_cost
from atoms_campaigns_mcp.sandbox.engine.ids import object_id
from atoms_campaigns_mcp.sandbox.engine.times import SECOND, iso

RECORDING_DELAY = 5 * SECOND  # recordings appear some seconds after the end

SOURCE = """
    call JOIN agent ON agent.pk = call.agent_pk JOIN campaign ON campaign.pk = call.campaign_pk
"""
SELECT = f"""
    SELECT call.pk, call_id, campaign_pk, call.position, attempt, member_pk, call.agent_pk,
        from_number, to_number, call.status, reason, failure, script,
        dialed_at, answered_at, ended_at, next_at, call.created_at, call.updated_at,
        agent.id, agent.name, campaign.id, campaign.name,
        (SELECT max(attempt) FROM call AS kin WHERE kin.campaign_pk = call.campaign_pk
            AND kin.position = call.position),
        (SELECT call_id FROM call AS next WHERE next.campaign_pk = call.campaign_pk
            AND next.position = call.position AND next.attempt = call.attempt + 1
            AND call.status <> 'cancelled'
            ORDER BY pk LIMIT 1)
    FROM {SOURCE}
"""  # noqa: S608 - our own names


class LoggedCall(NamedTuple):
    """A call with what the log shows beside it, in the order of `SELECT`."""

    pk: int
    call_id: str
    campaign_pk: int
    position: int
    attempt: int
    member_pk: int
    agent_pk: int
    from_number: str
    to_number: str
    status: str
    reason: str | None
    failure: str | None
    script: int
    dialed_at: int | None
    answered_at: int | None
    ended_at: int | None
    next_at: int | None
    created_at: int
    updated_at: int
    agent_id: str
    agent_name: str
    campaign_id: str
    campaign_name: str
    retry_count: int
    retry_call_id: str | None

    @property
    def over(self) -> bool:
        """Whether the call has ended; of a live one the stored end is still a secret."""
        return self.ended_at is not None and self.next_at is None

    @property
    def talk(self) -> int:
        """Milliseconds of talk; 0 while live and when unanswered."""
        if self.ended_at is None or self.answered_at is None or self.next_at is not None:
            return 0
        return self.ended_at - self.answered_at

    @property
    def object_id(self) -> str:
        """The Mongo id, which is not the callId."""
        return object_id("call", self.pk, self.created_at)

    def seen_from(self, now: int) -> int:
        """The time at which it is looked at.

        An idle world's time falls back to the wall clock, and may then lie before the end of what
        has happened: such a call is over for good.
        """
        if self.over and self.ended_at is not None and now < self.ended_at:
            return self.ended_at + RECORDING_DELAY
        return now

    def recording(self, now: int) -> str | None:
        """Address of the recording, once there is one."""
        if not self.talk or self.seen_from(now) < (self.ended_at or 0) + RECORDING_DELAY:
            return None
        return f"https://storage.example.com/recordings/{self.call_id}.mp3"


def select(ctx: Context, condition: str, values: Sequence[object], order: str) -> list[LoggedCall]:
    """The calls that meet a condition; `order` may end in a LIMIT."""
    rows = ctx.db.execute(f"{SELECT} WHERE {condition} ORDER BY {order}", values)
    return [LoggedCall(*row) for row in rows]


def log(ctx: Context, call: LoggedCall) -> Document:
    """A row of the call log."""
    extras = {"agentDispositionConfig": conversations.DISPOSITIONS, "isTest": False}
    return attempt(ctx, call) | extras


def attempt(ctx: Context, call: LoggedCall) -> Document:
    """A call as the grouped export shows it."""
    document = _common(ctx, call)
    document |= {
        "agentId": call.agent_id,
        "retryCount": call.retry_count,
        "retryAttemptNumber": call.attempt,
        "createdAt": iso(call.created_at),
        "updatedAt": iso(call.updated_at),
        "campaignId": call.campaign_id,
    }
    if call.status == "completed":
        document["dispositionMetrics"] = conversations.dispositions(call.script)
    return document


def detail(ctx: Context, call: LoggedCall) -> Document:
    """One call with its transcript, variables and events."""
    contact = ctx.db.execute(
        "SELECT data, identifier_column FROM member JOIN audience ON audience.pk = audience_pk"
        " WHERE member.pk = ?",
        (call.member_pk,),
    ).fetchone()
    data: Document = json.loads(contact["data"])
    name = str(data.get(contact["identifier_column"] or "name", ""))
    agent = agents.by_pk(ctx, call.agent_pk)
    document = _common(ctx, call)
    document |= {
        "agent": agent,
        "campaignId": call.campaign_id,
        "createdAt": iso(call.created_at),
        "updatedAt": iso(call.updated_at),
        "retryAttemptNumber": call.attempt,
        "transcript": _transcript(ctx, call, name),
        "variables": {**data, "call_id": call.call_id, "user_number": call.to_number},
        "events": events(ctx, call),
        "slmModelUsed": agent["slmModel"],
    }
    return document


def events(ctx: Context, call: LoggedCall) -> list[Document]:
    """What happened in a call so far; the event names are ours."""
    times = {
        "queued": call.created_at,
        "dialed": call.dialed_at,
        "answered": call.answered_at,
        "ended": call.ended_at,
    }
    return [
        {"eventType": name, "timestamp": iso(at)}
        for name, at in times.items()
        if at is not None
        and at <= call.seen_from(ctx.now)
        and (name != "ended" or call.next_at is None)
    ]


def exported(ctx: Context, call: LoggedCall) -> Document:
    """A row of the flat export of a campaign's calls."""
    return {
        "_id": call.object_id,
        "callId": call.call_id,
        "status": call.status,
        "duration": call.talk // SECOND,
        "recordingUrl": call.recording(ctx.now),
        "from": call.from_number,
        "to": call.to_number,
        "agentId": call.agent_id,
        "statusDetails": [text for text in (call.failure,) if text],
        "events": events(ctx, call),
    }


def counted(ctx: Context, call: LoggedCall) -> Document:
    """A record of the analytics route, where durations are milliseconds."""
    return {
        "orgId": ctx.organization.id,
        "callId": call.call_id,
        "agentId": call.agent_id,
        "agentName": call.agent_name,
        "campaignId": call.campaign_id,
        "campaignName": call.campaign_name,
        "callType": "telephony_outbound",
        "timestamp": iso(call.created_at),
        "callDurationMs": call.talk,
        "callLatencyMs": conversations.average_latency(call.script) if call.talk else 0,
        "costSpent": call_cost(call.talk),
        "disconnectionReason": (call.reason if call.over else None) or "-",
        "source": "campaign",
        "recordingUrl": call.recording(ctx.now) or "",
        "callStatus": call.status,
        "fromNumber": call.from_number,
        "toNumber": call.to_number,
    }


def _common(ctx: Context, call: LoggedCall) -> Document:
    talked = call.talk
    document: Document = {
        "_id": call.object_id,
        "callId": call.call_id,
        "status": call.status,
        "duration": talked // SECOND,
        "from": call.from_number,
        "to": call.to_number,
        "type": "telephony_outbound",
        "callCost": call_cost(talked) if talked else 0,
    }
    if call.reason and call.over:
        document["disconnectionReason"] = call.reason
    if call.failure:
        document["callFailureReason"] = call.failure
    if call.retry_call_id:
        document["retryCallId"] = call.retry_call_id
    if talked and (url := call.recording(ctx.now)):
        document["recordingUrl"] = url
        document["recordingDualUrl"] = url.replace(".mp3", "-dual.mp3")
    if call.status == "completed":
        document["postCallAnalytics"] = conversations.analytics(call.script)
        document["turnLatencyMetrics"] = conversations.latency(call.script)
    return document


def _transcript(ctx: Context, call: LoggedCall, name: str) -> list[Document]:
    if call.answered_at is None or call.ended_at is None:
        return []
    return conversations.transcript(
        call.script,
        name,
        start=call.answered_at,
        end=call.ended_at,
        now=call.seen_from(ctx.now),
    )
