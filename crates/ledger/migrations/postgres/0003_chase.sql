-- Chasing: the orders to name people, and every letter told to a unit's coordinator. Neither holds a name or an address.
-- `day` is the day of the counts in the campaign's zone; a digest to the operator is a letter to the unit ''.

ALTER TABLE seat ADD COLUMN ever_declined BIGINT NOT NULL DEFAULT 0;
UPDATE seat SET ever_declined = declined;

CREATE TABLE chase_order (
    seq BIGINT PRIMARY KEY REFERENCES event (seq)
);

CREATE TABLE chase_letter (
    letter BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    unit TEXT NOT NULL,
    day TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('docx', 'mail', 'digest')),
    state TEXT NOT NULL CHECK (state IN ('made', 'ready', 'claimed', 'told', 'refused')),
    named BIGINT NOT NULL,
    listed BIGINT NOT NULL,
    not_delivered BIGINT NOT NULL,
    silent BIGINT NOT NULL,
    started BIGINT NOT NULL,
    excused BIGINT NOT NULL,
    completed BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    actor TEXT NOT NULL,
    document TEXT NOT NULL,
    claimant TEXT,
    text TEXT NOT NULL DEFAULT '',
    at BIGINT NOT NULL
);
-- A paper letter is made once for the same bytes on the same day; a mail goes once a day, whatever it says.
CREATE UNIQUE INDEX chase_letter_paper ON chase_letter (unit, day, sha256) WHERE how = 'docx';
CREATE UNIQUE INDEX chase_letter_mail ON chase_letter (unit, day, how) WHERE how <> 'docx';
