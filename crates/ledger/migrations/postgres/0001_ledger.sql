-- The ledger on PostgreSQL. Its twin for SQLite differs in type names and triggers only.
-- Times are milliseconds since the Unix epoch, flags are 0 or 1, codes and states are words.

CREATE TABLE parsurvey_ledger (format BIGINT NOT NULL);
INSERT INTO parsurvey_ledger (format) VALUES (1);

CREATE TABLE campaign (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'inviting', 'closed', 'opened', 'released')),
    deadline BIGINT,
    created BIGINT NOT NULL,
    roster_version BIGINT NOT NULL DEFAULT 0,
    event_seq BIGINT NOT NULL,
    event_hash TEXT NOT NULL,
    box_sha256 TEXT,
    erase_pending BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE event (
    seq BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    form BIGINT,
    person BIGINT,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
);

CREATE TABLE frozen (
    stage TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (stage, path)
);

CREATE TABLE roster_import (
    event_seq BIGINT PRIMARY KEY,
    sha256 TEXT NOT NULL
);

-- The one table with names and addresses.
CREATE TABLE person (
    person BIGINT PRIMARY KEY,
    external_id TEXT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_version BIGINT NOT NULL DEFAULT 1,
    position TEXT NOT NULL
);

CREATE TABLE seat (
    form BIGINT PRIMARY KEY,
    target TEXT NOT NULL,
    grp TEXT NOT NULL,
    unit TEXT NOT NULL,
    person BIGINT NOT NULL REFERENCES person (person),
    holder BIGINT NOT NULL DEFAULT 1,
    link_version BIGINT NOT NULL DEFAULT 1,
    removed BIGINT NOT NULL DEFAULT 0,
    ineligible BIGINT NOT NULL DEFAULT 0,
    substitute BIGINT NOT NULL DEFAULT 0,
    excused TEXT,
    declined BIGINT NOT NULL DEFAULT 0,
    started BIGINT,
    completed BIGINT,
    too_late BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX seat_person ON seat (person);

-- Whoever was in post and unable: a substitute counts apart, and the rates keep the original.
CREATE TABLE seat_former (
    form BIGINT NOT NULL REFERENCES seat (form),
    holder BIGINT NOT NULL,
    person BIGINT NOT NULL REFERENCES person (person),
    excused TEXT,
    declined BIGINT NOT NULL,
    started BIGINT,
    too_late BIGINT NOT NULL,
    PRIMARY KEY (form, holder)
);

CREATE TABLE link (
    form BIGINT NOT NULL REFERENCES seat (form),
    link_version BIGINT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    PRIMARY KEY (form, link_version)
);

CREATE TABLE mail (
    mail BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form BIGINT NOT NULL REFERENCES seat (form),
    holder BIGINT NOT NULL,
    address_version BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('prenotice', 'invitation', 'reminder')),
    wave BIGINT NOT NULL,
    message_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'accepted', 'rejected', 'cancelled')),
    why TEXT,
    queued BIGINT NOT NULL,
    not_before BIGINT NOT NULL DEFAULT 0,
    claimant TEXT,
    claimed BIGINT,
    last_attempt BIGINT,
    last_result TEXT,
    last_at BIGINT,
    UNIQUE (form, holder, address_version, kind, wave)
);
CREATE INDEX mail_ready ON mail (state, mail);

CREATE TABLE attempt (
    attempt BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail BIGINT NOT NULL REFERENCES mail (mail),
    claimant TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('accepted', 'rejected', 'deferred', 'route_failed')),
    stage TEXT NOT NULL,
    code BIGINT,
    enhanced TEXT,
    text TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX attempt_mail ON attempt (mail);

-- One sealed ballot per form; nothing here is readable without the key.
CREATE TABLE ballot (
    form BIGINT PRIMARY KEY REFERENCES seat (form),
    ciphertext BYTEA NOT NULL
);

CREATE TABLE box_key (
    role TEXT PRIMARY KEY CHECK (role IN ('box', 'archive')),
    public_hex TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    test_ballot BYTEA NOT NULL,
    proof TEXT,
    registered BIGINT NOT NULL,
    confirmed BIGINT
);

CREATE TABLE tally (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    json TEXT NOT NULL,
    tally_sha256 TEXT NOT NULL,
    archive_sha256 TEXT NOT NULL,
    imported BIGINT NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only';
END
$$;
CREATE TRIGGER event_no_change BEFORE UPDATE OR DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attempt_no_change BEFORE UPDATE OR DELETE ON attempt
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attempt_no_truncate BEFORE TRUNCATE ON attempt
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
