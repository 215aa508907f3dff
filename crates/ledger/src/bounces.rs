//! Reports in: mails that came back, stored once each, and what they change.
//!
//! What a report proves is decided in `survey::evidence`; here it is matched to a mail, stored without a word or an
//! address of its own, and carried out. It reads no mail and makes no return path.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_survey::evidence::{
    Action, Class, Finding, Kind, Proof, Reason, StatusSource, Told, finding, is_address_dead,
};
use parsurvey_survey::seat::FormId;
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, to_millis};
use crate::again::learn;
use crate::campaign::Head;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::settle::stop_address;
use crate::sql::{CHUNK, Tx, in_order, members, rows};

/// What a report says of one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct ToldOf {
    /// The address, for comparing only: it is not stored.
    pub address: Option<String>,
    /// What the server did.
    pub action: Option<Action>,
    /// The enhanced status code: class, subject, detail.
    pub status: Option<(u8, u16, u16)>,
    /// Where the status comes from.
    pub status_source: Option<StatusSource>,
    /// Hard or soft.
    pub class: Option<Class>,
    /// Why.
    pub reason: Option<Reason>,
}

/// A mail that came back, as it was understood. Has no `Debug`: it holds addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct NewReport {
    /// SHA-256 (hex) of the mail's bytes.
    pub sha256: String,
    /// What it is.
    pub kind: Kind,
    /// The mail whose return path came back, its code proved.
    pub proved: Option<i64>,
    /// The Message-ID it says it answers; a claim, not a proof.
    pub message_id: Option<String>,
    /// The recipients it speaks of.
    pub told: Vec<ToldOf>,
}

/// How far a mailbox elsewhere was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxPlace {
    /// Which: a key without addresses.
    pub mailbox: String,
    /// Its UIDVALIDITY.
    pub validity: u32,
    /// The last UID that was read.
    pub last_uid: u32,
}

/// Where reports come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// What to call it in a list; without addresses.
    pub source: String,
    /// How far a mailbox is read once these reports are stored.
    pub place: Option<MailboxPlace>,
}

/// What taking reports in did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Mails handed in.
    pub read: u64,
    /// Of these, those that were known.
    pub known: u64,
    /// New ones by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// New bounces, complaints and automatic replies that prove nothing: no return path of ours, or no such mail.
    pub unproved: u64,
    /// What the others prove.
    pub proved: BTreeMap<Finding, u64>,
    /// Addresses to which no mail goes any more.
    pub dead: u64,
    /// People to whom no mail goes any more, because they called one unwanted.
    pub paused: u64,
}

impl Taken {
    /// Adds what another batch did.
    pub fn add(&mut self, other: &Taken) {
        self.read += other.read;
        self.known += other.known;
        self.unproved += other.unproved;
        self.dead += other.dead;
        self.paused += other.paused;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(*kind).or_default() += count;
        }
        for (finding, count) in &other.proved {
            *self.proved.entry(*finding).or_default() += count;
        }
    }
}

/// The mail that a report answers, as far as it is compared with.
#[derive(sqlx::FromRow)]
struct Answered {
    mail: i64,
    holder: i64,
    address_version: i64,
    holder_now: i64,
    email: String,
    email_version: i64,
}

impl Answered {
    /// Whether an address is the one that was mailed; `None` where that is not known any more.
    fn is_recipient(&self, address: Option<&str>) -> Option<bool> {
        let is_known = self.holder == self.holder_now && self.address_version == self.email_version;
        let address = address.filter(|_| is_known)?;
        Some(address.eq_ignore_ascii_case(&self.email) || address.to_lowercase() == self.email.to_lowercase())
    }
}

/// A report whose finding is to be carried out.
#[derive(sqlx::FromRow)]
struct Waiting {
    report: i64,
    mail: i64,
    form: FormId,
    finding: String,
    address_dead: i64,
    /// Whether no mail goes to this address already.
    is_stopped: i64,
}

/// What a batch changed, for its entry in the log.
#[derive(Default)]
struct Effects {
    mails: BTreeMap<Finding, Vec<i64>>,
    dead: Vec<FormId>,
    paused: Vec<FormId>,
}

