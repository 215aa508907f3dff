-- Mails as `survey::delivery` knows them: leased by a dispatcher, marked before the final dot, settled afterwards.
-- Attempts become a whole history: also the mark before the dot, and what was learnt later.

CREATE TABLE dispatcher (
    dispatcher TEXT PRIMARY KEY,
    started INTEGER NOT NULL,
    -- On the database's own clock: until when nobody may take its mails.
    until INTEGER NOT NULL,
    ended INTEGER
) STRICT;

CREATE TABLE sending (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    paused INTEGER NOT NULL DEFAULT 0,
    paused_by TEXT NOT NULL DEFAULT '',
    paused_why TEXT NOT NULL DEFAULT '',
    paused_at INTEGER
) STRICT;
INSERT INTO sending (one) VALUES (1);

-- An address that was refused, bounced or complained of is stopped in this version; a correction makes another version.
ALTER TABLE person ADD COLUMN stopped_version INTEGER;
ALTER TABLE person ADD COLUMN stopped TEXT;

CREATE TABLE mail_2 (
    mail INTEGER PRIMARY KEY AUTOINCREMENT,
    form INTEGER NOT NULL REFERENCES seat (form),
    holder INTEGER NOT NULL,
    address_version INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('prenotice', 'invitation', 'reminder')),
    wave INTEGER NOT NULL,
    message_id TEXT,
    state TEXT NOT NULL CHECK (state IN (
        'planned', 'ready', 'leased', 'sending', 'deferred', 'accepted', 'rejected', 'unknown', 'expired',
        'cancelled', 'suppressed', 'delivered', 'bounced_hard', 'bounced_soft', 'complained', 'auto_replied')),
    why TEXT,
    queued INTEGER NOT NULL,
    not_before INTEGER NOT NULL DEFAULT 0,
    dispatcher TEXT,
    leased INTEGER,
    -- The date the mail bears, set by the first lease, so that every attempt sends the same bytes.
    dated INTEGER,
    -- Refusals for now that count against this mail, and how often the policy has sent it again.
    tries INTEGER NOT NULL DEFAULT 0,
    resent INTEGER NOT NULL DEFAULT 0,
    last_attempt INTEGER,
    last_result TEXT,
    last_at INTEGER,
    UNIQUE (form, holder, address_version, kind, wave)
) STRICT;
INSERT INTO mail_2 (mail, form, holder, address_version, kind, wave, message_id, state, why, queued, not_before,
    dispatcher, leased, last_attempt, last_result, last_at)
SELECT mail, form, holder, address_version, kind, wave, message_id,
    CASE WHEN state = 'claimed' THEN 'unknown' WHEN state = 'ready' AND not_before > 0 THEN 'deferred' ELSE state END,
    why, queued, not_before, claimant, claimed, last_attempt, last_result, last_at FROM mail;

CREATE TABLE attempt_2 (
    attempt INTEGER PRIMARY KEY AUTOINCREMENT,
    mail INTEGER NOT NULL REFERENCES mail_2 (mail),
    dispatcher TEXT NOT NULL,
    -- `sending` is the mark before the final dot; what is learnt later has the words of `survey::delivery::Evidence`.
    result TEXT NOT NULL CHECK (result IN (
        'sending', 'accepted', 'rejected', 'deferred', 'route_failed', 'unknown', 'relay_took_it', 'relay_never_had_it',
        'delivered', 'bounced_hard', 'bounced_soft', 'complained', 'auto_replied')),
    stage TEXT NOT NULL,
    code INTEGER,
    enhanced TEXT,
    text TEXT NOT NULL,
    peer TEXT,
    sha256 TEXT,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO attempt_2 (attempt, mail, dispatcher, result, stage, code, enhanced, text, at)
SELECT attempt, mail, claimant, result, stage, code, enhanced, text, at FROM attempt;

DROP TABLE attempt;
DROP TABLE mail;
ALTER TABLE mail_2 RENAME TO mail;
ALTER TABLE attempt_2 RENAME TO attempt;
CREATE INDEX mail_state ON mail (state, mail);
CREATE INDEX mail_deferred ON mail (not_before) WHERE state = 'deferred';
CREATE INDEX mail_held ON mail (dispatcher) WHERE state IN ('leased', 'sending');
CREATE INDEX attempt_mail ON attempt (mail);
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
