"""Checking access tokens: JWTs of one issuer, meant for this server (RFC 9068, RFC 8725)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from atoms_campaigns_mcp.server.auth.oauth.jwks import ALGORITHMS, Keys

LONGEST = 8192  # characters of a token
SUBJECT_MAX = 255  # characters, as OpenID Connect has it
LATEST = 1e11  # seconds since 1970; no token lives for a thousand years
LEEWAY = 30.0  # seconds that clocks may differ
_TYPES = {"", "jwt", "at+jwt", "application/at+jwt"}
_CHECKED: Any = {
    "require": ["iss", "sub", "aud", "exp"],
    "enforce_minimum_key_length": True,
    # The time is checked here: PyJWT knows no other clock than the machine's.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class InvalidTokenError(Exception):
    """The token does not let anybody in; the text says why, without a part of it."""


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Checks tokens of `issuer` whose audience is `resource`; `now` is in seconds since 1970."""

    issuer: str
    resource: str
    keys: Keys
    now: Callable[[], float]

    async def check(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that may be believed.

        Raises:
            InvalidTokenError: It is forged, expired, meant for somebody else, or malformed.
            Unverifiable: The issuer's keys cannot be read.
        """
        if len(token) > LONGEST:
            raise InvalidTokenError("The token is too long.")
        kid, algorithm = _header(token)
        key = await self.keys.find(kid, algorithm)
        if key is None:
            raise InvalidTokenError("The token is not signed with a key of the issuer.")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.resource,
                issuer=self.issuer,
                options=_CHECKED,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise InvalidTokenError(_why(error)) from error
        _timely(claims, self.now())
        _ours(claims)
        return claims


def _header(token: str) -> tuple[str | None, str]:
    """Return key id and algorithm of a token, before anything in it may be believed."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise InvalidTokenError("The token is no JWT.") from error
    algorithm, kind = header.get("alg"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise InvalidTokenError("The token is signed in a way that is not accepted.")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidTokenError("The token is no access token.")
    return header.get("kid"), algorithm


def _why(error: Exception) -> str:
    match error:
        case jwt.InvalidAudienceError():
            return "The token is meant for another resource."
        case jwt.InvalidIssuerError():
            return "The token is of another issuer."
        case jwt.MissingRequiredClaimError():
            return "The token lacks one of iss, sub, aud and exp."
        case jwt.InvalidSignatureError():
            return "The signature is wrong."
        case _:
            return "The token is malformed."


def _timely(claims: Mapping[str, Any], now: float) -> None:
    if _moment(claims["exp"]) <= now - LEEWAY:
        raise InvalidTokenError("The token has expired.")
    if max(_moment(claims.get(name, 0)) for name in ("nbf", "iat")) > now + LEEWAY:
        raise InvalidTokenError("The token is not valid yet.")


def _moment(value: Any) -> float:
    # Compared as it is: an integer may be too large for a float.
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not 0 <= value < LATEST:
        raise InvalidTokenError("The token's times are malformed.")
    return value


def _ours(claims: Mapping[str, Any]) -> None:
    subject = claims["sub"]
    if not 0 < len(subject) <= SUBJECT_MAX or not subject.isprintable():
        raise InvalidTokenError("The token's subject is malformed.")
    if "cnf" in claims:
        # Taken as a bearer token it would lose the protection that its issuer gave it.
        raise InvalidTokenError("The token is bound to a key, whose proof is not supported here.")
