"""Telling the operator: signed messages to an address that only the operator can set.

They are those of Standard Webhooks (standardwebhooks.com): HMAC-SHA-256 over id, time and body.
"""

import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any

import anyio
import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.state.store import Store
from atoms_campaigns_mcp.telemetry import log

PATIENCE = 5.0  # seconds for all messages of one round
ATTEMPTS = 5  # rounds in which a message is tried
WAITING = 100  # messages at most; the oldest go


@dataclass(frozen=True, slots=True)
class SharedNews:
    """Tells servers that share the state of campaigns that changed; see `News`."""

    store: Store
    account: str

    async def progress(self, part: float, whole: float | None, text: str) -> None:
        """Tell nobody how far it is: there is no call."""

    async def changed(self, campaign_id: str, mark: str) -> None:
        """Tell every server whose clients may subscribe to the campaign."""
        if self.store.shared_state is None:
            return
        try:
            await self.store.shared_state.publish(self.account, json.dumps([campaign_id, mark]))
        except NotRecorded:
            log.warning("servers cannot be told of a change now")


@dataclass(slots=True)
class _Message:
    id: str
    body: bytes
    attempts: int = 0


@dataclass(slots=True)
class Webhook:
    """Messages to `url`; with none, nothing is sent. `secrets` sign, each for itself."""

    url: str
    secrets: Sequence[bytes]
    now: Callable[[], datetime]
    network: httpx2.AsyncBaseTransport | None = None
    _waiting: deque[_Message] = field(default_factory=lambda: deque[_Message](maxlen=WAITING))

    @classmethod
    def of(
        cls,
        settings: Settings,
        now: Callable[[], datetime],
        network: httpx2.AsyncBaseTransport | None = None,
    ) -> "Webhook":
        """Take the address out of the settings; `network` replaces the network in tests.

        Raises:
            ConfigurationError: There is no secret to sign with.
        """
        if settings.guard_webhook and not settings.guard_webhook_secret:
            raise ConfigurationError(
                "ATOMS_MCP_GUARD_WEBHOOK is set, and nothing signs what it is told.",
                next_step="Set ATOMS_MCP_GUARD_WEBHOOK_SECRET to 32 random bytes or more.",
            )
        return cls(settings.guard_webhook, settings.guard_webhook_secret, now, network)

    def add(self, kind: str, **data: Any) -> None:
        """Have a message sent with the next delivery."""
        if self.url:
            told = {"type": kind, "timestamp": self.now().isoformat(), "data": data}
            self._waiting.append(_Message(f"msg_{token_hex(12)}", json.dumps(told).encode()))

    async def deliver(self) -> None:
        """Send what waits; what cannot be sent now is tried again in later rounds."""
        if not self._waiting:
            return
        with anyio.move_on_after(PATIENCE):
            async with httpx2.AsyncClient(
                follow_redirects=False, timeout=PATIENCE, transport=self.network
            ) as http:
                for message in list(self._waiting):
                    message.attempts += 1
                    sent = await self._sent(http, message)
                    over = sent or message.attempts >= ATTEMPTS
                    # Newer messages may have taken its place meanwhile.
                    if over and message in self._waiting:
                        self._waiting.remove(message)
                    if not sent:
                        log.error("the guard's webhook could not be told (%s)", message.id)

    async def _sent(self, http: httpx2.AsyncClient, message: _Message) -> bool:
        try:
            answer = await http.post(self.url, content=message.body, headers=self._headers(message))
        except httpx2.HTTPError:
            return False
        return answer.is_success  # a redirect is not followed: it would lead elsewhere

    def _headers(self, message: _Message) -> dict[str, str]:
        at = str(int(self.now().timestamp()))
        signed = b".".join((message.id.encode(), at.encode(), message.body))
        marks = [
            base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
            for secret in self.secrets
        ]
        return {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(f"v1,{mark}" for mark in marks),
        }
