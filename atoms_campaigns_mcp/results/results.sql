CREATE TABLE contact (
    position     INTEGER PRIMARY KEY,
    phone        TEXT NOT NULL,
    data         TEXT NOT NULL,  -- JSON object of the audience's columns
    attempts     INTEGER NOT NULL,
    final_status TEXT NOT NULL,
    seconds      REAL NOT NULL,
    cost         REAL NOT NULL,
    reached      INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_outcome ON contact (final_status, position);

CREATE TABLE attempt (
    position  INTEGER NOT NULL,
    number    INTEGER NOT NULL,  -- 0: the first, 1: the first retry
    caller    TEXT NOT NULL,
    connected INTEGER NOT NULL,
    retried   INTEGER NOT NULL,  -- whether an end like this one leads to a retry
    country   TEXT NOT NULL,     -- ISO region, or empty
    hour      INTEGER,           -- of day where the contact is, if its zones agree
    ended_at  REAL,              -- seconds since 1970
    PRIMARY KEY (position, number)
) STRICT;

CREATE TABLE ending (
    position  INTEGER NOT NULL,
    number    INTEGER NOT NULL,  -- 0: the first call, 1: the first retry
    call_id   TEXT NOT NULL,
    connected INTEGER NOT NULL,
    told      INTEGER NOT NULL,  -- whether the API said how it ended, or what came of it
    cause     TEXT NOT NULL,     -- why it reached nobody, else empty
    found     TEXT NOT NULL,     -- JSON object of dispositions
    summary   TEXT NOT NULL,
    PRIMARY KEY (position, number)
) STRICT;
CREATE INDEX ending_call ON ending (call_id);
