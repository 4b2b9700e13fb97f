"""Asking the person behind an MCP client, in both protocol eras.

Up to 2025-11-25 the server sends `elicitation/create` in the middle of a call. From 2026-07-28 the
call ends with the question, and the client calls again with the answer and the sealed state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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

from atoms_campaigns_mcp.tool_calls.asker import TICK, Answer, PendingQuestion, Reply

STATELESS = "2026-07-28"
KEY = "confirm"
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
    """The `Asker` of one call by an MCP client; `monotonic` counts seconds."""

    context: ServerRequestContext[Any]
    params: CallToolRequestParams
    monotonic: Callable[[], float]

    @property
    def can_ask(self) -> bool:
        """Whether the client declared that it can show a form and can be reached now."""
        capabilities = self.context.session.client_capabilities
        declared = capabilities.elicitation if capabilities else None
        if declared is None or (declared.form is None and declared.url is not None):
            return False
        return self._stateless or self.context.session.can_send_request

    @property
    def reply(self) -> Reply | None:
        """The answer that came with this round; the SDK has verified the seal of its plan."""
        plan_id = self.params.request_state if self._stateless else None
        if not plan_id:
            return None
        return Reply(plan_id, _read((self.params.input_responses or {}).get(KEY)))

    async def ask(self, text: str, plan_id: str) -> Reply | PendingQuestion:
        """Ask in the middle of the call, or in the stateless era by its result."""
        if self._stateless:
            return PendingQuestion(text, plan_id)
        began = self.monotonic()
        answer = await self._elicit(text)
        return Reply(plan_id, answer, self.monotonic() - began)

    @property
    def _stateless(self) -> bool:
        return is_version_at_least(self.context.protocol_version, STATELESS)

    async def _elicit(self, text: str) -> Answer:
        try:
            answer = await self.context.session.elicit_form(
                message=text, requested_schema=FORM, related_request_id=self.context.request_id
            )
        except (MCPError, ValidationError):
            return "invalid"
        return _read(answer)


def input_required(question: PendingQuestion) -> InputRequiredResult:
    """Return the result that ends a call with a question."""
    form = ElicitRequestFormParams(message=question.text, requested_schema=FORM)
    return InputRequiredResult(
        input_requests={KEY: ElicitRequest(params=form)}, request_state=question.plan_id
    )


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
