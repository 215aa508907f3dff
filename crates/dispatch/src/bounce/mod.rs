//! Bounces in: the bytes of one mail become what it says about the mails we sent.
//!
//! Pure functions over bytes: no disk, no network, no ledger; whoever calls decides what a report changes.
//! Nothing of a mail's body, subject or words is kept, and neither `Debug` nor `Display` shows an address.
//! A report can be forged by anyone who can write a mail: only [`verp::read`] proves that it answers a mail of ours.
//! Encrypted mails, TNEF (`winmail.dat`) and bounces in languages other than English and Vietnamese without a
//! machine-readable part are not understood.
//!
//! Start with [`classify`] (one mail) and [`Mailbox`] (a file of one or many).

mod address;
mod auto_reply;
mod fields;
mod fold;
mod free_text;
mod heads;
mod identity;
mod mailbox;
mod mime;
mod reason;
mod reason_words;
mod status;
pub mod verp;
mod words;

use std::fmt;

pub use address::Address;
pub use mailbox::Mailbox;
pub use parsurvey_survey::evidence::{Action, Class, Kind, Reason, StatusSource};

use crate::delivery::Enhanced;
use mime::Mail;
use sha2::{Digest, Sha256};

/// Bytes of a mail that are looked at; what lies beyond is the returned mail's own attachments.
pub const MAIL_LIMIT: usize = 1 << 20;
/// Recipients of a report that are kept.
pub const RECIPIENT_LIMIT: usize = 500;

/// What a report says about one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Who: the address that the mail was first sent to where the report tells, or else the one that failed.
    /// `None` when the report names a person but no address.
    pub address: Option<Address>,
    /// What the server did; `None` in a complaint.
    pub action: Option<Action>,
    /// The enhanced status code.
    pub status: Option<Enhanced>,
    /// Where the status comes from; `None` without a status.
    pub status_source: Option<StatusSource>,
    /// Hard or soft; `None` when nothing failed.
    pub class: Option<Class>,
    /// Why; `None` when nothing failed.
    pub reason: Option<Reason>,
}

/// What one mail says. Its `Debug` shows no address.
#[derive(Clone, PartialEq, Eq)]
pub struct Report {
    /// What the mail is.
    pub kind: Kind,
    /// The recipients it speaks of; empty for auto-replies and others that report nothing.
    pub recipients: Vec<Recipient>,
    /// The Message-ID, with angle brackets, of the mail that this one answers.
    pub message_id: Option<String>,
    /// The addresses this report was sent to: among them is the return path that [`verp::read`] reads.
    pub sent_to: Vec<Address>,
}

/// Reads one mail. Any bytes give a report; work and memory are bounded by [`MAIL_LIMIT`].
#[must_use]
pub fn classify(mail: &[u8]) -> Report {
    let mail = Mail::read(mail.get(..MAIL_LIMIT).unwrap_or(mail));
    let (kind, recipients) = judge(&mail);
    Report { kind, recipients, message_id: identity::message_id(&mail), sent_to: identity::sent_to(&mail) }
}

/// SHA-256 (hex) of a mail: the same however it is kept, with either end of line, and with or without the empty line that
/// an mbox sets behind it. Of a mail beyond [`MAIL_LIMIT`] the part counts that every way of reading keeps.
#[must_use]
pub fn fingerprint(mail: &[u8]) -> String {
    // Half, because without its carriage returns a mail of nothing but line ends is half as long.
    let mut room = MAIL_LIMIT / 2;
    let mut hash = Sha256::new();
    let mut line_ends = 0;
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        let bare = line.strip_suffix(b"\n").unwrap_or(line);
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let ends = line.ends_with(b"\n");
        if !bare.is_empty() {
            // Line ends are counted in when something follows them, so that those at the end of a mail are not.
            let gap = line_ends.min(room);
            hash.update(vec![b'\n'; gap]);
            let piece = &bare[..bare.len().min(room - gap)];
            hash.update(piece);
            room -= gap + piece.len();
            line_ends = 0;
        }
        line_ends += usize::from(ends);
        if room == 0 {
            break;
        }
    }
    parsurvey_survey::hex(&hash.finalize())
}

/// Machine-readable parts come first, because words can be anything; then bounces, because many servers mark their
/// bounces as automatic replies.
fn judge(mail: &Mail) -> (Kind, Vec<Recipient>) {
    if let Some(feedback) = &mail.feedback {
        return fields::complaint(feedback, mail);
    }
    if !mail.status.is_empty() {
        let recipients = fields::delivery_status(mail);
        if !recipients.is_empty() {
            return (kind_of(&recipients), recipients);
        }
    }
    if mail.disposition.is_some() {
        return (Kind::AutoReply, Vec::new());
    }
    if let Some(recipients) = fields::foreign_complaint(mail) {
        return (Kind::Complaint, recipients);
    }
    if let Some(recipients) = free_text::read(mail) {
        return (kind_of(&recipients), recipients);
    }
    if auto_reply::is_one(mail) {
        return (Kind::AutoReply, Vec::new());
    }
    (Kind::Other, Vec::new())
}

/// A report of successes alone is no bounce.
fn kind_of(recipients: &[Recipient]) -> Kind {
    if recipients.iter().any(|recipient| recipient.class.is_some()) { Kind::Bounce } else { Kind::Other }
}

impl fmt::Debug for Report {
    /// The Message-ID is left out as well: it is whatever the sender of the report wrote there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report").field("kind", &self.kind).field("recipients", &self.recipients).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{MAIL_LIMIT, fingerprint};

    #[test]
    fn a_mail_has_one_fingerprint_however_it_is_kept() {
        let mail = "From: a\n\nx\n\ny\n";
        let same = [mail.to_owned(), mail.replace('\n', "\r\n"), format!("{mail}\n"), format!("{mail}\r\n\r\n")];
        for kept in &same {
            assert_eq!(fingerprint(kept.as_bytes()), fingerprint(mail.as_bytes()), "{kept:?}");
        }
        for other in ["From: a\n\nx\ny\n", "From: a\n\nx\n\nY\n", "", "From: a\n\nx\n\ny\nz"] {
            assert_ne!(fingerprint(other.as_bytes()), fingerprint(mail.as_bytes()), "{other:?}");
        }
    }

    #[test]
    fn a_large_mail_has_one_fingerprint_too() {
        for line in ["\n", "a\n", "a line of some length\n"] {
            let mail = format!("x\n{}x", line.repeat(3 * MAIL_LIMIT / line.len()));
            let foreign = mail.replace('\n', "\r\n");
            assert_eq!(
                fingerprint(&mail.as_bytes()[..MAIL_LIMIT]),
                fingerprint(&foreign.as_bytes()[..MAIL_LIMIT]),
                "{line:?}"
            );
        }
    }
}
