"""Documented payloads, and short ways to build an exchange from them."""

from typing import Any, TypeAlias

import httpx2

Json: TypeAlias = dict[str, Any]

CAMPAIGN = "696ddd2a04ff172dbd8eddad"
AGENT = "696ddd281ea16a73cb8aafbe"
AUDIENCE = "696ddd287f45bf7b27344e7c"
PHONE = "6963d3a8862e1cb702da7244"
CALL = "CALL-1778226705739-7e4c17"
NOON = "2026-04-24T12:00:00.000Z"
FILE = "phoneNumber,name\n+12025550101,Ada\n+12025550102,Grace\n"


def rows(count: int) -> str:
    """A contact list of so many numbers."""
    return "phoneNumber\n" + "".join(f"+1202{line:07}\n" for line in range(count))


CREATE: Json = {
    "name": "January Outreach",
    "agentId": AGENT,
    "audienceId": AUDIENCE,
    "phoneNumberIds": [PHONE],
    "scheduledAt": "2026-04-24T10:00:00.000Z",
    "maxRetries": 3,
    "retryDelay": 15,
}
CREATED: Json = {
    "status": True,
    "data": {
        "name": "January Outreach",
        "agentId": AGENT,
        "audienceId": AUDIENCE,
        "participantsCount": 2,
        "maxRetries": 2,
        "retryDelay": 30,
        "status": "draft",
        "_id": CAMPAIGN,
    },
}
STARTED: Json = {
    "status": True,
    "data": {
        "message": "Campaign is being processed",
        "taskId": "081a5402-3f1f-4447-a257-6dd7bc6bad60",
        "campaignId": CAMPAIGN,
    },
}
NUMBERS: Json = {
    "status": True,
    "data": [
        {
            "_id": PHONE,
            "attributes": {"provider": "plivo", "phoneNumber": "+912268093560"},
            "isActive": True,
        }
    ],
}
RUNNING_EXCERPT: Json = {
    "status": True,
    "data": {
        "campaign": {
            "status": "running",
            "executions": [
                {
                    "executionNumber": 1,
                    "status": "completed",
                    "totalMembers": 2,
                    "processedMembers": 2,
                }
            ],
        },
        "metrics": {"total_participants": 2, "contacts_called": 2, "contacts_connected": 1},
    },
}
CALL_ROW: Json = {
    "_id": "60d0fe4f5311236168a109ca",
    "callId": CALL,
    "status": "completed",
    "duration": 120,
    "from": "+15551234567",
    "to": "+15559876543",
    "type": "telephony_outbound",
    "agentId": AGENT,
    "retryCount": 0,
    "createdAt": NOON,
    "__v": 0,
}
ONE_ROW: Json = {"total": 1, "page": 1, "hasMore": False, "totalPages": 1}
CALLS: Json = {
    "status": True,
    "data": {"logs": [CALL_ROW], "pagination": {**ONE_ROW, "limit": 500}},
}
ADDED: Json = {
    "status": True,
    "data": [{"message": "1 members added successfully", "data": {"added": 1, "skipped": 0}}],
}
FOUND: Json = {
    "status": True,
    "data": {"members": [], "searchInfo": {"searchType": "multiple", "totalResults": 0}},
}
ARCHIVED: Json = {"status": True, "data": {"message": "Agent unarchived"}}
BALANCE: Json = {
    "success": True,
    "data": {"creditBalance": -1.5, "planId": "plan_standard", "isEnterprise": False},
}
REFUSED: Json = {"status": False, "errors": ["scheduledAt must be in the future"]}
LIMITED: Json = {
    "status": False,
    "error": "Rate limit exceeded",
    "code": "RATE_LIMIT_EXCEEDED",
    "retry_after": 60,
}


def campaign(**changes: object) -> Json:
    """The document of a campaign in a page or by itself."""
    return {
        "_id": CAMPAIGN,
        "name": "January Outreach",
        "status": "draft",
        "agent": {"_id": AGENT, "name": "Ada"},
        "audience": {"_id": AUDIENCE, "name": "January"},
        "participantsCount": 2,
        "maxRetries": 3,
        "retryDelay": 15,
        "createdAt": NOON,
        "updatedAt": NOON,
        **changes,
    }


def page_of(*campaigns: Json) -> Json:
    pagination = {**ONE_ROW, "offset": 5}
    data = {"campaigns": campaigns, "pagination": pagination, "totalCampaignCount": 1}
    return {"status": True, "data": data}


def detail(**changes: object) -> Json:
    metrics = RUNNING_EXCERPT["data"]["metrics"]
    return {
        "status": True,
        "data": {"campaign": campaign(**changes), "events": [], "metrics": metrics},
    }


def ask(method: str, path: str, **body: Any) -> httpx2.Request:
    headers = {"Authorization": "Bearer sk_test", **body.pop("headers", {})}
    return httpx2.Request(method, f"http://sandbox{path}", headers=headers, **body)


def say(status: int, body: object) -> httpx2.Response:
    return httpx2.Response(status, json=body)


def download(text: str, kind: str = "text/csv") -> httpx2.Response:
    headers = {"Content-Type": kind, "Content-Disposition": "attachment; filename=x"}
    return httpx2.Response(200, headers=headers, content=text.encode())


def page(status: int) -> httpx2.Response:
    html = "<!DOCTYPE html><pre>Cannot POST /atoms/v1/x</pre>"
    return httpx2.Response(status, headers={"Content-Type": "text/html"}, content=html.encode())


CAMPAIGNS = "/atoms/v1/campaign"
ONE = f"{CAMPAIGNS}/{CAMPAIGN}"
EXPORT = f"{ONE}/export/by-audience-member"
MEMBERS = f"/atoms/v1/audience/{AUDIENCE}/members"
