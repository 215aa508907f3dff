//! What arrives through a link: a beginning, a submission, a refusal.
//!
//! A submission writes the completion and the sealed ballot in one transaction and can write no second one.
//! Whether it came in time is decided above: the ledger knows no declared deadline.
//!
//! What arrives together is committed together by the one writer ([`crate::arrivals`]). What becomes of each item is
//! decided here, item by item and in the order of arrival, from the seats as they stand in that transaction; one that is
//! refused does not disturb the others. A further kind of item is a [`What`], a branch of `Batch::decide`, and a
//! statement in `Batch::write`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, to_millis};
use crate::ballots::Ballot;
use crate::campaign::{CampaignState, Head};
use crate::drafts::drafts_of;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::seats::{SeatRow, seat_rows};
use crate::sql::{Tx, in_order, members, pieces, rows};

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitResult {
    /// Stored, once.
    Stored,
    /// The form had been submitted before; this ballot was not stored.
    AlreadySubmitted,
    /// Not stored.
    Refused(Refusal),
}

/// Why nothing is accepted for a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The campaign is in a state in which no form is accepted.
    NotInviting(CampaignState),
    /// The link was replaced or revoked.
    OldLink,
    /// The seat has another target or group than the ballot was sealed for; nothing else stands in its way.
    Moved,
    /// The seat is excused.
    Excused,
    /// The seat left the frame.
    Ineligible,
}

/// One item that came through a link.
pub(crate) struct Arrival {
    pub(crate) form: FormId,
    pub(crate) link_version: u32,
    pub(crate) now: Timestamp,
    pub(crate) what: What,
}

/// What an item brings.
pub(crate) enum What {
    /// A chosen option.
    Started,
    /// A draft made from the one that stood there `before`; `starts` where a chosen option has arrived in time with it.
    Draft { before: Option<Vec<u8>>, draft: Vec<u8>, starts: bool },
    /// A ballot that completes the form.
    Submission(Ballot),
    /// A ballot in the place of the one that completed the form.
    Anew(Ballot),
    /// A submission after the end.
    TooLate,
    /// A refusal, or that it is taken back.
    Declined(bool),
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// It was recorded.
    Stored,
    /// There was nothing to record: for a submission, because the form had been submitted before.
    Nothing,
    /// Something else stands there than what this was made from.
    Meanwhile,
    /// Nothing is accepted for this form.
    Refused(Refusal),
}

impl From<Became> for SubmitResult {
    fn from(became: Became) -> Self {
        match became {
            Became::Stored => Self::Stored,
            // Whatever stands there already came with the submission before.
            Became::Nothing | Became::Meanwhile => Self::AlreadySubmitted,
            Became::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

impl Ledger {
    /// Records that a chosen option has arrived. `false` where that was recorded before or the form takes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn record_started(&self, form: FormId, link_version: u32, now: Timestamp) -> Result<bool> {
        self.record(form, link_version, now, What::Started).await
    }

    /// Stores a submission: the completion, and the ballot sealed for the key holder. A refusal recorded earlier is
    /// taken back by it. The ballot's target and group are compared with the seat's, which a roster may have moved.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. `Conflict`: the ballot has another size than those stored, which
    /// would tell ballots apart. The ledger cannot be written.
    pub async fn submit(
        &self,
        form: FormId,
        link_version: u32,
        ballot: &Ballot,
        now: Timestamp,
    ) -> Result<SubmitResult> {
        let what = What::Submission(ballot.clone());
        Ok(self.arrive(Arrival { form, link_version, now, what }).await?.into())
    }

    /// Puts a ballot in the place of the one that the form was completed with. The completion, its time, the log and all
    /// counts stay as they were: nothing that anybody is shown tells that this happened.
    ///
    /// # Errors
    /// As [`Ledger::submit`]; [`LedgerError::NotFound`] also where the form has no ballot to replace.
    pub async fn revise(&self, form: FormId, link_version: u32, ballot: &Ballot) -> Result<SubmitResult> {
        // No time is kept of it.
        let (now, what) = (Timestamp::UNIX_EPOCH, What::Anew(ballot.clone()));
        Ok(self.arrive(Arrival { form, link_version, now, what }).await?.into())
    }

    /// Records that a submission came too late; nothing of it is stored. `false` where there was nothing to record, or
    /// the link is an old one.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn record_too_late(&self, form: FormId, link_version: u32, now: Timestamp) -> Result<bool> {
        self.record(form, link_version, now, What::TooLate).await
    }

    /// Records a refusal through the link, or takes it back. `false` where that changes nothing, the link is an old
    /// one, or the form takes nothing any more.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn set_declined(&self, form: FormId, link_version: u32, declined: bool, now: Timestamp) -> Result<bool> {
        self.record(form, link_version, now, What::Declined(declined)).await
    }

