"""Confirmation tokens: a plan id that only this server can have issued, for one tenant.

A token proves that an earlier call was shown the plan. It does not prove that a person agreed.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable

LIFETIME = 300  # seconds that a plan may be agreed to
LONGEST = LIFETIME + 60  # seconds, with room for replicas whose clocks differ
_PURPOSE = b"atoms-campaigns-mcp/confirm-token/v1"


def issue(plan_id: str, *, tenant: str, secret: bytes) -> str:
    """Sign `plan_id` for `tenant`."""
    return f"{plan_id}.{_signature(plan_id, tenant, secret)}"


def plan_id_of(token: str, *, tenant: str, secrets: Iterable[bytes]) -> str | None:
    """Return the plan id in `token`, or nothing if none of `secrets` signed it for `tenant`."""
    plan_id, _, signature = token.partition(".")
    genuine = (_signature(plan_id, tenant, secret) for secret in secrets)
    same = (hmac.compare_digest(signature.encode(), one.encode()) for one in genuine)
    return plan_id if any(same) else None


def _signature(plan_id: str, tenant: str, secret: bytes) -> str:
    message = b"\0".join([_PURPOSE, tenant.encode(), plan_id.encode()])
    digest = hmac.digest(secret, message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()
