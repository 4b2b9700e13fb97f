"""Checking arguments, and saying what is wrong so that the next call is right.

The text names the argument, its bounds and an example, and never the value that was refused.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from atoms_campaigns_mcp.errors import InvalidArguments
from atoms_campaigns_mcp.schemas.arguments import Args
from atoms_campaigns_mcp.schemas.fields import (
    CALL_PATTERN,
    CSV_MAX,
    ID_OR_ALL_PATTERN,
    ID_PATTERN,
    UPLOAD_PATTERN,
)

A = TypeVar("A", bound=Args)
NAMED = 5  # unknown arguments that an error names: a message has room for 400,000
_PATTERNS = {
    ID_PATTERN: "24 hexadecimal digits, as the list tools give them",
    ID_OR_ALL_PATTERN: "24 hexadecimal digits, as the list tools give them, or the word all",
    UPLOAD_PATTERN: "the upload_id that PUT /contacts has given",
    CALL_PATTERN: "the id of a call, as list_calls gives it",
}
_KINDS = {"integer": "a whole number", "string": "text", "array": "a list", "boolean": ""}
_OPTIONS = {"boolean": ["true", "false"]}


def check(model: type[A], arguments: Mapping[str, Any], offered: Collection[str]) -> A:
    """Validate `arguments`, of which the modes allow those `offered`, against `model`.

    Raises:
        InvalidArguments: With a sentence for each argument that is wrong.
    """
    unknown = [name for name in arguments if name not in offered]
    problems = list(_not_there(unknown))
    given = {name: arguments[name] for name in offered if arguments.get(name) is not None}
    try:
        args = model.model_validate(given)
    except ValidationError as error:
        rules = model.model_json_schema()["properties"]
        problems += [f"{name}: {_rule(rules[name], name in given)}" for name in _wrong(error)]
    else:
        if not problems:
            return args
    hint = f" Arguments of this tool: {', '.join(offered) or 'none'}." if unknown else ""
    raise InvalidArguments(
        f"Invalid arguments, nothing was sent. {'; '.join(problems)}.{hint}",
        next_step="Correct them and call again.",
    )


def _not_there(unknown: Sequence[str]) -> Iterable[str]:
    yield from (f"{_shown(name)}: no such argument" for name in unknown[:NAMED])
    if len(unknown) > NAMED:
        yield f"{len(unknown) - NAMED} more: no such arguments"


def _wrong(error: ValidationError) -> Iterable[str]:
    return dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_input=False))


def _rule(rule: Mapping[str, Any], given: bool) -> str:  # noqa: FBT001 - two wordings of one rule
    """Say what an argument must be, from its schema."""
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
    return "an ISO-8601 time with a time zone"


def _long(schema: Mapping[str, Any], kind: str) -> str:
    least, most = schema.get("minLength", 0), schema["maxLength"]
    if most == CSV_MAX:
        return f"CSV {kind} of {least} to {most} characters; split a longer list"
    return f"{kind} of {least} to {most} characters without control characters"


def _listed(schema: Mapping[str, Any]) -> str:
    what = "ids or E.164 numbers, as list_phone_numbers gives them"
    if "enum" in schema["items"]:
        what = f"of {', '.join(schema['items']['enum'])}"
    return f"a list of {schema['minItems']} to {schema['maxItems']} {what}"


def _shown(name: str) -> str:
    """Show an unknown argument's name only if it looks like a name, not like smuggled data."""
    return name if name.isidentifier() and len(name) <= 40 else "an argument"  # noqa: PLR2004
