"""One request to the Atoms API: key, pacing, deadlines, retries, status to error."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, TypeVar

import anyio
import httpx2

from atoms_campaigns_mcp import __version__, instruments
from atoms_campaigns_mcp.atoms import responses
from atoms_campaigns_mcp.atoms.pacer import Pacer
from atoms_campaigns_mcp.atoms.pieces import repaired, without
from atoms_campaigns_mcp.atoms.retries import (
    DEADLINE,
    LONGEST_PAUSE,
    may_read_again,
    may_send_again,
    resending,
    retrying,
)
from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.errors import (
    Garbled,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnexpectedResponse,
    Unreached,
    UpstreamError,
)

T = TypeVar("T")
Method = Literal["GET", "POST", "DELETE"]
CONNECT = 5.0  # seconds
READ = 12.0  # seconds without a byte
CHANGE_DEADLINE = 15.0  # seconds until an answer counts as lost
LARGEST_STREAM = 256_000_000  # bytes; 10,000 contacts with 10 retries each fill a quarter of it


def no_cookies() -> CookieJar:
    """Return a jar that keeps nothing: a client serves many keys, and a cookie would join them."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends requests through `http`, whose base URL and key belong to one account.

    Billing is at `payment_url`, beside the API. An `urgent` transport does not queue.
    """

    http: httpx2.AsyncClient
    key: str = field(repr=False)
    pacer: Pacer
    single_flight: SingleFlight
    payment_url: str
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    urgent: bool = False

    @classmethod
    def connect(
        cls,
        url: str,
        key: str,
        pacer: Pacer,
        single_flight: SingleFlight,
        *,
        payment_url: str,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        network: httpx2.AsyncBaseTransport | None = None,
    ) -> "Transport":
        """Open a client for `url` with `key`; `network` replaces the network."""
        headers = {"User-Agent": f"atoms-campaigns-mcp/{__version__}"}
        http = httpx2.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=httpx2.Timeout(READ, connect=CONNECT),
            transport=network,
            cookies=no_cookies(),
            follow_redirects=False,
        )
        return cls(http, key, pacer, single_flight, payment_url, now, monotonic)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    def urgently(self) -> "Transport":
        """Return the same for an emergency."""
        return replace(self, urgent=True)

    async def read(self, path: str, *, fresh_for: float = 0.0, **params: str | int | None) -> Any:
        """GET `path`, again after faults and 429 while the deadline allows.

        Equal reads in flight are one request; an answer of the last `fresh_for` seconds will do.

        Raises:
            UpstreamError: The last attempt's failure.
            NotFound: The API says that it does not exist.
        """
        query = {name: value for name, value in params.items() if value is not None}
        # An urgent read must not wait for an equal one that queues for its turn.
        key = self.urgent, path, *sorted(query.items())
        fetch = partial(self._read, path, query)
        return await self.single_flight.get(key, fetch, fresh_for=fresh_for)

    async def _read(self, path: str, query: dict[str, str | int]) -> Any:
        with instruments.upstream("GET", path, self.monotonic) as call:

            async def once() -> Any:
                await self._turn()
                return responses.decode(await self._exchange(call, "GET", path, params=query))

            return await _within(DEADLINE, partial(retrying.on(may_read_again), once))

    @asynccontextmanager
    async def stream(self, path: str) -> AsyncGenerator[AsyncIterator[bytes]]:
        """GET a body too large to hold, piece by piece; not repeated when it breaks off.

        Raises:
            UpstreamError: It was refused, broke off, or is larger than any export can be.
            NotFound: The API says that it does not exist.
        """
        await self._turn()
        with instruments.upstream("GET", path, self.monotonic) as call:
            try:
                async with self.http.stream("GET", path, headers=self._headers()) as response:
                    if not response.is_success:
                        responses.decode(await self._whole(call, response))
                    call.answered(response.status_code)
                    pieces = _bounded(response.aiter_bytes())
                    yield repaired(without(self.key, pieces))
            except httpx2.RequestError as error:
                raise responses.unreachable(error) from error

    async def change(
        self,
        method: Method,
        path: str,
        parse: Callable[[Any], T],
        noted: Callable[[str], None] = lambda _: None,
        **content: Any,
    ) -> T:
        """POST or DELETE `path` and `parse` the answer; `noted` gets its request id, if it has one.

        It is sent again only if the API cannot have seen it, or said 429 and did nothing: there is
        no idempotency key.

        Raises:
            OutcomeUnknown: It was sent, and what came back does not say what happened.
            UpstreamError: The API refused, or was not reached; nothing was changed.
            NotFound: The API says that it does not exist.
        """
        with instruments.upstream(method, path, self.monotonic) as call:

            async def once() -> T:
                await self._turn()
                exchange = partial(self._exchange, call, method, path, **content)
                try:
                    answer = await _within(CHANGE_DEADLINE, exchange)
                except Unreached:
                    raise
                except (Unavailable, Garbled) as error:
                    raise _unknown(error) from error
                try:
                    return parse(responses.decode(answer))
                except (Rejected, UnexpectedResponse) as error:
                    raise _unknown(error) from error

            try:
                return await resending.on(may_send_again)(once)
            finally:
                self.single_flight.forget()
                noted(call.request_id)

    def _headers(self) -> dict[str, str]:
        # trust_env stays on for proxies; netrc cannot replace the key, a header of ours wins.
        return {"Authorization": f"Bearer {self.key}"}

    def with_key(self, key: str) -> "Transport":
        """Return one for another account, which shares connections and nothing that was read."""
        return replace(self, key=key, single_flight=SingleFlight(self.monotonic))

    async def _turn(self) -> None:
        if not self.urgent:
            await self.pacer.wait()

    async def _exchange(
        self, call: instruments.Call, method: Method, path: str, **content: Any
    ) -> responses.Answer:
        try:
            headers = self._headers()
            async with self.http.stream(method, path, headers=headers, **content) as response:
                return await self._whole(call, response)
        except httpx2.RequestError as error:
            call.unanswered()
            raise responses.unreachable(error) from error

    async def _whole(self, call: instruments.Call, response: httpx2.Response) -> responses.Answer:
        """Read the body; raise what a status of 400 or above means."""
        call.answered(response.status_code, responses.request_id(response.headers))
        answer = await responses.load(response, self.key)
        if answer.status < httpx2.codes.BAD_REQUEST:
            return answer
        failure = responses.failure(answer, self.now())
        if isinstance(failure, RateLimited):
            await self.pacer.slow_down(failure.retry_after or LONGEST_PAUSE)
        raise failure


def _unknown(error: UpstreamError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The request was sent, but what came back does not say whether it was carried out. "
        f"({error.message})",
        next_step="Look with get_campaign_status, list_campaigns or list_audiences first.",
    )


async def _within(seconds: float, work: Callable[[], Awaitable[T]]) -> T:
    with anyio.move_on_after(seconds):
        return await work()
    raise Unavailable(
        "The Atoms API could not be reached: its answer took too long.",
        next_step="Try again in a minute.",
    )


async def _bounded(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for piece in pieces:
        size += len(piece)
        if size > LARGEST_STREAM:
            raise UnexpectedResponse(
                "The Atoms API's answer does not end.", next_step="Report it to the operator."
            )
        yield piece
