"""Settings: the only reader of the environment, checked once at start-up.

A setting is one field of `Settings`. Its row in `SETTINGS` follows from it, and so do its variable
and, unless it holds a secret that `ps` would show, a command-line flag of the same name and a place
in policy files. A flag wins over its variable, and both over the files, except that limits and
modes can only be narrowed: their field says how.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from atoms_campaigns_mcp.config import parsing as read
from atoms_campaigns_mcp.config.guard_settings import GuardSettings
from atoms_campaigns_mcp.config.narrowing import (
    COMMON,
    INSIDE,
    LOWER,
    ONLY_OFF,
    ONLY_ON,
    OVERLAP,
    STRICTER,
)
from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.config.sources import (
    PREFIX,
    Setting,
    Source,
    setting as _setting,
    shown,
    sources_of,
    value_of,
)
from atoms_campaigns_mcp.effects import Effect, permitted
from atoms_campaigns_mcp.errors import ConfigurationError

Auth = Literal["", "key", "oauth", "none"]
Confirm = Literal["ask", "human", "token", "never"]
Mode = Literal["sandbox", "live"]

DEFAULT_API_URL = "https://api.smallest.ai/atoms/v1"


@dataclass(frozen=True, slots=True)
class Settings(GuardSettings):
    """What the operator decided, checked and typed. Agents cannot change it."""

    api_key: str = field(default="", repr=False)
    auth: Auth = ""
    api_url: str = DEFAULT_API_URL
    payment_url: str = _setting(
        "host and path of billing; default beside the API",
        read.url,
    )
    live: bool = _setting(
        "refuse to start without a key",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    )
    confirm: Confirm = _setting(
        "who agrees before something dials or is deleted: ask (a person, else a token), human, "
        "token or never",
        read.Choice("ask", "human", "token", "never"),
        "ask",
        narrow=STRICTER,
    )
    read_only: bool = _setting(
        "offer only tools that change nothing",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    )
    no_dial: bool = _setting(
        "offer nothing that dials or schedules",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    )
    max_contacts: int = _setting(
        "most contacts of one campaign",
        read.count,
        "10000",
        narrow=LOWER,
    )
    max_running: int | None = _setting(
        "most campaigns that run at once",
        read.limit,
        narrow=LOWER,
    )
    calling_hours: tuple[int, int] | None = _setting(
        "local hours in which contacts may be called, such as 09:00-20:30 (24:00 is valid); other "
        "hours block a start; without it, 08:00-21:00, and other hours only warn",
        read.hours,
        narrow=OVERLAP,
    )
    allowed_agents: tuple[str, ...] = _setting(
        "agents that may call: ids or names, separated by commas; none: all",
        read.names,
        narrow=COMMON,
        separator=",",
    )
    allowed_caller_ids: tuple[str, ...] = _setting(
        "caller IDs that may be used: ids or numbers, separated by commas; none: all",
        read.names,
        narrow=COMMON,
        separator=",",
    )
    require_dnc_clean: bool = _setting(
        "refuse a start if a contact is on the do-not-call list or that is unknown; 0: only warn",
        read.switch,
        "1",
        switch=True,
        narrow=ONLY_ON,
    )
    show_numbers: bool = _setting(
        "show contacts' numbers in full",
        read.switch,
        switch=True,
        narrow=ONLY_OFF,
    )
    files: tuple[Path, ...] = _setting(
        f"folders of contact and result files, separated by {os.pathsep}; stdio only",
        read.folders,
        narrow=INSIDE,
        separator=os.pathsep,
    )
    allowed_hosts: tuple[str, ...] = _setting(
        "HTTP: host names by which clients reach the server, separated by commas; default: "
        "this machine's loopback names",
        read.names,
        narrow=COMMON,
        separator=",",
    )
    allowed_origins: tuple[str, ...] = _setting(
        "HTTP: origins of web pages that may call it, such as https://app.example.com; default: "
        "pages of this machine",
        read.names,
        narrow=COMMON,
        separator=",",
    )
    client_rate: float = _setting(
        "HTTP: requests a second of one tenant",
        read.positive,
        "50",
        narrow=LOWER,
    )
    client_calls: int = _setting(
        "HTTP: requests of one tenant at once",
        read.count,
        "64",
        narrow=LOWER,
    )
    replica: str = _setting(
        "HTTP: name of this replica in the ids of its sessions, by which a proxy finds it: "
        "lower-case letters, digits and -",
        read.label,
    )
    oauth_issuer: str = _setting(
        "--auth oauth: the issuer of access tokens, exactly as in their iss",
        read.exact_url,
    )
    oauth_resource: str = _setting(
        "--auth oauth: this server's address as clients know it, exactly as in the tokens' aud",
        read.exact_url,
    )
    oauth_jwks: str = _setting(
        "--auth oauth: address of the issuer's keys; default: what its metadata says",
        read.exact_url,
    )
    oauth_accounts: Path | None = _setting(
        "--auth oauth: JSON file of the subjects' API keys; others may not read it",
        read.path,
    )
    oauth_accounts_command: Path | None = _setting(
        "--auth oauth, instead of the file: program that prints the API key of the subject that is "
        "its only argument",
        read.path,
    )
    rate: float = _setting(
        "requests a second to the API",
        read.positive,
        "10",
        narrow=LOWER,
    )
    log: Literal["json", "text"] = _setting(
        "form of the log on stderr: json or text",
        read.Choice("json", "text"),
        "json",
    )
    log_level: Literal["debug", "info", "warning"] = _setting(
        "lowest level that a server logs: debug (with health checks), info or warning",
        read.Choice("debug", "info", "warning"),
        "info",
    )
    state: Path | RedisAddress | None = _setting(
        "folder for plans, journal and secret, or redis://host:port/0 (rediss://, unix://), which "
        "replicas share; an address with a password in the variable only",
        read.state,
    )
    journal_days: int | None = _setting(
        "days after which servers delete entries of the journal; default: never",
        read.limit,
    )
    secret: tuple[bytes, ...] = _setting(
        "secret of 32 bytes or more that seals tokens; several, separated by commas: the first "
        "seals, all open; default: made at the first start",
        read.secrets,
        secret=True,
    )
    sandbox_speed: float | Literal["max"] = _setting(
        "virtual seconds a second: a number above 0, or max",
        read.speed,
        "60",
    )
    sandbox_db: Path | None = _setting(
        "the sandbox's database file",
        read.path,
    )
    sandbox_seed: int = _setting(
        "whole number that decides the sandbox's outcomes",
        int,
        "1",
    )
    origins: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)
    """Where values are from, by name, unless they are the defaults."""

    @property
    def billing_url(self) -> str:
        """Where billing is: at the root of the API's host, unless the operator says otherwise."""
        parts = urlsplit(self.api_url)
        return self.payment_url or f"{parts.scheme}://{parts.netloc}/payment/v1"

    @property
    def mode(self) -> Mode:
        """`live` with an API key, the server's or each tenant's; else `sandbox`."""
        return "live" if self.api_key or self.serves_tenants else "sandbox"

    @property
    def permitted(self) -> frozenset[Effect]:
        """The effects that the operator's modes leave."""
        return permitted(read_only=self.read_only, no_dial=self.no_dial)

    @property
    def in_force(self) -> tuple[str, ...]:
        """The limits and modes that hold, each with where it is from.

        The guard's are not among them: they hold while one runs, which says them itself.
        """
        return tuple(
            f"{row.name} = {shown(getattr(self, row.name))} "
            f"({self.origins.get(row.name, 'default')})"
            for row in SETTINGS
            if row.narrow and hasattr(self, row.name) and row.name not in _GUARDS
            if row.default or row.name in self.origins
        )

    @property
    def serves_tenants(self) -> bool:
        """Whether the key comes with each request."""
        return self.auth in {"key", "oauth"}

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str],
        flags: Mapping[str, str] | None = None,
        *,
        policies: Sequence[Source] = (),
        auth: Auth = "",
    ) -> "Settings":
        """Read `flags` (by setting name) over `environ` (by variable name) over `policies`.

        `policies` are what files say, the site's first. `auth` says how HTTP clients prove who they
        are; empty for stdio.

        Raises:
            ConfigurationError: A value is malformed, or two values contradict each other. The
                text names the variable and never shows the value.
        """
        sources = sources_of(SETTINGS, policies, environ, flags or {})
        origins: dict[str, str] = {}
        values = {row.name: value_of(row, sources, origins) for row in SETTINGS}
        key = _api_key(values.pop("smallest_api_key"), values.pop("atoms_api_key"))
        live, url = values["live"], values.pop("atoms_api_url")
        _check_state(values["state"], flags)
        if auth in {"key", "oauth"}:
            key = ""  # each request brings its own, and never falls back to the server's
        elif not key:
            _check_keyless(live=live, url=url)
        settings = cls(
            api_key=key, auth=auth, api_url=url or DEFAULT_API_URL, origins=origins, **values
        )
        if auth == "oauth":
            _check_oauth(settings)
        return settings

    @classmethod
    def partly(
        cls,
        names: Collection[str],
        environ: Mapping[str, str],
        flags: Mapping[str, str] | None = None,
        *,
        policies: Sequence[Source] = (),
    ) -> "Settings":
        """Read as `load` does, but only these settings: nothing else can be in the way.

        Raises:
            ConfigurationError: See `load`.
        """
        sources = sources_of(SETTINGS, policies, environ, flags or {})
        rows = [row for row in SETTINGS if row.name in names]
        origins: dict[str, str] = {}
        values = {row.name: value_of(row, sources, origins) for row in rows}
        _check_state(values.get("state"), flags)
        return cls(origins=origins, **values)


