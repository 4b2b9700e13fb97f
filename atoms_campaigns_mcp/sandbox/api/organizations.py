"""Which organization a key belongs to: each key is its own, made and seeded on first use."""

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import UnauthorizedError
from atoms_campaigns_mcp.sandbox.api.requests.messages import Organization
from atoms_campaigns_mcp.sandbox.api.seed import populate
from atoms_campaigns_mcp.sandbox.engine.ids import key_digest, object_id
from atoms_campaigns_mcp.sandbox.engine.world import Moment, World

SELECT = "SELECT pk, id, user_id, created_at FROM organization"


def authorize(world: World, headers: Mapping[str, str]) -> str:
    """The API key of a request (S34).

    Raises:
        Unauthorized: None was sent, or it is not let in.
    """
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    key = key.strip()
    allowed = world.options.allowed_keys
    known = key.startswith("sk_") if allowed is None else key in allowed
    if scheme.lower() != "bearer" or not key or not known:
        raise UnauthorizedError("Unauthorized: User not found")
    return key


@contextmanager
def acting(world: World, key: str, *, writes: bool) -> Generator[tuple[Organization, Moment]]:
    """One transaction and the organization of a key, made and seeded before it if it is new.

    It is looked up inside the transaction: another process may reset the world at any moment.
    """
    digest = key_digest(key)
    while True:
        with world.writing() if writes else world.reading() as moment:
            if organization := _find(moment.db, digest):
                yield organization, moment
                return
        _make(world, digest)


def by_pk(db: sqlite3.Connection, pk: int) -> Organization:
    """The organization with a primary key that is known to exist."""
    return Organization(*db.execute(f"{SELECT} WHERE pk = ?", (pk,)).fetchone())


def _make(world: World, digest: str) -> None:
    with world.writing() as moment:
        if _find(moment.db, digest):
            return  # another process was first
        pk = queries.next_pk(moment.db, "organization")
        values = {
            "pk": pk,
            "key_digest": digest,
            "id": object_id(f"organization {digest}", 1, moment.now),
            "user_id": object_id(f"user {digest}", 1, moment.now),
            "created_at": moment.now,
        }
        queries.insert(moment.db, "organization", values)
        populate(world, moment, pk)


def _find(db: sqlite3.Connection, digest: str) -> Organization | None:
    row = db.execute(f"{SELECT} WHERE key_digest = ?", (digest,)).fetchone()
    return Organization(*row) if row else None
