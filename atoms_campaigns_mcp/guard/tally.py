"""Counting the calls of a campaign, of which only those that changed are read again."""

from dataclasses import dataclass, field
from datetime import datetime

from atoms_campaigns_mcp.atoms.client import AtomsClient
from atoms_campaigns_mcp.guard.rules import SHORT, Tally
from atoms_campaigns_mcp.schemas.calls import LIVE, Call
from atoms_campaigns_mcp.schemas.campaigns import moment

PAGE = 100  # calls a request
PAGES = 500  # more than any campaign of 10,000 contacts has on average; beyond, nothing is known
NOT_CALLED = frozenset({"cancelled", "blocked"})
_YES = frozenset({"yes", "true", "1"})


@dataclass(slots=True)
class Ledger:
    """The calls of one campaign, by id; `opt_outs` are the dispositions that are one."""

    opt_outs: tuple[str, ...]
    _calls: dict[str, "_Entry"] = field(default_factory=dict[str, "_Entry"])
    _whole: bool = False

    async def read(self, atoms: AtomsClient, campaign_id: str) -> None:
        """Read what has changed: the API lists the latest change first.

        Raises:
            UpstreamError: The calls cannot be read.
            OverflowError: There are more than can be counted.
        """
        whole, more, page, total = self._whole, True, 0, None
        while more:
            page += 1
            if page > PAGES:
                raise OverflowError
            rows, listed = await atoms.list_calls(campaign_id, page=page, limit=PAGE)
            entries = {row.call_id: self._entry(row) for row in rows}
            known = all(self._calls.get(one) == entry for one, entry in entries.items())
            self._calls |= entries
            total = listed.total
            more = listed.has_more and bool(rows) and not (whole and known)
        # A cost may come later than the end that moves a call to the front.
        priced = not any(call.unpriced for call in self._calls.values())
        self._whole = priced and (total is None or total == len(self._calls))

    def tally(self, since: datetime | None) -> Tally:
        """Count them; shares are those of calls that began after `since`."""
        calls = list(self._calls.values())
        over = [
            call
            for call in calls
            if call.status not in LIVE | NOT_CALLED
            and (since is None or call.began is None or call.began >= since)
        ]
        answered = [call for call in over if call.status == "completed"]
        return Tally(
            settled=len(over),
            answered=len(answered),
            failed=sum(call.status == "failed" for call in over),
            short=sum(call.seconds < SHORT for call in answered),
            opt_outs=sum(call.opt_out for call in answered),
            cost=sum(call.cost or 0.0 for call in calls),
            unpriced=sum(call.unpriced for call in calls),
            live=sum(call.status in LIVE for call in calls),
            highest=max((call.cost or 0.0 for call in calls), default=0.0),
        )

    def _entry(self, call: Call) -> "_Entry":
        return _Entry(
            call.status,
            call.duration,
            call.cost,
            moment(call.created_at),
            any(_says(call.dispositions(), wanted) for wanted in self.opt_outs),
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """What counts of one call."""

    status: str
    seconds: float
    cost: float | None
    began: datetime | None
    opt_out: bool

    @property
    def unpriced(self) -> bool:
        """Whether it has a cost that nobody knows."""
        return self.status == "completed" and self.cost is None


def _says(dispositions: dict[str, str], wanted: str) -> bool:
    name, _, value = (part.strip().casefold() for part in wanted.partition("="))
    found = {key.casefold(): text.casefold() for key, text in dispositions.items()}.get(name)
    return found is not None and (found == value if value else found in _YES)
