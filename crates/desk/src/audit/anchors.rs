//! Mailing the head of the log, once a day, to an address outside.
//!
//! Neither a pause nor the hours of sending hold it up: it goes to an office and not to a respondent, and whoever wants
//! to hide something must not be able to stop it by pausing.

use jiff::Timestamp;
use parsurvey_dispatch::{Line, Way};
use parsurvey_ledger::{AnchorClaim, AnchorRow, ChaseState};
use parsurvey_report::anchor::anchor_mail;
use parsurvey_survey::anchor::Anchor;
use parsurvey_survey::calendar;

use crate::single::{self, To};
use crate::{Because, Desk, DeskError};

/// What became of the day's anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorSent {
    /// The relay took it: the log up to this entry.
    Told(i64),
    /// It was told before, today.
    Already,
    /// Nobody knows whether it left; it is held.
    Unknown,
    /// The relay refused it, with its words.
    Refused(String),
    /// The relay refused it for now, with its words; the next run sends it.
    Deferred(String),
}

impl Desk {
    /// Mails the head of the log to the address outside, once a day.
    ///
    /// # Errors
    /// The campaign names no such address, or the relay is absent.
    pub async fn send_anchor(&self, way: &Way, because: &Because, now: Timestamp) -> Result<AnchorSent, DeskError> {
        let Some(address) = &self.campaign.anchor_to else {
            return Err(DeskError::refused(
                "the campaign names no address outside for the head of the log",
                "add [audit] anchor_to = \"…\" to campaign.toml: an address that the surveying body does not run",
            ));
        };
        let day = calendar::day(now, &self.campaign.time_zone);
        if self.ledger.anchors().await?.iter().any(|row| row.day == day && row.state == ChaseState::Told) {
            return Ok(AnchorSent::Already);
        }
        let mut line = single::open(way).await?;
        let (claimant, act) = (single::claimant("anchor")?, because.act(now));
        let (notice, seq, hash) = match self.ledger.claim_anchor(day, &claimant, &act).await? {
            AnchorClaim::Yours { notice, seq, hash } => (notice, seq, hash),
            AnchorClaim::Told => return Ok(AnchorSent::Already),
            AnchorClaim::Unknown => return Ok(AnchorSent::Unknown),
        };
        let anchor = Anchor { campaign: self.campaign.id.clone(), day, taken: now, entries: seq, hash };
        let mark = format!("anchor {day} {seq}");
        let to = To { name: "", address };
        let mail = match self.single(&to, &anchor_mail(&anchor, &self.campaign), &mark, way, now) {
            Ok(mail) => mail,
            // It was provably not sent: the claim goes back, so that it is tried again once the cause is mended.
            Err(error) => {
                self.ledger.settle_notice(notice, &claimant, ChaseState::Ready, "", &act).await?;
                return Err(error);
            }
        };
        let Some((state, said)) = single::carry(&mut line, &mail).await else { return Ok(AnchorSent::Unknown) };
        self.ledger.settle_notice(notice, &claimant, state, &said, &act).await?;
        line.leave().await;
        Ok(match state {
            ChaseState::Refused => AnchorSent::Refused(said),
            ChaseState::Ready => AnchorSent::Deferred(said),
            ChaseState::Told | ChaseState::Claimed | ChaseState::Made => AnchorSent::Told(seq),
        })
    }

    /// Sends the day's anchor where the campaign names an address for it; what goes wrong holds up nothing else.
    pub(crate) async fn anchor_if_due(&self, way: &Way, because: &Because, now: Timestamp) -> Option<String> {
        self.campaign.anchor_to.as_ref()?;
        match self.send_anchor(way, because, now).await {
            Ok(AnchorSent::Told(_) | AnchorSent::Already) => None,
            Ok(AnchorSent::Unknown) => {
                Some("it may or may not have left, and is held; tomorrow's covers it".to_owned())
            }
            Ok(AnchorSent::Refused(said) | AnchorSent::Deferred(said)) => {
                Some(format!("the relay refused it ({said})"))
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// The anchors that were mailed, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn anchors(&self) -> Result<Vec<AnchorRow>, DeskError> {
        Ok(self.ledger.anchors().await?)
    }
}
