"""Work that is done some seconds after its connection broke: the fault "late_work".

A request waits as a row until the wall clock reaches its time; the next request of anybody then has
it done, at that time. No background task is needed, and a crash loses nothing.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict

from atoms_campaigns_mcp.sandbox.api.errors import ApiError
from atoms_campaigns_mcp.sandbox.api.organizations import acting, authorize, by_pk
from atoms_campaigns_mcp.sandbox.api.requests.messages import Context, Operation, Request
from atoms_campaigns_mcp.sandbox.engine.world import World


def postpone(
    world: World,
    operation: Operation,
    request: Request,
    headers: Mapping[str, str],
    *,
    delay: int,
) -> None:
    """Have a request worked off `delay` milliseconds of the wall clock from now."""
    try:
        key = authorize(world, headers)
    except ApiError:
        return  # it would have been refused, now as later
    with acting(world, key, writes=True) as (organization, moment):
        stored = asdict(request) | {"body": "", "route": operation.route, "org": organization.pk}
        moment.db.execute(
            "INSERT INTO late_work (due_at, request, body) VALUES (?, ?, ?)",
            (world.wall() + delay, json.dumps(stored), request.body),
        )


def work_off(world: World, operations: Iterable[Operation]) -> None:
    """Do everything that is due, in order of its time."""
    by_route = {operation.route: operation for operation in operations}
    while row := _due(world):
        stored = json.loads(row["request"])
        operation, organization = by_route[stored.pop("route")], stored.pop("org")
        request = Request(**(stored | {"body": row["body"]}))
        try:
            with world.writing(wall=row["due_at"]) as moment:
                if _take(moment.db, row["pk"]):
                    owner = by_pk(moment.db, organization)
                    operation.handler(Context(request, owner, moment))
        except ApiError:
            with world.writing() as moment:
                _take(moment.db, row["pk"])


def _due(world: World) -> sqlite3.Row | None:
    with world.reading() as moment:
        return moment.db.execute(
            "SELECT * FROM late_work WHERE due_at <= ? ORDER BY due_at, pk LIMIT 1",
            (world.wall(),),
        ).fetchone()


def _take(db: sqlite3.Connection, pk: int) -> bool:
    """Whether the row was still there: another process may have been first."""
    return db.execute("DELETE FROM late_work WHERE pk = ?", (pk,)).rowcount == 1
