"""Finds things by the ids of a request, within the organization that asks (S19)."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError, NotFoundError
from atoms_campaigns_mcp.sandbox.api.requests.messages import Context
from atoms_campaigns_mcp.sandbox.engine.ids import OBJECT_ID, object_id


def campaign(ctx: Context) -> sqlite3.Row:
    """The campaign that the path names.

    Raises:
        BadRequestError: The id is malformed.
        NotFoundError: Unknown, deleted, or of another organization.
    """
    name = ctx.request.params["id"]
    if not OBJECT_ID.fullmatch(name):
        raise BadRequestError("Invalid campaign id")
    row = find(ctx, "campaign", name)
    if row is None:
        raise NotFoundError("Campaign not found")
    return row


def audience(ctx: Context) -> sqlite3.Row:
    """The audience that the path names.

    Raises:
        BadRequestError: The id is malformed.
        NotFoundError: Unknown, deleted, or of another organization.
    """
    name = ctx.request.params["id"]
    if not OBJECT_ID.fullmatch(name):
        raise BadRequestError("Invalid audience id")
    row = find(ctx, "audience", name)
    if row is None:
        raise NotFoundError("Audience not found")
    return row


def find(ctx: Context, table: str, name: str) -> sqlite3.Row | None:
    """A row of the organization by its id; None when unknown or deleted."""
    alive = " AND deleted_at IS NULL" if table in ("campaign", "audience") else ""
    return ctx.db.execute(
        f"SELECT * FROM {table} WHERE org_pk = ? AND id = ?{alive}",  # noqa: S608 - our own names
        (ctx.organization.pk, name),
    ).fetchone()


def count(
    db: sqlite3.Connection,
    source: str,
    condition: str,
    values: Mapping[str, object] | Sequence[object],
) -> int:
    """How many rows of a table, or of joined tables, meet a condition."""
    return db.execute(f"SELECT count(*) FROM {source} WHERE {condition}", values).fetchone()[0]  # noqa: S608 - our own names


def count_members(db: sqlite3.Connection, audience: int) -> int:
    """How many members an audience has."""
    return db.execute(
        "SELECT count(*) FROM member WHERE audience_pk = ? AND deleted_at IS NULL", (audience,)
    ).fetchone()[0]


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Add one row, given by column."""
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - our own names


def insert_members(
    db: sqlite3.Connection,
    audience: int,
    people: Iterable[Mapping[str, object]],
    phone_column: str,
    at: int,
) -> int:
    """Add members in their order, skipping numbers that are there; returns how many were added."""
    first = next_pk(db, "member")
    rows = (
        (
            pk,
            audience,
            object_id("member", pk, at),
            str(person[phone_column]).removeprefix("+"),
            json.dumps(person, ensure_ascii=False),
        )
        for pk, person in enumerate(people, start=first)
    )
    return db.executemany(
        "INSERT INTO member (pk, audience_pk, id, digits, data) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        rows,
    ).rowcount


def next_pk(db: sqlite3.Connection, table: str) -> int:
    """The primary key that a new row will get."""
    return db.execute(f"SELECT coalesce(max(pk), 0) + 1 FROM {table}").fetchone()[0]  # noqa: S608 - our own names
