-- Links sent again to whoever asks, and the erasing of personal data when its time has come.

-- A mail may also be a link that its person asked for. The constraint has the name of the table it was made with.
ALTER TABLE mail DROP CONSTRAINT mail_2_kind_check;
ALTER TABLE mail ADD CONSTRAINT mail_kind_check CHECK (kind IN ('prenotice', 'invitation', 'reminder', 'link'));
CREATE INDEX mail_link ON mail (form) WHERE kind = 'link';
CREATE INDEX person_address ON person (lower(email));

-- The planner's statistics keep samples of values, where no erasing would reach them.
ALTER TABLE person ALTER COLUMN external_id SET STATISTICS 0;
ALTER TABLE person ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE person ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE person ALTER COLUMN position SET STATISTICS 0;
ALTER INDEX person_address ALTER COLUMN 1 SET STATISTICS 0;
ALTER TABLE attempt ALTER COLUMN text SET STATISTICS 0;

-- What of the retention table was carried out. `rewritten` is 1 once the database's files hold nothing of it any more.
CREATE TABLE purged (
    what TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    rows_erased BIGINT NOT NULL,
    rewritten BIGINT NOT NULL DEFAULT 0
);

-- The history of a mail stays, but the words of others in it may be erased.
DROP TRIGGER attempt_no_change ON attempt;
CREATE TRIGGER attempt_no_delete BEFORE DELETE ON attempt
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attempt_no_update BEFORE UPDATE ON attempt
FOR EACH ROW WHEN (NOT (NEW.text = '' AND NEW.attempt IS NOT DISTINCT FROM OLD.attempt
    AND NEW.mail IS NOT DISTINCT FROM OLD.mail AND NEW.dispatcher IS NOT DISTINCT FROM OLD.dispatcher
    AND NEW.result IS NOT DISTINCT FROM OLD.result AND NEW.stage IS NOT DISTINCT FROM OLD.stage
    AND NEW.code IS NOT DISTINCT FROM OLD.code AND NEW.enhanced IS NOT DISTINCT FROM OLD.enhanced
    AND NEW.peer IS NOT DISTINCT FROM OLD.peer AND NEW.sha256 IS NOT DISTINCT FROM OLD.sha256
    AND NEW.at IS NOT DISTINCT FROM OLD.at)) EXECUTE FUNCTION refuse_change();
