"""Before a run: what the operator's settings and the do-not-call list forbid; the audience."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.contacts.numbers.directory import Directory
from atoms_campaigns_mcp.contacts.numbers.stored import as_digits
from atoms_campaigns_mcp.errors import ConfigurationError, Refused
from atoms_campaigns_mcp.guardrails.hours import allowed
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.toolkit import lookup
from tests.probe.trial import LONGEST, EnoughError, Trial

LISTED: Final = "phone on the list"  # the label of the number that is on the do-not-call list
DNC_PAGES: Final = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asks for. `phones` are labels by number in E.164."""

    phones: Mapping[str, str]
    agent: str
    caller_id: str

    @property
    def listed(self) -> str:
        """The number that is on the do-not-call list, if one was given."""
        return next((number for number, label in self.phones.items() if label == LISTED), "")


def check(wish: Wish, settings: Settings, now: datetime) -> None:
    """Refuse what the operator's settings forbid, before anybody is asked.

    Raises:
        ConfigurationError: There is no key.
        Refused: A setting forbids it.
    """
    if not settings.api_key:
        raise ConfigurationError("Set SMALLEST_API_KEY to the key of the account.")
    if settings.read_only or settings.no_dial:
        raise Refused("The settings of this machine forbid to dial (read-only or no-dial).")
    policy, directory = Policy.of(settings), Directory()
    end = now + timedelta(seconds=LONGEST)
    for number in wish.phones if policy.hours_enforced else ():
        zones = directory.zones(number)
        if not policy.hours.all_day and not (zones and allowed(zones, now, end, policy.hours)):
            raise Refused(f"Not now: calls are allowed {policy.hours} in the zones of each number.")


async def prepare(trial: Trial, wish: Wish, policy: Policy) -> None:
    """Find agent, caller ID and do-not-call entries, and make the audience.

    Raises:
        Refused: The operator's policy, or the do-not-call list, forbids it.
    """
    agent = await lookup.agent(trial.atoms, wish.agent)
    callers = await lookup.phone_numbers(trial.atoms, [wish.caller_id])
    if not policy.allows_agent(agent.id, agent.name):
        raise Refused("The policy of this machine does not allow this agent.")
    if policy.caller_ids and not {callers[0].id, callers[0].number} & policy.caller_ids:
        raise Refused("The policy of this machine does not allow this caller ID.")
    trial.agent, trial.caller_id = agent.id, callers[0].id
    await _compare_with_do_not_call(trial, wish)
    table = "\n".join(["phoneNumber", *wish.phones, ""])
    audience = await trial.atoms.create_audience(
        f"{trial.mark} phones", "", table.encode(), count=len(wish.phones), key="", known=()
    )
    members = await trial.atoms.list_members(audience.id, page=1)
    held = {as_digits(str(member.data.get("phoneNumber", ""))) for member in members}
    if held != set(trial.phones):
        raise EnoughError("the audience does not hold exactly the numbers given")


async def _compare_with_do_not_call(trial: Trial, wish: Wish) -> None:
    """See to it that the number said to be on the list is, for this agent, and no other."""
    entries = await _entries(trial)
    for number, label in wish.phones.items():
        owners = {owner for digits, owner in entries if digits == number.lstrip("+")}
        if label != LISTED and owners:
            raise Refused(
                "A number is on the do-not-call list.",
                next_step="Give it with --do-not-call, if it is yours and shall be dialled.",
            )
        if label == LISTED and not owners & {"", trial.agent}:
            raise Refused(
                "The number given with --do-not-call is not on the list, or on another agent's.",
                next_step="Put it on the organization's list in the dashboard first.",
            )


async def _entries(trial: Trial) -> set[tuple[str | None, str]]:
    """Return digits, with the agent for which they are on the list."""
    found = set[tuple[str | None, str]]()
    for owner in (None, trial.agent):
        for page in range(1, DNC_PAGES + 1):
            rows, listed = await trial.atoms.list_do_not_call(page=page, agent_id=owner)
            found |= {(as_digits(row.number), row.agent_id or owner or "") for row in rows}
            if not listed.has_more or not rows:
                break
        else:
            raise Refused("The do-not-call list is too long to be read.")
    return found