    async fn record(&self, form: FormId, link_version: u32, now: Timestamp, what: What) -> Result<bool> {
        Ok(self.arrive(Arrival { form, link_version, now, what }).await? == Became::Stored)
    }
}

/// Decides on every item and writes what is to be recorded. An item's own fault is its own result; an error is the
/// database's and leaves the transaction to be rolled back.
pub(crate) async fn arrive_in(tx: &mut Tx, head: &mut Head, arrivals: &[Arrival]) -> Result<Vec<Result<Became>>> {
    let mut forms: Vec<FormId> = arrivals.iter().map(|arrival| arrival.form).collect();
    forms.sort_unstable();
    forms.dedup();
    let mut batch = Batch {
        state: head.state,
        seats: seat_rows(tx, &forms).await?,
        ballot_size: None,
        drafts: BTreeMap::new(),
        writes: Writes::default(),
        entries: Vec::new(),
    };
    if arrivals.iter().any(|arrival| matches!(arrival.what, What::Submission(_) | What::Anew(_))) {
        batch.ballot_size = ballot_size(tx).await?;
    }
    if arrivals.iter().any(|arrival| matches!(arrival.what, What::Draft { .. })) {
        batch.drafts = drafts_of(tx, &forms).await?;
    }
    let became = arrivals.iter().map(|arrival| batch.decide(arrival)).collect();
    batch.writes.write(tx).await?;
    head.append_all(tx, batch.entries).await?;
    Ok(became)
}

/// Everything that items which arrived together are decided from, kept in step with what was decided.
struct Batch<'a> {
    state: CampaignState,
    seats: BTreeMap<FormId, SeatRow>,
    /// Bytes of the ballots in the box; `None` while it is empty.
    ballot_size: Option<usize>,
    drafts: BTreeMap<FormId, Vec<u8>>,
    writes: Writes<'a>,
    entries: Vec<(Act, Entry)>,
}

