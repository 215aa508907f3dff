-- Mails outside the contacts: the head of the log to an address outside, and a word to an address that was given up.
-- Acts that wait for a second person, and completed forms that are drawn to be called back.
-- None of these tables holds a name or an address: those wait in `person`, as somebody who holds no seat.

CREATE TABLE notice (
    notice BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('anchor', 'address', 'replaced', 'left')),
    -- An anchor: its day, one a day, and the entry of the log whose hash it tells.
    day TEXT UNIQUE,
    seq BIGINT,
    hash TEXT,
    -- A word to an address: the form, and the person with the address that is told.
    form BIGINT REFERENCES seat (form),
    person BIGINT REFERENCES person (person),
    state TEXT NOT NULL CHECK (state IN ('ready', 'claimed', 'told', 'refused')),
    claimant TEXT,
    text TEXT NOT NULL DEFAULT '',
    at BIGINT NOT NULL
);
CREATE INDEX notice_state ON notice (state);

CREATE TABLE proposal (
    proposal BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('address', 'replacement', 'roster')),
    form BIGINT REFERENCES seat (form),
    -- What it would do, and what it rests on: numbers and codes only.
    plan TEXT NOT NULL,
    basis TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected', 'withdrawn')),
    proposer TEXT NOT NULL,
    reason TEXT NOT NULL,
    document TEXT NOT NULL,
    at BIGINT NOT NULL,
    decided_by TEXT,
    decided_why TEXT,
    decided BIGINT
);

CREATE TABLE callback_draw (
    draw BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seed TEXT NOT NULL,
    by_group BIGINT NOT NULL,
    drawn BIGINT NOT NULL,
    population BIGINT NOT NULL,
    list_sha256 TEXT NOT NULL,
    at BIGINT NOT NULL,
    UNIQUE (seed, by_group, drawn, list_sha256)
);

CREATE TABLE callback (
    draw BIGINT NOT NULL REFERENCES callback_draw (draw),
    form BIGINT NOT NULL REFERENCES seat (form),
    outcome TEXT CHECK (outcome IN ('confirmed', 'denied', 'not_reached', 'refused')),
    PRIMARY KEY (draw, form)
);
