-- Answers of forms that are not handed in yet, sealed: nothing here is readable without the link's token and the draft secret.
-- No time and no count of savings stands beside them.

CREATE TABLE draft (
    form BIGINT PRIMARY KEY REFERENCES seat (form),
    ciphertext BYTEA NOT NULL
);

-- Which secret the drafts of this ledger are sealed with: the secret itself is in a file of its own until closing.
CREATE TABLE draft_key (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    fingerprint TEXT NOT NULL
);
