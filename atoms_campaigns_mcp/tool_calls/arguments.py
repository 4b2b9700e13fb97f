"""Checking arguments, and saying what is wrong so that the next call is right.

The text names the argument, its bounds and an example, and never the value that was refused.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from atoms_campaigns_mcp.effects import Effect, absent
from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.fields import (
    CALL_PATTERN,
    CSV_MAX,
    REGION_PATTERN,
    UPLOAD_PATTERN,
)
from atoms_campaigns_mcp.toolkit.tool import Tool

A = TypeVar("A", bound=Args)
LONGEST = 40  # characters of an argument's name; what is longer may be smuggled data
LIKE_ENOUGH = 0.8  # of 1: campaigns for campaign_id, and hang_on not for hang_up
NAMED = 5  # unknown arguments that an error names: a message has room for 400,000
_PATTERNS = {
    UPLOAD_PATTERN: "the upload_id that PUT /contacts has given",
    REGION_PATTERN: "a country code of two letters, or + and nothing or a calling code",
    CALL_PATTERN: "the id of a call, as list_calls gives it",
}
_FORMATS = {"date": "a day, as YYYY-MM-DD", "time": "a time of day from 00:00 to 24:00"}
_KINDS = {"integer": "a whole number", "string": "text", "array": "a list", "boolean": ""}
_OPTIONS = {"boolean": ["true", "false"]}


@dataclass(frozen=True, slots=True)
class Addition:
    """What a host is known to add to the arguments of every call; it means nothing to a tool.

    `only` is the value that it has, where another one could mean something.
    """

    host: str
    only: Any = None


ADDITIONS = {
    "wait_for_previous": Addition("Gemini CLI 0.61.0"),
    "task_progress": Addition("Cline (cline/cline#9684)"),
    "toolCallId": Addition("n8n (n8n-io/n8n#21500, #21716)"),
    "sessionId": Addition("n8n (mpeirone/zabbix-mcp-server#27)"),
    "chatInput": Addition("n8n (mpeirone/zabbix-mcp-server#27)"),
    "action": Addition("n8n (mpeirone/zabbix-mcp-server#27)", only="sendMessage"),
    "_sessionID": Addition("SiYuan 3.7.0 (siyuan-note/siyuan#17927)"),
}
"""By the name of the argument, each with a report of a host that really sends it."""


def check(
    tool: Tool[A, Any], arguments: Mapping[str, Any], offered: Collection[str]
) -> tuple[A, str]:
    """Validate `arguments`, of which the modes allow those `offered`.

    Gives them with a sentence about what was ignored: a tool that only reads can do without what it
    does not know, and the emergency stop must not fail over it.

    Raises:
        InvalidArguments: With a sentence for each argument that is wrong.
    """
    fields = tool.arguments.model_fields
    given = {
        name: value
        for name, value in arguments.items()
        if (name in fields or not _is_addition(name, value))
        and not _left_out(fields.get(name), value)
    }
    if tool.emergency:
        given = _meant(given, offered)
    unknown = [name for name in given if name not in offered]
    known = {name: given[name] for name in offered if name in given}
    forgiving = tool.emergency or tool.effect is Effect.READS
    strange = list(_not_there(unknown, offered))
    args, wrong = _validated(tool.arguments, known)
    if tool.emergency and args is None:
        strange += wrong.values()
        known = {name: value for name, value in known.items() if name not in wrong}
        args, wrong = _validated(tool.arguments, known)
    if args is not None and (forgiving or not strange):
        return args, f"Ignored: {'; '.join(strange)}." if strange else ""
    problems = [*strange, *wrong.values()]
    hint = f" Arguments of this tool: {', '.join(offered) or 'none'}." if unknown else ""
    raise InvalidArguments(
        f"Invalid arguments, nothing was sent. {'; '.join(problems)}.{hint}",
        next_step="Correct what was mistyped. Where it is what the user wants, ask them which "
        "allowed value to take instead.",
    )


def _meant(given: Mapping[str, Any], offered: Collection[str]) -> dict[str, Any]:
    """Take campaignId, campaign and HANG_UP for what they mean, where that is not given besides."""
    meant = dict(given)
    for name in [name for name in given if name not in offered][:NAMED]:
        near = get_close_matches(name[:LONGEST].lower(), offered, n=1, cutoff=LIKE_ENOUGH)
        if near and near[0] not in meant:
            meant[near[0]] = meant.pop(name)
    return meant


def _is_addition(name: str, value: Any) -> bool:
    known = ADDITIONS.get(name)
    return known is not None and (known.only is None or known.only == value)


def _left_out(field: FieldInfo | None, value: Any) -> bool:
    if field is None:
        return False
    return value is None if field.is_required() else absent(value)


def _not_there(unknown: Sequence[str], offered: Collection[str]) -> Iterable[str]:
    for name in unknown[:NAMED]:
        near = get_close_matches(name, offered, n=1) if _is_name(name) else []
        meant = f" (did you mean {near[0]}?)" if near else ""
        yield f"{name if _is_name(name) else 'an argument'}: no such argument{meant}"
    if len(unknown) > NAMED:
        yield f"{len(unknown) - NAMED} more: no such arguments"


def _validated(model: type[A], given: Mapping[str, Any]) -> tuple[A | None, dict[str, str]]:
    """Return the arguments; or nothing, and for each that is wrong its rule."""
    try:
        return model.model_validate(given), {}
    except ValidationError as error:
        rules = model.model_json_schema()["properties"]
        names = [str(problem["loc"][0]) for problem in error.errors(include_input=False)]
        return None, {name: f"{name}: {_rule(rules[name], name in given)}" for name in names}


def _rule(rule: Mapping[str, Any], given: bool) -> str:  # noqa: FBT001 - two wordings of one rule
    """Report what an argument must be, from its schema."""
    # An optional argument's rule stands beside "or null".
    for arm in rule.get("anyOf", ()):
        if arm != {"type": "null"}:
            rule = {**rule, **arm}
    bounds = _bounded(rule, _KINDS[rule["type"]])
    missing = "" if given else "is required and "
    example = str(rule["examples"][0]).replace("'", '"') if "examples" in rule else ""
    return f"{missing}must be {bounds}" + (f", for example {example}" if example else "")


def _bounded(schema: Mapping[str, Any], kind: str) -> str:
    if options := _OPTIONS.get(schema["type"]) or schema.get("enum"):
        return f"one of {', '.join(options)}"
    if "pattern" in schema:
        return _PATTERNS[schema["pattern"]]
    if schema["type"] == "array":
        return _listed(schema)
    if "minimum" in schema:
        return f"{kind} from {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return _long(schema, kind)
    return _FORMATS.get(schema.get("format", ""), "an ISO-8601 time with a time zone")


def _long(schema: Mapping[str, Any], kind: str) -> str:
    least, most = schema.get("minLength", 0), schema["maxLength"]
    if most == CSV_MAX:
        return f"CSV {kind} of {least} to {most} characters; split a longer list"
    return f"{kind} of {least} to {most} characters without control characters"


def _listed(schema: Mapping[str, Any]) -> str:
    what = "entries"
    if schema.get("minItems") and schema["items"] == {"type": "string"}:
        what = "ids or E.164 numbers, as list_phone_numbers gives them"
    if "maxLength" in schema["items"]:
        what = "names of columns"
    if "enum" in schema["items"]:
        what = f"of {', '.join(schema['items']['enum'])}"
    return f"a list of {schema.get('minItems', 0)} to {schema['maxItems']} {what}"


def _is_name(text: str) -> bool:
    """Return whether an unknown argument's name looks like one, not like smuggled data."""
    return text.isidentifier() and len(text) <= LONGEST
