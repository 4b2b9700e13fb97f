-- Times are milliseconds since 1970 in UTC. "id" is what the API shows, "pk" is ours.

CREATE TABLE world (
    pk INTEGER PRIMARY KEY CHECK (pk = 1),
    speed REAL,                       -- NULL: as fast as the machine goes
    wall_anchor INTEGER NOT NULL,
    virtual_anchor INTEGER NOT NULL,
    next_event_at INTEGER             -- NULL: nothing runs or is scheduled
);

CREATE TABLE organization (
    pk INTEGER PRIMARY KEY,
    key_digest TEXT NOT NULL UNIQUE,  -- the key itself is never stored
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    campaigns_created INTEGER NOT NULL DEFAULT 0,
    starts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
);

CREATE TABLE agent (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    workflow_type TEXT NOT NULL,
    settings TEXT NOT NULL,           -- JSON object of everything else that was sent
    archived_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (org_pk, id)
);

CREATE TABLE phone_number (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    number TEXT NOT NULL,
    country_code TEXT NOT NULL,
    area_code TEXT NOT NULL,
    active INTEGER NOT NULL,
    agent_pk INTEGER REFERENCES agent,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (org_pk, id)
);

CREATE TABLE audience (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    phone_column TEXT NOT NULL,
    identifier_column TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,               -- kept: logged calls still name their contacts
    UNIQUE (org_pk, id)
);

CREATE TABLE member (
    pk INTEGER PRIMARY KEY,
    audience_pk INTEGER NOT NULL REFERENCES audience,
    id TEXT NOT NULL,
    digits TEXT NOT NULL,             -- the number without "+": what makes two members equal
    data TEXT NOT NULL,               -- JSON object of the columns
    deleted_at INTEGER
);
CREATE UNIQUE INDEX member_number ON member (audience_pk, digits) WHERE deleted_at IS NULL;
CREATE INDEX member_order ON member (audience_pk, pk) WHERE deleted_at IS NULL;

CREATE TABLE dnc_entry (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    id TEXT NOT NULL,
    agent_pk INTEGER REFERENCES agent,  -- NULL: for the whole organization
    number TEXT NOT NULL,
    source TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX dnc_order ON dnc_entry (org_pk, created_at);

CREATE TABLE campaign (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    ordinal INTEGER NOT NULL,         -- counts campaigns of the organization; outcomes derive from it
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    agent_pk INTEGER NOT NULL REFERENCES agent,
    audience_pk INTEGER NOT NULL REFERENCES audience,
    phone_pks TEXT NOT NULL,          -- JSON array; empty: the agent's numbers
    rules TEXT NOT NULL,              -- JSON: seed, odds and completion it was created under
    participants INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    retry_delay INTEGER NOT NULL,     -- minutes
    status TEXT NOT NULL,
    scheduled_at INTEGER,
    ready_at INTEGER,                 -- processing ends then
    pause_at INTEGER,                 -- a pause takes effect then
    dispatch_at INTEGER,              -- the next batch is handed to the dialer then
    dialing INTEGER NOT NULL DEFAULT 0,
    callers TEXT NOT NULL DEFAULT '[]',  -- JSON array of the numbers it dials from
    contacts INTEGER,                 -- frozen at the first start
    undispatched INTEGER NOT NULL DEFAULT 0,
    unsettled INTEGER NOT NULL DEFAULT 0,
    executions INTEGER NOT NULL DEFAULT 0,
    called INTEGER NOT NULL DEFAULT 0,     -- contacts with a call active, completed, failed, no_answer
    connected INTEGER NOT NULL DEFAULT 0,  -- contacts with a completed call
    retry_attempts INTEGER NOT NULL DEFAULT 0,
    cancelled_calls INTEGER,
    paused_at INTEGER,
    error TEXT,
    failed_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,               -- kept: its calls stay in the log
    UNIQUE (org_pk, id)
);
CREATE INDEX campaign_audience ON campaign (audience_pk) WHERE deleted_at IS NULL;
CREATE INDEX campaign_busy ON campaign (status) WHERE deleted_at IS NULL;

CREATE TABLE execution (
    campaign_pk INTEGER NOT NULL REFERENCES campaign,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    total INTEGER NOT NULL,
    processed INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    completed_at INTEGER,
    PRIMARY KEY (campaign_pk, number)
) WITHOUT ROWID;

CREATE TABLE campaign_event (
    pk INTEGER PRIMARY KEY,
    campaign_pk INTEGER NOT NULL REFERENCES campaign,
    action TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX campaign_event_order ON campaign_event (campaign_pk, pk);

CREATE TABLE contact (
    campaign_pk INTEGER NOT NULL REFERENCES campaign,
    position INTEGER NOT NULL,        -- from 1, in the order of the audience
    member_pk INTEGER NOT NULL REFERENCES member,
    phone TEXT NOT NULL,
    state TEXT NOT NULL,              -- new, busy, waiting, settled
    attempts INTEGER NOT NULL,        -- dials so far
    due_at INTEGER,                   -- waiting only: when the retry is due
    PRIMARY KEY (campaign_pk, position)
) WITHOUT ROWID;
CREATE INDEX contact_new ON contact (campaign_pk, position) WHERE state = 'new';
CREATE INDEX contact_due ON contact (campaign_pk, due_at, position) WHERE due_at IS NOT NULL;

CREATE TABLE call (
    pk INTEGER PRIMARY KEY,
    org_pk INTEGER NOT NULL REFERENCES organization,
    call_id TEXT NOT NULL,
    campaign_pk INTEGER NOT NULL REFERENCES campaign,
    position INTEGER NOT NULL,
    attempt INTEGER NOT NULL,         -- 0 = first dial, 1 = first retry
    member_pk INTEGER NOT NULL REFERENCES member,
    agent_pk INTEGER NOT NULL REFERENCES agent,
    from_number TEXT NOT NULL,
    to_number TEXT NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT,                     -- decided when it is dialled, shown when it ends
    reason TEXT,
    failure TEXT,
    script INTEGER NOT NULL DEFAULT 0,
    dialed_at INTEGER,
    answered_at INTEGER,              -- in the future while it rings
    ended_at INTEGER,                 -- in the future while it is live
    next_at INTEGER,                  -- its next event; NULL when queued or over
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX call_identity ON call (call_id);
CREATE INDEX call_family ON call (campaign_pk, position, attempt);
CREATE INDEX call_recent ON call (org_pk, updated_at);
CREATE INDEX call_live ON call (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX call_queued ON call (campaign_pk, created_at, pk) WHERE status = 'in_queue';

CREATE TABLE late_work (
    pk INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,          -- of the wall clock
    request TEXT NOT NULL,            -- JSON, without the key
    body BLOB NOT NULL
);
