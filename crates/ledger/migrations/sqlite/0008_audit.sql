-- Mails outside the contacts: the head of the log to an address outside, and a word to an address that was given up.
-- Acts that wait for a second person, and completed forms that are drawn to be called back.
-- None of these tables holds a name or an address: those wait in `person`, as somebody who holds no seat.

CREATE TABLE notice (
    notice INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('anchor', 'address', 'replaced', 'left')),
    -- An anchor: its day, one a day, and the entry of the log whose hash it tells.
    day TEXT UNIQUE,
    seq INTEGER,
    hash TEXT,
    -- A word to an address: the form, and the person with the address that is told.
    form INTEGER REFERENCES seat (form),
    person INTEGER REFERENCES person (person),
    state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'told', 'refused')),
    claimant TEXT,
    text TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX notice_state ON notice (state);

CREATE TABLE proposal (
    proposal INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('address', 'replacement', 'roster')),
    form INTEGER REFERENCES seat (form),
    -- What it would do, and what it rests on: numbers and codes only.
    plan TEXT NOT NULL,
    basis TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'withdrawn')),
    proposer TEXT NOT NULL,
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    at INTEGER NOT NULL,
    decided_by TEXT,
    decided_why TEXT,
    decided INTEGER
) STRICT;

CREATE TABLE callback_draw (
    draw INTEGER PRIMARY KEY AUTOINCREMENT,
    seed TEXT NOT NULL,
    by_group INTEGER NOT NULL,
    drawn INTEGER NOT NULL,
    population INTEGER NOT NULL,
    list_sha256 TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (seed, by_group, drawn, list_sha256)
) STRICT;

CREATE TABLE callback (
    draw INTEGER NOT NULL REFERENCES callback_draw (draw),
    form INTEGER NOT NULL REFERENCES seat (form),
    outcome TEXT CHECK (outcome IN ('confirmed', 'denied', 'not_reached', 'refused')),
    PRIMARY KEY (draw, form)
) STRICT;
