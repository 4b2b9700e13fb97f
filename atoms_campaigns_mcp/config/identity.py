"""Names of tenants and accounts, derived from keys and subjects."""

import hashlib
import json

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


NAME = "atoms-campaigns-mcp"