_GUARDS = frozenset(one.name for one in fields(GuardSettings))


def _rows() -> Iterator[Setting]:
    yield Setting("SMALLEST_API_KEY", "API key of Atoms; none: sandbox", str, secret=True)
    yield Setting("ATOMS_API_KEY", "another name of SMALLEST_API_KEY", str, secret=True)
    about = f"host and path of the API; default {DEFAULT_API_URL}"
    yield Setting("ATOMS_API_URL", about, read.url)
    for one in sorted(fields(Settings), key=lambda one: one.name in _GUARDS):
        if "row" in one.metadata:
            yield one.metadata["row"](f"{PREFIX}{one.name.upper()}")


SETTINGS = tuple(_rows())


def _check_keyless(*, live: bool, url: str) -> None:
    if live:
        raise ConfigurationError(
            "ATOMS_MCP_LIVE is set but there is no API key.",
            next_step="Set SMALLEST_API_KEY, or unset ATOMS_MCP_LIVE to use the sandbox.",
        )
    if url:
        raise ConfigurationError(
            "ATOMS_API_URL is set but there is no API key for it.",
            next_step="Set SMALLEST_API_KEY, or unset ATOMS_API_URL to use the sandbox.",
        )


def _check_state(state: Path | RedisAddress | None, flags: Mapping[str, str] | None) -> None:
    if (flags or {}).get("state") and getattr(state, "has_password", False):
        raise ConfigurationError(
            "--state holds a password, which every user of this machine can see.",
            next_step="Give the address in the variable ATOMS_MCP_STATE.",
        )


def _check_oauth(settings: Settings) -> None:
    if not settings.oauth_issuer or not settings.oauth_resource:
        raise ConfigurationError(
            "--auth oauth needs ATOMS_MCP_OAUTH_ISSUER and ATOMS_MCP_OAUTH_RESOURCE.",
            next_step="Set both; docs/oauth.md says to what.",
        )
    if (settings.oauth_accounts is None) == (settings.oauth_accounts_command is None):
        raise ConfigurationError(
            "--auth oauth needs ATOMS_MCP_OAUTH_ACCOUNTS or ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND, and "
            "not both.",
            next_step="Set the one that says which API key each subject uses.",
        )


def _api_key(key: str, alias: str) -> str:
    if key and alias and key != alias:
        raise ConfigurationError(
            "SMALLEST_API_KEY and ATOMS_API_KEY are both set, and differ.",
            next_step="Keep one of them.",
        )
    return key or alias
