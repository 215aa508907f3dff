//! How a letter becomes the bytes of a mail: text and HTML side by side, the same bytes for the same letter.
//!
//! No header carries a link or the secret of one, and `compose` refuses a letter in which one would.
//! Writes no tracking of any kind, no `Precedence` (mailing-list software drops bounces of `bulk` mail, and
//! `Auto-Submitted` already says that nobody typed this) and no `List-Unsubscribe` (it would be a link in a header).

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::seat::FormId;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

/// A name and an address, as they stand in a header. Has no `Debug`, so that it cannot be logged by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Correspondent {
    /// The display name, in any script; may be empty.
    pub name: String,
    /// The address.
    pub address: String,
}

/// Everything a mail is made of. Has no `Debug`: it holds a person's name, address and link.
#[derive(Clone)]
pub struct Letter {
    /// Who sends it; the envelope's sender too where there is no return path.
    pub from: Correspondent,
    /// The envelope's sender, where bounces go, in place of `from`'s address. `From` stays, and with it the domain that
    /// a signature speaks for (DKIM and DMARC compare `From`, SPF this).
    pub return_path: Option<String>,
    /// Where an answer goes.
    pub reply_to: String,
    /// Who gets it: one person.
    pub to: Correspondent,
    /// The subject, without a link.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML, a whole document.
    pub html: String,
    /// The Message-ID with its angle brackets, as [`message_id`] makes it.
    pub message_id: String,
    /// The `Date`; fractions of a second are dropped.
    pub date: Timestamp,
    /// The `Content-Language`, such as `vi, en`.
    pub language: String,
    /// The secret of the link in the body, which no header may contain; `None` for a mail without a link.
    pub link_secret: Option<SecretString>,
}

/// Sender and recipient as SMTP is told them: always exactly one recipient, so that an outcome is one person's.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    from: Address,
    to: Address,
}

/// A mail that can be sent.
#[derive(Clone)]
pub struct Composed {
    envelope: Envelope,
    bytes: Vec<u8>,
    message_id: String,
    /// The domain of `From`, for which a signature speaks.
    from_domain: String,
    /// The `Date` in seconds since 1970.
    date: i64,
}

