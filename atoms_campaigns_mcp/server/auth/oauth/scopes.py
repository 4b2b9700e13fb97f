"""The scopes of an access token: each stands for one effect, and none implies another."""

from collections.abc import Mapping
from typing import Any, cast

from atoms_campaigns_mcp.effects import SCOPES, Effect
from atoms_campaigns_mcp.tool_calls.catalog import Catalog

READING = frozenset({"completion/complete", "resources/read", "subscriptions/listen"})
"""Methods besides tools that show what is in the account."""


def effects_of(claims: Mapping[str, Any]) -> frozenset[Effect]:
    """Return what a token's `scope` (RFC 9068) or `scp` (Okta, Entra) allows; else nothing."""
    words = {word for name in ("scope", "scp") for word in _words(claims.get(name))}
    return frozenset(SCOPES[word] for word in words & SCOPES.keys())


def needed(method: str, params: Any, allowed: frozenset[Effect]) -> frozenset[Effect]:
    """Return the effects that a request takes from somebody who is `allowed` some."""
    if method in READING:
        return frozenset({Effect.READS})
    if method != "tools/call" or not isinstance(params, dict):
        return frozenset()
    given = cast("dict[str, Any]", params)
    name, arguments = given.get("name"), given.get("arguments")
    entry = Catalog.read().entries.get(name) if isinstance(name, str) else None
    if entry is None:
        return frozenset()
    known = cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else {}
    return entry.needed(known, allowed)


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    if isinstance(value, list):
        return [word for word in cast("list[Any]", value) if isinstance(word, str)]
    return []
