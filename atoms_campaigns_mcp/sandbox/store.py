"""The SQLite file: opened, created, checked for its schema version, removed."""

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

SCHEMA_VERSION = 1
APPLICATION_ID = 0x41544F4D  # "ATOM": tells our files from other people's databases
BUSY_SECONDS = 15.0


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
        raise StoreError(f"{db} cannot be used as a sandbox database: {error}") from error
    connection.row_factory = sqlite3.Row
    connection.create_function("contains", 2, _contains, deterministic=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, db)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"{db} cannot be used as a sandbox database: {error}") from error
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


def reset(db: Path) -> None:
    """Delete the sandbox database `db` with its two side files, and nothing else."""
    for path in (db, Path(f"{db}-wal"), Path(f"{db}-shm")):
        path.unlink(missing_ok=True)


def _contains(text: str | None, part: str) -> bool:
    return part.casefold() in (text or "").casefold()


def _prepare(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
    script = files("atoms_campaigns_mcp.sandbox").joinpath("schema.sql")
    for line in script.read_text(encoding="utf-8").splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