/// Why a letter cannot become a mail. Never quotes the letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// An address is not one that SMTP can carry.
    #[error("the {0} address is not a valid mail address; correct it in the roster or in campaign.toml")]
    Address(&'static str),
    /// A header field contains a line break or another control character.
    #[error("the {0} contains a line break or a control character; remove it")]
    ControlCharacter(&'static str),
    /// The secret of the link stands in a header field.
    #[error("the link's secret would stand in the mail's {0}; take it out of the template, links belong in the body")]
    SecretInHeader(&'static str),
    /// A link stands in a header field.
    #[error("a link would stand in the mail's {0}; take it out of the template, links belong in the body")]
    LinkInHeader(&'static str),
    /// The Message-ID is not of the form `<left@right>`.
    #[error("the Message-ID is not of the form <left@right>; check the sender's domain in campaign.toml")]
    MessageId,
    /// The language is not a list of language tags.
    #[error("the language is not a list of language tags such as \"vi, en\"")]
    Language,
    /// The date lies before those that a mail can carry.
    #[error("the date lies before 1970; check the campaign's clock")]
    Date,
    /// The mail cannot be signed.
    #[error("the mail cannot be signed; the sender's domain must be in ASCII")]
    Signature,
    /// The mail library refused the parts.
    #[error("the mail could not be put together; report this with the campaign folder")]
    Library,
}

/// Makes the mail: `multipart/alternative`, seven-bit clean wherever the addresses are, the same bytes for the same letter.
///
/// # Errors
/// [`ComposeError`], when an address or a header field is unfit, or when a link or its secret would stand in a header.
pub fn compose(letter: &Letter) -> Result<Composed, ComposeError> {
    check_fields(letter)?;
    let from = address("sender's", &letter.from.address)?;
    let return_path = letter.return_path.as_ref().unwrap_or(&letter.from.address);
    let envelope = Envelope::new(return_path, &letter.to.address)?;
    let reply_to = address("Reply-To", &letter.reply_to)?;
    let message = Message::builder()
        .from(mailbox(&letter.from, &from))
        .reply_to(Mailbox::new(None, reply_to))
        .to(mailbox(&letter.to, &envelope.to))
        .subject(letter.subject.clone())
        .date(mail_date(letter.date)?)
        .message_id(Some(letter.message_id.clone()))
        .raw_header(fixed("Auto-Submitted", "auto-generated"))
        // Exchange answers mails on its own in more ways than `Auto-Submitted` stops. "All" would also suppress the
        // non-delivery reports, and those are how we learn of a dead address.
        .raw_header(fixed("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"))
        .raw_header(fixed("Content-Language", &letter.language))
        .multipart(
            MultiPart::alternative()
                .boundary(boundary(&letter.message_id))
                .singlepart(SinglePart::plain(crlf_lines(&letter.text)))
                .singlepart(SinglePart::html(crlf_lines(&letter.html))),
        )
        .map_err(|_| ComposeError::Library)?;
    let bytes = message.formatted();
    check_header_part(&bytes, letter.link_secret.as_ref())?;
    Ok(Composed {
        bytes,
        message_id: letter.message_id.clone(),
        from_domain: from.domain().to_owned(),
        date: letter.date.as_second(),
        envelope,
    })
}

/// A Message-ID that is the same whenever the same mail is composed again, and says nothing to who reads it.
///
/// It is made of what names the mail's row in the outbox, not of its contents, address or link.
/// `domain` is the sender's; it is taken as given and checked by [`compose`].
#[must_use]
pub fn message_id(
    campaign: &str,
    form: FormId,
    holder: u32,
    address_version: u32,
    kind: MailKind,
    wave: u32,
    domain: &str,
) -> String {
    let mut hash = Sha256::new();
    hash.update(b"parsurvey message-id 1\n");
    // The length in front keeps two different rows from ever reading as the same bytes.
    hash.update((campaign.len() as u64).to_be_bytes());
    hash.update(campaign.as_bytes());
    hash.update(form.to_be_bytes());
    hash.update(holder.to_be_bytes());
    hash.update(address_version.to_be_bytes());
    hash.update(wave.to_be_bytes());
    hash.update(kind.as_str().as_bytes());
    format!("<{}@{domain}>", hex(&hash.finalize()[..16]))
}

impl Envelope {
    /// An envelope of one sender and one recipient.
    ///
    /// # Errors
    /// [`ComposeError::Address`], naming which of the two is unfit without quoting it.
    pub fn new(from: &str, to: &str) -> Result<Self, ComposeError> {
        Ok(Self { from: address("return path's", from)?, to: address("recipient's", to)? })
    }

    /// The sender, where bounces go.
    #[must_use]
    pub fn from(&self) -> &str {
        self.from.as_ref()
    }

    /// The recipient.
    #[must_use]
    pub fn to(&self) -> &str {
        self.to.as_ref()
    }

    pub(crate) fn sender(&self) -> &Address {
        &self.from
    }

    pub(crate) fn recipient(&self) -> &Address {
        &self.to
    }

    /// Whether the relay must speak SMTPUTF8.
    pub(crate) fn needs_smtputf8(&self) -> bool {
        !self.from().is_ascii() || !self.to().is_ascii()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envelope { .. }")
    }
}

impl Composed {
    /// Sender and recipient for the relay.
    #[must_use]
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The mail as it goes over the wire, before dots are doubled. Holds the link.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The Message-ID with its angle brackets.
    #[must_use]
    pub fn message_id(&self) -> &str {
        &self.message_id
    }
}

impl fmt::Debug for Composed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Composed")
            .field("message_id", &self.message_id)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Looks at the header fields before they are encoded: base64 in a subject would hide a link from a later search.
fn check_fields(letter: &Letter) -> Result<(), ComposeError> {
    let fields = [
        ("From", &letter.from.name),
        ("From", &letter.from.address),
        ("Reply-To", &letter.reply_to),
        ("To", &letter.to.name),
        ("To", &letter.to.address),
        ("Subject", &letter.subject),
        ("Message-ID", &letter.message_id),
        ("Content-Language", &letter.language),
    ];
    for (name, value) in fields {
        if value.chars().any(char::is_control) {
            return Err(ComposeError::ControlCharacter(name));
        }
        if contains_secret(value, letter.link_secret.as_ref()) {
            return Err(ComposeError::SecretInHeader(name));
        }
        if value.contains("://") {
            return Err(ComposeError::LinkInHeader(name));
        }
    }
    if !is_message_id(&letter.message_id) {
        return Err(ComposeError::MessageId);
    }
    let tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ',' | ' ');
    if letter.language.trim().is_empty() || !letter.language.chars().all(tag) {
        return Err(ComposeError::Language);
    }
    Ok(())
}

/// Looks once more at what was written, unfolded, in case a field came in by another way than `check_fields` knows.
fn check_header_part(bytes: &[u8], secret: Option<&SecretString>) -> Result<(), ComposeError> {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    if contains_secret(&head.replace("\r\n ", "").replace("\r\n\t", ""), secret) {
        return Err(ComposeError::SecretInHeader("header"));
    }
    Ok(())
}

/// Whether `value` contains the secret in any case of letters, as a careless relay may have lowered it.
fn contains_secret(value: &str, secret: Option<&SecretString>) -> bool {
    secret.is_some_and(|secret| {
        let secret = secret.expose_secret();
        value.contains(secret) || value.to_ascii_lowercase().contains(&secret.to_ascii_lowercase())
    })
}

fn is_message_id(text: &str) -> bool {
    let atom = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
    };
    text.len() <= 250
        && text
            .strip_prefix('<')
            .and_then(|text| text.strip_suffix('>'))
            .and_then(|text| text.split_once('@'))
            .is_some_and(|(left, right)| atom(left) && atom(right))
}

fn address(which: &'static str, text: &str) -> Result<Address, ComposeError> {
    text.parse().map_err(|_| ComposeError::Address(which))
}

fn mailbox(person: &Correspondent, address: &Address) -> Mailbox {
    let name = person.name.trim();
    let name = (!name.is_empty()).then(|| name.to_owned());
    Mailbox::new(name, address.clone())
}

fn fixed(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The campaign's calendar ends before the library's, so that only the other end needs a check: it panics before 1970.
fn mail_date(date: Timestamp) -> Result<SystemTime, ComposeError> {
    u64::try_from(date.as_second())
        .map(|second| SystemTime::UNIX_EPOCH + Duration::from_secs(second))
        .map_err(|_| ComposeError::Date)
}

/// A boundary of the letter's own: the library's are random. Underscore after the equals sign cannot occur in quoted-printable.
fn boundary(message_id: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"parsurvey boundary 1\n");
    hash.update(message_id.as_bytes());
    format!("=_{}", hex(&hash.finalize()[..16]))
}

/// One kind of line end, so that none is bare on the wire; the library's own way is slow where there are many lines.
fn crlf_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature of the sender's domain.
pub(crate) mod dkim;
#[cfg(test)]
mod tests;
