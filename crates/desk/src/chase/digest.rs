//! The operator's digest: counted from the ledger, and mailed once a day to the operator.

use jiff::Timestamp;
use parsurvey_dispatch::Route;
use parsurvey_ledger::{CampaignState, ChaseHow, ChaseState, NewChaseLetter};
use parsurvey_report::Lang;
use parsurvey_report::digest::{digest_html, digest_subject, digest_text};
use parsurvey_survey::campaign::Coordinator;
use parsurvey_survey::chase::{self, Digest};
use parsurvey_survey::hex;
use parsurvey_survey::template::Mail;
use sha2::{Digest as _, Sha256};

use super::post::{Line, Sent};
use crate::{Because, Desk, DeskError};

/// What became of the digest's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DigestSent {
    /// The relay took it.
    Told,
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
    /// The digest at `now`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn digest(&self, now: Timestamp) -> Result<Digest, DeskError> {
        let seats = self.ledger.seats().await?;
        let submissions = self.ledger.submission_moments().await?;
        let letters = self.ledger.chase_letters().await?;
        let mails = || letters.iter().filter(|letter| letter.told.how == ChaseHow::Mail);
        let latest = mails().map(|letter| letter.told.day).max();
        let of =
            |state| mails().filter(|letter| Some(letter.told.day) == latest && letter.state == state).count() as u64;
        let told = (of(ChaseState::Claimed), of(ChaseState::Refused));
        let in_field = self.state().await? == CampaignState::Inviting;
        Ok(chase::digest(&self.campaign, &seats, &submissions, told, in_field, self.deadline().await?, now))
    }

    /// Mails the digest to the operator, once a day.
    ///
    /// # Errors
    /// The campaign declares no `[chase]`, or the relay is absent.
    pub async fn send_digest(&self, route: &Route, because: &Because, now: Timestamp) -> Result<DigestSent, DeskError> {
        let operator = self.chasing()?.operator.clone();
        let digest = self.digest(now).await?;
        let (vi, en) = (digest_text(&digest, &self.campaign, Lang::Vi), digest_text(&digest, &self.campaign, Lang::En));
        let mail = Mail {
            subject: digest_subject(&digest),
            text: format!("{vi}\n\n----- ENGLISH -----\n\n{en}"),
            html: digest_html(&vi, &en),
        };
        let to = Coordinator { name: String::new(), email: operator };
        let record = |bytes: &[u8]| NewChaseLetter {
            unit: String::new(),
            day: chase::day_of(&self.campaign, now),
            how: ChaseHow::Digest,
            named: false,
            counts: digest.total,
            sha256: hex(&Sha256::digest(bytes)),
        };
        let mut line = Line::new(route)?;
        let sent = self.post(&mut line, &to, &mail, record, because, now).await?;
        line.end().await;
        Ok(match sent {
            Sent::Told => DigestSent::Told,
            Sent::Already => DigestSent::Already,
            Sent::Unknown => DigestSent::Unknown,
            Sent::Refused(said) => DigestSent::Refused(said),
            Sent::Deferred(said) => DigestSent::Deferred(said),
        })
    }
}
