//! The ledger owns the database: what happened, to whom, when; and the ballot box. Nothing else in the workspace speaks SQL.
//!
//! Every change of a campaign is one transaction together with its entry in an append-only, hash-chained event log.
//! SQLite (one file, one writer) by default, PostgreSQL by URL; the same tests hold for both.
//! The ledger decides nothing that needs the campaign's folder, reads no clock, and cannot open a ballot.
//!
//! Start with [`Ledger`]; [`Act`] is the who and why of each change. Where to look:
//! [`Ledger::apply_roster`] people, [`Ledger::seats`] and [`Ledger::seat_counts`] what is derived, [`Dispatcher`] mail out,
//! [`Ledger::take_reports`] bounces in, [`Ledger::submit`] ballots in, [`Ledger::close`] and [`Ledger::import_tally`] the end.

mod accounts;
mod act;
mod acts;
mod again;
mod anchors;
mod arrivals;
mod audit;
mod ballots;
mod board;
mod bounces;
mod callback;
mod campaign;
mod changes;
mod chase;
mod connect;
mod counts;
mod dispatcher;
mod drafts;
mod error;
mod event;
mod held;
mod keys;
mod lease;
mod links;
mod lost;
mod mail;
mod moves;
mod notices;
mod outbox;
mod pause;
mod people;
mod proposals;
mod purge;
mod reports;
mod respond;
mod roster;
mod seats;
mod seed;
mod sessions;
mod settle;
mod sql;
mod tally;

use std::sync::Arc;

use sqlx::AnyPool;

pub use accounts::{AccountRow, NewAccount, NewSetup};
pub use act::Act;
pub use acts::{NewHolder, ReplacementKind};
pub use again::Again;
pub use anchors::{AnchorClaim, AnchorRow};
pub use audit::{AuditedLog, StateCheck, StateOf};
pub use ballots::{Ballot, ClosedBox, box_content};
pub use bounces::{Intake, MailboxPlace, NewReport, Taken, ToldOf};
pub use callback::{CallbackDraw, CalledForm, NewDraw};
pub use campaign::{CampaignRow, CampaignState, Stage};
pub use chase::{ChaseClaim, ChaseHow, ChaseLetter, ChaseOrder, ChaseState, NewChaseLetter};
pub use connect::Options;
pub use dispatcher::{Commits, Dispatcher, Marked};
pub use drafts::DraftResult;
pub use error::{LedgerError, Result};
pub use event::{Chain, Event};
pub use held::HeldSecret;
pub use keys::{KeyRole, KeyRow};
pub use lease::{LeasedMail, TakenOver};
pub use links::{LinkHash, LinkRow, LinkedForm};
pub use lost::{AskingPace, OpenSeat};
pub use mail::NewMail;
pub use notices::{NoticeRow, OwedNotice};
pub use outbox::{Attempt, AttemptResult, CanaryCounts, MailRow};
pub use pause::Pause;
pub use people::{PeoplePage, PeopleQuery, SEAT_FILTERS, SeatFilter, SeatOfPerson, SeatStanding};
pub use proposals::{ProposalKind, ProposalRow, ProposalState, Proposed, ShownChange, ShownProposal};
pub use purge::Purged;
pub use reports::{ReportRow, StoppedAddress, ToldRow};
pub use respond::{Refusal, SubmitResult};
pub use roster::{ChangedPerson, NewPerson, PersonRow, RosterApplied, RosterChange, SeatPlace, StoredRoster};
pub use seed::{SeedLook, SeedResult};
pub use sessions::SessionRow;
pub use settle::{Mark, Outcome};
pub use tally::StoredTally;

use act::to_millis;
use arrivals::Arrivals;
use connect::{Backend, Found, Place};

/// An open ledger. Cheap to clone; every clone uses the same connections.
#[derive(Clone)]
pub struct Ledger {
    writer: AnyPool,
    reader: AnyPool,
    backend: Backend,
    arrivals: Arc<Arrivals>,
}

