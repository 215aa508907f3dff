-- Mails as `survey::delivery` knows them: leased by a dispatcher, marked before the final dot, settled afterwards.
-- Attempts become a whole history: also the mark before the dot, and what was learnt later.

CREATE TABLE dispatcher (
    dispatcher TEXT PRIMARY KEY,
    started BIGINT NOT NULL,
    -- On the database's own clock: until when nobody may take its mails.
    until BIGINT NOT NULL,
    ended BIGINT
);

CREATE TABLE sending (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    paused BIGINT NOT NULL DEFAULT 0,
    paused_by TEXT NOT NULL DEFAULT '',
    paused_why TEXT NOT NULL DEFAULT '',
    paused_at BIGINT
);
INSERT INTO sending (one) VALUES (1);

-- An address that was refused, bounced or complained of is stopped in this version; a correction makes another version.
ALTER TABLE person ADD COLUMN stopped_version BIGINT;
ALTER TABLE person ADD COLUMN stopped TEXT;

CREATE TABLE mail_2 (
    mail BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    form BIGINT NOT NULL REFERENCES seat (form),
    holder BIGINT NOT NULL,
    address_version BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('prenotice', 'invitation', 'reminder')),
    wave BIGINT NOT NULL,
    message_id TEXT,
    state TEXT NOT NULL CHECK (state IN (
        'planned', 'ready', 'leased', 'sending', 'deferred', 'accepted', 'rejected', 'unknown', 'expired',
        'cancelled', 'suppressed', 'delivered', 'bounced_hard', 'bounced_soft', 'complained', 'auto_replied')),
    why TEXT,
    queued BIGINT NOT NULL,
    not_before BIGINT NOT NULL DEFAULT 0,
    dispatcher TEXT,
    leased BIGINT,
    -- The date the mail bears, set by the first lease, so that every attempt sends the same bytes.
    dated BIGINT,
    -- Refusals for now that count against this mail, and how often the policy has sent it again.
    tries BIGINT NOT NULL DEFAULT 0,
    resent BIGINT NOT NULL DEFAULT 0,
    last_attempt BIGINT,
    last_result TEXT,
    last_at BIGINT,
    UNIQUE (form, holder, address_version, kind, wave)
);
INSERT INTO mail_2 (mail, form, holder, address_version, kind, wave, message_id, state, why, queued, not_before,
    dispatcher, leased, last_attempt, last_result, last_at)
OVERRIDING SYSTEM VALUE
SELECT mail, form, holder, address_version, kind, wave, message_id,
    CASE WHEN state = 'claimed' THEN 'unknown' WHEN state = 'ready' AND not_before > 0 THEN 'deferred' ELSE state END,
    why, queued, not_before, claimant, claimed, last_attempt, last_result, last_at FROM mail;

CREATE TABLE attempt_2 (
    attempt BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail BIGINT NOT NULL REFERENCES mail_2 (mail),
    dispatcher TEXT NOT NULL,
    -- `sending` is the mark before the final dot; what is learnt later has the words of `survey::delivery::Evidence`.
    result TEXT NOT NULL CHECK (result IN (
        'sending', 'accepted', 'rejected', 'deferred', 'route_failed', 'unknown', 'relay_took_it', 'relay_never_had_it',
        'delivered', 'bounced_hard', 'bounced_soft', 'complained', 'auto_replied')),
    stage TEXT NOT NULL,
    code BIGINT,
    enhanced TEXT,
    text TEXT NOT NULL,
    peer TEXT,
    sha256 TEXT,
    at BIGINT NOT NULL
);
INSERT INTO attempt_2 (attempt, mail, dispatcher, result, stage, code, enhanced, text, at)
OVERRIDING SYSTEM VALUE
SELECT attempt, mail, claimant, result, stage, code, enhanced, text, at FROM attempt;

DROP TABLE attempt;
DROP TABLE mail;
ALTER TABLE mail_2 RENAME TO mail;
ALTER TABLE attempt_2 RENAME TO attempt;
CREATE INDEX mail_state ON mail (state, mail);
CREATE INDEX mail_deferred ON mail (not_before) WHERE state = 'deferred';
CREATE INDEX mail_held ON mail (dispatcher) WHERE state IN ('leased', 'sending');
CREATE INDEX attempt_mail ON attempt (mail);
-- The identities go on behind the copied rows.
SELECT setval(pg_get_serial_sequence('mail', 'mail'), (SELECT COALESCE(MAX(mail), 0) + 1 FROM mail), false);
SELECT setval(pg_get_serial_sequence('attempt', 'attempt'), (SELECT COALESCE(MAX(attempt), 0) + 1 FROM attempt), false);
CREATE TRIGGER attempt_no_change BEFORE UPDATE OR DELETE ON attempt
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attempt_no_truncate BEFORE TRUNCATE ON attempt
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
