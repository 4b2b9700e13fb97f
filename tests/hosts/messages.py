"""What hosts put into the arguments of a call, and what has to come of it.

Every message is sent by a client that cannot be asked, to a sandbox with a draft and a
running campaign; `filled` puts their ids in.
"""

from dataclasses import dataclass
from typing import Any, Literal

from tests.support.world import DRAFT

Outcome = Literal["served", "ignored", "refused"]
"""served: as if it were not there, or as it is meant. ignored: served, and the result names what
was ignored. refused: nothing is sent, and the error names the argument."""
DRAFT_ID = "<draft>"
RUNNING_ID = "<running>"
RUNNING_ID_IN_CAPITALS = "<RUNNING>"
RUNNING_NAME = "<name of running>"


@dataclass(frozen=True)
class HostMessage:
    """One call as a host sends it. `source` says where this was seen: a run or a report."""

    host: str
    version: str
    source: str
    tool: str
    arguments: dict[str, Any]
    outcome: Outcome
    note: str

    def __str__(self) -> str:
        return f"{self.host}: {self.note}"


def filled(message: HostMessage, *, draft: str, running: str, name: str) -> dict[str, Any]:
    """Return the arguments with the ids of a draft and of a running campaign of that name."""
    known = {
        DRAFT_ID: draft,
        RUNNING_ID: running,
        RUNNING_ID_IN_CAPITALS: running.upper(),
        RUNNING_NAME: name,
    }
    return {
        key: known.get(value, value) if isinstance(value, str) else value
        for key, value in message.arguments.items()
    }


RUN = "driven against this server"
STOP: dict[str, Any] = {"campaign_id": RUNNING_ID}
START: dict[str, Any] = {"campaign_id": DRAFT_ID}
NEW: dict[str, Any] = {**DRAFT, "name": "From a host"}
LIST: dict[str, Any] = {"name": "From a host", "csv": "phone,name\n+12025550143,Ada"}
GEMINI = ("Gemini CLI", "0.61.0", RUN)
CLINE = ("Cline", "3.x", "cline/cline#9684")
N8N = ("n8n", "1.119.1", "n8n-io/n8n#21500, #21716")
SIYUAN = ("SiYuan", "3.7.0-beta.1", "siyuan-note/siyuan#17927")
OPENAI = ("openai-agents", "0.24.0", RUN)
LANGCHAIN = ("langchain-mcp-adapters", "0.3.2", RUN)
MODELS = ("a model", "any", "what models write when they guess")
N8N_ADDS: dict[str, Any] = {
    "toolCallId": "call_0BCIShth4lxZuYr4",
    "sessionId": "5f4dcc3b5aa765d61d8327de",
    "action": "sendMessage",
    "chatInput": "stop it",
}

MESSAGES = (
    HostMessage(
        *GEMINI,
        "pause_campaign",
        {**STOP, "wait_for_previous": True},
        "served",
        "the stop waits for nothing",
    ),
    HostMessage(
        *GEMINI,
        "start_campaign",
        {**START, "wait_for_previous": False},
        "served",
        "a start with what it adds to every call",
    ),
    HostMessage(
        *GEMINI, "list_campaigns", {"wait_for_previous": True}, "served", "a list with the same"
    ),
    HostMessage(
        *CLINE, "pause_campaign", {**STOP, "task_progress": "- [x] stop"}, "served", "the stop"
    ),
    HostMessage(
        *CLINE, "create_campaign", {**NEW, "task_progress": "- [ ] call"}, "served", "a draft"
    ),
    HostMessage(*N8N, "pause_campaign", {**STOP, **N8N_ADDS}, "served", "the stop"),
    HostMessage(*N8N, "create_campaign", {**NEW, **N8N_ADDS}, "served", "a draft"),
    HostMessage(*SIYUAN, "start_campaign", {**START, "_sessionID": "a-b"}, "served", "a start"),
    HostMessage(
        *OPENAI,
        "start_campaign",
        {**START, "confirm_token": ""},
        "served",
        "strict: every property is required, and a token is none",
    ),
    HostMessage(
        *OPENAI,
        "create_campaign",
        {
            **NEW,
            "description": "",
            "max_retries": 3,
            "retry_delay": 15,
            "scheduled_at": "",
            "allow_duplicate": False,
            "confirm_token": "",
        },
        "served",
        "strict: a draft is not scheduled",
    ),
    HostMessage(
        *OPENAI,
        "create_audience",
        {
            **LIST,
            "file": "",
            "phone_column": "",
            "default_region": "",
            "description": "",
            "from_campaign_id": "",
            "outcomes": [],
        },
        "served",
        "strict: contacts from csv and from nowhere else",
    ),
    HostMessage(
        *OPENAI, "list_campaigns", {"search": "", "status": None}, "served", "strict: no filter"
    ),
    HostMessage(
        *OPENAI, "create_campaign", {**NEW, "name": ""}, "refused", "strict: but a name is needed"
    ),
    HostMessage(
        *LANGCHAIN, "list_campaigns", {"page": 1.0, "limit": 20.0}, "served", "whole floats"
    ),
    HostMessage(*LANGCHAIN, "list_campaigns", {"limit": 2.5}, "refused", "a fraction of a row"),
    HostMessage(
        *LANGCHAIN, "create_campaign", {**NEW, "max_retries": 2.0}, "served", "whole floats"
    ),
    HostMessage(*MODELS, "start_campaign", {**START, "confirm_token": "null"}, "served", "a word"),
    HostMessage(*MODELS, "pause_campaign", {"campaign_id": "ALL"}, "served", "all in capitals"),
    HostMessage(
        *MODELS,
        "pause_campaign",
        {"campaign_id": RUNNING_ID_IN_CAPITALS},
        "served",
        "an id in capitals",
    ),
    HostMessage(
        *MODELS, "pause_campaign", {"campaign_id": RUNNING_NAME}, "served", "the exact name"
    ),
    HostMessage(
        *MODELS, "pause_campaign", {**STOP, "reason": "wrong list"}, "ignored", "a reason to stop"
    ),
    HostMessage(
        *MODELS, "pause_campaign", {}, "served", "without an id: what runs, and how to stop it"
    ),
    HostMessage(
        *MODELS, "list_campaigns", {"filter": "renewals"}, "ignored", "an argument it made up"
    ),
    HostMessage(
        *MODELS,
        "create_campaign",
        {**NEW, "retries": 0},
        "refused",
        "a changing tool is told nothing that it does not know: it is max_retries",
    ),
    HostMessage(
        *MODELS,
        "start_campaign",
        {**START, "dry_run": True},
        "refused",
        "a start that is meant as none",
    ),
)
