"""Operations on the members of an audience: list, search, add, remove."""

import json
import sqlite3
from collections.abc import Iterable

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError
from atoms_campaigns_mcp.sandbox.api.requests.csv_upload import MOST_MEMBERS, PHONE
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Document,
    Operation,
    Reply,
    as_array,
    as_object,
    json_type,
    ok,
)
from atoms_campaigns_mcp.sandbox.api.requests.paging import Page
from atoms_campaigns_mcp.sandbox.api.requests.validation import Fields, QueryFields

MOST_FOUND = 10
SELECT = "SELECT id, data FROM member WHERE audience_pk = ? AND deleted_at IS NULL"
NOT_WHILE_CALLING = "Audience cannot be changed while a campaign on it is {status}"
NO_SEARCH = (
    "At least one search parameter is required. Use 'query' for general search across all fields,"
    " or use field-specific searches like 'firstName=john' or 'phoneNumber=123456'."
)
TWO_SEARCHES = "Use either 'query' or field-specific searches, not both."


def index(ctx: Context) -> Reply:
    """One page of members; the page size is called `offset`, `limit` is ignored."""
    fields = QueryFields(ctx.request.query)
    page = Page.read(fields, size=5)
    fields.check()
    audience = queries.audience(ctx)
    total = queries.count_members(ctx.db, audience["pk"])
    rows = ctx.db.execute(SELECT + " ORDER BY pk LIMIT ? OFFSET ?", (audience["pk"], *page.limits))
    return ok(
        {
            "members": _documents(rows),
            "totalCount": total,
            "totalPages": page.pages(total),
            "hasMore": page.has_more(total),
        }
    )


def search(ctx: Context) -> Reply:
    """Up to ten members whose columns contain what is searched for."""
    filters = {name: text.strip() for name, text in ctx.request.query.items() if text.strip()}
    general = filters.pop("query", "")
    if general and filters:
        raise BadRequestError(TWO_SEARCHES)
    if not general and not filters:
        raise BadRequestError(NO_SEARCH)
    audience = queries.audience(ctx)
    conditions, values = _conditions(general, filters)
    rows = ctx.db.execute(
        f"{SELECT} AND {conditions} ORDER BY pk LIMIT {MOST_FOUND}", (audience["pk"], *values)
    )
    members = _documents(rows)
    info = {
        "searchType": "general" if general else "multiple",
        "searchTerm": general or ", ".join(filters.values()),
        "searchFields": list(filters),
        "totalResults": len(members),
    }
    return ok({"members": members, "searchInfo": info})


def add(ctx: Context) -> Reply:
    """Add members; numbers that are there already are skipped and counted."""
    body = ctx.request.json()
    audience = queries.audience(ctx)
    _refuse_while_calling(ctx, audience["pk"])
    column = audience["phone_column"]
    people = _people(body, column)
    present = queries.count_members(ctx.db, audience["pk"])
    if present + len(people) > MOST_MEMBERS:
        raise BadRequestError(
            f"Cannot add {len(people)} members. You currently have {present} members in this"
            f" audience. The maximum limit is {MOST_MEMBERS} members. You can add up to"
            f" {MOST_MEMBERS - present} more members."
        )
    added = queries.insert_members(ctx.db, audience["pk"], people, column, ctx.now)
    _touch(ctx, audience["pk"])
    counts = {"added": added, "skipped": len(people) - added}
    return ok([{"message": f"{added} members added successfully", "data": counts}])


def remove(ctx: Context) -> Reply:
    """Remove members by id; unknown ids do not count."""
    fields = Fields(ctx.request.json())
    names = fields.texts("memberIds", required=True)
    fields.check()
    audience = queries.audience(ctx)
    _refuse_while_calling(ctx, audience["pk"])
    removed = ctx.db.execute(
        "UPDATE member SET deleted_at = ? WHERE audience_pk = ? AND deleted_at IS NULL"
        " AND id IN (SELECT value FROM json_each(?))",
        (ctx.now, audience["pk"], json.dumps(names)),
    ).rowcount
    _touch(ctx, audience["pk"])
    return ok({"deletedCount": removed})


def _people(body: Document, column: str) -> list[Document]:
    """The members of a request, every problem in one list."""
    if "members" not in body:
        raise BadRequestError("members: Required")
    people = as_array(body["members"])
    if people is None:
        raise BadRequestError(f"members: Expected array, received {json_type(body['members'])}")
    found: list[Document] = []
    problems: dict[str, None] = {}  # ordered, and each text once
    for index, item in enumerate(people):
        person = as_object(item)
        if person is None:
            problems[f"members.{index}: Expected object, received {json_type(item)}"] = None
        elif not (phone := person.get(column)):
            problems[f"Each member must have a {column} field"] = None
        elif not isinstance(phone, str) or not PHONE.fullmatch(phone):
            problems[f"members.{index}.{column}: Invalid phone number"] = None
        else:
            found.append(person)
    if problems:
        raise BadRequestError(*problems)
    return found


def _conditions(general: str, filters: dict[str, str]) -> tuple[str, list[str]]:
    """SQL and its values: any column contains `general`, or each named one its text."""
    if general:
        column = "SELECT 1 FROM json_each(data) WHERE contains(CAST(value AS TEXT), ?)"
        return f"EXISTS ({column})", [general]
    one = "SELECT 1 FROM json_each(data) WHERE key = ? AND contains(CAST(value AS TEXT), ?)"
    values = [text for pair in filters.items() for text in pair]
    return " AND ".join(f"EXISTS ({one})" for _ in filters), values


def _refuse_while_calling(ctx: Context, pk: int) -> None:
    """Members stay as they are while a campaign calls them (S17)."""
    row = ctx.db.execute(
        "SELECT status FROM campaign WHERE audience_pk = ? AND deleted_at IS NULL"
        " AND status IN ('processing', 'running')",
        (pk,),
    ).fetchone()
    if row:
        raise BadRequestError(NOT_WHILE_CALLING.format(status=row["status"]))


def _touch(ctx: Context, pk: int) -> None:
    ctx.db.execute("UPDATE audience SET updated_at = ? WHERE pk = ?", (ctx.now, pk))


def _documents(rows: Iterable[sqlite3.Row]) -> list[Document]:
    return [{"_id": row["id"], "data": json.loads(row["data"])} for row in rows]


OPERATIONS = (
    Operation("GET /audience/{id}/members", index),
    Operation("POST /audience/{id}/members", add, writes=True),
    Operation("DELETE /audience/{id}/members", remove, writes=True),
    Operation("GET /audience/{id}/members/search", search),
)
