"""Settings: the only reader of the environment, checked once at start-up.

`SETTINGS` is the table of names. Each has a variable and, unless it holds a secret that `ps` would
show, a command-line flag of the same name; a flag wins over its variable.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from atoms_campaigns_mcp.effects import Effect, permitted
from atoms_campaigns_mcp.errors import ConfigurationError

LOCAL = "local"  # the tenant of a server that has one account
Auth = Literal["", "key", "oauth", "none"]
Confirm = Literal["ask", "human", "token", "never"]
Mode = Literal["sandbox", "live"]

DEFAULT_API_URL = "https://api.smallest.ai/atoms/v1"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MIDNIGHT = 24 * 60  # minutes: the end of a day
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_DATABASE = re.compile(r"/?\d*")
_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_REDIS: dict[str, set[str]] = {"redis": set(), "rediss": _TLS, "unix": {"db"}}
SECRET_BYTES = 32  # what AES-256 and HMAC-SHA-256 want at least


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table: how a value is named, read and explained."""

    variable: str
    help: str
    parse: Callable[[str], Any]
    default: str = ""
    secret: bool = False
    switch: bool = False

    @property
    def name(self) -> str:
        """Attribute and flag name: the variable without its prefix."""
        return self.variable.removeprefix("ATOMS_MCP_").lower()


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis or Valkey is; written out without its credentials, as `str` gives it."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}{parts.path}"

    @property
    def has_password(self) -> bool:
        """Whether the address is a secret."""
        return "@" in urlsplit(self.url).netloc


class _InvalidError(ValueError):
    """A reason written here, which holds no part of the value and may be shown."""


def _switch(text: str) -> bool:
    values = {"": False, "0": False, "false": False, "no": False}
    values |= {"1": True, "true": True, "yes": True}
    return values[text.lower()]


