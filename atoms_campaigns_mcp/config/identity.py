"""Who calls, and names of tenants and accounts, derived from keys and subjects."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from atoms_campaigns_mcp.effects import EVERYTHING, Effect

LOCAL = "local"  # the tenant of a server that has one account

SANDBOX = "sandbox"  # the account of a server without a key


def tenant_of(key: str) -> str:
    """Name the account of an API key without telling the key."""
    return hashlib.sha256(f"atoms-campaigns-mcp/tenant/v1 {key}".encode()).hexdigest()[:24]


def account_of(key: str) -> str:
    """Name the account that a server uses with `key`, the same in every server; without, its own.

    A tenant is who asks, an account whose campaigns they are.
    """
    return tenant_of(key) if key else SANDBOX


def tenant_of_subject(issuer: str, subject: str) -> str:
    """Name whom an issuer knows as `subject` without telling who that is."""
    who = json.dumps([issuer, subject])
    return hashlib.sha256(f"atoms-campaigns-mcp/subject/v1 {who}".encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Principal:
    """A tenant with its API key, and what this request may do.

    `allowed` is what the operator's modes and the token's scopes leave, or less: a request can give
    up rights and never gain any. `obtainable` is what a token with more scopes would allow.
    """

    tenant: str
    key: str = field(default="", repr=False)
    allowed: frozenset[Effect] = EVERYTHING
    obtainable: frozenset[Effect] = frozenset()

    @property
    def account(self) -> str:
        """The account of the API key, which several tenants may share."""
        return account_of(self.key)

    def lacking(self, effects: Collection[Effect]) -> frozenset[Effect]:
        """Return which rights this request lacks for something that has these effects."""
        return frozenset(effects) - self.allowed

    def can_obtain(self, missing: frozenset[Effect]) -> bool:
        """Return whether a token with more scopes would have what is missing."""
        return bool(missing) and missing <= self.obtainable

    def within(self, effects: frozenset[Effect]) -> "Principal":
        """Take away every right that is not among `effects`."""
        return replace(self, allowed=self.allowed & effects, obtainable=self.obtainable & effects)
