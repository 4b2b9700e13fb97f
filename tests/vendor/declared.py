"""Judges answers by the types that smallestai 5.14 declares for them.

The SDK itself takes anything: it converts what it can and keeps the rest, so a wrong type or name
would stay unseen.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel

# What the sandbox sends beyond 5.14's declarations: recorded, in samples or in other documents,
# except for the last six, which are the sandbox's own.
UNDECLARED = {
    "ListPhoneNumbersResponse.data[].__v",
    "ListAgentsAgentsResponse.data.hasMore",
    "ListAgentsAgentsResponse.data.isSearchResults",
    "ListAgentsAgentsResponse.data.totalCount",
    "ListAgentsAgentsResponse.data.totalPages",
    "GetCampaignsResponse.data.campaign.currentExecution",
    "GetCampaignsResponse.data.campaign.executions",
    "GetCampaignsResponse.data.events[].campaignId",
    "ListCampaignsResponse.data.campaigns[].currentExecution",
    "ListCampaignsResponse.data.campaigns[].executions",
    "GetCallsResponse.data.disconnectionReason",
    "ListCallsResponse.data.logs[].campaignId",
    "ListCallsResponse.data.logs[].updatedAt",
    "GetCallsResponse.data.campaignId",
    "GetCallsResponse.data.createdAt",
    "GetCallsResponse.data.retryAttemptNumber",
    "GetCallsResponse.data.updatedAt",
}


def ask(method: Callable[..., Any], **options: Any) -> Any:
    """Return what a method of the generated client returns; all of it must be as declared."""
    owner: Any = getattr(method, "__self__", None)
    answer = getattr(owner.with_raw_response, method.__name__)(**options)
    kind = cast("type[BaseModel]", type(answer.data))
    wrong = set(_wrong(answer._response.json(), kind, kind.__name__))  # noqa: SLF001
    assert not wrong, "\n".join(sorted(wrong))
    return answer.data


def _wrong(value: Any, declared: Any, path: str) -> Iterator[str]:
    if value is None or declared is Any:
        return
    origin, inner = get_origin(declared), get_args(declared)
    if origin is Union:
        yield from _wrong_choice(value, inner, path)
    elif origin is Literal:
        if value not in inner:
            yield f"{path}: {value!r} is none of {inner}"
    elif origin is list and isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _wrong(item, inner[0], f"{path}[]")
    elif isinstance(declared, type) and issubclass(declared, BaseModel) and isinstance(value, dict):
        yield from _wrong_fields(cast("dict[str, Any]", value), declared, path)
    elif not _is(value, origin or declared):
        yield f"{path}: {value!r} is no {declared}"


def _wrong_choice(value: Any, kinds: tuple[Any, ...], path: str) -> Iterator[str]:
    """5.14 writes an open set of words as a union with Any; here the set is closed."""
    words = [kind for kind in kinds if get_origin(kind) is Literal]
    choices = words or [kind for kind in kinds if kind is not type(None)]
    problems = [list(_wrong(value, kind, path)) for kind in choices]
    yield from min(problems, key=len)


def _wrong_fields(value: dict[str, Any], model: type[BaseModel], path: str) -> Iterator[str]:
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for name, inner in value.items():
        if name in fields:
            yield from _wrong(inner, fields[name].annotation, f"{path}.{name}")
        elif f"{path}.{name}" not in UNDECLARED:
            yield f"{path}.{name}: not declared"


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is datetime:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, (int, float) if kind is float else kind)