impl Ledger {
    /// Stores reports that are not known yet and carries out what they prove, all in one transaction. A report that is
    /// known changes nothing, whoever hands it in and however often.
    ///
    /// # Errors
    /// The ledger cannot be written; then nothing of these reports is stored.
    pub async fn take_reports(&self, reports: &[NewReport], intake: &Intake, act: &Act) -> Result<Taken> {
        let mut taken = Taken { read: reports.len() as u64, ..Taken::default() };
        let known = self.known_reports(reports).await?;
        let mut seen = BTreeSet::new();
        let new: Vec<&NewReport> =
            reports.iter().filter(|report| !known.contains(&report.sha256) && seen.insert(&report.sha256)).collect();
        if new.is_empty() && intake.place.is_none() && !self.have_reports_to_wait().await? {
            taken.known = taken.read;
            return Ok(taken);
        }
        let (mut tx, mut head) = self.change().await?;
        for report in new {
            take_one(&mut tx, report, &intake.source, act, &mut taken).await?;
        }
        let effects = carry_out(&mut tx, act).await?;
        (taken.dead, taken.paused) = (effects.dead.len() as u64, effects.paused.len() as u64);
        taken.known = taken.read - taken.kinds.values().sum::<u64>();
        if let Some(place) = &intake.place {
            remember(&mut tx, place).await?;
        }
        if !(taken.kinds.is_empty() && effects.mails.is_empty()) {
            log(&mut tx, &mut head, act, &taken, effects).await?;
        }
        tx.commit().await?;
        Ok(taken)
    }

    /// How far a mailbox was read; `None` where it never was, or its UIDs have begun anew since.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn read_until(&self, mailbox: &str, validity: u32) -> Result<Option<u32>> {
        let last = sqlx::query_scalar::<Any, i64>("SELECT last_uid FROM mailbox WHERE mailbox = $1 AND validity = $2")
            .bind(mailbox)
            .bind(i64::from(validity))
            .fetch_optional(&mut *self.read().await?)
            .await?;
        last.map(|last| u32::try_from(last).map_err(|_| LedgerError::damaged("mailbox.last_uid"))).transpose()
    }

    async fn have_reports_to_wait(&self) -> Result<bool> {
        let waiting = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM report_waiting");
        Ok(waiting.fetch_one(&mut *self.read().await?).await? > 0)
    }

    async fn known_reports(&self, reports: &[NewReport]) -> Result<BTreeSet<String>> {
        let mut connection = self.read().await?;
        let mut known = BTreeSet::new();
        for chunk in reports.chunks(CHUNK) {
            let sql = format!("SELECT sha256 FROM report WHERE sha256 IN ({})", members(1, chunk.len()));
            let mut query = sqlx::query_scalar::<Any, String>(AssertSqlSafe(sql));
            for report in chunk {
                query = query.bind(report.sha256.as_str());
            }
            known.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(known)
    }
}

/// Stores a report that is new, and lets its finding wait to be carried out.
async fn take_one(tx: &mut Tx, report: &NewReport, source: &str, act: &Act, taken: &mut Taken) -> Result<()> {
    let (answered, proof) = answered(tx, report).await?;
    let told: Vec<Told> = report
        .told
        .iter()
        .map(|told| Told {
            is_recipient: answered.as_ref().and_then(|mail| mail.is_recipient(told.address.as_deref())),
            action: told.action,
            status: told.status,
            class: told.class,
            reason: told.reason,
        })
        .collect();
    // A code of ours without a mail of ours: a ledger older than the mail, restored from a backup.
    let found = answered.as_ref().and_then(|_| finding(report.kind, proof, &told));
    let row = Row { report, source, mail: answered.as_ref().map(|mail| mail.mail), proof, found };
    let Some(number) = store(tx, &row, &told, act).await? else { return Ok(()) };
    *taken.kinds.entry(report.kind).or_default() += 1;
    taken.unproved += u64::from(report.kind != Kind::Other && (proof != Proof::Verp || answered.is_none()));
    if let Some(found) = found {
        *taken.proved.entry(found).or_default() += 1;
        sqlx::query("INSERT INTO report_waiting (report) VALUES ($1)").bind(number).execute(&mut **tx).await?;
    }
    Ok(())
}

/// A report as it is stored.
struct Row<'r> {
    report: &'r NewReport,
    source: &'r str,
    mail: Option<i64>,
    proof: Proof,
    found: Option<Finding>,
}

/// The mail that a report answers: by its return path, or else by what it says.
async fn answered(tx: &mut Tx, report: &NewReport) -> Result<(Option<Answered>, Proof)> {
    macro_rules! answered_where {
        ($condition:literal) => {
            concat!(
                "SELECT m.mail, m.holder, m.address_version, s.holder AS holder_now, p.email, p.email_version FROM mail m ",
                "JOIN seat s ON s.form = m.form JOIN person p ON p.person = s.person WHERE ",
                $condition,
                " ORDER BY m.mail LIMIT 1"
            )
        };
    }
    if let Some(mail) = report.proved {
        let query = sqlx::query_as::<Any, Answered>(answered_where!("m.mail = $1")).bind(mail);
        return Ok((query.fetch_optional(&mut **tx).await?, Proof::Verp));
    }
    let Some(message_id) = &report.message_id else { return Ok((None, Proof::None)) };
    let query = sqlx::query_as::<Any, Answered>(answered_where!("m.message_id = $1")).bind(message_id.as_str());
    let found = query.fetch_optional(&mut **tx).await?;
    let proof = if found.is_some() { Proof::MessageId } else { Proof::None };
    Ok((found, proof))
}

