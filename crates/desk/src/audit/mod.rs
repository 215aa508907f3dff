//! Auditing: the head of the log to a body outside, and the log held against what that body kept.
//!
//! The chain alone proves nothing against somebody who has the whole database: it can be recomputed. Whoever verifies
//! without anchors is told so, and the verification fails.

mod anchors;
mod callback;

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_dispatch::bounce::Mailbox;
use parsurvey_dispatch::text_of;
use parsurvey_ledger::{AuditedLog, ChaseState, StateCheck};
use parsurvey_survey::anchor::Anchor;

use crate::{Desk, DeskError};

pub use anchors::AnchorSent;
pub use callback::{CallbackSummary, Drawn, ToCall};

/// What was found about one anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnchorVerdict {
    /// The log has this hash at this place.
    OnChain,
    /// The log has another hash there: an entry up to here was changed.
    NotOnChain,
    /// The log is shorter: entries were taken away.
    BeyondTheEnd,
    /// It is of another campaign.
    OtherCampaign,
}

/// The result of a verification.
#[derive(Debug)]
pub struct Audit {
    /// The log by itself, and beside the tables.
    pub log: AuditedLog,
    /// Every anchor that was given, by the place it names.
    pub anchors: Vec<(Anchor, AnchorVerdict)>,
    /// Anchors that the log says were mailed and of which none was given.
    pub not_given: u64,
    /// Entries behind the newest anchor that was found on the chain: nothing outside speaks for them yet.
    pub uncovered: i64,
}

impl Audit {
    /// Whether nothing speaks against the log, and something outside speaks for it.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        let anchored =
            !self.anchors.is_empty() && self.anchors.iter().all(|(_, verdict)| *verdict == AnchorVerdict::OnChain);
        anchored && self.log.broken_at.is_none() && self.log.states.iter().all(agrees)
    }
}

/// Whether log and tables tell the same.
#[must_use]
pub fn agrees(check: &StateCheck) -> bool {
    check.differing == 0
}

/// The anchors in the bytes of a file: a mail, several in an mbox, or the block of text alone.
///
/// # Errors
/// There is none, or one is damaged; `name` is what the file is called in the error.
pub fn read_anchors(name: &str, bytes: &[u8]) -> Result<Vec<Anchor>, DeskError> {
    let remedy = "hand in the mail as it was received, or its block from BEGIN to END";
    let mut found = Vec::new();
    let mut fault = None;
    for mail in Mailbox::new(bytes) {
        let mail =
            mail.map_err(|error| DeskError::unfinished(format!("{name} cannot be read ({error})"), "try again"))?;
        // A block by itself reads like the head of a mail, so what stands there plainly is taken first.
        match Anchor::read_all(&String::from_utf8_lossy(&mail)) {
            Ok(anchors) if !anchors.is_empty() => found.extend(anchors),
            plain => match (plain, Anchor::read_all(&text_of(&mail))) {
                (_, Ok(anchors)) if !anchors.is_empty() => found.extend(anchors),
                (Err(error), _) | (_, Err(error)) => fault = Some(error),
                (Ok(_), Ok(_)) => {}
            },
        }
    }
    if let Some(fault) = fault {
        return Err(DeskError::refused(format!("{name}, {fault}"), remedy));
    }
    if found.is_empty() {
        return Err(DeskError::refused(format!("{name} holds no anchor"), remedy));
    }
    Ok(found)
}

impl Desk {
    /// Verifies the log: by itself, against the anchors that a body outside kept, and against the tables.
    ///
    /// # Errors
    /// The ledger cannot be read. What speaks against the log is in the result.
    pub async fn audit_verify(&self, anchors: Vec<Anchor>) -> Result<Audit, DeskError> {
        let asked: BTreeSet<i64> = anchors.iter().map(|anchor| anchor.entries).collect();
        let log = self.ledger.audit_log(&asked).await?;
        // A mail holds the same anchor as text and as HTML, and may be handed in twice.
        let distinct: BTreeMap<(i64, String, String), Anchor> = anchors
            .into_iter()
            .map(|anchor| ((anchor.entries, anchor.hash.clone(), anchor.campaign.clone()), anchor))
            .collect();
        let judged: Vec<(Anchor, AnchorVerdict)> = distinct
            .into_values()
            .map(|anchor| {
                let verdict = self.judge(&anchor, &log);
                (anchor, verdict)
            })
            .collect();
        let told = self.ledger.anchors().await?;
        let given: BTreeSet<i64> = judged.iter().map(|(anchor, _)| anchor.entries).collect();
        let not_given =
            told.iter().filter(|row| row.state == ChaseState::Told && !given.contains(&row.seq)).count() as u64;
        let covered = judged.iter().filter(|(_, verdict)| *verdict == AnchorVerdict::OnChain);
        let covered = covered.map(|(anchor, _)| anchor.entries).max().unwrap_or_default();
        Ok(Audit { uncovered: log.entries - covered, not_given, anchors: judged, log })
    }

    fn judge(&self, anchor: &Anchor, log: &AuditedLog) -> AnchorVerdict {
        if anchor.campaign != self.campaign.id {
            return AnchorVerdict::OtherCampaign;
        }
        match log.hashes.get(&anchor.entries) {
            Some(hash) if *hash == anchor.hash => AnchorVerdict::OnChain,
            None if anchor.entries > log.entries => AnchorVerdict::BeyondTheEnd,
            // Behind a break nothing follows any more, so nothing there is on the chain.
            Some(_) | None => AnchorVerdict::NotOnChain,
        }
    }
}
