"""The do-not-call list of the bench: who is on it, and who comes onto it."""

from atoms_campaigns_mcp.sandbox.api.organizations import acting
from atoms_campaigns_mcp.sandbox.engine.world import World

KEY = "sk_sandbox"  # that of the embedded sandbox
STRANGERS = "printf('+447700900%d', 900 + pk)"  # fictional numbers that no list of the seed holds
OF_LARGE = (44, 300, 301, 302)  # places in the largest audience whom the seed puts on the list


def list_strangers_only(world: World) -> None:
    """Have nobody of the seeded audiences on the list, so that all of them may be called."""
    with acting(world, KEY, writes=False):
        pass  # makes the organization, whose finished campaign is then played
    while not world.advance():
        pass
    with acting(world, KEY, writes=True) as (_, moment):
        moment.db.execute(f"UPDATE dnc_entry SET number = {STRANGERS}")  # noqa: S608


def list_as_seeded(world: World) -> None:
    """Have the people on the list who are there for every new key."""
    with acting(world, KEY, writes=True) as (_, moment):
        people = _numbers(moment.db.execute(_MEMBERS, ("Newsletter readers",)).fetchall())
        entries = moment.db.execute("SELECT pk FROM dnc_entry ORDER BY pk").fetchall()
        for place, (entry,) in zip(OF_LARGE, entries, strict=True):
            sql = "UPDATE dnc_entry SET number = ? WHERE pk = ?"
            moment.db.execute(sql, (people[place], entry))


def opt_out(world: World, audience: str = "Spring renewals") -> None:
    """Put the last contact of an audience on the organization's list, as one may at any time."""
    with acting(world, KEY, writes=True) as (_, moment):
        people = _numbers(moment.db.execute(_MEMBERS, (audience,)).fetchall())
        sql = "UPDATE dnc_entry SET number = ? WHERE pk = (SELECT min(pk) FROM dnc_entry)"
        moment.db.execute(sql, (people[-1],))


_MEMBERS = """
SELECT digits FROM member JOIN audience ON audience.pk = audience_pk
WHERE audience.name = ? ORDER BY member.rowid
"""


def _numbers(rows: list[tuple[str]]) -> list[str]:
    return [f"+{digits}" for (digits,) in rows]
