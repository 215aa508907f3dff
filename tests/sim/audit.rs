//! The audit: a ledger's own history of attempts against the journal, mail by mail.
//!
//! Beside what is believed in the end, it shows that the belief was come by rightly: nothing left before it was marked, what
//! left are the marked bytes, and no second copy without doubt about the first. It reads the ledger's tables itself, because
//! a list that the program makes could be wrong in the program's favour.

use std::collections::HashMap;
use std::fmt;

use parsurvey_rehearsal::catcher::{Event, Step};
use parsurvey_tests::Survey;
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

/// One line of a ledger's history.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Attempt {
    message_id: String,
    result: String,
    sha256: Option<String>,
}

/// What the audit found, in mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Marks there are.
    pub(crate) marks: u64,
    /// Final dots that the relay read.
    pub(crate) dots: u64,
    /// Mails of which more dots were read than were marked before.
    pub(crate) unmarked: u64,
    /// Dots behind other bytes than those that were marked.
    pub(crate) other_bytes: u64,
    /// Mails sent again by the policy.
    pub(crate) resent: u64,
    /// Mails marked again after a mark that had no answer, although nobody had called them unknown.
    pub(crate) unwarranted: u64,
    /// Mails called unknown more often than the policy sends them again.
    pub(crate) too_often: u64,
}

impl Audit {
    /// Whether everything was come by rightly.
    pub(crate) fn is_clean(&self) -> bool {
        let Self { unmarked, other_bytes, unwarranted, too_often, .. } = self;
        [unmarked, other_bytes, unwarranted, too_often].into_iter().all(|count| *count == 0)
    }
}

/// The history of a survey's ledger, oldest first.
pub(crate) async fn attempts(survey: &Survey) -> Vec<Attempt> {
    install_default_drivers();
    let file = format!("sqlite://{}", survey.data.join("ledger.sqlite").display());
    let mut ledger = AnyConnection::connect(survey.database().unwrap_or(&file)).await.unwrap();
    let sql =
        "SELECT m.message_id, a.result, a.sha256 FROM attempt a JOIN mail m ON m.mail = a.mail ORDER BY a.attempt";
    let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut ledger).await.unwrap();
    ledger.close().await.unwrap();
    rows
}

/// Holds a history against a journal.
pub(crate) fn audit(journal: &[Event], attempts: &[Attempt]) -> Audit {
    let mut histories: HashMap<&str, Vec<&Attempt>> = HashMap::new();
    for attempt in attempts {
        histories.entry(bare(&attempt.message_id)).or_default().push(attempt);
    }
    let mut dots: HashMap<&str, Vec<&str>> = HashMap::new();
    for event in journal.iter().filter(|event| event.step == Step::Dot) {
        let id = event.message_id.as_deref().unwrap_or_default();
        dots.entry(bare(id)).or_default().extend(event.sha256.as_deref());
    }
    let mut found = Audit::default();
    let nothing = Vec::new();
    for (id, read) in &dots {
        let history = histories.get(id).unwrap_or(&nothing);
        let marked: Vec<&str> = marks(history).filter_map(|mark| mark.sha256.as_deref()).collect();
        found.dots += read.len() as u64;
        found.unmarked += u64::from(read.len() > marked.len());
        found.other_bytes += read.iter().filter(|bytes| !marked.contains(*bytes)).count() as u64;
    }
    for history in histories.values() {
        found.marks += marks(history).count() as u64;
        // A mark after a mark needs a reason in between: an answer that it was not taken, or a declared unknown.
        let mut open = false;
        for attempt in history {
            if attempt.result == "sending" {
                found.unwarranted += u64::from(open);
            }
            open = attempt.result == "sending";
        }
        let unknown = history.iter().filter(|attempt| attempt.result == "unknown").count();
        let last_mark = history.iter().rposition(|attempt| attempt.result == "sending");
        let first_unknown = history.iter().position(|attempt| attempt.result == "unknown");
        found.resent += u64::from(first_unknown.zip(last_mark).is_some_and(|(unknown, mark)| unknown < mark));
        found.too_often += u64::from(unknown > 2);
    }
    found
}

fn marks<'a>(history: &[&'a Attempt]) -> impl Iterator<Item = &'a Attempt> {
    history.iter().copied().filter(|attempt| attempt.result == "sending")
}

fn bare(message_id: &str) -> &str {
    message_id.trim().trim_start_matches('<').trim_end_matches('>')
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  marks {}, dots read {}; dots without a mark {}, other bytes than marked {}; sent again by policy {}, without need {}, too often {}",
            self.marks, self.dots, self.unmarked, self.other_bytes, self.resent, self.unwarranted, self.too_often
        )
    }
}
