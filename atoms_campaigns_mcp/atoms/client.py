"""The Atoms API as methods, one for each endpoint, that give nouns."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, Protocol, TypeVar

from atoms_campaigns_mcp.atoms.changes import Change, Noted
from atoms_campaigns_mcp.atoms.documents import (
    Listed,
    accepted,
    paging,
    parse,
    reader,
    rows_of,
    unwrap,
)
from atoms_campaigns_mcp.atoms.members import Added, DoNotCall, Member
from atoms_campaigns_mcp.atoms.transport import Method, Transport
from atoms_campaigns_mcp.contacts.columns import PHONE
from atoms_campaigns_mcp.errors import NotFound, Rejected, UnexpectedResponse
from atoms_campaigns_mcp.schemas.account import Account, Balance, Concurrency, Subscription
from atoms_campaigns_mcp.schemas.agents import Agent
from atoms_campaigns_mcp.schemas.audiences import Audience
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.schemas.campaigns import (
    ACTIVE,
    STARTABLE,
    TERMINAL,
    Campaign,
    CampaignDetails,
)
from atoms_campaigns_mcp.schemas.phone_numbers import PhoneNumber

T = TypeVar("T")
FRESH = 5.0  # seconds that lists which hardly change are kept; our own changes end it
NEWEST = 100  # campaigns of one name that are compared with what was asked for
MEMBERS_PAGES = 100  # five times what an audience may hold
MEMBERS_PAGE = 500  # audience members a request; the API calls the page size `offset`


class Guard(Protocol):
    """Makes a change that it is given, or raises instead."""

    async def __call__(self, change: Change[T]) -> T:
        """Make the change."""
        ...


async def _never() -> bool:
    return False


class AtomsClient:
    """One account of the Atoms API.

    Every method raises `UpstreamError` when the API refuses or is away, and `NotFound` when what
    it names does not exist; those that change something may raise `OutcomeUnknown`.
    """

    def __init__(self, transport: Transport, guard: Guard, *, recent: float = 0.0) -> None:
        """Read and change through `transport`; `guard` runs, records or refuses each change.

        What is read by `recently` may be as old as `recent` seconds.
        """
        self._transport = transport
        self._guard = guard
        self._recent = recent

    def anew(self) -> "AtomsClient":
        """Return the same account, with nothing kept or shared of what was read before."""
        self._transport.single_flight.forget()
        return self

    async def recently(
        self, key: Hashable, read: Callable[[], Awaitable[T]], *, anew: bool = False
    ) -> T:
        """Return what `read` gives, or what it gave under this key lately, if that will do.

        With `anew` it is read in any case, and kept for others. It is for what is made of answers,
        and small beside them. A change of ours, and whoever takes a lock, end what was kept.
        """
        flights = self._transport.single_flight
        fresh_for = 0.0 if anew else self._recent
        answer: T = await flights.get(("recently", key), read, fresh_for=fresh_for, keep=True)
        return answer

    def _sending(
        self, method: Method, path: str, understand: Callable[[Any], T], **content: Any
    ) -> Callable[[Noted], Awaitable[T]]:
        return partial(self._transport.change, method, path, understand, **content)

    async def list_phone_numbers(self) -> list[PhoneNumber]:
        """Return the rented caller IDs; imported SIP numbers are not among them."""
        body = await self._transport.read("/product/phone-numbers", fresh_for=FRESH)
        return parse(list[PhoneNumber], unwrap(body))

    async def list_agents(
        self, *, page: int = 1, limit: int = 20, search: str | None = None
    ) -> tuple[list[Agent], Listed]:
        """Return a page of the agents that are not archived."""
        data = unwrap(
            await self._transport.read(
                "/agent", fresh_for=FRESH, page=page, offset=limit, search=search or None
            )
        )
        return parse(list[Agent], rows_of(data, "agents")), paging(data, page)

    async def get_agent(self, agent_id: str) -> Agent:
        """Return one agent, archived or not."""
        return parse(Agent, unwrap(await self._transport.read(f"/agent/{agent_id}")))

    async def get_account(self) -> Account:
        """Return the user and organization of the key."""
        answer = await self._transport.read("/account/get-account-details", fresh_for=FRESH)
        return parse(Account, answer)

    async def get_subscription(self) -> Subscription:
        """Return the plan's quotas."""
        return parse(Subscription, unwrap(await self._transport.read("/user/subscription")))

    async def get_balance(self) -> Balance:
        """Return the credit; billing has an address of its own."""
        url = f"{self._transport.payment_url}/credits/balance"
        return parse(Balance, unwrap(await self._transport.read(url)))

    async def get_concurrency(self) -> Concurrency:
        """Return the limit of calls in progress at once, and what is reserved of it."""
        return parse(Concurrency, unwrap(await self._transport.read("/concurrency")))

    async def list_audiences(self) -> list[Audience]:
        """Return all audiences of the organization; the API does not page them."""
        return parse(list[Audience], unwrap(await self._transport.read("/audience")))

    async def list_members(self, audience_id: str, *, page: int) -> list[Member]:
        """Return one page of an audience's contacts."""
        data = unwrap(
            await self._transport.read(
                f"/audience/{audience_id}/members", page=page, offset=MEMBERS_PAGE
            )
        )
        return parse(list[Member], rows_of(data, "members"))

    async def list_do_not_call(
        self, *, page: int, agent_id: str | None = None
    ) -> tuple[list[DoNotCall], Listed]:
        """Return a page of the do-not-call list of the organization, or of one agent."""
        data = unwrap(
            await self._transport.read(
                "/dnc", agentId=agent_id, page=str(page), offset=str(MEMBERS_PAGE)
            )
        )
        return parse(list[DoNotCall], rows_of(data, "entries")), paging(data, page)

    async def create_audience(
        self,
        name: str,
        description: str,
        contacts: bytes,
        *,
        count: int,
        key: str,
        known: Collection[str],
    ) -> Audience:
        """Create an audience from a CSV with `count` rows whose number column is `phoneNumber`.

        `key` and `known` are those of `Change`: other audiences of that name and size.
        """
        form = {"name": name, "phoneNumberColumnName": PHONE}
        if description:
            form["description"] = description
        file = ("contacts.csv", contacts, "text/csv")

        async def look() -> Audience | None:
            rows = await self.list_audiences()
            return next((r for r in rows if r.is_like(name, count) and r.id not in known), None)

        send = self._sending("POST", "/audience", reader(Audience), data=form, files={"file": file})
        return await self._guard(Change(send, look, key=key, known=tuple(known)))

    async def add_members(
        self, audience: Audience, members: list[dict[str, str]], column: str
    ) -> tuple[int, int]:
        """Add contacts, numbers in `column`; give how many were added, and were there already."""
        path = f"/audience/{audience.id}/members"
        numbers = {digits(member[column]) for member in members}

        def counts(answer: Any) -> tuple[int, int]:
            rows = parse(list[Added], unwrap(answer))
            if not rows:
                raise UnexpectedResponse(
                    "The Atoms API does not say what it added.",
                    next_step="Look with list_audiences how many contacts there are now.",
                )
            return rows[0].data.added, rows[0].data.skipped

        async def look() -> tuple[int, int] | None:
            there = await self._numbers(audience.id, column)
            if not numbers <= there:
                return None
            before = len(there) if audience.contacts is None else audience.contacts
            added = min(max(len(there) - before, 0), len(members))
            return added, len(members) - added

        send = self._sending("POST", path, counts, json={"members": members})
        return await self._guard(Change(send, look))

    async def _numbers(self, audience_id: str, column: str) -> set[str]:
        found: set[str] = set()
        for page in range(1, MEMBERS_PAGES + 1):
            rows = await self.list_members(audience_id, page=page)
            found |= {digits(str(row.data.get(column, ""))) for row in rows}
            if len(rows) < MEMBERS_PAGE:
                return found
        raise endless()

    async def delete_audience(self, audience_id: str) -> None:
        """Delete an audience; the API refuses while any campaign refers to it."""

        async def look() -> bool | None:
            rows = await self.list_audiences()
            return None if any(row.id == audience_id for row in rows) else True

        send = self._sending("DELETE", f"/audience/{audience_id}", accepted)
        await self._guard(Change(send, look))

    async def list_calls(
        self,
        campaign_id: str | None = None,
        *,
        page: int = 1,
        limit: int = 1,
        statuses: Collection[str] = (),
        attempts: str = "all",
    ) -> tuple[list[Call], Listed]:
        """Return a page of calls, the latest change first; `attempts`: initial, retry or all."""
        data = unwrap(
            await self._transport.read(
                "/conversation",
                campaignIds=campaign_id,
                page=page,
                limit=limit,
                statusFilter=",".join(sorted(statuses)) or None,
                callAttemptFilter=attempts,
            )
        )
        return parse(list[Call], rows_of(data, "logs")), paging(data, page)

    async def get_call(self, call_id: str) -> Call:
        """Return one call with its transcript."""
        return parse(Call, unwrap(await self._transport.read(f"/conversation/{call_id}")))

    async def cancel_call(self, call_id: str, campaign_id: str) -> bool:
        """End a campaign's call that is queued, rings or talks; its contact is not tried again.

        Gives false if it had ended by itself.
        """

        async def ended() -> bool | None:
            return None if (await self.get_call(call_id)).status in LIVE else True

        send = self._sending("POST", "/conversation/cancel", accepted, json={"callId": call_id})

        async def send_or_see(noted: Noted) -> bool:
            try:
                return await send(noted)
            except Rejected:
                if await ended():
                    return False
                raise

        change = Change(send_or_see, ended, campaign_id=campaign_id, repeatable=True)
        return await self._guard(change)

    def export(self, campaign_id: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream the results of a campaign, a JSON object with a row per contact in `data`."""
        return self._transport.stream(f"/campaign/{campaign_id}/export/by-audience-member")

    async def list_campaigns(
        self,
        *,
        page: int = 1,
        limit: int = 20,
        status: str | None = None,
        search: str | None = None,
    ) -> tuple[list[Campaign], Listed]:
        """Return a page of campaigns, the newest first."""
        data = unwrap(
            await self._transport.read(
                "/campaign", page=page, offset=limit, status=status, search=search
            )
        )
        return parse(list[Campaign], rows_of(data, "campaigns")), paging(data, page)

    async def create_campaign(
        self, body: dict[str, Any], *, key: str, known: Collection[str]
    ) -> Campaign:
        """Create a draft, or a scheduled campaign when `body` has `scheduledAt`.

        `key` and `known` are those of `Change`: other campaigns that `body` would describe.
        """

        async def look() -> Campaign | None:
            rows = await self.campaigns_like(body)
            return next((row for row in rows if row.id not in known), None)

        send = self._sending("POST", "/campaign", reader(Campaign), json=body)
        return await self._guard(Change(send, look, key=key, known=tuple(known)))

    async def campaigns_like(self, body: dict[str, Any]) -> list[Campaign]:
        """Return the campaigns that `body` describes, the newest first.

        The API does not tell a campaign's caller IDs, so they are not compared.
        """
        return [row for row in await self.newest_of(body["name"]) if row.is_like(body)]

    async def newest_of(self, name: str) -> list[Campaign]:
        """Return the newest campaigns whose names hold this one."""
        rows, _ = await self.list_campaigns(search=name, limit=NEWEST)
        return rows

    async def get_campaign(self, campaign_id: str) -> CampaignDetails:
        """Return a campaign with its events and metrics."""
        return parse(
            CampaignDetails, unwrap(await self._transport.read(f"/campaign/{campaign_id}"))
        )

    async def start_campaign(self, campaign_id: str) -> bool:
        """Queue the start of a draft or the resumption of a paused campaign (asynchronous).

        Gives false if it already dials: somebody else was first.
        """
        send = self._sending("POST", f"/campaign/{campaign_id}/start", accepted)

        async def send_or_see(noted: Noted) -> bool:
            try:
                return await send(noted)
            except Rejected:
                if (await self.get_campaign(campaign_id)).campaign.status in ACTIVE:
                    return False
                raise

        async def look() -> bool | None:
            status = (await self.get_campaign(campaign_id)).campaign.status
            return None if status in STARTABLE else True

        return await self._guard(Change(send_or_see, look, campaign_id=campaign_id))

    async def pause_campaign(
        self, campaign_id: str, *, may_begin: Callable[[], Awaitable[bool]] = _never
    ) -> None:
        """Queue the pause of a running campaign (asynchronous); live calls go on.

        `may_begin` is asked when the answer is lost and the campaign shows as paused: whether a
        start of it may be under way that does not show yet.
        """
        dialled = False

        async def look() -> bool | None:
            nonlocal dialled
            status = (await self.get_campaign(campaign_id)).campaign.status
            dialled = dialled or status in ACTIVE
            # No pause makes a draft, or what is scheduled: such a campaign may be about to begin.
            if status == "paused":
                return True if dialled or not await may_begin() else None
            return True if status in TERMINAL else None

        send = self._sending("POST", f"/campaign/{campaign_id}/pause", accepted)
        await self._guard(Change(send, look, campaign_id=campaign_id, repeatable=True))

    async def delete_campaign(self, campaign_id: str) -> None:
        """Delete a campaign with its history of executions."""

        async def look() -> bool | None:
            try:
                await self.get_campaign(campaign_id)
            except NotFound:
                return True
            return None

        send = self._sending("DELETE", f"/campaign/{campaign_id}", accepted)
        await self._guard(Change(send, look, campaign_id=campaign_id))


def endless() -> UnexpectedResponse:
    """Report that a list of contacts has more pages than an audience can fill."""
    message = "The Atoms API's list of contacts does not end."
    return UnexpectedResponse(message, next_step="Report it to the operator.")


def digits(number: str) -> str:
    """Return a number's digits, by which the API tells contacts apart."""
    return "".join(char for char in number if char.isdecimal())
