-- Mails that came back: what they say in codes and words of our own, never a word or an address of theirs.

CREATE TABLE report (
    report BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Of the mail's bytes, so that the same mail counts once.
    sha256 TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('bounce', 'complaint', 'auto_reply', 'other')),
    source TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    mail BIGINT REFERENCES mail (mail),
    proof TEXT NOT NULL CHECK (proof IN ('verp', 'message_id', 'none')),
    -- What it proves, and whether that is that the address is dead; null and 0 for nothing.
    finding TEXT,
    address_dead BIGINT NOT NULL
);
CREATE INDEX report_mail ON report (mail);

CREATE TABLE report_recipient (
    report BIGINT NOT NULL REFERENCES report (report),
    place BIGINT NOT NULL,
    -- 1 when it is the mail's recipient, 0 when it is another, null when that cannot be known any more.
    is_recipient BIGINT,
    action TEXT,
    status TEXT,
    status_source TEXT,
    class TEXT,
    reason TEXT,
    PRIMARY KEY (report, place)
);

-- Reports whose mail is still in a dispatcher's hands: what they prove is carried out when that has said its word.
CREATE TABLE report_waiting (
    report BIGINT PRIMARY KEY REFERENCES report (report)
);

-- How far a mailbox elsewhere was read.
CREATE TABLE mailbox (
    mailbox TEXT PRIMARY KEY,
    validity BIGINT NOT NULL,
    last_uid BIGINT NOT NULL
);

-- Which secret the return paths of this ledger's mails are made with: the secret itself is in a file of its own.
CREATE TABLE return_path_key (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL
);

CREATE INDEX mail_message_id ON mail (message_id);

CREATE TRIGGER report_no_change BEFORE UPDATE OR DELETE ON report
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_no_truncate BEFORE TRUNCATE ON report
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_recipient_no_change BEFORE UPDATE OR DELETE ON report_recipient
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER report_recipient_no_truncate BEFORE TRUNCATE ON report_recipient
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
