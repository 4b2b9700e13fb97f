"""Confirmation tokens: a plan id that only this server can have issued, for one tenant.

A token proves that an earlier call was shown the plan. It does not prove that a person agreed.
"""

import base64
import hashlib
import hmac

LIFETIME = 300  # seconds that a plan may be agreed to
_PURPOSE = b"atoms-campaigns-mcp/confirm-token/v1"


def issue(plan_id: str, *, tenant: str, secret: bytes) -> str:
    """Sign `plan_id` for `tenant`."""
    return f"{plan_id}.{_signature(plan_id, tenant, secret)}"


def plan_id_of(token: str, *, tenant: str, secret: bytes) -> str | None:
    """Give the plan id in `token`, or nothing if it was not issued here for `tenant`."""
    plan_id, _, signature = token.partition(".")
    genuine = _signature(plan_id, tenant, secret)
    return plan_id if hmac.compare_digest(signature.encode(), genuine.encode()) else None


def _signature(plan_id: str, tenant: str, secret: bytes) -> str:
    message = b"\0".join([_PURPOSE, tenant.encode(), plan_id.encode()])
    digest = hmac.digest(secret, message, hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()
