"""Judges answers by the types that smallestai 5.14 declares for them.

Its models take anything and check nothing, so a wrong type would stay unseen until it is used.
"""

from collections.abc import Iterator
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel

# What the sandbox sends beyond 5.14's declarations, from recordings, samples and other documents.
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
    "ListCallsResponse.data.logs[].campaignId",
    "ListCallsResponse.data.logs[].updatedAt",
    "GetCallsResponse.data.campaignId",
    "GetCallsResponse.data.createdAt",
    "GetCallsResponse.data.disconnectionReason",
    "GetCallsResponse.data.retryAttemptNumber",
    "GetCallsResponse.data.updatedAt",
}


def as_declared(answer: Any) -> Any:
    """Give an answer back if all of it is of the declared types and has a declared name."""
    assert isinstance(answer, BaseModel), f"{answer!r} is no model"
    wrong = sorted(set(_wrong_fields(answer, type(answer).__name__)))
    assert not wrong, "\n".join(wrong)
    return answer


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
    elif isinstance(value, BaseModel) and isinstance(value, declared):
        yield from _wrong_fields(value, path)
    elif not _is(value, origin or declared):
        yield f"{path}: {value!r} is no {declared}"


def _wrong_choice(value: Any, kinds: tuple[Any, ...], path: str) -> Iterator[str]:
    """5.14 writes an open set of words as a union with Any; here the set is closed."""
    words = [kind for kind in kinds if get_origin(kind) is Literal]
    choices = words or [kind for kind in kinds if kind is not type(None)]
    problems = [list(_wrong(value, kind, path)) for kind in choices]
    yield from min(problems, key=len)


def _wrong_fields(model: BaseModel, path: str) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        yield from _wrong(getattr(model, name), field.annotation, f"{path}.{name}")
    for name in model.model_extra or {}:
        if f"{path}.{name}" not in UNDECLARED:
            yield f"{path}.{name}: not declared"


def _is(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)
