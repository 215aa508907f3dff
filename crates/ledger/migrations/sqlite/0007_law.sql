-- Links sent again to whoever asks, and the erasing of personal data when its time has come.

-- A mail may also be a link that its person asked for. SQLite cannot change a CHECK; as its documentation shows for changes
-- that leave the stored rows as they are, the text of the table is changed in place, so that no row and no column moves.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''reminder'')', '''reminder'', ''link'')')
WHERE type = 'table' AND name = 'mail';
PRAGMA writable_schema = RESET;
CREATE INDEX mail_link ON mail (form) WHERE kind = 'link';
CREATE INDEX person_address ON person (lower(email));

-- What of the retention table was carried out. `rewritten` is 1 once the database's files hold nothing of it any more.
CREATE TABLE purged (
    what TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    rows_erased INTEGER NOT NULL,
    rewritten INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The history of a mail stays, but the words of others in it may be erased.
DROP TRIGGER attempt_no_update;
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt
WHEN NOT (NEW.text = '' AND NEW.attempt IS OLD.attempt AND NEW.mail IS OLD.mail AND NEW.dispatcher IS OLD.dispatcher
    AND NEW.result IS OLD.result AND NEW.stage IS OLD.stage AND NEW.code IS OLD.code AND NEW.enhanced IS OLD.enhanced
    AND NEW.peer IS OLD.peer AND NEW.sha256 IS OLD.sha256 AND NEW.at IS OLD.at)
BEGIN SELECT RAISE(ABORT, 'attempts are append-only'); END;
