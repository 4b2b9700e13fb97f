"""What the API answered: JSON, or the error that its status and text mean.

The vendor's services word errors in many ways (a list, a message, an object, HTML, nothing), so
they are read in that order; see `reason`.
"""

import re
from typing import Any, cast

import httpx2

from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
)
from atoms_campaigns_mcp.schemas.fields import clean
from atoms_campaigns_mcp.telemetry import redact

UNAUTHORIZED, NOT_FOUND, TOO_MANY, SERVER_ERROR = 401, 404, 429, 500
_ABSENT = re.compile(r"\b(not found|no (agent|campaign) found)\b", re.IGNORECASE)
_PLAN = re.compile(r"upgrade.*plan|plan.*upgrade", re.IGNORECASE)


def decode(response: httpx2.Response) -> Any:
    """Give the body of a success.

    Raises:
        UnexpectedResponse: The body is not JSON, or says that the request failed after all.
    """
    try:
        body = response.json()
    except ValueError:
        raise UnexpectedResponse(
            f"The Atoms API answered {response.status_code} with something other than JSON.",
            next_step="Check that ATOMS_API_URL is the address of the API.",
        ) from None
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        if fields.get("status", True) is False or fields.get("success", True) is False:
            raise Rejected(f"The Atoms API refused: {reason(response)}.")
    return cast("Any", body)


def failure(response: httpx2.Response) -> AtomsCampaignsError:
    """Give the error that a status of 400 or above means."""
    status, text = response.status_code, reason(response)
    if status == UNAUTHORIZED:
        return Unauthorized(
            f"The Atoms API does not accept the API key: {text}.",
            next_step="The operator must set a valid SMALLEST_API_KEY; calling again cannot help.",
        )
    if status == TOO_MANY:
        return RateLimited("The Atoms API gets too many requests.", retry_after=_wait(response))
    if status >= SERVER_ERROR:
        return Unavailable(
            f"The Atoms API has a fault ({status}): {text}.", next_step="Try again in a minute."
        )
    return _refusal(response, text)


def _refusal(response: httpx2.Response, text: str) -> AtomsCampaignsError:
    status = response.status_code
    if status == NOT_FOUND and "text/html" in response.headers.get("content-type", ""):
        return UnexpectedResponse(
            "The Atoms API does not know this route.",
            next_step="Check that ATOMS_API_URL ends in /atoms/v1.",
        )
    if status == NOT_FOUND or _ABSENT.search(text):
        return NotFound(f"The Atoms API says: {text}.", next_step="Check the id with a list tool.")
    upgrade = "The account's plan does not allow it; its owner must upgrade it."
    return Rejected(
        f"The Atoms API refused ({status}): {text}.",
        next_step=upgrade if _PLAN.search(text) else "Change what it names, then call again.",
    )


def reason(response: httpx2.Response) -> str:
    """Give the API's own words: short, without markup, keys or phone numbers."""
    try:
        body = response.json()
    except ValueError:
        body = ""
    return clean(redact(_words(body).rstrip(". "))) or "no reason given"


def _words(body: Any) -> str:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return "; ".join(_words(entry) for entry in cast("list[Any]", body))
    if not isinstance(body, dict):
        return ""
    fields = cast("dict[str, Any]", body)
    for key in ("errors", "message", "error", "error_type"):
        if words := _words(fields.get(key)):
            return words
    return ""


def _wait(response: httpx2.Response) -> float | None:
    """Seconds to wait: the header, else the body's `retry_after`, else unknown."""
    header = response.headers.get("retry-after", "")
    if header.isdecimal():
        return float(header)
    try:
        value = response.json()["retry_after"]
        return max(float(value), 0.0)
    except (ValueError, KeyError, TypeError):
        return None
