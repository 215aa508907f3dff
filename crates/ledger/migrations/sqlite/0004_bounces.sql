-- Mails that came back: what they say in codes and words of our own, never a word or an address of theirs.

CREATE TABLE report (
    report INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Of the mail's bytes, so that the same mail counts once.
    sha256 TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('bounce', 'complaint', 'auto_reply', 'other')),
    source TEXT NOT NULL,
    read_at INTEGER NOT NULL,
    mail INTEGER REFERENCES mail (mail),
    proof TEXT NOT NULL CHECK (proof IN ('verp', 'message_id', 'none')),
    -- What it proves, and whether that is that the address is dead; null and 0 for nothing.
    finding TEXT,
    address_dead INTEGER NOT NULL
) STRICT;
CREATE INDEX report_mail ON report (mail);

CREATE TABLE report_recipient (
    report INTEGER NOT NULL REFERENCES report (report),
    place INTEGER NOT NULL,
    -- 1 when it is the mail's recipient, 0 when it is another, null when that cannot be known any more.
    is_recipient INTEGER,
    action TEXT,
    status TEXT,
    status_source TEXT,
    class TEXT,
    reason TEXT,
    PRIMARY KEY (report, place)
) STRICT;

-- Reports whose mail is still in a dispatcher's hands: what they prove is carried out when that has said its word.
CREATE TABLE report_waiting (
    report INTEGER PRIMARY KEY REFERENCES report (report)
) STRICT;

-- How far a mailbox elsewhere was read.
CREATE TABLE mailbox (
    mailbox TEXT PRIMARY KEY,
    validity INTEGER NOT NULL,
    last_uid INTEGER NOT NULL
) STRICT;

-- Which secret the return paths of this ledger's mails are made with: the secret itself is in a file of its own.
CREATE TABLE return_path_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL
) STRICT;

CREATE INDEX mail_message_id ON mail (message_id);

CREATE TRIGGER report_no_update BEFORE UPDATE ON report
BEGIN SELECT RAISE(ABORT, 'reports are append-only'); END;
CREATE TRIGGER report_no_delete BEFORE DELETE ON report
BEGIN SELECT RAISE(ABORT, 'reports are append-only'); END;
CREATE TRIGGER report_recipient_no_update BEFORE UPDATE ON report_recipient
BEGIN SELECT RAISE(ABORT, 'reports are append-only'); END;
CREATE TRIGGER report_recipient_no_delete BEFORE DELETE ON report_recipient
BEGIN SELECT RAISE(ABORT, 'reports are append-only'); END;
