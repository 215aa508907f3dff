//! The end of personal data in the ledger: names, addresses and the words of mail servers are erased, rows and log stay.
//!
//! What is counted afterwards is what was counted before, because no count needs a name. Erasing reaches the database's own
//! files, as far as [`Ledger::erase_deleted`] does, and no further.

use jiff::Timestamp;
use parsurvey_survey::notice::Kept;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, to_millis};
use crate::campaign::CampaignState;
use crate::connect::Backend;
use crate::error::Result;
use crate::event::Entry;
use crate::sql::Tx;

/// A row of the retention table that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purged {
    /// What was erased.
    pub what: Kept,
    /// When.
    pub at: Timestamp,
    /// How many rows or files it was.
    pub items: u64,
    /// Whether the database's files were rewritten since.
    pub is_rewritten: bool,
}

/// When personal data may be erased: once nobody can be asked, chased or counted anew.
const AFTER_OPENING: [CampaignState; 2] = [CampaignState::Opened, CampaignState::Released];

impl Ledger {
    /// What was carried out so far.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn purged(&self) -> Result<Vec<Purged>> {
        let rows = sqlx::query_as::<Any, (String, i64, i64, i64)>(
            "SELECT what, at, rows_erased, rewritten FROM purged ORDER BY at, what",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(what, at, items, rewritten)| {
                Ok(Purged {
                    what: code(&what, "purged.what")?,
                    at: from_millis(at, "purged.at")?,
                    items: items.unsigned_abs(),
                    is_rewritten: rewritten != 0,
                })
            })
            .collect()
    }

    /// How many rows of the ledger an erasure would empty now; 0 for what does not lie in it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn rows_to_purge(&self, what: Kept) -> Result<u64> {
        let sql = match what {
            Kept::People => {
                "SELECT COUNT(*) FROM person WHERE name <> '' OR email <> '' OR position <> '' OR external_id IS NOT NULL"
            }
            Kept::Replies => {
                "SELECT (SELECT COUNT(*) FROM attempt WHERE text <> '') + \
                 (SELECT COUNT(*) FROM chase_letter WHERE text <> '') + \
                 (SELECT COUNT(*) FROM notice WHERE text <> '')"
            }
            Kept::Letters | Kept::Log | Kept::Results | Kept::Archive | Kept::Backups | Kept::ServerLogs => {
                return Ok(0);
            }
        };
        let rows = sqlx::query_scalar::<Any, i64>(sql).fetch_one(&mut *self.read().await?).await?;
        Ok(rows.unsigned_abs())
    }

    /// Erases what is named, with one entry each, in one transaction; then [`Ledger::rewrite_purged`] is due. What has come
    /// since an earlier erasure is erased as well; where nothing has, nothing changes. `files` are those that were removed from the data folder for [`Kept::Letters`].
    ///
    /// # Errors
    /// [`LedgerError::Conflict`](crate::LedgerError::Conflict) before the opening.
    pub async fn purge(&self, what: &[Kept], files: u64, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&AFTER_OPENING, "erasing personal data")?;
        for kept in what {
            let known = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM purged WHERE what = $1")
                .bind(kept.as_str())
                .fetch_one(&mut *tx)
                .await?;
            let items = match kept {
                Kept::Letters => files,
                other => erase(&mut tx, *other).await?,
            };
            if known > 0 && items == 0 {
                continue;
            }
            let sql = "INSERT INTO purged (what, at, rows_erased) VALUES ($1, $2, $3) \
                       ON CONFLICT (what) DO UPDATE SET rows_erased = purged.rows_erased + excluded.rows_erased, rewritten = 0";
            sqlx::query(sql)
                .bind(kept.as_str())
                .bind(to_millis(act.at))
                .bind(i64::try_from(items).unwrap_or(i64::MAX))
                .execute(&mut *tx)
                .await?;
            head.append(&mut tx, act, Entry::of("purged").with("what", kept.as_str()).with("items", items)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Rewrites the database's files without what was erased. Does nothing where nothing is pending; killed half-way, the
    /// next call finishes.
    ///
    /// # Errors
    /// [`LedgerError::Locked`](crate::LedgerError::Locked) while another process reads or writes the ledger: try again.
    pub async fn rewrite_purged(&self) -> Result<()> {
        if self.purged().await?.iter().all(|purged| purged.is_rewritten) {
            return Ok(());
        }
        match self.backend {
            Backend::Sqlite => {
                self.checkpoint().await?;
                sqlx::query("VACUUM").execute(&mut *self.writer.acquire().await?).await?;
                self.checkpoint().await?;
            }
            Backend::Postgres => self.rewrite_tables().await?,
        }
        let mut tx = self.write().await?;
        sqlx::query("UPDATE purged SET rewritten = 1").execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

impl Ledger {
    /// Gives each table and its indexes new files on PostgreSQL. VACUUM FULL would copy former versions of rows along while
    /// anybody, were it the server's own housekeeping, may still look at them; a column whose default differs from row to row
    /// makes the server write the table anew from what is valid now.
    async fn rewrite_tables(&self) -> Result<()> {
        let (mut tx, _head) = self.change().await?;
        for statement in [
            "ALTER TABLE person ADD COLUMN scratch DOUBLE PRECISION DEFAULT random()",
            "ALTER TABLE person DROP COLUMN scratch",
            "ALTER TABLE attempt ADD COLUMN scratch DOUBLE PRECISION DEFAULT random()",
            "ALTER TABLE attempt DROP COLUMN scratch",
            "ALTER TABLE chase_letter ADD COLUMN scratch DOUBLE PRECISION DEFAULT random()",
            "ALTER TABLE chase_letter DROP COLUMN scratch",
            "ALTER TABLE notice ADD COLUMN scratch DOUBLE PRECISION DEFAULT random()",
            "ALTER TABLE notice DROP COLUMN scratch",
            // A ledger that was begun in an older format may have samples of names in the planner's statistics; made anew,
            // they are samples of nothing.
            "ALTER TABLE person ALTER COLUMN external_id SET STATISTICS -1, ALTER COLUMN name SET STATISTICS -1, \
             ALTER COLUMN email SET STATISTICS -1, ALTER COLUMN position SET STATISTICS -1, \
             ALTER COLUMN search SET STATISTICS -1",
            "ALTER TABLE attempt ALTER COLUMN text SET STATISTICS -1",
            "ALTER TABLE notice ALTER COLUMN text SET STATISTICS -1",
            "ANALYZE person, attempt, notice, chase_letter",
            "ALTER TABLE person ALTER COLUMN external_id SET STATISTICS 0, ALTER COLUMN name SET STATISTICS 0, \
             ALTER COLUMN email SET STATISTICS 0, ALTER COLUMN position SET STATISTICS 0, \
             ALTER COLUMN search SET STATISTICS 0",
            "ALTER TABLE attempt ALTER COLUMN text SET STATISTICS 0",
            "ALTER TABLE notice ALTER COLUMN text SET STATISTICS 0",
        ] {
            sqlx::query(statement).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn erase(tx: &mut Tx, what: Kept) -> Result<u64> {
    let statements: &[&'static str] = match what {
        Kept::People => &["UPDATE person SET external_id = NULL, name = '', email = '', position = '' \
             WHERE name <> '' OR email <> '' OR position <> '' OR external_id IS NOT NULL"],
        Kept::Replies => &[
            "UPDATE attempt SET text = '' WHERE text <> ''",
            "UPDATE chase_letter SET text = '' WHERE text <> ''",
            "UPDATE notice SET text = '' WHERE text <> ''",
        ],
        Kept::Letters | Kept::Log | Kept::Results | Kept::Archive | Kept::Backups | Kept::ServerLogs => &[],
    };
    let mut rows = 0;
    for statement in statements {
        rows += sqlx::query(*statement).execute(&mut **tx).await?.rows_affected();
    }
    Ok(rows)
}