impl std::fmt::Debug for Ledger {
    // The pools print their connection string, password included.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("backend", &self.backend).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Makes a ledger for a campaign at `sqlite:PATH` or in the empty PostgreSQL database of `postgres://…`.
    ///
    /// Killed half-way, the same call can be made again.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where a ledger stands already; any other variant but `Newer` as its text says.
    pub async fn create(url: &str, campaign_id: &str, act: &Act) -> Result<Self> {
        Self::create_with(url, campaign_id, act, Options::default()).await
    }

    /// [`Ledger::create`] with options.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub async fn create_with(url: &str, campaign_id: &str, act: &Act, options: Options) -> Result<Self> {
        let place = Place::parse(url)?;
        place.make_file()?;
        place.look(options).await?;
        let ledger = Self::of(&place, options);
        place.migrate(&ledger.writer).await?;
        if ledger.exists().await? {
            return Err(LedgerError::conflict("a ledger stands here already; open it, or choose another place"));
        }
        ledger.begin_campaign(campaign_id, act).await?;
        Ok(ledger)
    }

    /// Opens a ledger, bringing an older format up to date.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], `NotALedger`, `Newer`, `Locked`, `ReadOnly`, `Unreachable` as their texts say.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, Options::default()).await
    }

    /// [`Ledger::open`] with options.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub async fn open_with(url: &str, options: Options) -> Result<Self> {
        let place = Place::parse(url)?;
        place.require_file()?;
        let found = place.look(options).await?;
        let ledger = Self::of(&place, options);
        match found {
            Found::Empty => return Err(LedgerError::NotALedger("it is empty")),
            Found::Ledger(format) if format < place.backend.known() => place.migrate(&ledger.writer).await?,
            Found::Ledger(_) => {}
        }
        if !ledger.exists().await? {
            return Err(LedgerError::NotALedger("its making was interrupted; run init again"));
        }
        ledger.make_search().await?;
        Ok(ledger)
    }

    fn of(place: &Place, options: Options) -> Self {
        let (writer, reader) = place.pools(options);
        Self { writer, reader, backend: place.backend, arrivals: Arc::default() }
    }

    /// Closes every connection. Dropping the last clone does the same, only later.
    pub async fn disconnect(self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    async fn exists(&self) -> Result<bool> {
        let rows = sqlx::query_scalar::<sqlx::Any, i64>("SELECT COUNT(*) FROM campaign")
            .fetch_one(&mut *self.read().await?)
            .await?;
        Ok(rows > 0)
    }

    async fn begin_campaign(&self, campaign_id: &str, act: &Act) -> Result<()> {
        let mut tx = self.write().await?;
        let inserted = sqlx::query(
            "INSERT INTO campaign (one, id, state, created, event_seq, event_hash) VALUES (1, $1, 'draft', $2, 0, '') \
             ON CONFLICT (one) DO NOTHING",
        )
        .bind(campaign_id)
        .bind(to_millis(act.at))
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if inserted == 0 {
            return Err(LedgerError::conflict("another process made this ledger at the same time"));
        }
        let mut head = self.lock_campaign(&mut tx).await?;
        head.append(&mut tx, act, event::Entry::of("created").with("campaign", campaign_id)).await?;
        Ok(tx.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_disk_is_told_and_leaves_the_ledger_whole() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let act = Act::plain(jiff::Timestamp::UNIX_EPOCH, "operator");
        let url = format!("sqlite:{}/ledger.sqlite", folder.path().display());
        let ledger = Ledger::create(&url, "x", &act).await.expect("made");
        let limit = |pages: i64| {
            let ledger = ledger.clone();
            let pragma = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            async move { sqlx::raw_sql(pragma).execute(&mut *ledger.write().await.expect("a writer")).await }
        };
        // SQLite never sets the limit below the present size, so 1 means: not one page more.
        limit(1).await.expect("limited");
        let test_ballot = vec![7; 1_000_000];
        let full = ledger.register_key(KeyRole::Box, "ab", "ab", &test_ballot, &act).await;
        assert_eq!(full, Err(LedgerError::DiskFull));
        assert_eq!(ledger.keys().await, Ok(Vec::new()));
        limit(1_000_000).await.expect("room again");
        ledger.register_key(KeyRole::Box, "ab", "ab", &test_ballot, &act).await.expect("stored");
        assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { events: 2, .. })));
    }
}
