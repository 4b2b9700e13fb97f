"""Checks of the state folder: that it works, and that it is nobody else's to read."""

import shlex
import stat
from pathlib import Path

from atoms_campaigns_mcp.cli import invocation
from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.cli.install.safe_write import OTHERS
from atoms_campaigns_mcp.config.parsing import RedisAddress
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import AtomsCampaignsError, said_of
from atoms_campaigns_mcp.runtime import Clocks
from atoms_campaigns_mcp.state.folder import NOT_USABLE, secrets_of, state_folder
from atoms_campaigns_mcp.state.journal import UNDER_WAY
from atoms_campaigns_mcp.state.open import open_state

LATEST = 1000  # entries of the journal that are looked at
MARK = "doctor"


async def store(settings: Settings, clocks: Clocks) -> Check:
    """Open the store, write to it, and look for changes whose end nobody knows."""
    place = settings.state if isinstance(settings.state, RedisAddress) else state_folder(settings)
    now = clocks.now().timestamp()
    try:
        secrets_of(settings)
        opened = open_state(settings)
        try:
            await opened.locks.acquire(MARK, MARK, now, now)
            await opened.locks.release(MARK, MARK)
            entries = await opened.journal.entries(LATEST)
        finally:
            await opened.close()
    except AtomsCampaignsError as error:
        return failed("state", f"{place}: {error.message}", error.next_step)
    left = [entry for entry in entries if not entry.outcome and entry.at < now - UNDER_WAY]
    text = f"{place} can be written; {len(entries)} journal entries, {len(left)} without outcome."
    if left:
        return warning(
            "state",
            text,
            f"See {invocation.command()} journal --unfinished, and look at each campaign.",
        )
    return ok("state", text)


def permissions(settings: Settings, *, windows: bool) -> Check:
    """Judge who else may read the journal and the secret that seals confirmations."""
    if windows:
        return ok("permissions", "Windows protects the folder by its user; nothing to compare.")
    folder = state_folder(settings)
    wanted = {folder: 0o700, folder / "secret": 0o600}
    try:
        wrong = {path: mode for path, mode in wanted.items() if _mode(path) & OTHERS}
    except OSError as error:
        return failed(
            "permissions", f"{folder} cannot be looked at ({said_of(error)}).", NOT_USABLE
        )
    if wrong:
        found = ", ".join(f"{path} is {_mode(path):04o}" for path in wrong)
        fixes = [f"chmod {mode:o} {shlex.quote(str(path))}" for path, mode in wrong.items()]
        return failed("permissions", f"Others can read: {found}.", " && ".join(fixes))
    return ok("permissions", "State folder and secret are their owner's alone.")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else 0
