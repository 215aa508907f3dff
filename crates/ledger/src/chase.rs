//! Chasing: orders to name people, and who was told what and when. A letter is recorded by its counts and its hash.
//!
//! A mail is claimed, durably, before it is sent, and a claim without an outcome is unknown: it is never sent again by
//! itself. What a letter says is written elsewhere; no name, address or text of it is stored here.

use jiff::Timestamp;
use jiff::civil::Date;
use parsurvey_survey::chase::ChaseCounts;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, small, to_millis, words};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;

words!(
    /// How a letter is told.
    ChaseHow, "way of telling", {
        /// On paper, to be signed: once for the same bytes on the same day.
        Docx = "docx",
        /// By mail to a coordinator: once a day.
        Mail = "mail",
        /// By mail to the operator: once a day.
        Digest = "digest",
    }
);

words!(
    /// How far a letter has come.
    ChaseState, "state of a letter", {
        /// Written to disk, to be signed.
        Made = "made",
        /// A mail that was provably not sent; the next run sends it.
        Ready = "ready",
        /// Handed to a sender; without outcome it is unknown whether it left.
        Claimed = "claimed",
        /// The relay took it.
        Told = "told",
        /// The relay refused it for good; the next run tries once more, as the address may have been corrected.
        Refused = "refused",
    }
);

/// A letter to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChaseLetter {
    /// The unit that is told; empty for the digest.
    pub unit: String,
    /// The day of the counts.
    pub day: Date,
    /// How it is told.
    pub how: ChaseHow,
    /// Whether people are named.
    pub named: bool,
    /// What is told.
    pub counts: ChaseCounts,
    /// SHA-256 (hex) of the letter's bytes.
    pub sha256: String,
}

/// A recorded letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaseLetter {
    /// Its number.
    pub letter: i64,
    /// What was recorded.
    pub told: NewChaseLetter,
    /// How far it has come; [`ChaseState::Claimed`] is shown as unknown.
    pub state: ChaseState,
    /// Who had it made.
    pub actor: String,
    /// The order that allows names; empty where nobody is named.
    pub document: String,
    /// The relay's words about a mail, without addresses; may be empty.
    pub text: String,
    /// When it was made, or what became of it.
    pub at: Timestamp,
}

/// What asking for a mail gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChaseClaim {
    /// It is the caller's to send, under this number.
    Yours(i64),
    /// It was told today.
    Told,
    /// Another sender has it, or had it and nobody knows what became of it.
    Unknown,
}

/// An order of the organiser to name people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaseOrder {
    /// When it was recorded.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// Its number and date.
    pub document: String,
    /// Why.
    pub reason: String,
}

/// While units can be chased.
const OPEN: [CampaignState; 1] = [CampaignState::Inviting];
/// While an order can be recorded.
const BEFORE_CLOSING: [CampaignState; 2] = [CampaignState::Draft, CampaignState::Inviting];

impl Ledger {
    /// Records the organiser's order to name people.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] without document or reason, or once closed.
    pub async fn record_chase_order(&self, act: &Act) -> Result<()> {
        if act.document.trim().is_empty() || act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("an order needs its document number and a reason"));
        }
        let (mut tx, mut head) = self.change().await?;
        head.require(&BEFORE_CLOSING, "an order to name people")?;
        head.append(&mut tx, act, Entry::of("chase_order")).await?;
        sqlx::query("INSERT INTO chase_order (seq) SELECT event_seq FROM campaign").execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// The recorded orders, oldest first; the last one is in force.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn chase_orders(&self) -> Result<Vec<ChaseOrder>> {
        let rows = sqlx::query_as::<Any, (i64, String, String, String)>(
            "SELECT e.at, e.actor, e.document, e.reason FROM chase_order o JOIN event e ON e.seq = o.seq ORDER BY o.seq",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let order = |(at, actor, document, reason)| {
            Ok(ChaseOrder { at: from_millis(at, "event.at")?, actor, document, reason })
        };
        rows.into_iter().map(order).collect()
    }

    /// Records letters on paper in one transaction and gives back how many are new. The same bytes on the same day are
    /// one letter, whoever makes them and however often. `act.document` is the order where people are named.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] while nobody is asked, or names without an order.
    pub async fn record_chase_letters(&self, letters: &[NewChaseLetter], act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&OPEN, "a letter to a unit")?;
        let mut made = 0;
        for letter in letters {
            require_order(letter, act)?;
            let inserted = insert(&mut tx, letter, ChaseState::Made, None, act).await?;
            if inserted.is_some() {
                made += 1;
                head.append(&mut tx, act, entry("chase_letter", letter)).await?;
            }
        }
        tx.commit().await?;
        Ok(made)
    }

    /// Claims the day's mail to a unit, durably, before it is sent. Claimed anew only what was provably not sent or was
    /// refused; it then is the letter given here.
    ///
    /// # Errors
    /// As [`Ledger::record_chase_letters`].
    pub async fn claim_chase_mail(&self, letter: &NewChaseLetter, claimant: &str, act: &Act) -> Result<ChaseClaim> {
        let (mut tx, mut head) = self.change().await?;
        if letter.how != ChaseHow::Digest {
            head.require(&OPEN, "a letter to a unit")?;
        }
        require_order(letter, act)?;
        let number = match insert(&mut tx, letter, ChaseState::Claimed, Some(claimant), act).await? {
            Some(number) => number,
            None => {
                let (number, state) = sqlx::query_as::<Any, (i64, String)>(
                    "SELECT letter, state FROM chase_letter WHERE unit = $1 AND day = $2 AND how = $3",
                )
                .bind(letter.unit.as_str())
                .bind(letter.day.to_string())
                .bind(letter.how.as_str())
                .fetch_one(&mut *tx)
                .await?;
                match code::<ChaseState>(&state, "chase_letter.state")? {
                    ChaseState::Ready | ChaseState::Refused => {}
                    ChaseState::Claimed => return Ok(ChaseClaim::Unknown),
                    ChaseState::Told | ChaseState::Made => return Ok(ChaseClaim::Told),
                }
                sqlx::query("DELETE FROM chase_letter WHERE letter = $1").bind(number).execute(&mut *tx).await?;
                insert(&mut tx, letter, ChaseState::Claimed, Some(claimant), act)
                    .await?
                    .ok_or(LedgerError::Meanwhile("the letter was taken by another sender"))?
            }
        };
        head.append(&mut tx, act, entry("chase_letter", letter)).await?;
        tx.commit().await?;
        Ok(ChaseClaim::Yours(number))
    }

    /// Records what became of a claimed mail: told, refused, or ready again because it was provably not sent. What nobody
    /// knows stays claimed. `text` is the relay's, without addresses.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the mail is not this claimant's, or has its outcome.
    pub async fn settle_chase_mail(
        &self,
        letter: i64,
        claimant: &str,
        state: ChaseState,
        text: &str,
        act: &Act,
    ) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let settled = sqlx::query_as::<Any, (String, String, String)>(
            "UPDATE chase_letter SET state = $1, text = $2, at = $3 \
             WHERE letter = $4 AND claimant = $5 AND state = 'claimed' RETURNING unit, day, how",
        )
        .bind(state.as_str())
        .bind(text)
        .bind(to_millis(act.at))
        .bind(letter)
        .bind(claimant)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((unit, day, how)) = settled else {
            return Err(LedgerError::conflict(format!("letter {letter} is not claimed by this sender")));
        };
        let entry = Entry::of("chase_outcome").with("unit", unit).with("day", day).with("how", how);
        head.append(&mut tx, act, entry.with("state", state.as_str())).await?;
        Ok(tx.commit().await?)
    }

    /// Every letter, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn chase_letters(&self) -> Result<Vec<ChaseLetter>> {
        let rows = sqlx::query_as::<Any, Row>(
            "SELECT letter, unit, day, how, state, named, listed, not_delivered, silent, started, excused, completed, \
             sha256, actor, document, text, at FROM chase_letter ORDER BY letter",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(Row::into_letter).collect()
    }
}

