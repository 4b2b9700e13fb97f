"""Who is let in: tokens of the issuer for this server, and no others."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, strategies as st
from jwt.algorithms import RSAAlgorithm

from atoms_campaigns_mcp.server.auth.oauth.access_tokens import AccessTokens, InvalidTokenError
from atoms_campaigns_mcp.server.auth.oauth.jwks import Keys
from tests.support.clock import FakeClock
from tests.support.issuer import RESOURCE, Hosts, Issuer, private_key, published, unsigned

pytestmark = pytest.mark.anyio
OTHER = "https://other.example.com"
BAD = httpx2.MockTransport(lambda _: httpx2.Response(500))


@asynccontextmanager
async def checking(issuer: Issuer, clock: FakeClock) -> AsyncGenerator[AccessTokens]:
    async with httpx2.AsyncClient(transport=Hosts(issuer, BAD)) as http:
        keys = Keys(issuer.url, "", http, clock.monotonic)
        yield AccessTokens(issuer.url, RESOURCE, keys, lambda: clock.now().timestamp())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def issuer(clock: FakeClock) -> Issuer:
    return Issuer(lambda: clock.now().timestamp())


def pem(kid: str) -> bytes:
    return (
        private_key(kid).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def hmac_with_public_key(issuer: Issuer) -> str:
    """Use what everybody knows as if it were a shared secret."""
    header = {"alg": "HS256", "typ": "at+jwt", "kid": "rs256-1"}
    signing = unsigned(header, issuer.claims).rpartition(".")[0]
    mac = jwt.get_algorithm_by_name("HS256")
    signature = mac.sign(signing.encode(), pem("rs256-1"))
    return unsigned(header, issuer.claims, signature)


def altered(issuer: Issuer) -> str:
    head, _, signature = issuer.token(scope="campaigns:read").split(".")
    return f"{head}.{issuer.token().split('.')[1]}.{signature}"


FORGED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "no signature": (lambda i: unsigned({"alg": "none"}, i.claims), "in a way"),
    "none in capitals": (
        lambda i: unsigned({"alg": "NONE", "kid": "rs256-1"}, i.claims, b"x"),
        "in a way",
    ),
    "the public key as a secret": (hmac_with_public_key, "in a way"),
    "another's signature": (altered, "signature is wrong"),
    "another issuer's key under a known id": (
        lambda i: i.token("rs256-evil", header={"kid": "rs256-1"}),
        "signature is wrong",
    ),
    "an unknown key": (lambda i: i.token("rs256-evil"), "not signed with a key"),
    "no key id among several": (
        lambda i: jwt.encode(i.claims, private_key("rs256-1"), "RS256"),
        "not signed with a key",
    ),
    "a key in its header": (
        lambda i: i.token("rs256-evil", header={"jwk": published("rs256-evil")}),
        "not signed with a key",
    ),
    "a key of another kind": (
        lambda i: i.token("rs256-1", header={"kid": "es256-1"}),
        "not signed with a key",
    ),
    "another audience": (lambda i: i.token(aud=f"{OTHER}/mcp"), "another resource"),
    "a part of our audience": (lambda i: i.token(aud="https://calls.example.com"), "another"),
    "more than our audience": (lambda i: i.token(aud=f"{RESOURCE}/"), "another resource"),
    "a list without us": (lambda i: i.token(aud=[OTHER, "us"]), "another resource"),
    "another issuer": (lambda i: i.token(iss=OTHER), "another issuer"),
    "nearly our issuer": (lambda i: i.token(iss=f"{i.url}/"), "another issuer"),
    "expired": (lambda i: i.token(exp=int(i.now()) - 31), "expired"),
    "not yet": (lambda i: i.token(nbf=int(i.now()) + 31), "not valid yet"),
    "of the future": (lambda i: i.token(iat=int(i.now()) + 31), "not valid yet"),
    "for ever": (lambda i: i.token(exp=float("inf")), "times are malformed"),
    "for longer than a float": (lambda i: i.token(exp=10**400), "times are malformed"),
    "since before time": (lambda i: i.token(nbf=-(10**400)), "times are malformed"),
    "until true": (lambda i: i.token(exp=True), "times are malformed"),
    "until a word": (lambda i: i.token(exp="tomorrow"), "times are malformed"),
    "without exp": (lambda i: i.token(without="exp"), "lacks one"),
    "without iss": (lambda i: i.token(without="iss"), "lacks one"),
    "without sub": (lambda i: i.token(without="sub"), "lacks one"),
    "without aud": (lambda i: i.token(without="aud"), "another resource|lacks one"),
    "an empty subject": (lambda i: i.token(sub=""), "subject is malformed"),
    "a subject that is no text": (lambda i: i.token(sub=7), "malformed"),
    "a subject of two lines": (lambda i: i.token(sub="anna\nbert"), "subject is malformed"),
    "a long subject": (lambda i: i.token(sub="a" * 256), "subject is malformed"),
    "an ID token": (lambda i: i.token(header={"typ": "id+jwt"}), "no access token"),
    "a token that is bound to a key": (lambda i: i.token(cnf={"jkt": "x"}), "bound to a key"),
    "an extension": (lambda i: i.token(header={"crit": ["exp"], "exp": 1}), "no JWT"),
    "oversized": (lambda i: i.token(more="x" * 8192), "too long"),
    "empty": (lambda _: "", "no JWT"),
    "garbage": (lambda _: "a.b.c", "no JWT"),
    "an API key": (lambda _: "sk_acme", "no JWT"),
    "deeply nested": (lambda _: unsigned({}, {}).replace("e30", "W" * 4000, 1), "no JWT"),
}


@pytest.mark.parametrize("kind", FORGED)
async def test_a_forged_token_is_refused_with_its_reason(
    issuer: Issuer, clock: FakeClock, kind: str
) -> None:
    make, words = FORGED[kind]
    token = make(issuer)
    async with checking(issuer, clock) as tokens:
        await tokens.check(issuer.token())
        with pytest.raises(InvalidTokenError, match=words) as refused:
            await tokens.check(token)
    assert not token or token not in str(refused.value)


GOOD: dict[str, Callable[[Issuer], str]] = {
    "RSA": lambda i: i.token(),
    "RSA-PSS": lambda i: i.token(algorithm="PS256"),
    "elliptic curve": lambda i: i.token("es256-1"),
    "another type": lambda i: i.token(header={"typ": "JWT"}),
    "a list of audiences": lambda i: i.token(aud=[OTHER, RESOURCE]),
    "clocks that differ": lambda i: i.token(exp=int(i.now()) - 29, nbf=int(i.now()) + 29),
}


@pytest.mark.parametrize("kind", GOOD)
async def test_a_token_for_this_server_is_believed(
    issuer: Issuer, clock: FakeClock, kind: str
) -> None:
    async with checking(issuer, clock) as tokens:
        claims = await tokens.check(GOOD[kind](issuer))
    assert claims["sub"] == "anna"


@pytest.mark.parametrize("kid", ["es384-1", "eddsa-1"])
async def test_a_single_key_needs_no_id_in_the_token(
    issuer: Issuer, clock: FakeClock, kid: str
) -> None:
    issuer.kids = [kid]
    algorithm = kid.partition("-")[0].upper().replace("EDDSA", "EdDSA")
    async with checking(issuer, clock) as tokens:
        token = jwt.encode(issuer.claims, private_key(kid), algorithm)
        assert (await tokens.check(token))["sub"] == "anna"


UNFIT: dict[str, dict[str, Any]] = {
    "for encryption": {"use": "enc"},
    "for other operations": {"key_ops": ["wrapKey"]},
    "for another algorithm": {"alg": "RS512"},
    "with its private half": {
        **RSAAlgorithm.to_jwk(private_key("rs256-1"), as_dict=True),
        "key_ops": ["verify"],
    },
    "as a shared secret": {"kty": "oct", "k": "c2VjcmV0"},
    "cut off": {"n": "AQAB"},
}


@pytest.mark.parametrize("kind", UNFIT)
async def test_a_key_that_is_not_for_this_verifies_nothing(
    issuer: Issuer, clock: FakeClock, kind: str
) -> None:
    issuer.keys = [published("es256-1"), {**published("rs256-1"), **UNFIT[kind]}]
    async with checking(issuer, clock) as tokens:
        await tokens.check(issuer.token("es256-1"))
        with pytest.raises(InvalidTokenError):
            await tokens.check(issuer.token())


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_short_rsa_key_verifies_nothing(issuer: Issuer, clock: FakeClock) -> None:
    issuer.kids = ["short-1"]
    async with checking(issuer, clock) as tokens:
        with pytest.raises(InvalidTokenError):
            await tokens.check(issuer.token("short-1"))


@pytest.mark.slow
@given(st.text(max_size=200) | st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_no_text_whatever_lets_anybody_in_or_crashes(text: str | list[bytes]) -> None:
    clock = FakeClock()
    issuer = Issuer(lambda: clock.now().timestamp())
    token = text if isinstance(text, str) else ".".join(part.hex() for part in text)

    async def check() -> None:
        async with checking(issuer, clock) as tokens:
            with pytest.raises(InvalidTokenError):
                await tokens.check(token)

    anyio.run(check)
