"""What the API answered: JSON, or the error that its status and text mean.

The vendor's services word errors in many ways (a list, a message, an object, HTML, nothing), so
they are read in that order; see `reason`.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, cast

import httpx2

from atoms_campaigns_mcp.atoms import error_hints
from atoms_campaigns_mcp.errors import (
    AtomsCampaignsError,
    Garbled,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
    UnexpectedResponse,
    Unreached,
)
from atoms_campaigns_mcp.redaction import hide_keys, whole
from atoms_campaigns_mcp.schemas.fields import CALL_PATTERN, ID_PATTERN, hidden

UNAUTHORIZED, NOT_FOUND, TOO_MANY, SERVER_ERROR = 401, 404, 429, 500
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
LONGEST_WAIT = 3600.0  # seconds: what the API may ask for at most
LARGEST = 16_000_000  # bytes of one answer; the largest that is expected has a tenth of it
_ABSENT = re.compile(r"\b(not found|no (agent|campaign) found)\b", re.IGNORECASE)
_CHECK_URL = "Check that ATOMS_API_URL is the address of the API."
_ID = re.compile(f"{ID_PATTERN}|{CALL_PATTERN}")
_REQUEST_ID = re.compile(r"[\w.:-]{1,64}")


@dataclass(frozen=True)
class Answer:
    """A whole answer: its status, headers and decoded body, and the path that was asked for.

    `key` is what the request was sent with, which never passes from here.
    """

    status: int
    headers: httpx2.Headers
    body: bytes
    path: str = ""
    key: str = field(default="", repr=False)

    @property
    def _suspect(self) -> bool:
        """Whether the body may hold half a character or the key: an escape, bytes of half one."""
        signs = (b"\\u", b"\xed", b"\0", self.key.encode() or b"\0")
        return any(sign in self.body for sign in signs)

    @cached_property
    def document(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: It is none.
        """
        try:
            # NaN and Infinity, which are no JSON but written by some programs, say nothing.
            document = json.loads(self.body, parse_constant=lambda _: None)
            return whole(document, self.key) if self._suspect else document
        except RecursionError:
            raise ValueError("nested too deeply") from None


async def load(response: httpx2.Response, key: str) -> Answer:
    """Read the body, up to a bound; `key` is what was asked with.

    Raises:
        Garbled: It is larger than anything that the API documents.
    """
    pieces, size = list[bytes](), 0
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > LARGEST:
            raise Garbled(
                f"The Atoms API's answer is larger than {LARGEST // 1_000_000} MB.",
                next_step="Ask for less at once, with a smaller page.",
            )
        pieces.append(piece)
    path = response.request.url.path
    return Answer(response.status_code, response.headers, b"".join(pieces), path, key)


def decode(answer: Answer) -> Any:
    """Return the body of a success.

    Raises:
        UnexpectedResponse: It is a redirect, its body is not JSON (`Garbled`).
        Rejected: It says that it failed after all.
    """
    if httpx2.codes.is_redirect(answer.status):
        # Following it would hand the key to whoever answered.
        raise UnexpectedResponse(
            f"The Atoms API answers with a redirect ({answer.status}), which is not followed: the "
            "key would travel to another address.",
            next_step="The operator must set ATOMS_API_URL to the address of the API itself.",
        )
    if not httpx2.codes.is_success(answer.status):
        raise UnexpectedResponse(
            f"The Atoms API answered with the status {answer.status}, which is not known.",
            next_step=_CHECK_URL,
        )
    try:
        body = answer.document
    except ValueError:
        what = "something other than JSON" if answer.body else "an empty body"
        raise Garbled(
            f"The Atoms API answered {answer.status} with {what}.",
            next_step=f"Try again in a minute. If it stays so: {_CHECK_URL}",
        ) from None
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        if fields.get("status", True) is False or fields.get("success", True) is False:
            text = reason(answer)
            raise Rejected(
                f"The Atoms API refused: {text}.", next_step=error_hints.of_refusal(text)
            )
    return cast("Any", body)


