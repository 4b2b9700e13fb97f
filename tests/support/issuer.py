"""A small real issuer: metadata, rotating keys, and tokens of every kind, forged ones included."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

RESOURCE = "https://calls.example.com/mcp"
EVERY_SCOPE = "campaigns:read campaigns:write campaigns:dial campaigns:delete"


@cache
def private_key(kid: str) -> Any:
    """Make the key of that name; the name's first part says of which kind."""
    match kid.partition("-")[0]:
        case "es256":
            return ec.generate_private_key(ec.SECP256R1())
        case "es384":
            return ec.generate_private_key(ec.SECP384R1())
        case "eddsa":
            return ed25519.Ed25519PrivateKey.generate()
        case "short":
            return rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
        case _:
            return rsa.generate_private_key(65537, 2048)


def published(kid: str) -> dict[str, Any]:
    """Return the public half as its JWK."""
    key = private_key(kid).public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        jwk = OKPAlgorithm.to_jwk(key, as_dict=True)
    else:
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {**jwk, "kid": kid, "use": "sig"}


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    """Put a token together by hand, as an attacker would."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@dataclass
class Issuer:
    """Serves what it publishes under `url`; `asked` are the paths that were asked for."""

    now: Callable[[], float]
    url: str = "https://issuer.example.com/realm"
    kids: list[str] = field(default_factory=lambda: ["rs256-1", "es256-1"])
    away: bool = False
    changes: dict[str, Any] = field(default_factory=dict[str, Any])
    keys: list[dict[str, Any]] | None = None
    asked: list[str] = field(default_factory=list[str])

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of a good token for Anna."""
        return {
            "iss": self.url,
            "sub": "anna",
            "aud": RESOURCE,
            "exp": int(self.now()) + 300,
            "iat": int(self.now()),
            "scope": EVERY_SCOPE,
        }

    def token(
        self,
        kid: str = "rs256-1",
        *,
        algorithm: str = "",
        header: dict[str, Any] | None = None,
        without: str = "",
        **changes: Any,
    ) -> str:
        """Sign a token."""
        claims = {k: v for k, v in {**self.claims, **changes}.items() if k != without}
        named = {"kid": kid, "typ": "at+jwt", **(header or {})}
        kind = kid.partition("-")[0].upper().replace("EDDSA", "EdDSA").replace("SHORT", "RS256")
        return jwt.encode(claims, private_key(kid), algorithm or kind, named)

    def asked_for_keys(self) -> int:
        return sum(path.endswith("/keys") for path in self.asked)

    @property
    def app(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self.asked.append(request.url.path)
            if self.away:
                return Response(status_code=503)
            if request.url.path.endswith("/keys"):
                keys = self.keys if self.keys is not None else [published(k) for k in self.kids]
                return JSONResponse({"keys": keys})
            if request.url.path.endswith("/elsewhere"):
                return Response(status_code=302, headers={"Location": f"{self.url}/keys"})
            if "oauth-authorization-server" in request.url.path:
                return Response(status_code=404)
            return JSONResponse(
                {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.changes}
            )

        return Starlette(routes=[Route("/{path:path}", answer)])


class Hosts(httpx2.AsyncBaseTransport):
    """The network: one host is the issuer, the others are the API."""

    def __init__(self, issuer: Issuer, api: httpx2.AsyncBaseTransport) -> None:
        self._host = httpx2.URL(issuer.url).host
        self._issuer = httpx2.ASGITransport(issuer.app)
        self._api = api

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        chosen = self._issuer if request.url.host == self._host else self._api
        return await chosen.handle_async_request(request)
