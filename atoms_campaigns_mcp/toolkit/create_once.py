"""Creating a thing once, although answers get lost and the API would create it twice.

Whoever asks for the same again after an unknown outcome, or after the server was killed, gets what
the first request made, if it can be seen.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from atoms_campaigns_mcp.toolkit.context import Earlier, ToolContext


class Identified(Protocol):
    """Something that the API has given an id."""

    @property
    def id(self) -> str:
        """The id."""
        ...


T = TypeVar("T", bound=Identified)
FOUND = "It was not created now: an earlier equal request, whose outcome had been unknown, made it."
ABSENT = "An earlier equal request had an unknown outcome; nothing of it was there, so this is new."


@dataclass(frozen=True, slots=True)
class Made(Generic[T]):
    """What there is now, and what the agent must be told about how it came to be."""

    thing: T
    note: str = ""


@dataclass(frozen=True, slots=True)
class Creation(Generic[T]):
    """One creation. `key` is the same for requests that ask for the same.

    `alike` gives what the request describes and is there already; `refuse` raises if that speaks
    against making another; `make` makes it, told the ids it must not be confused with.
    """

    key: str
    alike: Callable[[], Awaitable[Sequence[T]]]
    make: Callable[[Sequence[str]], Awaitable[T]]
    refuse: Callable[[Sequence[T]], None] = lambda _: None

    async def once(self, ctx: ToolContext) -> Made[T]:
        """Make it, unless an earlier request has.

        Raises:
            WrongState: An equal request is under way, or `refuse` raises it.
        """
        async with ctx.memory.alone(self.key):
            sight = await self.look(ctx)
            if sight.made:
                return sight.made
            await ctx.memory.keep_alone(self.key)
            await ctx.memory.resolve(sight.earlier, found=None)
            thing = await self.make([thing.id for thing in sight.alike])
            return Made(thing, ABSENT if sight.earlier else "")

    async def look(self, ctx: ToolContext) -> "Sight[T]":
        """Look for what an earlier request of unknown outcome made, and for what is alike.

        Raises:
            WrongState: `refuse` raises it.
        """
        earlier, alike = await ctx.memory.unresolved(self.key), await self.alike()
        known = {name for one in earlier for name in one.known}
        new = [thing for thing in alike if thing.id not in known]
        if earlier and new:
            await ctx.memory.resolve(earlier, found=new[0])
            return Sight(earlier, alike, Made(new[0], FOUND))
        self.refuse(alike)
        return Sight(earlier, alike, None)


@dataclass(frozen=True, slots=True)
class Sight(Generic[T]):
    """Earlier equal requests of unknown outcome, what is alike, and what was made by them."""

    earlier: Sequence[Earlier]
    alike: Sequence[T]
    made: Made[T] | None


def key_of(*facts: Any) -> str:
    """Return the same key for the same facts."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
