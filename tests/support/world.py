"""What the sandbox holds for every new key; the ids are the ones of the user's own samples."""

from typing import Any

CALLER_ID = "6963d3a8862e1cb702da7244"
CALLER_NUMBER = "+912268093560"
AGENT = "696ddd281ea16a73cb8aafbe"
AUDIENCE = "696ddd287f45bf7b27344e7c"
DRAFT: dict[str, Any] = {
    "name": "January renewals",
    "agent_id": AGENT,
    "audience_id": AUDIENCE,
    "phone_ids": [CALLER_ID],
}
