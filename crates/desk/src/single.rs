//! One mail outside the contacts, put together and carried once: anchors, and words to addresses that were given up.
//!
//! Whoever sends one has claimed it in the ledger before, and records what became of it.

use jiff::Timestamp;
use parsurvey_dispatch::{
    Always, Carrier, Composed, Correspondent, Delivery, Letter, Line, Outcome, Way, WayLine, compose,
};
use parsurvey_ledger::ChaseState;
use parsurvey_survey::hex;
use parsurvey_survey::template::Mail;
use sha2::{Digest, Sha256};

use crate::{Desk, DeskError};

/// Whom a mail is for; prints nothing.
pub(crate) struct To<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: &'a str,
}

/// What became of one mail: the state it comes to, with the relay's words. `None` is: nobody knows.
pub(crate) type Carried = Option<(ChaseState, String)>;

/// A name for a sender of single mails, of which a claim is.
pub(crate) fn claimant(what: &str) -> Result<String, DeskError> {
    Ok(format!("{what}-{}-{}", std::process::id(), hex(&crate::random_bytes()?[..4])))
}

/// Opens the way before anything is claimed, so that an absent relay leaves no claim behind.
pub(crate) async fn open(way: &Way) -> Result<WayLine, DeskError> {
    way.open().await.map_err(|delivery| {
        let remedy = "check --smtp and the relay, then run the command again";
        DeskError::unfinished(format!("the relay does not work ({delivery})"), remedy)
    })
}

/// Carries one mail, and tells what its claim comes to.
pub(crate) async fn carry(line: &mut WayLine, mail: &Composed) -> Carried {
    match line.carry(mail, Always).await {
        Some(delivery) => came_to(&delivery),
        None => Some((ChaseState::Ready, String::new())),
    }
}

/// What a claim comes to by a delivery.
pub(crate) fn came_to(delivery: &Delivery) -> Carried {
    let said = delivery.code.map_or_else(|| delivery.text.clone(), |code| format!("{code} {}", delivery.text));
    match delivery.outcome {
        Outcome::Accepted => Some((ChaseState::Told, said)),
        Outcome::RejectedPermanent => Some((ChaseState::Refused, said)),
        Outcome::RejectedTransient | Outcome::RouteFailed => Some((ChaseState::Ready, said)),
        Outcome::Unknown => None,
    }
}

impl Desk {
    /// Puts a mail together; `mark` tells it from every other of the campaign and says nothing to who reads it.
    pub(crate) fn single(
        &self,
        to: &To<'_>,
        mail: &Mail,
        mark: &str,
        way: &Way,
        now: Timestamp,
    ) -> Result<Composed, DeskError> {
        let sender = &self.campaign.sender;
        let refused = |error: String| {
            DeskError::refused(
                format!("the mail cannot be put together: {error}"),
                "mend what it names and run the command again",
            )
        };
        let domain = sender.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let mut hash = Sha256::new();
        for part in ["parsurvey single message-id 1", &self.campaign.id, mark] {
            // None of the parts has a line break.
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        let composed = compose(&Letter {
            from: Correspondent { name: sender.name.vi.clone(), address: sender.address.clone() },
            return_path: self.campaign.return_path.clone(),
            reply_to: sender.reply_to.clone(),
            to: Correspondent { name: to.name.to_owned(), address: to.address.to_owned() },
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            message_id: format!("<{}@{domain}>", hex(&hash.finalize()[..16])),
            date: now,
            language: "vi, en".to_owned(),
            link_secret: None,
        })
        .map_err(|error| refused(error.to_string()))?;
        match way.dkim() {
            None => Ok(composed),
            Some(dkim) => composed.signed(dkim).map_err(|error| refused(error.to_string())),
        }
    }
}
