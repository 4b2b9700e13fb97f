"""How the text of a setting is read: to a value, or to a reason that may be shown."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

T = TypeVar("T")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MIDNIGHT = 24 * 60  # minutes: the end of a day
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_LABEL = re.compile(r"[a-z0-9-]{1,63}")
_DATABASE = re.compile(r"/?\d*")
_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}
_REDIS: dict[str, set[str]] = {"redis": set(), "rediss": _TLS, "unix": {"db"}}
_ABOVE_ZERO = "a number above 0"
_FROM_ONE = "a whole number from 1"
_PERCENTAGE = "a percentage from 0 to 100"
SECRET_BYTES = 32  # what AES-256 and HMAC-SHA-256 want at least


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


class InvalidError(ValueError):
    """A reason written here, which holds no part of the value and may be shown."""


def switch(text: str) -> bool:
    """Read a switch: 1, true or yes; 0, false or no."""
    values = {"": False, "0": False, "false": False, "no": False}
    values |= {"1": True, "true": True, "yes": True}
    return values[text.lower()]


class Choice:
    """Reads one of `options`."""

    def __init__(self, *options: str) -> None:
        self.options = options

    def __call__(self, text: str) -> str:
        """Read it."""
        if text not in self.options:
            raise InvalidError(f"must be one of {', '.join(self.options)}")
        return text


def positive(text: str) -> float:
    """Read a number above 0."""
    if not 0 < (value := float(text)) < float("inf"):
        raise InvalidError(f"must be {_ABOVE_ZERO}")
    return value


def count(text: str) -> int:
    """Read a whole number from 1."""
    if (value := int(text)) < 1:
        raise InvalidError(f"must be {_FROM_ONE}")
    return value


def limit(text: str) -> int | None:
    """Read a whole number from 1, or none."""
    return count(text) if text else None


def amount(text: str) -> float | None:
    """Read a number above 0, or none."""
    return positive(text) if text else None


def share(text: str) -> float | None:
    """Read a percentage, or none."""
    if not text:
        return None
    if not 0 <= (value := float(text.removesuffix("%"))) <= 100:  # noqa: PLR2004 - percent
        raise InvalidError(f"must be {_PERCENTAGE}")
    return value


def moment(text: str) -> datetime | None:
    """Read a moment with its time zone, or none."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise InvalidError("must name a time zone, as 2027-01-04T20:00-05:00 does")
    return found


def names(text: str) -> tuple[str, ...]:
    """Read names separated by commas."""
    return _some(text, tuple(part.strip() for part in text.split(",") if part.strip()))


def _some(text: str, found: tuple[T, ...]) -> tuple[T, ...]:
    if text and not found:  # whoever writes a limit that names nothing does not mean everything
        raise InvalidError("must name something or be taken away")
    return found


def label(text: str) -> str:
    """Read a name as a host's is written, or none."""
    if text and not _LABEL.fullmatch(text):
        raise InvalidError("must be 1 to 63 lower-case letters, digits or -")
    return text


def hours(text: str) -> tuple[int, int] | None:
    """Read `08:00-21:00` as minutes after midnight."""
    if not text:
        return None
    found = _HOURS.fullmatch(text)
    if found is None:
        raise InvalidError("must be two times such as 08:00-21:00")
    first, last = (60 * int(found[h]) + int(found[m]) for h, m in ((1, 2), (3, 4)))
    if not first < last <= MIDNIGHT:
        raise InvalidError("must begin before it ends, at 24:00 at the latest")
    return first, last


def speed(text: str) -> float | str:
    """Read a factor, or `max`."""
    return text if text == "max" else positive(text)


def path(text: str) -> Path | None:
    """Read a path; `~` is the user's home."""
    return _expanded(text) if text else None


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InvalidError("names a home folder that is not known") from None


def state(text: str) -> Path | RedisAddress | None:
    """Read a folder, or the address of a Redis."""
    if "://" not in text:
        return path(text)
    parts = urlsplit(text)
    server = parts.hostname and parts.port != 0 and _DATABASE.fullmatch(parts.path)
    options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.scheme not in _REDIS or not (parts.path if parts.scheme == "unix" else server):
        raise InvalidError("must be a folder, or redis://host:port/0, rediss:// or unix:///path")
    if not options <= _REDIS[parts.scheme]:
        raise InvalidError("has an option in its address that is not known here")
    return RedisAddress(text)


def folders(text: str) -> tuple[Path, ...]:
    """Read folders separated as the system separates paths; each must exist."""
    folders = _some(text, tuple(_expanded(part) for part in text.split(os.pathsep) if part))
    try:
        if not all(folder.is_dir() for folder in folders):
            raise InvalidError("names something that is not a folder")
        return tuple(folder.resolve() for folder in folders)
    except (OSError, RuntimeError) as error:  # a name that is too long, a circle of links
        reason = getattr(error, "strerror", None) or "it cannot be followed"
        raise InvalidError(f"names a folder that cannot be used ({reason})") from None


def secrets(text: str) -> tuple[bytes, ...]:
    """Read secrets separated by commas, each long enough to seal with."""
    secrets = tuple(part.encode() for part in names(text))
    if any(len(secret) < SECRET_BYTES for secret in secrets):
        raise InvalidError(
            f"must be at least {SECRET_BYTES} bytes of randomness; a comma begins another secret"
        )
    return secrets


def safe(url: str) -> bool:
    """Return whether nobody on the way can read or change what is asked of `url`."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK


def url(text: str) -> str:
    """Read an address whose trailing slash means nothing."""
    return exact_url(text.rstrip("/"))


def exact_url(url: str) -> str:
    """Read an address that is compared letter by letter."""
    parts = urlsplit(url)
    if not url:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise InvalidError("must be an address such as https://host/path, without credentials")
    if not safe(url):
        raise InvalidError("may use http:// on this machine only; use https://")
    return url


MEANINGS: dict[Callable[[str], Any], str] = {
    int: "a whole number",
    positive: _ABOVE_ZERO,
    amount: _ABOVE_ZERO,
    count: _FROM_ONE,
    limit: _FROM_ONE,
    share: _PERCENTAGE,
    speed: f"{_ABOVE_ZERO}, or max",
    moment: "a time with its zone, as 2027-01-04T20:00-05:00",
    switch: "1 or 0",
}
"""What a text must be that one of these reads, for who wrote another one."""
