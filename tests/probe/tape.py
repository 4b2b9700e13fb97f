"""What was asked and answered, as far as a report may hold it: operations, statuses, shapes."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx2

from tests.contract.shapes import PREFIX, differences, operation_of, shape

SHAPES: Final = 4  # of one operation and status; they differ in what is absent
TOKEN: Final = re.compile(r"[a-z]{2,15}(?:[_-][a-z]{2,15}){0,3}", re.IGNORECASE)
# What is kept of an error's text. Any other word could be a name or a number.
VOCABULARY: Final = """
a able accepted access active after agent all allowed already an and any are as at audience
audiences be been before being belongs call called calls campaign campaigns can cancel cancelled
cannot completed concurrency conversation could create created credit credits current deleted do
does draft due error exists failed for found from has have in insufficient internal invalid is it
its limit list member members must never no not number numbers of on once only or organization page
pause paused pausing phone please process processing queue queued refers request required resume
resumed run running scheduled server slots start started state status stop stopped terminal than
that the there this to try unable unauthorized unknown until update used was were when while with
within you
"""
WORDS: Final = frozenset(VOCABULARY.split())


def told(word: str) -> str:
    """Return a status, event or reason as the API words it; what is no single word is cut."""
    return word if TOKEN.fullmatch(word) else words(word)


def words(text: str) -> str:
    """Return the words of an error's text that name nothing, and an ellipsis for the others."""
    kept = [word if _plain(word) in WORDS else "…" for word in text.split()]
    return re.sub(r"…(?: …)+", "…", " ".join(kept))[:200]


def _plain(word: str) -> str:
    return word.lower().strip(".,:;!?()'\"`")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that changes something: seconds since the beginning, and what came back.

    `status` is 0 if no answer came. `said` holds what the API said in errors, without names.
    """

    at: float
    operation: str
    status: int
    said: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it for the report."""
        about: dict[str, Any] = {"operation": self.operation, "status": self.status}
        return about | ({"said": list(self.said)} if self.said else {}) | {"at": self.at}


@dataclass
class Tape(httpx2.AsyncBaseTransport):
    """Passes requests on to `network`; `prefix` is the path of the API's address."""

    network: httpx2.AsyncBaseTransport
    prefix: str
    seconds: Callable[[], float]
    changes: list[Exchange] = field(default_factory=list[Exchange])
    counts: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    shapes: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    differences: set[str] = field(default_factory=set[str])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = PREFIX + request.url.path.removeprefix(self.prefix)
        operation = operation_of(request.method, path)
        name = operation.id if operation else "another"
        try:
            response = await self.network.handle_async_request(request)
            content = await response.aread()
            await response.aclose()
        except httpx2.TransportError:
            self._keep(request.method, name, 0, None)
            raise
        body = _parsed(content)
        kind = response.headers.get("content-type", "")
        self._keep(request.method, name, response.status_code, body)
        if operation:
            found = differences(operation, response.status_code, kind, body)
            self.differences.update(map(str, found))
        headers = [
            (key, value)
            for key, value in response.headers.multi_items()
            if key.lower() not in {"content-encoding", "content-length", "transfer-encoding"}
        ]
        return httpx2.Response(response.status_code, headers=headers, content=content)

    async def aclose(self) -> None:
        await self.network.aclose()

    def _keep(self, method: str, operation: str, status: int, body: Any) -> None:
        self.counts[operation, status] += 1
        if method != "GET":
            said = () if 200 <= status < 300 else _said(body)
            self.changes.append(Exchange(self.seconds(), operation, status, said))
        kept = self.shapes.setdefault(f"{operation} {status}", [])
        one = shape(body)
        if body is not None and one not in kept and len(kept) < SHAPES:
            kept.append(one)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _said(body: Any) -> tuple[str, ...]:
    """Return the texts of an error, wherever the API puts them."""
    if not isinstance(body, dict):
        return ()
    members = cast("dict[str, Any]", body)
    texts: list[Any] = [*_listed(members.get("errors")), members.get("message")]
    texts.append(members.get("error"))
    return tuple(words(text) for text in texts if isinstance(text, str))


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