fn require_order(letter: &NewChaseLetter, act: &Act) -> Result<()> {
    if letter.named && act.document.trim().is_empty() {
        return Err(LedgerError::conflict("a letter with names needs the order that allows them"));
    }
    Ok(())
}

/// The number of the new letter, or nothing where the day's letter stands already.
async fn insert(
    tx: &mut crate::sql::Tx,
    letter: &NewChaseLetter,
    state: ChaseState,
    claimant: Option<&str>,
    act: &Act,
) -> Result<Option<i64>> {
    let counts = [
        letter.counts.listed,
        letter.counts.not_delivered,
        letter.counts.silent,
        letter.counts.started,
        letter.counts.excused,
        letter.counts.completed,
    ];
    let mut query = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO chase_letter (unit, day, how, state, named, listed, not_delivered, silent, started, excused, completed, \
         sha256, actor, document, claimant, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT DO NOTHING RETURNING letter",
    )
    .bind(letter.unit.as_str())
    .bind(letter.day.to_string())
    .bind(letter.how.as_str())
    .bind(state.as_str())
    .bind(i64::from(letter.named));
    for count in counts {
        query = query.bind(i64::try_from(count).unwrap_or(i64::MAX));
    }
    Ok(query
        .bind(letter.sha256.as_str())
        .bind(act.actor.as_str())
        .bind(if letter.named { act.document.as_str() } else { "" })
        .bind(claimant.map(str::to_owned))
        .bind(to_millis(act.at))
        .fetch_optional(&mut **tx)
        .await?)
}

fn entry(kind: &'static str, letter: &NewChaseLetter) -> Entry {
    Entry::of(kind)
        .with("unit", letter.unit.as_str())
        .with("day", letter.day.to_string())
        .with("how", letter.how.as_str())
        .with("named", letter.named)
        .with("outstanding", letter.counts.outstanding)
        .with("sha256", letter.sha256.as_str())
}

#[derive(sqlx::FromRow)]
struct Row {
    letter: i64,
    unit: String,
    day: String,
    how: String,
    state: String,
    named: i64,
    listed: i64,
    not_delivered: i64,
    silent: i64,
    started: i64,
    excused: i64,
    completed: i64,
    sha256: String,
    actor: String,
    document: String,
    text: String,
    at: i64,
}

impl Row {
    fn into_letter(self) -> Result<ChaseLetter> {
        let count = |value| small::<u64>(value, "chase_letter.counts");
        let counts = ChaseCounts {
            listed: count(self.listed)?,
            not_delivered: count(self.not_delivered)?,
            silent: count(self.silent)?,
            started: count(self.started)?,
            excused: count(self.excused)?,
            completed: count(self.completed)?,
            outstanding: count(self.not_delivered + self.silent + self.started)?,
        };
        let told = NewChaseLetter {
            unit: self.unit,
            day: code(&self.day, "chase_letter.day")?,
            how: code(&self.how, "chase_letter.how")?,
            named: self.named != 0,
            counts,
            sha256: self.sha256,
        };
        Ok(ChaseLetter {
            letter: self.letter,
            told,
            state: code(&self.state, "chase_letter.state")?,
            actor: self.actor,
            document: self.document,
            text: self.text,
            at: from_millis(self.at, "chase_letter.at")?,
        })
    }
}
