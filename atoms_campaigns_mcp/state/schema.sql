CREATE TABLE IF NOT EXISTS plans (
    plan_id    TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    tool       TEXT NOT NULL,
    digest     TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE IF NOT EXISTS journal (
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
) STRICT;

CREATE INDEX IF NOT EXISTS journal_creations ON journal (key) WHERE key <> '';

CREATE TABLE IF NOT EXISTS claims (
    key   TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until REAL NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS callers (
    tenant      TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    phone_ids   TEXT NOT NULL,  -- JSON array
    PRIMARY KEY (tenant, campaign_id)
) STRICT;

CREATE TABLE IF NOT EXISTS uploads (
    upload_id  TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    content    BLOB NOT NULL,
    expires_at REAL NOT NULL
) STRICT;
