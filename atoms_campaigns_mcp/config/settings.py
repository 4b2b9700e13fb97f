"""Settings: the only reader of the environment, checked once at start-up.

`SETTINGS` is the table of names. Each has a variable and, unless it holds a secret that `ps` would
show, a command-line flag of the same name and a place in policy files. A flag wins over its
variable, and both over the files, except that limits and modes can only be narrowed: their row
says how.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from atoms_campaigns_mcp.config import parsing as read
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
from atoms_campaigns_mcp.config.sources import Setting, Source, shown, sources_of, value_of
from atoms_campaigns_mcp.effects import Effect, permitted
from atoms_campaigns_mcp.errors import ConfigurationError

Auth = Literal["", "key", "oauth", "none"]
Confirm = Literal["ask", "human", "token", "never"]
Mode = Literal["sandbox", "live"]

DEFAULT_API_URL = "https://api.smallest.ai/atoms/v1"


SETTINGS = (
    Setting("SMALLEST_API_KEY", "API key of Atoms; none: sandbox", str, secret=True),
    Setting("ATOMS_API_KEY", "another name of SMALLEST_API_KEY", str, secret=True),
    Setting("ATOMS_API_URL", f"host and path of the API; default {DEFAULT_API_URL}", read.url),
    Setting("ATOMS_MCP_PAYMENT_URL", "host and path of billing; default beside the API", read.url),
    Setting(
        "ATOMS_MCP_LIVE",
        "refuse to start without a key",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    ),
    Setting(
        "ATOMS_MCP_CONFIRM",
        "before dialling or deleting: ask (a person, else a token), human, token or never",
        read.choice("ask", "human", "token", "never"),
        "ask",
        narrow=STRICTER,
    ),
    Setting(
        "ATOMS_MCP_READ_ONLY",
        "offer only tools that change nothing",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    ),
    Setting(
        "ATOMS_MCP_NO_DIAL",
        "offer nothing that dials or schedules",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    ),
    Setting(
        "ATOMS_MCP_MAX_CONTACTS",
        "most contacts of one campaign",
        read.count,
        "10000",
        narrow=LOWER,
    ),
    Setting(
        "ATOMS_MCP_MAX_RUNNING",
        "most campaigns that run at once",
        read.limit,
        narrow=LOWER,
    ),
    Setting(
        "ATOMS_MCP_CALLING_HOURS",
        "local hours in which contacts may be called, as 09:00-20:30 (24:00 is valid); "
        "set: blocks, default 08:00-21:00: warns",
        read.hours,
        narrow=OVERLAP,
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_AGENTS",
        "ids or names, separated by commas; none: all",
        read.names,
        narrow=COMMON,
        separator=",",
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_CALLER_IDS",
        "ids or numbers, separated by commas; none: all",
        read.names,
        narrow=COMMON,
        separator=",",
    ),
    Setting(
        "ATOMS_MCP_REQUIRE_DNC_CLEAN",
        "refuse to dial anybody on the do-not-call list, or without knowing it",
        read.switch,
        switch=True,
        narrow=ONLY_ON,
    ),
    Setting(
        "ATOMS_MCP_SHOW_NUMBERS",
        "show contacts' numbers in full",
        read.switch,
        switch=True,
        narrow=ONLY_OFF,
    ),
    Setting(
        "ATOMS_MCP_FILES",
        f"folders for contact and result files, separated by {os.pathsep}; stdio only",
        read.folders,
        narrow=INSIDE,
        separator=os.pathsep,
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_HOSTS",
        "HTTP: host names by which clients reach the server, separated by commas; default: "
        "this machine's loopback names",
        read.names,
        narrow=COMMON,
        separator=",",
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_ORIGINS",
        "HTTP: origins of web pages that may call it, as https://app.example.com; default: "
        "pages of this machine",
        read.names,
        narrow=COMMON,
        separator=",",
    ),
    Setting(
        "ATOMS_MCP_CLIENT_RATE",
        "HTTP: requests a second of one tenant",
        read.positive,
        "50",
        narrow=LOWER,
    ),
    Setting(
        "ATOMS_MCP_CLIENT_CALLS",
        "HTTP: requests of one tenant at once",
        read.count,
        "64",
        narrow=LOWER,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_ISSUER",
        "--auth oauth: the issuer of access tokens, exactly as in their iss",
        read.exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_RESOURCE",
        "--auth oauth: this server's address as clients know it, exactly as in the tokens' aud",
        read.exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_JWKS",
        "--auth oauth: address of the issuer's keys; default: what its metadata says",
        read.exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_ACCOUNTS",
        "--auth oauth: JSON file of the subjects' API keys; others may not read it",
        read.path,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND",
        "--auth oauth, instead of the file: program that prints the API key of the subject that is "
        "its only argument",
        read.path,
    ),
    Setting(
        "ATOMS_MCP_RATE",
        "requests a second to the API",
        read.positive,
        "10",
        narrow=LOWER,
    ),
    Setting(
        "ATOMS_MCP_LOG",
        "form of the log on stderr: json or text",
        read.choice("json", "text"),
        "json",
    ),
    Setting(
        "ATOMS_MCP_STATE",
        "folder for plans, journal and secret, or redis://host:port/0 (rediss://, unix://), which "
        "replicas share; an address with a password in the variable only",
        read.state,
    ),
    Setting(
        "ATOMS_MCP_SECRET",
        "32 bytes or more that seal tokens; several, separated by commas: the first seals, all "
        "open; default: made once",
        read.secrets,
        secret=True,
    ),
    Setting("ATOMS_MCP_SANDBOX_SPEED", "virtual seconds a second, or max", read.speed, "60"),
    Setting("ATOMS_MCP_SANDBOX_DB", "the sandbox's database file", read.path),
    Setting("ATOMS_MCP_SANDBOX_SEED", "whole number that decides the sandbox's outcomes", int, "1"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decided, checked and typed. Agents cannot change it."""

    api_key: str = field(default="", repr=False)
    auth: Auth = ""
    api_url: str = DEFAULT_API_URL
    payment_url: str = ""
    confirm: Confirm = "ask"
    read_only: bool = False
    no_dial: bool = False
    max_contacts: int = 10_000
    max_running: int | None = None
    calling_hours: tuple[int, int] | None = None
    allowed_agents: tuple[str, ...] = ()
    allowed_caller_ids: tuple[str, ...] = ()
    require_dnc_clean: bool = False
    show_numbers: bool = False
    files: tuple[Path, ...] = ()
    rate: float = 10.0
    log: Literal["json", "text"] = "json"
    state: Path | RedisAddress | None = None
    secret: tuple[bytes, ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    client_rate: float = 50.0
    client_calls: int = 64
    oauth_issuer: str = ""
    oauth_resource: str = ""
    oauth_jwks: str = ""
    oauth_accounts: Path | None = None
    oauth_accounts_command: Path | None = None
    sandbox_speed: float | Literal["max"] = 60.0
    sandbox_db: Path | None = None
    sandbox_seed: int = 1
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
        """The limits and modes that hold, each with where it is from."""
        return tuple(
            f"{row.name} = {shown(getattr(self, row.name))} "
            f"({self.origins.get(row.name, 'default')})"
            for row in SETTINGS
            if row.narrow and hasattr(self, row.name) and (row.default or row.name in self.origins)
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
        live, url = values.pop("live"), values.pop("atoms_api_url")
        if (flags or {}).get("state") and getattr(values["state"], "has_password", False):
            raise ConfigurationError(
                "--state holds a password, which every user of this machine can see.",
                next_step="Give the address in the variable ATOMS_MCP_STATE.",
            )
        if auth in {"key", "oauth"}:
            key = ""  # each request brings its own, and never falls back to the server's
        elif live and not key:
            raise ConfigurationError(
                "ATOMS_MCP_LIVE is set but there is no API key.",
                next_step="Set SMALLEST_API_KEY, or unset ATOMS_MCP_LIVE to use the sandbox.",
            )
        elif url and not key:
            raise ConfigurationError(
                "ATOMS_API_URL is set but there is no API key for it.",
                next_step="Set SMALLEST_API_KEY, or unset ATOMS_API_URL to use the sandbox.",
            )
        settings = cls(
            api_key=key, auth=auth, api_url=url or DEFAULT_API_URL, origins=origins, **values
        )
        if auth == "oauth":
            _check_oauth(settings)
        return settings


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
