-- Accounts of the console, their sessions, and the text that people are searched by.
-- Secrets stand here as hashes, or sealed under a secret that lies in a file of its own.

CREATE TABLE account (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN (
        'operator', 'coordinator', 'analyst', 'data_entry', 'auditor', 'administrator', 'key_holder')),
    -- The one target whose seats it sees; null for every target.
    target TEXT,
    -- Argon2id; null until the person has set it.
    password TEXT,
    -- The seed of the authenticator, sealed.
    seed BLOB NOT NULL,
    -- The last step whose code was taken.
    used_step INTEGER NOT NULL DEFAULT 0,
    -- SHA-256 of the secret with which the person sets the account up, and until when it can be used.
    setup TEXT,
    setup_until INTEGER,
    created INTEGER NOT NULL,
    revoked INTEGER
) STRICT;

CREATE TABLE account_unit (
    name TEXT NOT NULL REFERENCES account (name),
    unit TEXT NOT NULL,
    PRIMARY KEY (name, unit)
) STRICT;

CREATE TABLE console_session (
    -- SHA-256 of the number in the cookie.
    hash TEXT PRIMARY KEY,
    name TEXT NOT NULL REFERENCES account (name),
    begun INTEGER NOT NULL,
    seen INTEGER NOT NULL
) STRICT;
CREATE INDEX console_session_name ON console_session (name);

-- Which secret seeds are sealed under: the secret itself is in a file.
CREATE TABLE console_key (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL
) STRICT;

-- Name, address, position and id without marks and signs, derived; null where it is to be made anew.
-- It stands in the table of persons, so that whatever erases a person erases it too.
ALTER TABLE person ADD COLUMN search TEXT;
CREATE INDEX person_unsearched ON person (person) WHERE search IS NULL;
CREATE TRIGGER person_search AFTER UPDATE OF external_id, name, email, position ON person
WHEN NEW.search IS OLD.search AND NEW.search IS NOT NULL
BEGIN UPDATE person SET search = NULL WHERE person = NEW.person; END;
