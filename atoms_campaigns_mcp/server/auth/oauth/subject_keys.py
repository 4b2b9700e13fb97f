"""Which Atoms API key a subject uses. The operator decides it: in a file, or with a program."""

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

import anyio

from atoms_campaigns_mcp.caching.single_flight import SingleFlight
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.server.auth.api_keys import KEY
from atoms_campaigns_mcp.server.auth.principal import Unverifiable
from atoms_campaigns_mcp.telemetry import log

LOOKUP = 10.0  # seconds that the program may take
AT_ONCE = 8  # runs of the program
KEPT = 60.0  # seconds for which its answer holds
REMEMBERED = 10_000  # subjects
_EXPOSED = stat.S_IRWXO | stat.S_IWGRP


class SubjectKeys(Protocol):
    """The operator's assignment of subjects to accounts."""

    async def key(self, subject: str) -> str:
        """Return the API key of a subject, empty if it has none.

        Raises:
            Unverifiable: It cannot be told now; the log says why.
        """
        ...


def subject_keys_of(settings: Settings, monotonic: Callable[[], float]) -> SubjectKeys:
    """Open what the settings name.

    Raises:
        ConfigurationError: The file cannot be used.
    """
    if settings.oauth_accounts is not None:
        return SubjectKeysFile(settings.oauth_accounts, settings.oauth_issuer)
    if settings.oauth_accounts_command is not None:
        return SubjectKeysCommand(settings.oauth_accounts_command, monotonic)
    raise ConfigurationError(
        "No accounts are named.",
        next_step="Set ATOMS_MCP_OAUTH_ACCOUNTS or ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND.",
    )


class SubjectKeysFile:
    """A JSON object from subjects, or `issuer|subject`, to keys; read again when it changes."""

    def __init__(self, path: Path, issuer: str) -> None:
        """Read the file now.

        Raises:
            ConfigurationError: It cannot be read, others could read it, or it is malformed.
        """
        self._path = path
        self._issuer = issuer
        self._keys: dict[str, str] = {}
        self._seen: object = None
        self._trouble = ""
        self._look()
        if self._trouble:
            raise ConfigurationError(
                f"ATOMS_MCP_OAUTH_ACCOUNTS {self._trouble}.",
                next_step='It is {"subject": "sk_…"}, and only the server may read it (chmod 600).',
            )

    async def key(self, subject: str) -> str:
        """See `SubjectKeys.key`."""
        self._look()
        if self._trouble:
            raise Unverifiable("The accounts file cannot be used.")
        if exact := self._keys.get(f"{self._issuer}|{subject}"):
            return exact
        # A subject that reads like `issuer|subject` is not the one whom such a line means; others
        # may hold a `|` (auth0|…), and issuers are addresses.
        before, bar, _ = subject.partition("|")
        return "" if bar and "://" in before else self._keys.get(subject, "")

    def _look(self) -> None:
        try:
            about = self._path.stat()
            seen = (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino)
            if seen == self._seen:
                return
            if sys.platform != "win32" and about.st_mode & _EXPOSED:
                raise ValueError("may be read or changed by others")  # noqa: TRY301
            self._keys = _read(self._path)
        except (OSError, ValueError) as error:
            reason = str(error) if type(error) is ValueError else "cannot be read as JSON"
            self._fail(reason)
        else:
            self._seen, self._trouble = seen, ""

    def _fail(self, reason: str) -> None:
        self._seen = None
        if reason != self._trouble:
            log.error("ATOMS_MCP_OAUTH_ACCOUNTS %s: nobody is let in until it is corrected", reason)
        self._trouble = reason


def _read(path: Path) -> dict[str, str]:
    content = json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
    if not isinstance(content, dict):
        raise ValueError("is not an object")  # noqa: TRY004 - as any other malformed file
    keys = cast("dict[str, Any]", content)
    for key in keys.values():
        if not isinstance(key, str) or not KEY.fullmatch(key):
            raise ValueError("holds something that is no API key (sk_…)")
    return keys


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The last of two would win silently, and calls would ring from the wrong account.
    if len(dict(pairs)) != len(pairs):
        raise ValueError("names a subject twice")
    return dict(pairs)


class SubjectKeysCommand:
    """A program that prints the key of its argument, or nothing if there is none."""

    def __init__(self, program: Path, monotonic: Callable[[], float]) -> None:
        """Run `program`, without a shell."""
        self._program = str(program)
        self._answers = SingleFlight(monotonic, kept=REMEMBERED)
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    async def key(self, subject: str) -> str:
        """See `SubjectKeys.key`."""
        if subject.startswith("-"):  # the program would take it for an option
            return ""

        async def ask() -> str:
            async with self._turns:
                return await self._run(subject)

        return await self._answers.get(subject, ask, fresh_for=KEPT)

    async def _run(self, subject: str) -> str:
        try:
            with anyio.fail_after(LOOKUP):
                done = await anyio.run_process([self._program, subject], stderr=subprocess.DEVNULL)
            key = done.stdout.decode().strip()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            log.error("ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND failed (%s)", type(error).__name__)
            raise Unverifiable("The accounts program failed.") from error
        if key and not KEY.fullmatch(key):
            log.error("ATOMS_MCP_OAUTH_ACCOUNTS_COMMAND printed something that is no API key")
            raise Unverifiable("The accounts program failed.")
        return key
