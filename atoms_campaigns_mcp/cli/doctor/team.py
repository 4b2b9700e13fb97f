"""Checks of what a server over HTTP needs: its address, names, secret, sign-on and Redis."""

import errno
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.config.parsing import LOOPBACK, RedisAddress
from atoms_campaigns_mcp.config.settings import Auth, Settings
from atoms_campaigns_mcp.errors import ConfigurationError, NotRecorded
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.server.auth.oauth.jwks import Keys
from atoms_campaigns_mcp.server.auth.oauth.subject_keys import subject_keys_of
from atoms_campaigns_mcp.server.auth.principal import Unverifiable
from atoms_campaigns_mcp.server.http.paths import HEALTH
from atoms_campaigns_mcp.server.http.serve import bound_for, required
from atoms_campaigns_mcp.sockets import listening

OLDEST_REDIS = (7, 0)
WAITS = (7, 2)  # from which on Redis says when an entry is on its disk


@dataclass(frozen=True, slots=True)
class Serving:
    """How a server would be started: `--http` and `--auth`."""

    address: str
    auth: Auth = "key"


async def checks(
    settings: Settings,
    serving: Serving,
    clocks: Clocks,
    network: httpx2.AsyncBaseTransport | None,
) -> list[Check]:
    """Judge whether `serve` would start so, and whether clients would get in."""
    found = [await _address(settings, serving), _hosts(settings, serving), _secret(settings)]
    if settings.auth == "oauth":
        found += [await _issuer(settings, clocks, network), _accounts(settings, clocks)]
    if isinstance(settings.state, RedisAddress):
        found.append(await _redis(settings.state))
    return found


async def _address(settings: Settings, serving: Serving) -> Check:
    try:
        host, port = bound_for(settings, serving.address)
        listening(host, port, flag=f"--http {host}:").close()
    except ConfigurationError as error:
        in_use = getattr(error.__cause__, "errno", None) == errno.EADDRINUSE
        if in_use and await _ours(serving.address):
            return ok("http", f"A server of this kind listens on {serving.address} already.")
        return failed("http", error.message, error.next_step)
    return ok("http", f"{serving.address} is free.")


async def _ours(address: str) -> bool:
    try:
        async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as http:
            answer = await http.get(f"http://{address}{HEALTH}live")
        return answer.json() == {"live": True}
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError):
        return False


def _hosts(settings: Settings, serving: Serving) -> Check:
    allowed = settings.allowed_hosts
    names = ", ".join(allowed) or "none but those of this machine"
    resource = urlsplit(settings.oauth_resource).hostname or ""
    if resource and resource not in {*allowed, *LOOPBACK}:
        return failed(
            "hosts",
            f"Let in: {names}. Clients ask for {resource}, and get 421.",
            f"Set ATOMS_MCP_ALLOWED_HOSTS to {resource}.",
        )
    if settings.auth != "none" and not allowed:
        return warning(
            "hosts",
            f"Let in: {names}. Clients that come through a proxy get 421.",
            "Set ATOMS_MCP_ALLOWED_HOSTS to the name by which clients know the server.",
        )
    return ok("hosts", f"Let in: {names}, with --auth {serving.auth}.")


def _secret(settings: Settings) -> Check:
    try:
        required(settings)
    except ConfigurationError as error:
        return failed("secret", error.message, error.next_step)
    if settings.secret:
        return ok("secret", f"{len(settings.secret)} in ATOMS_MCP_SECRET; the first one seals.")
    return ok("secret", "The one in the state folder, of this machine only.")


async def _issuer(
    settings: Settings, clocks: Clocks, network: httpx2.AsyncBaseTransport | None
) -> Check:
    issuer = settings.oauth_issuer
    async with httpx2.AsyncClient(timeout=5.0, transport=network) as http:
        keys = Keys(issuer, settings.oauth_jwks, http, clocks.monotonic)
        try:
            await keys.find("doctor", "RS256")
        except Unverifiable:
            return failed(
                "issuer",
                f"The keys of {issuer} cannot be read.",
                "Compare ATOMS_MCP_OAUTH_ISSUER with the issuer's metadata, letter by letter; or "
                "give the address of its keys in ATOMS_MCP_OAUTH_JWKS.",
            )
    return ok("issuer", f"{issuer} tells its keys.")


def _accounts(settings: Settings, clocks: Clocks) -> Check:
    try:
        subject_keys_of(settings, clocks.monotonic)
    except ConfigurationError as error:
        return failed("accounts", error.message, error.next_step)
    program = settings.oauth_accounts_command
    if program is None:
        return ok("accounts", f"{settings.oauth_accounts} can be read, by the server only.")
    if not os.access(program, os.X_OK):
        return failed(
            "accounts",
            f"{program} cannot be run by this user.",
            "Correct ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND, or make the program executable.",
        )
    return ok("accounts", f"{program} can be run; it was not.")


async def _redis(address: RedisAddress) -> Check:
    from atoms_campaigns_mcp.state.redis.connection import (  # noqa: PLC0415 - optional
        RedisConnection,
    )

    link = RedisConnection(address)
    try:
        facts = await link.facts()
    except NotRecorded as error:
        return failed("redis", f"{address}: {error.message}", error.next_step)
    finally:
        await link.close()
    return _judged(facts)


def _judged(facts: dict[str, str]) -> Check:
    version = tuple(int(part) for part in facts["redis_version"].split(".")[:2])
    told = {name: facts.get(name, "not told") for name in ("appendonly", "appendfsync")}
    policy = facts.get("maxmemory-policy", "not told")
    text = (
        f"Version {facts['redis_version']}, appendonly {told['appendonly']}, appendfsync "
        f"{told['appendfsync']}, maxmemory-policy {policy}."
    )
    if version < OLDEST_REDIS:
        return failed("redis", text, "Use Redis 7 or later, or Valkey.")
    if told["appendonly"] == "no":
        return failed("redis", text, "Set appendonly yes: the journal is lost with the process.")
    if policy not in {"noeviction", "not told"}:
        return failed("redis", text, "Set maxmemory-policy noeviction: it may drop the journal.")
    if "not told" in text:
        return warning("redis", text, "Ask who runs it: appendonly yes, always, noeviction.")
    if told["appendfsync"] != "always":
        late = "changes wait for it" if version >= WAITS else "the last second can be lost"
        return warning("redis", text, f"Set appendfsync always: {late}.")
    return ok("redis", text)
