"""The issuer's public keys: found through its metadata, kept, and renewed when they rotate."""

import json
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import httpx2
from jwt import PyJWK, PyJWTError

from atoms_campaigns_mcp.config.parsing import safe
from atoms_campaigns_mcp.server.auth.principal import Unverifiable
from atoms_campaigns_mcp.telemetry import log

FRESH = 600.0  # seconds after which keys are read again, so that a withdrawn one goes
PAUSE = 30.0  # seconds between two attempts, however many unknown keys are named meanwhile
WAITING = 5.0  # the same while there are no keys at all, and nobody can be let in
STALE = 86_400.0  # seconds after which keys that could not be read again are trusted no more
PATIENCE = 5.0  # seconds for metadata and keys together
LARGEST = 512 * 1024  # bytes of a document

ALGORITHMS: dict[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "RS512": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "PS512": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""What may sign a token, with the type and curve of its key. None of them shares a secret."""

Jwk = dict[str, Any]


class Keys:
    """The keys of one issuer. Only requests that cannot do without new ones wait for them."""

    def __init__(
        self, issuer: str, jwks: str, http: httpx2.AsyncClient, monotonic: Callable[[], float]
    ) -> None:
        """Read keys from `jwks`, or from where the metadata of `issuer` says; time in seconds."""
        self._issuer = issuer
        self._jwks = jwks
        self._http = http
        self._monotonic = monotonic
        self._turn = anyio.Lock()
        self._keys: list[Jwk] = []
        self._read_at = 0.0
        self._next_try = float("-inf")

    async def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """Return the key of that id, if there is one and it is for `algorithm`.

        Raises:
            Unverifiable: The keys cannot be read, and none are at hand.
        """
        if self._due(kid) and not (self._named(kid) and self._turn.locked()):
            async with self._turn:
                if self._due(kid):
                    await self._renew()
        if not self._keys or self._monotonic() - self._read_at > STALE:
            raise Unverifiable("The issuer's keys cannot be read.")
        return _usable(self._named(kid), algorithm)

    def _due(self, kid: str | None) -> bool:
        now = self._monotonic()
        wanted = not self._named(kid) or now - self._read_at > FRESH
        return wanted and now >= self._next_try

    def _named(self, kid: str | None) -> Jwk | None:
        """Return the key of that id; a token may leave it out where there is one key only."""
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.get("kid") == kid), None)

    async def _renew(self) -> None:
        self._next_try = self._monotonic() + (PAUSE if self._keys else WAITING)
        try:
            with anyio.fail_after(PATIENCE):
                address = self._jwks or await self._discovered()
                keys = _verifying(await self._document(address))
        except (httpx2.HTTPError, OSError, ValueError) as error:
            log.warning("the issuer's keys cannot be read (%s)", type(error).__name__)
            return
        self._keys, self._read_at = keys, self._monotonic()
        self._next_try = self._monotonic() + PAUSE

    async def _discovered(self) -> str:
        """Return the address of the keys from the metadata (RFC 8414, else OpenID Connect)."""
        for url in _metadata_of(self._issuer):
            try:
                metadata = await self._document(url)
            except ValueError:
                continue
            address = metadata.get("jwks_uri")
            if metadata.get("issuer") == self._issuer and isinstance(address, str):
                return address
        raise ValueError("no metadata")

    async def _document(self, url: str) -> dict[str, Any]:
        if not safe(url):
            raise ValueError("not a safe address")
        headers = {"Accept": "application/json"}
        async with self._http.stream("GET", url, headers=headers) as response:
            # A redirect is an answer like any other that is no success: it is not followed.
            if not response.is_success:
                raise ValueError("not found")
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST:
                    raise ValueError("too large")
        document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError("not an object")  # noqa: TRY004 - a document like any other wrong one
        return cast("dict[str, Any]", document)


def _metadata_of(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    found = [
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}/.well-known/openid-configuration{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    ]
    return list(dict.fromkeys(found))


def _verifying(document: dict[str, Any]) -> list[Jwk]:
    """Return the keys of a set (RFC 7517) that verify signatures."""
    listed: Any = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("no keys")  # noqa: TRY004 - a document like any other wrong one
    keys = [cast("Jwk", key) for key in cast("list[Any]", listed) if isinstance(key, dict)]
    return [key for key in keys if _verifies(key)]


def _verifies(key: Jwk) -> bool:
    uses = key.get("use", "sig") == "sig" and "verify" in key.get("key_ops", ["verify"])
    # "d" is the private part: whoever can read the set could sign with such a key.
    return uses and key.get("kty") in {"RSA", "EC", "OKP"} and "d" not in key


def _usable(key: Jwk | None, algorithm: str) -> PyJWK | None:
    if key is None or key.get("alg", algorithm) != algorithm:
        return None
    kind, curve = ALGORITHMS[algorithm]
    if key["kty"] != kind or (curve and key.get("crv") != curve):
        return None
    try:
        return PyJWK(key, algorithm)
    except PyJWTError:
        return None