def request_id(headers: httpx2.Headers) -> str:
    """Return what the vendor's support asks for, if it looks like an id."""
    name = headers.get("x-request-id", "")
    return name if _REQUEST_ID.fullmatch(name) and hide_keys(name) == name else ""


def unreachable(error: httpx2.RequestError) -> Unavailable:
    """Report what kept the answer away: name resolution, refusal, TLS, a time-out or a break."""
    causes = list(_chain(error))
    never_sent = isinstance(error, NEVER_SENT)
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        text, step = "its host name cannot be resolved", "Check the network and ATOMS_API_URL."
    elif any(isinstance(cause, ssl.SSLError) for cause in causes):
        text = "its TLS certificate or handshake is not valid"
        step = "Check ATOMS_API_URL, a proxy in between, and the machine's clock."
    elif any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        text, step = "it refuses connections", "Check ATOMS_API_URL, or try again in a minute."
    elif isinstance(error, httpx2.PoolTimeout):
        text, step = "too many requests wait for a connection", "Try again in a minute."
    elif isinstance(error, httpx2.TimeoutException):
        text = (
            "it did not accept a connection in time" if never_sent else "its answer took too long"
        )
        step = "Try again in a minute."
    else:
        text = "a connection could not be made" if never_sent else "it broke the connection off"
        step = "Try again in a minute."
    kind = Unreached if never_sent else Unavailable
    return kind(f"The Atoms API could not be reached: {text}.", next_step=step)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def failure(answer: Answer, now: datetime) -> AtomsCampaignsError:
    """Return the error that a status of 400 or above means."""
    status, text = answer.status, reason(answer)
    if name := request_id(answer.headers):
        text = f"{text} (x-request-id {name})"
    if status == UNAUTHORIZED:
        return Unauthorized(
            f"The Atoms API does not accept the API key: {text}.",
            next_step="Check SMALLEST_API_KEY: that it is complete (it begins with sk_), not "
            "revoked, and belongs to the organization that ATOMS_API_URL serves. Calling again "
            "cannot help.",
        )
    if status == TOO_MANY:
        return RateLimited("The Atoms API gets too many requests.", retry_after=_wait(answer, now))
    if status >= SERVER_ERROR:
        return Unavailable(
            f"The Atoms API has a fault ({status}): {text}.", next_step="Try again in a minute."
        )
    return _refusal(answer, text)


def _refusal(answer: Answer, text: str) -> AtomsCampaignsError:
    status = answer.status
    if status == NOT_FOUND and "text/html" in answer.headers.get("content-type", ""):
        return UnexpectedResponse(
            "The Atoms API does not know this route.",
            next_step="Check that ATOMS_API_URL ends in /atoms/v1.",
        )
    if status == NOT_FOUND or _ABSENT.search(text):
        return NotFound(
            f"The Atoms API says: {text}.", next_step=error_hints.of_absence(text, answer.path)
        )
    return Rejected(
        f"The Atoms API refused ({status}): {text}.", next_step=error_hints.of_refusal(text)
    )


def reason(answer: Answer) -> str:
    """Return the API's own words: short, without markup, keys, numbers or the ids asked for."""
    try:
        body = answer.document
    except ValueError:
        body = ""
    words = _words(body).rstrip(". ")
    for name in filter(_ID.fullmatch, answer.path.split("/")):
        words = words.replace(name, "…")
    return hidden(words) or "no reason given"


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


def _wait(answer: Answer, now: datetime) -> float | None:
    asked = _asked(answer, now)
    return None if asked is None else min(asked, LONGEST_WAIT)


def _asked(answer: Answer, now: datetime) -> float | None:
    """Seconds to wait: the headers (the vendor's, RFC 9110's), the body, else unknown."""
    milliseconds = _number(answer.headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    header = answer.headers.get("retry-after", "")
    if (seconds := _number(header)) is not None:
        return seconds
    try:
        return max((parsedate_to_datetime(header) - now).total_seconds(), 0.0)
    except (ValueError, TypeError):  # no date, or one without a zone
        pass
    try:
        return _number(answer.document["retry_after"])
    except (ValueError, KeyError, TypeError):
        return None


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if number >= 0 else None