/// What is to be written.
#[derive(Default)]
struct Writes<'a> {
    started: Vec<(FormId, i64)>,
    completed: Vec<(FormId, i64)>,
    ballots: Vec<(FormId, &'a [u8])>,
    ballots_anew: Vec<(FormId, &'a [u8])>,
    /// The last draft of each form.
    drafts: BTreeMap<FormId, &'a [u8]>,
    too_late: Vec<FormId>,
    /// The last word of each form.
    declined: BTreeMap<FormId, bool>,
}

impl<'a> Batch<'a> {
    /// What becomes of an item. Whatever it changes, the next item of the same form finds changed.
    fn decide(&mut self, arrival: &'a Arrival) -> Result<Became> {
        match &arrival.what {
            What::Started => self.start(arrival),
            What::Draft { before, draft, starts } => self.draft(arrival, before.as_deref(), draft, *starts),
            What::Submission(ballot) => self.submit(arrival, ballot),
            What::Anew(ballot) => self.replace(arrival, ballot),
            What::TooLate => self.too_late(arrival),
            What::Declined(declined) => self.decline(arrival, *declined),
        }
    }

    fn seat(&mut self, arrival: &Arrival) -> Result<&mut SeatRow> {
        self.seats.get_mut(&arrival.form).ok_or(LedgerError::NotFound("the form"))
    }

    fn refusal(&mut self, arrival: &Arrival) -> Result<Option<Refusal>> {
        let state = self.state;
        Ok(refusal(state, self.seat(arrival)?, arrival.link_version))
    }

    fn note(&mut self, kind: &'static str, arrival: &Arrival) {
        self.entries.push((Act::of_respondent(arrival.now), Entry::of(kind).form(arrival.form)));
    }

    fn start(&mut self, arrival: &Arrival) -> Result<Became> {
        let refusal = self.refusal(arrival)?;
        let seat = self.seat(arrival)?;
        if seat.started.is_some() || seat.completed.is_some() || refusal.is_some() {
            return Ok(Became::Nothing);
        }
        let now = to_millis(arrival.now);
        seat.started = Some(now);
        self.writes.started.push((arrival.form, now));
        self.note("started", arrival);
        Ok(Became::Stored)
    }

    fn draft(&mut self, arrival: &Arrival, before: Option<&[u8]>, draft: &'a [u8], starts: bool) -> Result<Became> {
        let refusal = self.refusal(arrival)?;
        if self.seat(arrival)?.completed.is_some() {
            return Ok(Became::Nothing);
        }
        if let Some(refusal) = refusal {
            return Ok(Became::Refused(refusal));
        }
        if self.drafts.get(&arrival.form).map(Vec::as_slice) != before {
            return Ok(Became::Meanwhile);
        }
        self.drafts.insert(arrival.form, draft.to_vec());
        self.writes.drafts.insert(arrival.form, draft);
        if starts {
            self.start(arrival)?;
        }
        Ok(Became::Stored)
    }

    fn submit(&mut self, arrival: &Arrival, ballot: &'a Ballot) -> Result<Became> {
        let refusal = self.refusal(arrival)?;
        // Asked first: whoever submits twice is told so, also after the closing.
        if self.seat(arrival)?.completed.is_some() {
            return Ok(Became::Nothing);
        }
        let refusal = if refusal.is_none() { self.misfit(arrival, ballot)? } else { refusal };
        if let Some(refusal) = refusal {
            return Ok(Became::Refused(refusal));
        }
        let now = to_millis(arrival.now);
        let seat = self.seat(arrival)?;
        (seat.completed, seat.declined, seat.too_late) = (Some(now), 0, 0);
        self.drafts.remove(&arrival.form);
        self.writes.drafts.remove(&arrival.form);
        self.writes.completed.push((arrival.form, now));
        self.writes.ballots.push((arrival.form, ballot.ciphertext.as_slice()));
        self.note("submitted", arrival);
        Ok(Became::Stored)
    }

    fn replace(&mut self, arrival: &Arrival, ballot: &'a Ballot) -> Result<Became> {
        let refusal = self.refusal(arrival)?;
        let refusal = if refusal.is_none() { self.misfit(arrival, ballot)? } else { refusal };
        if let Some(refusal) = refusal {
            return Ok(Became::Refused(refusal));
        }
        // As long as forms are accepted, a completion has its ballot.
        if self.seat(arrival)?.completed.is_none() {
            return Err(LedgerError::NotFound("the ballot to replace"));
        }
        self.writes.ballots_anew.push((arrival.form, ballot.ciphertext.as_slice()));
        Ok(Became::Stored)
    }

    /// Whether a ballot is sealed for another place than the seat's.
    fn misfit(&mut self, arrival: &Arrival, ballot: &Ballot) -> Result<Option<Refusal>> {
        if !self.seat(arrival)?.is_of(&ballot.target, &ballot.group) {
            return Ok(Some(Refusal::Moved));
        }
        let size = ballot.ciphertext.len();
        if *self.ballot_size.get_or_insert(size) != size {
            return Err(LedgerError::conflict("the ballot has another size than those in the box"));
        }
        Ok(None)
    }

    fn too_late(&mut self, arrival: &Arrival) -> Result<Became> {
        let fits = matches!(self.state, CampaignState::Inviting | CampaignState::Closed);
        let seat = self.seat(arrival)?;
        if !fits || seat.is_past(arrival.link_version) || seat.completed.is_some() || seat.too_late != 0 {
            return Ok(Became::Nothing);
        }
        seat.too_late = 1;
        self.writes.too_late.push(arrival.form);
        self.note("too_late", arrival);
        Ok(Became::Stored)
    }

    fn decline(&mut self, arrival: &Arrival, declined: bool) -> Result<Became> {
        let is_inviting = self.state == CampaignState::Inviting;
        let seat = self.seat(arrival)?;
        let idle = seat.completed.is_some() || seat.ineligible != 0 || (seat.declined != 0) == declined;
        if idle || seat.is_past(arrival.link_version) || !is_inviting {
            return Ok(Became::Nothing);
        }
        seat.declined = i64::from(declined);
        self.writes.declined.insert(arrival.form, declined);
        self.note(if declined { "declined" } else { "decline_withdrawn" }, arrival);
        Ok(Became::Stored)
    }
}

impl Writes<'_> {
    async fn write(&self, tx: &mut Tx) -> Result<()> {
        // Before the completions, which take these two back.
        for form in &self.too_late {
            sqlx::query("UPDATE seat SET too_late = 1 WHERE form = $1").bind(form).execute(&mut **tx).await?;
        }
        for (form, declined) in &self.declined {
            sqlx::query("UPDATE seat SET declined = $1, ever_declined = 1 WHERE form = $2")
                .bind(i64::from(*declined))
                .bind(form)
                .execute(&mut **tx)
                .await?;
        }
        for (form, at) in &self.started {
            let sql = "UPDATE seat SET started = $1 WHERE form = $2";
            sqlx::query(sql).bind(at).bind(form).execute(&mut **tx).await?;
        }
        for (form, at) in &self.completed {
            let sql = "UPDATE seat SET completed = $1, declined = 0, too_late = 0 WHERE form = $2";
            sqlx::query(sql).bind(at).bind(form).execute(&mut **tx).await?;
        }
        for piece in pieces(&self.ballots) {
            let sql = format!("INSERT INTO ballot (form, ciphertext) VALUES {}", rows(piece.len(), 2));
            let mut query = sqlx::query(in_order(tx, sql));
            for (form, ciphertext) in piece {
                query = query.bind(*form).bind(*ciphertext);
            }
            query.execute(&mut **tx).await?;
        }
        for (form, ciphertext) in &self.ballots_anew {
            let sql = "UPDATE ballot SET ciphertext = $1 WHERE form = $2";
            sqlx::query(sql).bind(*ciphertext).bind(form).execute(&mut **tx).await?;
        }
        self.write_drafts(tx).await
    }

    /// Drafts of one length each, and none of a form that is handed in.
    async fn write_drafts(&self, tx: &mut Tx) -> Result<()> {
        let drafts: Vec<_> = self.drafts.iter().collect();
        for piece in pieces(&drafts) {
            let sql = format!(
                "INSERT INTO draft (form, ciphertext) VALUES {} \
                 ON CONFLICT (form) DO UPDATE SET ciphertext = excluded.ciphertext",
                rows(piece.len(), 2)
            );
            let mut query = sqlx::query(in_order(tx, sql));
            for (form, ciphertext) in piece {
                query = query.bind(**form).bind(**ciphertext);
            }
            query.execute(&mut **tx).await?;
        }
        for piece in pieces(&self.completed) {
            let sql = format!("DELETE FROM draft WHERE form IN ({})", members(1, piece.len()));
            let mut query = sqlx::query(in_order(tx, sql));
            for (form, _) in piece {
                query = query.bind(*form);
            }
            query.execute(&mut **tx).await?;
        }
        Ok(())
    }
}

fn refusal(state: CampaignState, seat: &SeatRow, link_version: u32) -> Option<Refusal> {
    if state != CampaignState::Inviting {
        Some(Refusal::NotInviting(state))
    } else if seat.is_past(link_version) {
        Some(Refusal::OldLink)
    } else if seat.ineligible != 0 {
        Some(Refusal::Ineligible)
    } else if seat.excused.is_some() {
        Some(Refusal::Excused)
    } else {
        None
    }
}

/// Bytes of the ballots in the box, which all have one size; `None` while there is none.
async fn ballot_size(tx: &mut Tx) -> Result<Option<usize>> {
    let stored = sqlx::query_scalar::<Any, i64>("SELECT CAST(LENGTH(ciphertext) AS BIGINT) FROM ballot LIMIT 1")
        .fetch_optional(&mut **tx)
        .await?;
    stored.map(|size| usize::try_from(size).map_err(|_| LedgerError::damaged("ballot.ciphertext"))).transpose()
}
