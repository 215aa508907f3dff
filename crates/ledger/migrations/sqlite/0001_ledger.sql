-- The ledger on SQLite. Its twin for PostgreSQL differs in type names and triggers only.
-- Times are milliseconds since the Unix epoch, flags are 0 or 1, codes and states are words.

CREATE TABLE parsurvey_ledger (format INTEGER NOT NULL) STRICT;
INSERT INTO parsurvey_ledger (format) VALUES (1);

CREATE TABLE campaign (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'inviting', 'closed', 'opened', 'released')),
    deadline INTEGER,
    created INTEGER NOT NULL,
    roster_version INTEGER NOT NULL DEFAULT 0,
    event_seq INTEGER NOT NULL,
    event_hash TEXT NOT NULL,
    box_sha256 TEXT,
    erase_pending INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    form INTEGER,
    person INTEGER,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

CREATE TABLE frozen (
    stage TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (stage, path)
) STRICT;

CREATE TABLE roster_import (
    event_seq INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT;

-- The one table with names and addresses.
CREATE TABLE person (
    person INTEGER PRIMARY KEY,
    external_id TEXT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_version INTEGER NOT NULL DEFAULT 1,
    position TEXT NOT NULL
) STRICT;

CREATE TABLE seat (
    form INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    grp TEXT NOT NULL,
    unit TEXT NOT NULL,
    person INTEGER NOT NULL REFERENCES person (person),
    holder INTEGER NOT NULL DEFAULT 1,
    link_version INTEGER NOT NULL DEFAULT 1,
    removed INTEGER NOT NULL DEFAULT 0,
    ineligible INTEGER NOT NULL DEFAULT 0,
    substitute INTEGER NOT NULL DEFAULT 0,
    excused TEXT,
    declined INTEGER NOT NULL DEFAULT 0,
    started INTEGER,
    completed INTEGER,
    too_late INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX seat_person ON seat (person);

-- Whoever was in post and unable: a substitute counts apart, and the rates keep the original.
CREATE TABLE seat_former (
    form INTEGER NOT NULL REFERENCES seat (form),
    holder INTEGER NOT NULL,
    person INTEGER NOT NULL REFERENCES person (person),
    excused TEXT,
    declined INTEGER NOT NULL,
    started INTEGER,
    too_late INTEGER NOT NULL,
    PRIMARY KEY (form, holder)
) STRICT;

CREATE TABLE link (
    form INTEGER NOT NULL REFERENCES seat (form),
    link_version INTEGER NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    PRIMARY KEY (form, link_version)
) STRICT;

CREATE TABLE mail (
    mail INTEGER PRIMARY KEY AUTOINCREMENT,
    form INTEGER NOT NULL REFERENCES seat (form),
    holder INTEGER NOT NULL,
    address_version INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('prenotice', 'invitation', 'reminder')),
    wave INTEGER NOT NULL,
    message_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'accepted', 'rejected', 'cancelled')),
    why TEXT,
    queued INTEGER NOT NULL,
    not_before INTEGER NOT NULL DEFAULT 0,
    claimant TEXT,
    claimed INTEGER,
    last_attempt INTEGER,
    last_result TEXT,
    last_at INTEGER,
    UNIQUE (form, holder, address_version, kind, wave)
) STRICT;
CREATE INDEX mail_ready ON mail (state, mail);

CREATE TABLE attempt (
    attempt INTEGER PRIMARY KEY AUTOINCREMENT,
    mail INTEGER NOT NULL REFERENCES mail (mail),
    claimant TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('accepted', 'rejected', 'deferred', 'route_failed')),
    stage TEXT NOT NULL,
    code INTEGER,
    enhanced TEXT,
    text TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempt_mail ON attempt (mail);

-- One sealed ballot per form; nothing here is readable without the key.
CREATE TABLE ballot (
    form INTEGER PRIMARY KEY REFERENCES seat (form),
    ciphertext BLOB NOT NULL
) STRICT;

CREATE TABLE box_key (
    role TEXT PRIMARY KEY CHECK (role IN ('box', 'archive')),
    public_hex TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    test_ballot BLOB NOT NULL,
    proof TEXT,
    registered INTEGER NOT NULL,
    confirmed INTEGER
) STRICT;

CREATE TABLE tally (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    json TEXT NOT NULL,
    tally_sha256 TEXT NOT NULL,
    archive_sha256 TEXT NOT NULL,
    imported INTEGER NOT NULL
) STRICT;

CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the event log is append-only'); END;
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