def _choice(*options: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in options:
            raise _InvalidError(f"must be one of {', '.join(options)}")
        return text

    return parse


def _positive(text: str) -> float:
    if not 0 < (value := float(text)) < float("inf"):
        raise _InvalidError("must be a number above 0")
    return value


def _count(text: str) -> int:
    if (value := int(text)) < 1:
        raise _InvalidError("must be a whole number from 1")
    return value


def _limit(text: str) -> int | None:
    return _count(text) if text else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _hours(text: str) -> tuple[int, int] | None:
    """Read `08:00-21:00` as minutes after midnight."""
    if not text:
        return None
    found = _HOURS.fullmatch(text)
    if found is None:
        raise _InvalidError("must be two times such as 08:00-21:00")
    first, last = (60 * int(found[h]) + int(found[m]) for h, m in ((1, 2), (3, 4)))
    if not first < last <= MIDNIGHT:
        raise _InvalidError("must begin before it ends, at 24:00 at the latest")
    return first, last


def _speed(text: str) -> float | str:
    return text if text == "max" else _positive(text)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _state(text: str) -> Path | RedisAddress | None:
    if "://" not in text:
        return _path(text)
    parts = urlsplit(text)
    server = parts.hostname and parts.port != 0 and _DATABASE.fullmatch(parts.path)
    options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.scheme not in _REDIS or not (parts.path if parts.scheme == "unix" else server):
        raise _InvalidError("must be a folder, or redis://host:port/0, rediss:// or unix:///path")
    if not options <= _REDIS[parts.scheme]:
        raise _InvalidError("has an option in its address that is not known here")
    return RedisAddress(text)


def _folders(text: str) -> tuple[Path, ...]:
    folders = tuple(Path(part).expanduser() for part in text.split(os.pathsep) if part)
    if not all(folder.is_dir() for folder in folders):
        raise _InvalidError("names something that is not a folder")
    return tuple(folder.resolve() for folder in folders)


def _secrets(text: str) -> tuple[bytes, ...]:
    secrets = tuple(part.encode() for part in _names(text))
    if any(len(secret) < SECRET_BYTES for secret in secrets):
        raise _InvalidError(
            f"must be at least {SECRET_BYTES} bytes of randomness; a comma begins another secret"
        )
    return secrets


def safe(url: str) -> bool:
    """Say whether nobody on the way can read or change what is asked of `url`."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def _url(text: str) -> str:
    return _exact_url(text.rstrip("/"))


def _exact_url(url: str) -> str:
    parts = urlsplit(url)
    if not url:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise _InvalidError("must be an address such as https://host/path, without credentials")
    if not safe(url):
        raise _InvalidError("may use http:// on this machine only; use https://")
    return url


SETTINGS = (
    Setting("SMALLEST_API_KEY", "API key of Atoms; none: sandbox", str, secret=True),
    Setting("ATOMS_API_KEY", "another name of SMALLEST_API_KEY", str, secret=True),
    Setting("ATOMS_API_URL", f"host and path of the API; default {DEFAULT_API_URL}", _url),
    Setting("ATOMS_MCP_PAYMENT_URL", "host and path of billing; default beside the API", _url),
    Setting("ATOMS_MCP_LIVE", "refuse to start without a key", _switch, switch=True),
    Setting(
        "ATOMS_MCP_CONFIRM",
        "before dialling or deleting: ask (a person, else a token), human, token or never",
        _choice("ask", "human", "token", "never"),
        "ask",
    ),
    Setting("ATOMS_MCP_READ_ONLY", "offer only tools that change nothing", _switch, switch=True),
    Setting("ATOMS_MCP_NO_DIAL", "offer nothing that dials or schedules", _switch, switch=True),
    Setting("ATOMS_MCP_MAX_CONTACTS", "most contacts of one campaign", _count, "10000"),
    Setting("ATOMS_MCP_MAX_RUNNING", "most campaigns that run at once", _limit),
    Setting(
        "ATOMS_MCP_CALLING_HOURS",
        "local hours in which contacts may be called, as 09:00-20:30 (24:00 is valid); "
        "set: blocks, default 08:00-21:00: warns",
        _hours,
    ),
    Setting("ATOMS_MCP_ALLOWED_AGENTS", "ids or names, separated by commas; none: all", _names),
    Setting(
        "ATOMS_MCP_ALLOWED_CALLER_IDS", "ids or numbers, separated by commas; none: all", _names
    ),
    Setting(
        "ATOMS_MCP_REQUIRE_DNC_CLEAN",
        "refuse to dial anybody on the do-not-call list, or without knowing it",
        _switch,
        switch=True,
    ),
    Setting("ATOMS_MCP_SHOW_NUMBERS", "show contacts' numbers in full", _switch, switch=True),
    Setting(
        "ATOMS_MCP_FILES",
        f"folders for contact and result files, separated by {os.pathsep}; stdio only",
        _folders,
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_HOSTS",
        "HTTP: host names by which clients reach the server, separated by commas; default: "
        "this machine's loopback names",
        _names,
    ),
    Setting(
        "ATOMS_MCP_ALLOWED_ORIGINS",
        "HTTP: origins of web pages that may call it, as https://app.example.com; default: "
        "pages of this machine",
        _names,
    ),
    Setting("ATOMS_MCP_CLIENT_RATE", "HTTP: requests a second of one tenant", _positive, "50"),
    Setting("ATOMS_MCP_CLIENT_CALLS", "HTTP: requests of one tenant at once", _count, "64"),
    Setting(
        "ATOMS_MCP_OAUTH_ISSUER",
        "--auth oauth: the issuer of access tokens, exactly as in their iss",
        _exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_RESOURCE",
        "--auth oauth: this server's address as clients know it, exactly as in the tokens' aud",
        _exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_JWKS",
        "--auth oauth: address of the issuer's keys; default: what its metadata says",
        _exact_url,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_ACCOUNTS",
        "--auth oauth: JSON file of the subjects' API keys; others may not read it",
        _path,
    ),
    Setting(
        "ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND",
        "--auth oauth, instead of the file: program that prints the API key of the subject that is "
        "its only argument",
        _path,
    ),
    Setting("ATOMS_MCP_RATE", "requests a second to the API", _positive, "10"),
    Setting(
        "ATOMS_MCP_LOG", "form of the log on stderr: json or text", _choice("json", "text"), "json"
    ),
    Setting(
        "ATOMS_MCP_STATE",
        "folder for plans, journal and secret, or redis://host:port/0 (rediss://, unix://), which "
        "replicas share; an address with a password in the variable only",
        _state,
    ),
    Setting(
        "ATOMS_MCP_SECRET",
        "32 bytes or more that seal tokens; several, separated by commas: the first seals, all "
        "open; default: made once",
        _secrets,
        secret=True,
    ),
    Setting("ATOMS_MCP_SANDBOX_SPEED", "virtual seconds a second, or max", _speed, "60"),
    Setting("ATOMS_MCP_SANDBOX_DB", "the sandbox's database file", _path),
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
    def serves_tenants(self) -> bool:
        """Whether the key comes with each request."""
        return self.auth in {"key", "oauth"}

    @classmethod
    def load(
        cls, environ: Mapping[str, str], flags: Mapping[str, str] | None = None, *, auth: Auth = ""
    ) -> "Settings":
        """Read `flags` (by setting name) over `environ` (by variable name).

        `auth` says how HTTP clients prove who they are; empty for stdio.

        Raises:
            ConfigurationError: A value is malformed, or two values contradict each other. The
                text names the variable and never shows the value.
        """
        values = {row.name: _read(row, environ, flags or {}) for row in SETTINGS}
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
        settings = cls(api_key=key, auth=auth, api_url=url or DEFAULT_API_URL, **values)
        if auth == "oauth":
            _check_oauth(settings)
        return settings


def tenant_of(key: str) -> str:
    """Name the account of an API key without telling the key."""
    return hashlib.sha256(f"atoms-campaigns-mcp/tenant/v1 {key}".encode()).hexdigest()[:24]


def tenant_of_subject(issuer: str, subject: str) -> str:
    """Name whom an issuer knows as `subject` without telling who that is."""
    who = json.dumps([issuer, subject])
    return hashlib.sha256(f"atoms-campaigns-mcp/subject/v1 {who}".encode()).hexdigest()[:24]


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


def _read(row: Setting, environ: Mapping[str, str], flags: Mapping[str, str]) -> Any:
    text = flags.get(row.name, environ.get(row.variable, "")).strip()
    if text.startswith("${"):
        raise ConfigurationError(
            f"{row.variable} holds a placeholder that your client did not fill in.",
            next_step="Write the value itself into the client's configuration, or remove it.",
        )
    try:
        return row.parse(text or row.default)
    except (KeyError, ValueError) as error:
        reason = str(error) if isinstance(error, _InvalidError) else "is not valid"
        raise ConfigurationError(
            f"{row.variable} {reason}.", next_step=f"It means: {row.help}."
        ) from None


def _api_key(key: str, alias: str) -> str:
    if key and alias and key != alias:
        raise ConfigurationError(
            "SMALLEST_API_KEY and ATOMS_API_KEY are both set, and differ.",
            next_step="Keep one of them.",
        )
    return key or alias
