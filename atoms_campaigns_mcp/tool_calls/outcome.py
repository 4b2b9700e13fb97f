"""The outcome of a call, as every caller gets it: the only way in, and the only catch."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from atoms_campaigns_mcp.config.settings import Mode
from atoms_campaigns_mcp.effects import Effect
from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    Busy,
    NotConfirmed,
    NotRecorded,
    RateLimited,
)
from atoms_campaigns_mcp.instruments import called
from atoms_campaigns_mcp.schemas.base import Result
from atoms_campaigns_mcp.telemetry import call_id, log
from atoms_campaigns_mcp.tool_calls.asker import PendingQuestion
from atoms_campaigns_mcp.tool_calls.run import call
from atoms_campaigns_mcp.tool_calls.session import Caller


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call gave: a sentence for people and models, and the same as data.

    `remarks` are sentences about the call itself; the data has them before its `next_step`.
    """

    text: str
    data: dict[str, Any]
    is_error: bool = False
    remarks: tuple[str, ...] = ()


class _Crashed(AtomsCampaignsError):
    """A fault of our own, as the client hears of it."""

    code = "crashed"

    def __init__(self, call: str) -> None:
        super().__init__(
            f"This server has a fault of its own (call {call}). It may or may not have acted.",
            next_step="Check with get_campaign_status or list_campaigns before trying again, and "
            "report the call id to the operator.",
        )


async def outcome_of(
    caller: Caller,
    name: str,
    arguments: Mapping[str, Any],
    mode: Mode,
    *,
    monotonic: Callable[[], float] = time.monotonic,
) -> Outcome | PendingQuestion:
    """Call a tool; a failure is an outcome too, with text that says what to do.

    `monotonic` gives the seconds by which it is measured.
    """
    began = monotonic()
    number = secrets.token_hex(4)
    call_id.set(number)
    entry = caller.catalog.entries.get(name)
    tool, how = name if entry else "unknown", "cancelled"
    try:
        result = await call(caller, name, arguments)
        how = "asked" if isinstance(result, PendingQuestion) else "ok"
    except AtomsCampaignsError as error:
        how = error.code
        if isinstance(error, NotRecorded) and entry and entry.effect is not Effect.READS:
            error = NotRecorded(error.message, next_step=error.next_step, unsent=True)
        return _failed(error, mode)
    except Exception:  # noqa: BLE001 - the boundary: nothing may pass it but an outcome
        how = _Crashed.code
        log.exception("%s crashed", tool)
        return _failed(_Crashed(number), mode)
    finally:
        called(tool, how, mode, monotonic() - began, caller.principal.tenant)
    return result if isinstance(result, PendingQuestion) else _succeeded(result, mode)


def _succeeded(result: Result, mode: Mode) -> Outcome:
    result.mode = mode
    parts = (f"[{mode}]", result.summary(), result.agreement(), result.next_step)
    text = " ".join(part for part in parts if part)
    return Outcome(text, result.model_dump(mode="json", exclude_none=True), remarks=result.remarks)


def _failed(error: AtomsCampaignsError, mode: Mode) -> Outcome:
    data: dict[str, Any] = {
        "mode": mode,
        "code": error.code,
        "message": error.message,
        "next_step": error.next_step,
    }
    if isinstance(error, NotConfirmed) and error.confirm_token:
        data["confirm_token"] = error.confirm_token
    if isinstance(error, RateLimited | Busy) and error.wait is not None:
        data["retry_after"] = error.wait
    # Some hosts drop structured content from errors, so the text holds everything.
    return Outcome(f"[{mode}] {error}", data, is_error=True)
