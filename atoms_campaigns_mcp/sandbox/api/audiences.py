"""Operations on audiences: create from a CSV, list, get, delete."""

import io
import sqlite3
from dataclasses import dataclass, field

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File

from atoms_campaigns_mcp.sandbox.api import queries
from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError
from atoms_campaigns_mcp.sandbox.api.requests import csv_upload
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Document,
    Operation,
    Reply,
    Request,
    ok,
)
from atoms_campaigns_mcp.sandbox.api.requests.validation import Fields
from atoms_campaigns_mcp.sandbox.engine.ids import object_id
from atoms_campaigns_mcp.sandbox.engine.times import iso

NO_FILE = "CSV file is required"


@dataclass(slots=True)
class _Form:
    """A multipart form: its text fields, and the file if one was sent."""

    fields: dict[str, str] = field(default_factory=dict[str, str])
    file: bytes | None = None


def create(ctx: Context) -> Reply:
    """Make an audience of a CSV upload; answers 200, not 201."""
    form = _read_form(ctx.request)
    fields = Fields(form.fields)
    name = fields.text("name", required=True, shortest=1)
    description = fields.text("description")
    phone_column = fields.text("phoneNumberColumnName", required=True, shortest=1)
    identifier_column = fields.text("identifierColumnName")
    people: list[dict[str, str]] = []
    if form.file is None:
        fields.problem(NO_FILE)
    else:
        try:
            people = csv_upload.parse(form.file, phone_column, identifier_column)
        except BadRequestError as error:
            for problem in error.errors:
                fields.problem(problem)
    fields.check()
    pk = queries.next_pk(ctx.db, "audience")
    values = {
        "pk": pk,
        "org_pk": ctx.organization.pk,
        "id": object_id("audience", pk, ctx.now),
        "name": name,
        "description": description,
        "phone_column": phone_column,
        "identifier_column": identifier_column or None,
        "created_at": ctx.now,
        "updated_at": ctx.now,
    }
    queries.insert(ctx.db, "audience", values)
    queries.insert_members(ctx.db, pk, people, phone_column, ctx.now)
    document = _document(ctx, ctx.db.execute(SELECT + " WHERE pk = ?", (pk,)).fetchone())
    if identifier_column:
        document["identifierColumnName"] = identifier_column
    return ok(document)


def index(ctx: Context) -> Reply:
    """Every audience of the organization, newest first, not paged."""
    rows = ctx.db.execute(
        SELECT + " WHERE org_pk = ? AND deleted_at IS NULL ORDER BY pk DESC",
        (ctx.organization.pk,),
    ).fetchall()
    return ok([_listed(ctx, row) for row in rows])


def show(ctx: Context) -> Reply:
    """One audience, without its member count."""
    return ok(_document(ctx, queries.audience(ctx)))


def delete(ctx: Context) -> Reply:
    """Delete an audience that no campaign refers to, in any state (S27)."""
    audience = queries.audience(ctx)
    if _campaigns(ctx, audience["pk"]):
        raise BadRequestError(
            f"can't delete audience, campaign with this audience {audience['id']} exists"
        )
    ctx.db.execute("UPDATE audience SET deleted_at = ? WHERE pk = ?", (ctx.now, audience["pk"]))
    return ok([])


def _read_form(request: Request) -> _Form:
    form = _Form()

    def on_field(item: Field) -> None:
        if item.field_name is not None:
            form.fields[item.field_name.decode(errors="replace")] = (item.value or b"").decode(
                errors="replace"
            )

    def on_file(item: File) -> None:
        if item.field_name == b"file":
            item.file_object.seek(0)
            form.file = item.file_object.read()
        item.close()

    if not request.content_type.lower().startswith("multipart/form-data"):
        return form
    headers = {"Content-Type": request.content_type.encode("latin-1", "replace")}
    try:
        parse_form(headers, io.BytesIO(request.body), on_field, on_file)
    except FormParserError:
        raise BadRequestError("Malformed multipart form data") from None
    return form


def _campaigns(ctx: Context, pk: int) -> list[sqlite3.Row]:
    return ctx.db.execute(
        "SELECT id, name, status, created_at FROM campaign"
        " WHERE audience_pk = ? AND deleted_at IS NULL ORDER BY pk DESC",
        (pk,),
    ).fetchall()


def _document(ctx: Context, row: sqlite3.Row) -> Document:
    return {
        "_id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "phoneNumberColumnName": row["phone_column"],
        "organization": ctx.organization.id,
        "createdBy": ctx.organization.user_id,
        "createdAt": iso(row["created_at"]),
        "updatedAt": iso(row["updated_at"]),
    }


def _listed(ctx: Context, row: sqlite3.Row) -> Document:
    campaigns = [
        {
            "_id": campaign["id"],
            "name": campaign["name"],
            "status": campaign["status"],
            "createdAt": iso(campaign["created_at"]),
        }
        for campaign in _campaigns(ctx, row["pk"])
    ]
    return _document(ctx, row) | {
        "memberCount": queries.count_members(ctx.db, row["pk"]),
        "hasCampaigns": bool(campaigns),
        "campaigns": campaigns,
    }


SELECT = "SELECT * FROM audience"

OPERATIONS = (
    Operation("GET /audience", index),
    Operation("POST /audience", create, writes=True),
    Operation("GET /audience/{id}", show),
    Operation("DELETE /audience/{id}", delete, writes=True),
)
