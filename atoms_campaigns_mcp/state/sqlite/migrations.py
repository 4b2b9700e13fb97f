"""The tables of the state file, version by version; a file of any release becomes the latest.

A migration that has been released is never edited: what is to change comes in another one. Servers
of an earlier version may have the file open meanwhile, so columns are added and none is taken away.
"""

import sqlite3

from atoms_campaigns_mcp.errors import ConfigurationError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (  # 0.1.0
        """CREATE TABLE plans (
            plan_id    TEXT PRIMARY KEY,
            tenant     TEXT NOT NULL,
            tool       TEXT NOT NULL,
            digest     TEXT NOT NULL,
            expires_at REAL NOT NULL,
            used       INTEGER NOT NULL DEFAULT 0
        ) STRICT""",
        """CREATE TABLE journal (
            id        INTEGER PRIMARY KEY AUTOINCREMENT,
            at        REAL NOT NULL,
            tenant    TEXT NOT NULL,
            tool      TEXT NOT NULL,
            arguments TEXT NOT NULL,
            confirmed TEXT NOT NULL,
            digest    TEXT NOT NULL,
            outcome   TEXT NOT NULL DEFAULT '',
            detail    TEXT NOT NULL DEFAULT '',
            request_id TEXT NOT NULL DEFAULT '',
            reported  INTEGER NOT NULL DEFAULT 0,
            key       TEXT NOT NULL DEFAULT '',
            known     TEXT NOT NULL DEFAULT '[]'  -- JSON array
        ) STRICT""",
        "CREATE INDEX journal_creations ON journal (key) WHERE key <> ''",
        """CREATE TABLE claims (
            key   TEXT PRIMARY KEY,
            owner TEXT NOT NULL,
            until REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE callers (
            tenant      TEXT NOT NULL,
            campaign_id TEXT NOT NULL,
            phone_ids   TEXT NOT NULL,  -- JSON array
            PRIMARY KEY (tenant, campaign_id)
        ) STRICT""",
        """CREATE TABLE uploads (
            upload_id  TEXT PRIMARY KEY,
            tenant     TEXT NOT NULL,
            content    BLOB NOT NULL,
            expires_at REAL NOT NULL
        ) STRICT""",
    ),
    (  # seconds that the question took to be answered
        "ALTER TABLE journal ADD COLUMN answered_after REAL",
    ),
    (  # whose contacts a plan concerns
        "ALTER TABLE plans ADD COLUMN audience_id TEXT NOT NULL DEFAULT ''",
    ),
    (  # warnings in the question about a plan: a JSON array
        "ALTER TABLE plans ADD COLUMN shown TEXT NOT NULL DEFAULT '[]'",
    ),
    (  # which campaign, and whether it was made to dial and has not been seen to
        "ALTER TABLE journal ADD COLUMN account TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN campaign_id TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN dials INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE journal ADD COLUMN seen INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX journal_begun ON journal (account) WHERE dials AND NOT seen",
    ),
    (),  # pages that were freed before `secure_delete` are to be cleared, see `_clear`
    (  # which world an entry is of, and what the change created
        "ALTER TABLE journal ADD COLUMN mode TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE journal ADD COLUMN created TEXT NOT NULL DEFAULT ''",
        # Earlier versions named the campaign among the arguments only.
        """UPDATE journal SET campaign_id = json_extract(arguments, '$.campaign_id')
            WHERE campaign_id = '' AND CASE WHEN json_valid(arguments) THEN
                length(json_extract(arguments, '$.campaign_id')) = 24
                AND json_extract(arguments, '$.campaign_id') NOT GLOB '*[^0-9a-f]*'
            END""",
        "CREATE INDEX journal_times ON journal (at)",
    ),
    (  # what the guard keeps, and is told
        """CREATE TABLE guard (
            account TEXT NOT NULL,
            subject TEXT NOT NULL,
            content TEXT NOT NULL,
            PRIMARY KEY (account, subject)
        ) STRICT""",
    ),
)
CLEARED = 6  # the version from which on nothing deleted is left in the file
UNCLEARED = 6  # the `application_id` of a file that was made before, until it is cleared
LATEST = len(MIGRATIONS)


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to the latest version; each step is carried out whole, or not at all.

    Raises:
        ConfigurationError: A newer version of this server made the file.
    """
    first = _version(db)
    while (version := _version(db)) < LATEST:
        _step(db, version, aged=first > 0)
    if version > LATEST:
        raise ConfigurationError(
            "The state file was made by a newer version of this server.",
            next_step="Update this server, or give it another folder in ATOMS_MCP_STATE.",
        )
    # If it cannot be cleared, all tables are as they must be; the next start tries again.
    if _number(db, "application_id") == UNCLEARED and _clear(db):
        db.execute("PRAGMA application_id = 0")


def _clear(db: sqlite3.Connection) -> bool:
    """Write the file anew without its free pages, in which uploaded lists may still stand.

    It cannot be a part of a step, since SQLite does it in no transaction. False if another server
    was in the way or the disk is full.
    """
    try:
        db.execute("VACUUM")
        (busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not busy


def _step(db: sqlite3.Connection, version: int, *, aged: bool) -> None:
    with db:
        db.execute("BEGIN IMMEDIATE")
        # Servers that start together wait here for each other.
        if _version(db) == version:
            if version == CLEARED - 1 and aged:
                db.execute(f"PRAGMA application_id = {UNCLEARED}")
            for statement in MIGRATIONS[version]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version + 1}")


def _version(db: sqlite3.Connection) -> int:
    return _number(db, "user_version")


def _number(db: sqlite3.Connection, pragma: str) -> int:
    (number,) = db.execute(f"PRAGMA {pragma}").fetchone()
    return number
