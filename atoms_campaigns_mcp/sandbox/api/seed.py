"""The world a new organization finds: numbers, agents, audiences, a DNC list, a finished campaign.

All numbers are from ranges reserved for fiction, except the caller ID of the seed's sample (S32).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.engine.ids import object_id
from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.times import DAY, MINUTE
from atoms_campaigns_mcp.sandbox.engine.world import Moment, World

SEED_NUMBER = "6963d3a8862e1cb702da7244"
SEED_AGENT = "696ddd281ea16a73cb8aafbe"
SEED_AUDIENCE = "696ddd287f45bf7b27344e7c"

AREA_CODES = ("202", "312", "303", "415", "808")  # from Washington to Honolulu
FIRST_NAMES = ("Maya", "Jonas", "Aisha", "Diego", "Hanna", "Kofi", "Lucia", "Ravi", "Ines", "Tom")
LAST_NAMES = ("Rao", "Berg", "Khan", "Flores", "Novak", "Mensah", "Rossi", "Iyer", "Costa", "Reed")
PLANS = ("basic", "plus", "family")


@dataclass(frozen=True, slots=True)
class _Agent:
    name: str
    description: str
    first_message: str
    id: str = ""
    archived: bool = False


@dataclass(frozen=True, slots=True)
class _Number:
    number: str
    provider: str
    country: str
    area: str
    agent: str = ""
    id: str = ""
    active: bool = True


# Newest last: lists show the newest first, so the last of each is the first one listed.
AGENTS = (
    _Agent("Old survey", "Replaced by Follow-up", "Do you have two minutes?", archived=True),
    _Agent("Follow-up", "Calls back after a visit", "Hello, how was your visit?"),
    _Agent("Outreach", "Invites customers", "Hello, is this a good time?", id=SEED_AGENT),
)
NUMBERS = (
    _Number("+912268093560", "plivo", "IN", "22", agent="Outreach", id=SEED_NUMBER),
    _Number("+12025550143", "twilio", "US", "202"),
    _Number("+14155550188", "twilio", "US", "415", active=False),
)


def populate(world: World, moment: Moment, organization: int) -> None:
    """Fill a new organization, inside the transaction that made it."""
    seeder = _Seeder(moment, organization)
    seeder.add_agents()
    seeder.add_numbers()
    large = list(_people(500))
    seeder.add_audience("Newsletter readers", large)
    middle = seeder.add_audience("Spring renewals", large[40:65])
    seeder.add_audience("January Outreach contacts", list(_people(2)), own_id=SEED_AUDIENCE)
    seeder.add_dnc((large[44], large[300], large[301]), agent="")
    seeder.add_dnc((large[302],), agent="Follow-up")
    seeder.add_finished_campaign(middle)
    world.play_history(organization)


def _people(count: int) -> Iterator[dict[str, str]]:
    """Made-up contacts; the first hundred or so in the United States, some in Britain."""
    american = (f"+1{area}55501{line:02}" for line, area in product(range(100), AREA_CODES))
    british = (f"+447700900{line:03}" for line in range(1000))
    for index in range(count):
        first = FIRST_NAMES[index % len(FIRST_NAMES)]
        last = LAST_NAMES[index // len(FIRST_NAMES) % len(LAST_NAMES)]
        yield {
            "phoneNumber": next(american if index % 5 else british),
            "name": f"{first} {last}",
            "plan": PLANS[index % len(PLANS)],
        }


class _Seeder:
    def __init__(self, moment: Moment, organization: int) -> None:
        self._db = moment.db
        self._now = moment.now
        self._organization = organization
        self._options = moment.options
        self._agents: dict[str, int] = {}

    def add_agents(self) -> None:
        for agent in AGENTS:
            at = self._birth(agent.id)
            self._agents[agent.name] = self._add(
                "agent",
                agent.id,
                at,
                name=agent.name,
                description=agent.description,
                workflow_type="single_prompt",
                settings=json.dumps({"slmModel": "electron", "firstMessage": agent.first_message}),
                archived_at=at if agent.archived else None,
            )

    def add_numbers(self) -> None:
        for number in NUMBERS:
            self._add(
                "phone_number",
                number.id,
                self._birth(number.id),
                provider=number.provider,
                number=number.number,
                country_code=number.country,
                area_code=number.area,
                active=number.active,
                agent_pk=self._agents.get(number.agent),
            )

    def add_audience(self, title: str, people: Iterable[dict[str, str]], own_id: str = "") -> int:
        at = self._birth(own_id)
        pk = self._add(
            "audience",
            own_id,
            at,
            name=title,
            description="Made up by the sandbox",
            phone_column="phoneNumber",
            identifier_column="name",
        )
        queries.insert_members(self._db, pk, people, "phoneNumber", at)
        return pk

    def add_dnc(self, people: Iterable[dict[str, str]], *, agent: str) -> None:
        for person in people:
            pk = queries.next_pk(self._db, "dnc_entry")
            at = self._birth("")
            values = {
                "pk": pk,
                "org_pk": self._organization,
                "id": object_id("dnc", pk, at),
                "agent_pk": self._agents.get(agent),
                "number": person["phoneNumber"],
                "source": "manual_upload",
                "created_at": at,
            }
            queries.insert(self._db, "dnc_entry", values)

    def add_finished_campaign(self, audience: int) -> None:
        """A campaign that starts three days ago; playing history then finishes it."""
        at = self._now - 3 * DAY
        self._add(
            "campaign",
            "",
            at - 5 * MINUTE,
            ordinal=0,
            name="Spring renewals, first round",
            description="Finished before you came",
            agent_pk=self._agents["Outreach"],
            audience_pk=audience,
            phone_pks="[]",
            rules=Options(seed=self._options.seed).rules(),
            participants=queries.count_members(self._db, audience),
            max_retries=1,
            retry_delay=15,
            status="scheduled",
            scheduled_at=at,
        )

    def _birth(self, own_id: str) -> int:
        """When something was made: a seed's id tells, all else a month before the organization."""
        at = int(own_id[:8], 16) * 1000 if own_id else self._now - 30 * DAY
        return min(at, self._now)

    def _add(self, table: str, own_id: str, at: int, **values: object) -> int:
        pk = queries.next_pk(self._db, table)
        row = {
            "pk": pk,
            "org_pk": self._organization,
            "id": own_id or object_id(table, pk, at),
            "created_at": at,
            "updated_at": at,
        }
        queries.insert(self._db, table, row | values)
        return pk
