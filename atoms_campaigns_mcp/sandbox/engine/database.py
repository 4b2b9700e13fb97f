"""The SQLite file: opened, created, checked for its schema version, emptied."""

import errno
import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path

SCHEMA_VERSION = 1
APPLICATION_ID = 0x41544F4D  # "ATOM": tells our files from other people's databases
BUSY_SECONDS = 15.0
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'world'"


class StoreError(Exception):
    """The database file cannot be used; the text says what to do."""


def connect(db: str | Path) -> sqlite3.Connection:
    """Open `db`, creating file and schema when missing; its folder is created with mode 0700.

    Raises:
        StoreError: The file is of a newer version or no sandbox database.
    """
    try:
        if str(db) != ":memory:":
            _prepare(Path(db))
        connection = sqlite3.connect(
            db, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{db} cannot be used as a sandbox database: {_said(error)}") from error
    connection.row_factory = sqlite3.Row
    connection.create_function("contains", 2, _contains, deterministic=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, db)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{db} cannot be used as a sandbox database: {_said(error)}") from error
    except StoreError:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool) -> Generator[None]:
    """One consistent view of the file; with `write`, the only one that changes it meanwhile."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # some errors of SQLite have ended it already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def reset(db: Path) -> bool:
    """Empty the world of `db` in place: whoever has it open sees a fresh one from now on.

    Returns:
        False if that is impossible, as the file is damaged or of another release: it is deleted.

    Raises:
        StoreError: It was left as it was: no sandbox database, not writable, or of another release
            and open in another program.
    """
    try:
        if not _is_there(db):
            return True
        with closing(sqlite3.connect(db, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
            _require_ours(connection, db)
            if _emptied(connection):
                return True
            _require_alone(connection, db)
        for path in (db, Path(f"{db}-wal"), Path(f"{db}-shm")):
            path.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{db} cannot be reset, and was left as it was: {_said(error)}") from error
    return False


def _is_there(db: Path) -> bool:
    """Look; `Path.exists` says no, too, where a file is in place of a folder, or links go round."""
    try:
        db.stat()
    except FileNotFoundError:
        return False
    return True


def _require_ours(connection: sqlite3.Connection, db: Path) -> None:
    try:
        ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        empty = not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:  # damaged, but its first bytes may still tell
        with db.open("rb") as file:
            ours, empty = file.read(100)[68:72] == APPLICATION_ID.to_bytes(4), False
    if not (ours or empty):
        raise StoreError(f"{db} is not a database of the sandbox, and was left as it was")


def _emptied(connection: sqlite3.Connection) -> bool:
    """Delete every row but the world's, which holds the speed; false if it cannot be done here."""
    try:
        with transaction(connection, write=True):
            if _version(connection) != SCHEMA_VERSION:
                return False
            for (table,) in connection.execute(TABLES).fetchall():
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            connection.execute("UPDATE world SET next_event_at = NULL")
    except sqlite3.OperationalError:
        raise  # busy, or the disk is full
    except sqlite3.DatabaseError:
        return False
    with suppress(sqlite3.OperationalError):  # who reads at this moment has it done later
        connection.execute("VACUUM")  # else the contacts would stay in the file's free pages
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return True


def _require_alone(connection: sqlite3.Connection, db: Path) -> None:
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        connection.execute("PRAGMA journal_mode = DELETE")  # wants the file for itself
    except sqlite3.OperationalError as error:
        raise StoreError(
            f"{db} is of another release, or damaged, and open in another program: quit it (an MCP"
            " client ends its server), then repeat this; the file was left as it was"
        ) from error
    except sqlite3.DatabaseError:
        return  # so damaged that nobody can work with it


def _said(error: OSError | sqlite3.Error) -> str:
    """Return what the system or SQLite said, without the file's name and numbers."""
    return getattr(error, "strerror", None) or str(error)


def _contains(text: str | None, part: str) -> bool:
    return part.casefold() in (text or "").casefold()


def _prepare(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:  # which says less
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
    path.touch(mode=0o600)


def _migrate(connection: sqlite3.Connection, db: str | Path) -> None:
    if _version(connection) == SCHEMA_VERSION:
        return
    with transaction(connection, write=True):
        version = _version(connection)  # another process may have been first
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{db} was written by a newer release (schema {version}, this one knows"
                f" {SCHEMA_VERSION}): upgrade atoms-campaigns-mcp, choose another file with"
                " --db, or run `atoms-campaigns-mcp sandbox reset`"
            )
        if version == 0:
            _create(connection, db)


def _create(connection: sqlite3.Connection, db: str | Path) -> None:
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreError(f"{db} is a database, but not one of the sandbox: choose another file")
    for statement in _statements():
        connection.execute(statement)
    connection.execute("INSERT INTO world VALUES (1, 1.0, 0, 0, NULL)")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _statements() -> Iterator[str]:
    """The schema one statement at a time: `executescript` would commit the transaction."""
    statement = ""
    script = files("atoms_campaigns_mcp.sandbox.engine").joinpath("schema.sql")
    for line in script.read_text(encoding="utf-8").splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
