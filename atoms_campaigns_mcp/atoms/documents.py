"""The API's documents: envelopes, pages, and their shapes."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError

from atoms_campaigns_mcp.errors import UnexpectedResponse
from atoms_campaigns_mcp.schemas.base import Noun

T = TypeVar("T")


class Listed(BaseModel):
    """What every paged list of the API tells beside its rows."""

    total: int | None = None
    has_more: bool = False


class _Paging(Noun):
    """The same as the API words it."""

    total: int | None = Field(default=None, validation_alias=AliasChoices("totalCount", "total"))
    more: bool | None = Field(default=None, validation_alias="hasMore")
    pages: int = Field(default=0, validation_alias="totalPages")


def accepted(_: Any) -> bool:
    """Take any answer to a change as a success; its body says nothing."""
    return True


def reader(kind: type[T]) -> Callable[[Any], T]:
    """Return what reads an answer to a change as a `kind`."""
    return lambda answer: parse(kind, unwrap(answer))


def unwrap(body: Any) -> Any:
    """Take the envelope off: most routes wrap their answer in `data`."""
    if isinstance(body, dict) and "data" in body:
        return cast("dict[str, Any]", body)["data"]
    return cast("Any", body)


def rows_of(data: Any, key: str) -> Any:
    """Return the rows of a page: under `key`, or all that there is."""
    return cast("dict[str, Any]", data).get(key, []) if isinstance(data, dict) else data


def paging(data: Any, page: int) -> Listed:
    """Read paging, which is beside the rows or under `pagination`.

    Raises:
        UnexpectedResponse: It has another shape.
    """
    if not isinstance(data, dict):
        return Listed()
    fields = cast("dict[str, Any]", data)
    told = parse(_Paging, fields | parse(dict[str, Any], fields.get("pagination") or {}))
    more = page < told.pages if told.more is None else told.more
    return Listed(total=told.total, has_more=more)


@cache
def _adapter(kind: type[T]) -> TypeAdapter[T]:
    return TypeAdapter(kind)


def parse(kind: type[T], data: Any) -> T:
    """Return `data` as a `kind`.

    Raises:
        UnexpectedResponse: It has another shape; names at most five fields.
    """
    try:
        return _adapter(kind).validate_python(data)
    except ValidationError as error:
        fields = sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})
        raise UnexpectedResponse(
            f"The Atoms API answered in a shape that this server does not know ({fields[:5]}).",
            next_step="Report it to the operator; a newer version of this server may know it.",
        ) from None
