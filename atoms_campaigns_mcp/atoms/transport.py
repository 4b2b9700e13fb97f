"""One request to the Atoms API: key, pacing, time-out, retries of reads, status to error."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal

import httpx2
import stamina

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.atoms import replies
from atoms_campaigns_mcp.atoms.pacing import Pacer
from atoms_campaigns_mcp.errors import OutcomeUnknown, RateLimited, Unavailable
from atoms_campaigns_mcp.telemetry import log

Method = Literal["GET", "POST", "DELETE"]
ATTEMPTS = 4
DEADLINE = 20.0  # seconds for a read with its retries; hosts give a tool call 30 to 60
LONGEST_PAUSE = 8.0  # seconds; a longer Retry-After is reported instead of waited for
request_id: ContextVar[str] = ContextVar("request_id", default="")
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


class Transport:
    """Sends requests through `http`, whose base URL and key belong to one account."""

    def __init__(self, http: httpx2.AsyncClient, pacer: Pacer, payment_url: str) -> None:
        """Send through `http`; billing is at `payment_url`, beside the API."""
        self._http = http
        self._pacer = pacer
        self.payment_url = payment_url

    @classmethod
    def connect(
        cls,
        url: str,
        key: str,
        pacer: Pacer,
        *,
        payment_url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> "Transport":
        """Open a client for `url` with `key`; `transport` replaces the network."""
        headers = {
            "Authorization": f"Bearer {key}",
            "User-Agent": f"atoms-campaigns-mcp/{__version__}",
        }
        # trust_env stays on for proxies; netrc cannot replace the key, a header of ours wins.
        http = httpx2.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=httpx2.Timeout(15.0, connect=5.0),
            transport=transport,
        )
        return cls(http, pacer, payment_url)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def read(self, path: str, **params: str | int | None) -> Any:
        """GET `path`, again after faults and 429 while the deadline allows.

        Raises:
            UpstreamError: The last attempt's failure.
            NotFound: The API says that it does not exist.
        """
        query = {name: value for name, value in params.items() if value is not None}
        return await _retrying(self._read_once, path, query)

    async def _read_once(self, path: str, query: dict[str, str | int]) -> Any:
        return replies.decode(await self._send("GET", path, params=query))

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """GET a body too large to hold, piece by piece; not repeated when it breaks off.

        Raises:
            UpstreamError: It was refused, or broke off.
            NotFound: The API says that it does not exist.
        """
        await self._pacer.wait()
        try:
            async with self._http.stream("GET", path) as response:
                if response.status_code >= httpx2.codes.BAD_REQUEST:
                    await response.aread()
                    raise replies.failure(response)
                yield response.aiter_bytes()
        except httpx2.TransportError as error:
            raise Unavailable(
                "The Atoms API broke off a long answer.", next_step="Try again in a minute."
            ) from error

    async def change(self, method: Method, path: str, **content: Any) -> Any:
        """POST or DELETE `path` once. It is never repeated: the API knows no idempotency key.

        Raises:
            OutcomeUnknown: It was sent and the answer was lost, or the API had a fault.
            UpstreamError: The API refused, or was not reached; nothing was changed.
            NotFound: The API says that it does not exist.
        """
        try:
            return replies.decode(await self._send(method, path, **content))
        except Unavailable as error:
            if isinstance(error.__cause__, NEVER_SENT):
                raise
            raise OutcomeUnknown(
                "The request was sent, but the Atoms API gave no usable answer; it may or may not "
                "have been carried out.",
                next_step="Look with get_campaign_status, list_campaigns or list_audiences first.",
            ) from error

    async def _send(self, method: Method, path: str, **content: Any) -> httpx2.Response:
        await self._pacer.wait()
        try:
            response = await self._http.request(method, path, **content)
        except httpx2.TransportError as error:
            raise Unavailable(
                "The Atoms API could not be reached.", next_step="Try again in a minute."
            ) from error
        # What the vendor's support asks for; the journal keeps it.
        request_id.set(response.headers.get("x-request-id", ""))
        log.debug("%s %s -> %s (%s)", method, path, response.status_code, request_id.get())
        if response.status_code >= httpx2.codes.BAD_REQUEST:
            raise replies.failure(response)
        return response


def _pause_before_retry(error: Exception) -> bool | float:
    """Retry faults with backoff, and 429 after what the API asked for, if that is soon enough."""
    if isinstance(error, RateLimited):
        asked = error.retry_after
        return True if asked is None else asked <= LONGEST_PAUSE and asked
    return isinstance(error, Unavailable)


_retrying = stamina.AsyncRetryingCaller(
    attempts=ATTEMPTS, timeout=DEADLINE, wait_initial=0.5, wait_max=LONGEST_PAUSE
).on(_pause_before_retry)
