"""Elicitation the person behind the client, in both protocol eras.

Up to 2025-11-25 the server sends `elicitation/create` in the middle of a call. From 2026-07-28 the
call ends with the question, and the client calls again with the answer and the sealed state.
"""

from dataclasses import dataclass
from typing import Any, Literal

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least
from pydantic import ValidationError

Answer = Literal["yes", "unticked", "declined", "cancelled", "invalid"]
STATELESS = "2026-07-28"
KEY = "confirm"
TICK = "Yes, do it"
FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "confirm": {
            "type": "boolean",
            "title": TICK,
            "description": "Only true goes ahead.",
            "default": False,  # hosts preselect the first choice: Enter must not dial
        }
    },
    "required": ["confirm"],
}


@dataclass(frozen=True, slots=True)
class Elicitation:
    """The client of one call: whether it can be asked, and what it answered."""

    context: ServerRequestContext[Any]
    params: CallToolRequestParams

    @property
    def stateless(self) -> bool:
        """Whether questions travel in results."""
        return is_version_at_least(self.context.protocol_version, STATELESS)

    @property
    def possible(self) -> bool:
        """Whether the client declared that it can show a form and can be reached now."""
        capabilities = self.context.session.client_capabilities
        declared = capabilities.elicitation if capabilities else None
        if declared is None or (declared.form is None and declared.url is not None):
            return False
        return self.stateless or self.context.session.can_send_request

    @property
    def plan_id(self) -> str | None:
        """The plan that this round answers about; the SDK has verified the seal."""
        return self.params.request_state if self.stateless else None

    def answer(self) -> Answer:
        """Read the answer that came with this round."""
        return _read((self.params.input_responses or {}).get(KEY))

    def question(self, text: str, plan_id: str) -> InputRequiredResult:
        """End the call with a question."""
        form = ElicitRequestFormParams(message=text, requested_schema=FORM)
        return InputRequiredResult(
            input_requests={KEY: ElicitRequest(params=form)}, request_state=plan_id
        )

    async def ask(self, text: str) -> Answer:
        """Ask in the middle of the call and wait for the answer."""
        try:
            answer = await self.context.session.elicit_form(
                message=text, requested_schema=FORM, related_request_id=self.context.request_id
            )
        except (MCPError, ValidationError):
            return "invalid"
        return _read(answer)


def _read(answer: object) -> Answer:
    """Take nothing for a yes but an accepted form whose `confirm` is true."""
    if not isinstance(answer, ElicitResult):
        return "invalid"
    if answer.action == "cancel":
        return "cancelled"
    if answer.action == "decline":
        return "declined"
    confirm = (answer.content or {}).get("confirm")
    if confirm is None or confirm is False:
        return "unticked"
    return "yes" if confirm is True else "invalid"
