//! A mail's way through a connection: `MAIL`, `RCPT`, `DATA`, the contents and the final dot.
//!
//! What is done at each stage is the script's; what happened is told to the journal. The connection itself is elsewhere.

use std::io;

use super::super::journal::{Event, Step};
use super::super::mail::Mail;
use super::super::script::{Act, At};
use super::{Connection, Next};

/// The largest mail in bytes, as the catcher's `SIZE` says.
const MAIL_LIMIT: usize = 26_214_400;

/// What the sender said since its last `MAIL`.
#[derive(Default)]
pub(super) struct Transaction {
    from: Option<String>,
    parameters: Vec<String>,
    recipients: Vec<String>,
}

impl Connection<'_> {
    pub(super) async fn mail(&mut self, line: &str) -> io::Result<Next> {
        if !self.is_logged_in && self.shared.ask_script(|script| script.account()).is_some() {
            return self.say(530, "5.7.0 log in first").await;
        }
        if self.transaction.from.is_some() {
            return self.say(503, "5.5.1 one MAIL at a time").await;
        }
        let Some((from, parameters)) = path(line, "MAIL FROM:") else {
            return self.say(501, "5.5.4 MAIL FROM:<address>").await;
        };
        if let Some(next) = self.before_recipients(At::Mail).await? {
            return Ok(next);
        }
        self.transaction.from = Some(from);
        self.transaction.parameters = parameters;
        self.say(250, "2.1.0 ok").await
    }

    pub(super) async fn recipient(&mut self, line: &str) -> io::Result<Next> {
        if self.transaction.from.is_none() {
            return self.say(503, "5.5.1 MAIL first").await;
        }
        let Some((recipient, _)) = path(line, "RCPT TO:").filter(|(to, _)| !to.is_empty()) else {
            return self.say(501, "5.5.4 RCPT TO:<address>").await;
        };
        let utf8 = self.transaction.parameters.iter().any(|p| p == "SMTPUTF8");
        if !recipient.is_ascii() && !utf8 {
            self.shared.count(|counts| counts.refused += 1);
            return self.say(553, "5.6.7 SMTPUTF8 was not asked for").await;
        }
        let act = self.shared.act(&recipient, At::Rcpt);
        let code = answered(act.as_ref());
        self.shared.note(|| Event { recipient: Some(recipient.clone()), code, ..self.event(Step::Rcpt) })?;
        match act {
            None => {}
            Some(Act::Say(reply)) if reply.code < 400 => {
                self.transaction.recipients.push(recipient);
                return self.reply(&reply).await;
            }
            Some(act) => {
                if let Some(next) = self.misbehave(act).await? {
                    return Ok(next);
                }
            }
        }
        self.transaction.recipients.push(recipient);
        self.say(250, "2.1.5 ok").await
    }

    pub(super) async fn data(&mut self) -> io::Result<Next> {
        if self.transaction.recipients.is_empty() {
            return self.say(503, "5.5.1 RCPT first").await;
        }
        if let Some(act) = self.scripted(At::Data) {
            let (recipient, code) = (self.transaction.recipients.first().cloned(), answered(Some(&act)));
            self.shared.note(|| Event { recipient, code, ..self.event(Step::Data) })?;
            if let Some(next) = self.misbehave(act).await? {
                return Ok(next);
            }
        }
        self.say(354, "go ahead").await?;
        if let Some(act) = self.scripted(At::Contents)
            && let Some(next) = self.misbehave(act).await?
        {
            return Ok(next);
        }
        let Some(raw) = self.contents().await? else {
            return Ok(Next::Leave);
        };
        let transaction = std::mem::take(&mut self.transaction);
        let act = transaction.recipients.iter().find_map(|recipient| self.shared.act(recipient, At::Dot));
        self.dot(transaction, raw, act).await
    }

    /// What follows a final dot: it is witnessed, then the mail is taken or not, and only then the sender hears of it.
    async fn dot(&mut self, transaction: Transaction, raw: Vec<u8>, act: Option<Act>) -> io::Result<Next> {
        let code = answered(act.as_ref());
        let taken = code.is_none_or(|code| code < 400) && act != Some(Act::Lose);
        let recipient = transaction.recipients.first().cloned();
        let (from, to) = (transaction.from.unwrap_or_default(), transaction.recipients);
        let mail = Mail::new(from, transaction.parameters, to, raw, self.number);
        let secured = self.is_under_tls;
        self.shared.witness(|| Event { recipient, code, taken, secured, ..mail.event(self.number) }).await?;
        if taken {
            self.shared.take(mail.through(self.is_under_tls, self.is_logged_in));
        }
        let next = match act {
            Some(act) => self.misbehave(act).await?,
            None => None,
        };
        let next = match next {
            Some(next) => next,
            None => {
                let latency = self.shared.ask_script(|script| script.dot_latency());
                if !latency.is_zero() {
                    tokio::time::sleep(latency).await;
                }
                self.say(250, &format!("2.0.0 taken over connection {}", self.number)).await?
            }
        };
        if code.is_some() {
            self.shared.note(|| Event { code, ..self.event(Step::Told) })?;
        }
        Ok(next)
    }

    /// The first act of the script for a recipient of this transaction.
    fn scripted(&self, at: At) -> Option<Act> {
        self.transaction.recipients.iter().find_map(|recipient| self.shared.act(recipient, at))
    }

    /// Reads the contents up to the final dot and takes the doubled dots back; `None` when the sender left before it.
    async fn contents(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = Vec::new();
        while let Some(line) = self.line().await? {
            if line == b".\r\n" {
                return Ok(Some(raw));
            }
            raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            if raw.len() > MAIL_LIMIT {
                self.say(552, "5.3.4 too big").await?;
                return Ok(None);
            }
        }
        Ok(None)
    }
}

/// The code of the answer that an act leads to; `None` where there is no answer.
fn answered(act: Option<&Act>) -> Option<u16> {
    match act {
        None | Some(Act::Late(_) | Act::Drip(_)) => Some(250),
        Some(Act::Say(reply)) => Some(reply.code),
        Some(Act::HangUp | Act::Lose | Act::Silence | Act::Mute(_)) => None,
    }
}

/// The address and the parameters of `MAIL FROM:<a> X=y` or `RCPT TO:<a>`.
fn path(line: &str, start: &str) -> Option<(String, Vec<String>)> {
    let head = line.get(..start.len())?;
    if !head.eq_ignore_ascii_case(start) {
        return None;
    }
    let rest = line[start.len()..].trim_start().strip_prefix('<')?;
    let (address, parameters) = rest.rsplit_once('>')?;
    let parameters = parameters.split_whitespace().map(str::to_owned).collect();
    Some((address.to_owned(), parameters))
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_path_is_read_with_its_parameters() {
        let read = |line| path(line, "MAIL FROM:");
        let expected = |address: &str, parameters: &[&str]| {
            let parameters = parameters.iter().map(|p| (*p).to_owned()).collect();
            Some((address.to_owned(), parameters))
        };
        assert_eq!(read("MAIL FROM:<a@b.example>"), expected("a@b.example", &[]));
        assert_eq!(read("mail from: <a@b> RET=HDRS SMTPUTF8"), expected("a@b", &["RET=HDRS", "SMTPUTF8"]));
        assert_eq!(read("MAIL FROM:<>"), expected("", &[]));
        assert_eq!(read("MAIL FROM:a@b"), None);
        assert_eq!(read("MAIL"), None);
    }
}
