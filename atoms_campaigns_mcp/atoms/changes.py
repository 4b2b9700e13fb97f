"""A change of the API's world, and how to find out whether it happened.

The API has no idempotency key, so an answer that is lost cannot be asked for again. What can be
done is to look for the effect, which narrows the window of doubt and cannot close it: work that the
API does after the window goes unseen.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from atoms_campaigns_mcp.errors import AtomsCampaignsError, OutcomeUnknown

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]
Noted = Callable[[str], None]
"""Takes the id of a request, as the vendor's support asks for it."""
WINDOW = 10.0  # seconds in which an effect is looked for
LOOKS = (0.2, 0.4, 0.8, 1.6, 3.0, 4.0)  # seconds between looks; together the window


@dataclass(slots=True)
class Change(Generic[T]):
    """One change that is about to be made.

    `look` gives the effect if it is there. `key` is the same for creations that ask for the same,
    and `known` holds the ids that they would be confused with; `campaign_id` is what is changed, if
    it is a campaign that is there. One that is `repeatable` does no
    harm when it is done twice, so it is sent again when looking shows that it is still needed.
    """

    send: Callable[[Noted], Awaitable[T]]
    look: Callable[[], Awaitable[T | None]]
    key: str = ""
    known: tuple[str, ...] = ()
    campaign_id: str = ""
    repeatable: bool = False
    request_id: str = ""
    found: bool = False
    """Whether the answer was lost, and the effect found by looking."""

    async def make(self, sleep: Sleep) -> T:
        """Send it once; if the answer is lost, look for its effect.

        Raises:
            OutcomeUnknown: The answer was lost and the effect was not seen.
            UpstreamError: The API refused, or was not reached; nothing was changed.
        """
        try:
            return await self.send(self._note)
        except OutcomeUnknown as lost:
            effect = await self._looked_for(sleep)
            if effect is None:
                raise OutcomeUnknown(
                    f"{lost.message} It was looked for and not seen so far.",
                    next_step=lost.next_step,
                ) from lost
            return effect

    def _note(self, request_id: str) -> None:
        self.request_id = request_id

    async def _looked_for(self, sleep: Sleep) -> T | None:
        with anyio.move_on_after(WINDOW):
            for pause in LOOKS:
                await sleep(pause)
                try:
                    effect = await self.look()
                    if effect is not None:
                        self.found = True
                        return effect
                    if self.repeatable:
                        return await self.send(self._note)
                except AtomsCampaignsError:
                    continue
        return None
