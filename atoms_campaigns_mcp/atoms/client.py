"""The Atoms API as methods, one for each endpoint, that give nouns."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from typing import Any, TypeVar, cast

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError

from atoms_campaigns_mcp.atoms.transport import Method, Transport
from atoms_campaigns_mcp.errors import UnexpectedResponse
from atoms_campaigns_mcp.schemas.account import Account, Balance, Concurrency, Subscription
from atoms_campaigns_mcp.schemas.base import Noun
from atoms_campaigns_mcp.schemas.calls import Call
from atoms_campaigns_mcp.schemas.campaigns import Campaign, CampaignDetails
from atoms_campaigns_mcp.schemas.fields import Text
from atoms_campaigns_mcp.schemas.resources import Agent, Audience, PhoneNumber

T = TypeVar("T")
Guard = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Carries out a change that it is given, or raises instead."""

PHONE_COLUMN = "phoneNumber"  # of every audience that we create
MEMBERS_PAGE = 500  # audience members a request; the API calls the page size `offset`


class Listed(BaseModel):
    """What every paged list of the API tells beside its rows."""

    total: int | None = None
    has_more: bool = False


class Member(BaseModel):
    """A contact of an audience: its columns by name. No `Noun`: there may be 10,000 of them."""

    data: dict[str, Any] = Field(default_factory=dict[str, Any])


class DoNotCall(Noun):
    """An entry of the do-not-call list."""

    number: Text = Field(default="", validation_alias=AliasChoices("phoneNumber", "number"))


class AddedCounts(Noun):
    """What became of the members of one request."""

    added: int = 0
    skipped: int = 0


class Added(Noun):
    """The only element of the list that adding members answers with."""

    data: AddedCounts = AddedCounts()