/// Stores a report; `None` where it was stored meanwhile by somebody else.
async fn store(tx: &mut Tx, row: &Row<'_>, told: &[Told], act: &Act) -> Result<Option<i64>> {
    let is_dead = row.found == Some(Finding::BouncedHard) && is_address_dead(told);
    let number = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO report (sha256, kind, source, read_at, mail, proof, finding, address_dead) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (sha256) DO NOTHING RETURNING report",
    )
    .bind(row.report.sha256.as_str())
    .bind(row.report.kind.as_str())
    .bind(row.source)
    .bind(to_millis(act.at))
    .bind(row.mail)
    .bind(row.proof.as_str())
    .bind(row.found.map(Finding::as_str))
    .bind(i64::from(is_dead))
    .fetch_optional(&mut **tx)
    .await?;
    let Some(number) = number else { return Ok(None) };
    let both: Vec<(&ToldOf, &Told)> = row.report.told.iter().zip(told).collect();
    for (chunk, first) in both.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        let sql = format!(
            "INSERT INTO report_recipient (report, place, is_recipient, action, status, status_source, class, reason) \
             VALUES {}",
            rows(chunk.len(), 8)
        );
        let mut query = sqlx::query(in_order(tx, sql));
        for ((of, told), place) in chunk.iter().zip(first..) {
            query = query
                .bind(number)
                .bind(place)
                .bind(told.is_recipient.map(i64::from))
                .bind(told.action.map(Action::as_str))
                .bind(told.status.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}")))
                .bind(of.status_source.map(StatusSource::as_str))
                .bind(told.class.map(Class::as_str))
                .bind(told.reason.map(Reason::as_str));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(Some(number))
}

/// Carries out what reports prove, in the order in which they were read. A mail that a dispatcher has in hand is left
/// until that has told how it ended: a bounce can be quicker than the record of its mail.
async fn carry_out(tx: &mut Tx, act: &Act) -> Result<Effects> {
    let waiting = sqlx::query_as::<Any, Waiting>(
        "SELECT r.report, r.mail, m.form, r.finding, r.address_dead, \
         CASE WHEN p.stopped_version = p.email_version THEN 1 ELSE 0 END AS is_stopped \
         FROM report_waiting w JOIN report r ON r.report = w.report JOIN mail m ON m.mail = r.mail \
         JOIN seat s ON s.form = m.form JOIN person p ON p.person = s.person \
         WHERE m.state NOT IN ('leased', 'sending') ORDER BY r.report",
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut effects = Effects::default();
    for row in waiting {
        let found: Finding = row.finding.parse().map_err(|()| LedgerError::damaged("report.finding"))?;
        if learn(tx, row.mail, found.learnt(), "report", act.at).await? {
            effects.mails.entry(found).or_default().push(row.mail);
        }
        let stops = match found {
            Finding::BouncedHard if row.address_dead != 0 => Some(("bounced", &mut effects.dead)),
            Finding::Complained => Some(("complained", &mut effects.paused)),
            Finding::BouncedHard
            | Finding::BouncedSoft
            | Finding::Delayed
            | Finding::Delivered
            | Finding::AutoReplied => None,
        };
        if let Some((why, forms)) = stops
            && stop_address(tx, row.mail, why).await?
            && row.is_stopped == 0
            && !forms.contains(&row.form)
        {
            forms.push(row.form);
        }
        sqlx::query("DELETE FROM report_waiting WHERE report = $1").bind(row.report).execute(&mut **tx).await?;
    }
    Ok(effects)
}

/// A reader that is behind another one does not set the mark back.
async fn remember(tx: &mut Tx, place: &MailboxPlace) -> Result<()> {
    sqlx::query(
        "INSERT INTO mailbox (mailbox, validity, last_uid) VALUES ($1, $2, $3) ON CONFLICT (mailbox) DO UPDATE SET \
         last_uid = CASE WHEN mailbox.validity = excluded.validity AND mailbox.last_uid > excluded.last_uid \
         THEN mailbox.last_uid ELSE excluded.last_uid END, validity = excluded.validity",
    )
    .bind(place.mailbox.as_str())
    .bind(i64::from(place.validity))
    .bind(i64::from(place.last_uid))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn log(tx: &mut Tx, head: &mut Head, act: &Act, taken: &Taken, effects: Effects) -> Result<()> {
    let mut entry = Entry::of("reports").with("unproved", taken.unproved);
    for (kind, count) in &taken.kinds {
        entry = entry.with(kind.as_str(), *count);
    }
    for (found, mails) in effects.mails {
        entry = entry.with(&format!("mails_{}", found.as_str()), mails);
    }
    for (name, forms) in [("forms_dead_address", effects.dead), ("forms_paused", effects.paused)] {
        if !forms.is_empty() {
            entry = entry.with(name, forms);
        }
    }
    head.append(tx, act, entry).await
}
