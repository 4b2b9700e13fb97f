"""The folder of this machine: secret and sandbox, and without Redis plans and journal too."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from atoms_campaigns_mcp.config.parsing import SECRET_BYTES, RedisAddress
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError, said_of

NOT_USABLE = (
    "Make room if the disk is full, make the folder this user's and writable (what sudo made "
    "belongs to root), or give another one in ATOMS_MCP_STATE."
)


def state_folder(settings: Settings) -> Path:
    """Return the operator's folder, or the one that this system has for such things.

    Raises:
        ConfigurationError: There is none, since nobody knows the user's home.
    """
    if isinstance(settings.state, Path):
        return settings.state
    import platformdirs  # noqa: PLC0415 - not needed for the first reply

    try:
        folder = platformdirs.user_state_path("atoms-campaigns-mcp", appauthor=False)
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # as some releases of platformdirs leave it
        raise ConfigurationError(
            "The user's home folder is not known, so there is no place for the state.",
            next_step="Set HOME, or give a folder in ATOMS_MCP_STATE.",
        )
    return folder


def secrets_of(settings: Settings) -> tuple[bytes, ...]:
    """Return the operator's secrets, or the one in the folder, made once; the first one seals."""
    return settings.secret or (_kept_secret(state_folder(settings)),)


def require_shared_secret(settings: Settings) -> None:
    """Refuse to serve beside replicas with a secret of this machine's own.

    Raises:
        ConfigurationError: The state is shared, and the secret is not.
    """
    if isinstance(settings.state, RedisAddress) and not settings.secret:
        raise ConfigurationError(
            "ATOMS_MCP_STATE is shared by replicas, but there is no ATOMS_MCP_SECRET for them.",
            next_step="Make one with `openssl rand -hex 32`, and give every replica the same.",
        )


def make_private(folder: Path) -> None:
    """Make the folder, or take away from others the right to change one of ours.

    Raises:
        ConfigurationError: Anybody may change it, and it is somebody else's.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError:  # which says less
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder)) from None
    if os.name == "nt":  # folders have no modes there
        return
    found = folder.stat()
    if found.st_uid == os.geteuid():
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            folder.chmod(0o700)
    elif found.st_mode & stat.S_IWOTH:
        raise ConfigurationError(
            "The state folder is another user's, and anybody may change what is in it.",
            next_step="Give a folder of the server's own user in ATOMS_MCP_STATE.",
        )


def _kept_secret(folder: Path) -> bytes:
    try:
        return _secret_in(folder)
    except OSError as error:
        raise ConfigurationError(
            f"The state folder cannot be used ({said_of(error)}).", next_step=NOT_USABLE
        ) from error


def _secret_in(folder: Path) -> bytes:
    make_private(folder)
    path = folder / "secret"
    if not path.exists():
        draft = folder / f"secret.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        # A link appears whole and only once, so servers that start together agree.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise ConfigurationError(
            "The secret in the state folder is damaged.",
            next_step="Delete the file 'secret' there; open confirmations end.",
        )
    return secret