class AtomsClient:
    """One account of the Atoms API.

    Every method raises `UpstreamError` when the API refuses or is away, and `NotFound` when what
    it names does not exist; those that change something may raise `OutcomeUnknown`.
    """

    def __init__(self, transport: Transport, guard: Guard) -> None:
        """Read and change through `transport`; `guard` runs, records or refuses each change."""
        self._transport = transport
        self._guard = guard

    async def _change(self, method: Method, path: str, **content: Any) -> Any:
        return await self._guard(partial(self._transport.change, method, path, **content))

    async def list_phone_numbers(self) -> list[PhoneNumber]:
        """Give the rented caller IDs; imported SIP numbers are not among them."""
        body = await self._transport.read("/product/phone-numbers")
        return _parse(list[PhoneNumber], _data(body))

    async def list_agents(
        self, *, page: int = 1, limit: int = 20, search: str | None = None
    ) -> tuple[list[Agent], Listed]:
        """Give a page of the agents that are not archived."""
        data = _data(
            await self._transport.read("/agent", page=page, offset=limit, search=search or None)
        )
        return _parse(list[Agent], _rows(data, "agents")), _listed(data, page)

    async def get_agent(self, agent_id: str) -> Agent:
        """Give one agent, archived or not."""
        return _parse(Agent, _data(await self._transport.read(f"/agent/{agent_id}")))

    async def get_account(self) -> Account:
        """Give the user and organization of the key."""
        return _parse(Account, await self._transport.read("/account/get-account-details"))

    async def get_subscription(self) -> Subscription:
        """Give the plan's quotas."""
        return _parse(Subscription, _data(await self._transport.read("/user/subscription")))

    async def get_balance(self) -> Balance:
        """Give the credit; billing has an address of its own."""
        url = f"{self._transport.payment_url}/credits/balance"
        return _parse(Balance, _data(await self._transport.read(url)))

    async def get_concurrency(self) -> Concurrency:
        """Give the limit of calls in progress at once, and what is reserved of it."""
        return _parse(Concurrency, _data(await self._transport.read("/concurrency")))

    async def list_audiences(self) -> list[Audience]:
        """Give all audiences of the organization; the API does not page them."""
        return _parse(list[Audience], _data(await self._transport.read("/audience")))

    async def list_members(self, audience_id: str, *, page: int) -> list[Member]:
        """Give one page of an audience's contacts."""
        data = _data(
            await self._transport.read(
                f"/audience/{audience_id}/members", page=page, offset=MEMBERS_PAGE
            )
        )
        return _parse(list[Member], _rows(data, "members"))

    async def list_do_not_call(
        self, *, page: int, agent_id: str | None = None
    ) -> tuple[list[DoNotCall], Listed]:
        """Give a page of the do-not-call list of the organization, or of one agent."""
        data = _data(
            await self._transport.read(
                "/dnc", agentId=agent_id, page=str(page), offset=str(MEMBERS_PAGE)
            )
        )
        return _parse(list[DoNotCall], _rows(data, "entries")), _listed(data, page)

    async def create_audience(self, name: str, description: str, contacts: bytes) -> Audience:
        """Create an audience from a CSV whose number column is `phoneNumber`."""
        form = {"name": name, "phoneNumberColumnName": PHONE_COLUMN}
        if description:
            form["description"] = description
        file = ("contacts.csv", contacts, "text/csv")
        answer = await self._change("POST", "/audience", data=form, files={"file": file})
        return _parse(Audience, _data(answer))

    async def add_members(self, audience_id: str, members: list[dict[str, str]]) -> tuple[int, int]:
        """Add contacts; give how many were added, and how many were there already."""
        path = f"/audience/{audience_id}/members"
        answer = _data(await self._change("POST", path, json={"members": members}))
        (added,) = _parse(list[Added], answer)
        return added.data.added, added.data.skipped

    async def delete_audience(self, audience_id: str) -> None:
        """Delete an audience; the API refuses while any campaign refers to it."""
        await self._change("DELETE", f"/audience/{audience_id}")

    async def list_calls(
        self,
        campaign_id: str | None = None,
        *,
        page: int = 1,
        limit: int = 1,
        statuses: Collection[str] = (),
        attempts: str = "all",
    ) -> tuple[list[Call], Listed]:
        """Give a page of calls, the latest change first; `attempts`: initial, retry or all."""
        data = _data(
            await self._transport.read(
                "/conversation",
                campaignIds=campaign_id,
                page=page,
                limit=limit,
                statusFilter=",".join(sorted(statuses)) or None,
                callAttemptFilter=attempts,
            )
        )
        return _parse(list[Call], _rows(data, "logs")), _listed(data, page)

    async def get_call(self, call_id: str) -> Call:
        """Give one call with its transcript."""
        return _parse(Call, _data(await self._transport.read(f"/conversation/{call_id}")))

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
        """Give a page of campaigns, the newest first."""
        data = _data(
            await self._transport.read(
                "/campaign", page=page, offset=limit, status=status, search=search
            )
        )
        return _parse(list[Campaign], _rows(data, "campaigns")), _listed(data, page)

    async def create_campaign(self, body: dict[str, Any]) -> Campaign:
        """Create a draft, or a scheduled campaign when `body` has `scheduledAt`."""
        data = _data(await self._change("POST", "/campaign", json=body))
        return _parse(Campaign, data)

    async def get_campaign(self, campaign_id: str) -> CampaignDetails:
        """Give a campaign with its events and metrics."""
        return _parse(
            CampaignDetails, _data(await self._transport.read(f"/campaign/{campaign_id}"))
        )

    async def start_campaign(self, campaign_id: str) -> None:
        """Queue the start of a draft or the resumption of a paused campaign (asynchronous)."""
        await self._change("POST", f"/campaign/{campaign_id}/start")

    async def pause_campaign(self, campaign_id: str) -> None:
        """Queue the pause of a running campaign (asynchronous); live calls go on."""
        await self._change("POST", f"/campaign/{campaign_id}/pause")

    async def delete_campaign(self, campaign_id: str) -> None:
        """Delete a campaign with its history of executions."""
        await self._change("DELETE", f"/campaign/{campaign_id}")


def _data(body: Any) -> Any:
    """Take the envelope off: most routes wrap their answer in `data`."""
    if isinstance(body, dict) and "data" in body:
        return cast("dict[str, Any]", body)["data"]
    return cast("Any", body)


def _rows(data: Any, key: str) -> Any:
    return cast("dict[str, Any]", data).get(key, []) if isinstance(data, dict) else data


def _listed(data: Any, page: int) -> Listed:
    """Read paging as the API words it: beside the rows, or under `pagination`."""
    if not isinstance(data, dict):
        return Listed()
    fields = cast("dict[str, Any]", data)
    fields = {**fields, **cast("dict[str, Any]", fields.get("pagination") or {})}
    total = fields.get("totalCount", fields.get("total"))
    has_more = fields.get("hasMore", page < (fields.get("totalPages") or 0))
    return _parse(Listed, {"total": total, "has_more": has_more})


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def _parse(kind: type[T], data: Any) -> T:
    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise UnexpectedResponse(
            f"The Atoms API answered in a shape that this server does not know ({fields[:5]}).",
            next_step="Report it to the operator; a newer version of this server may know it.",
        ) from None
