//! One mail over one connection: MAIL, RCPT, DATA, the contents, the final dot.
//!
//! Where the relay offers PIPELINING (RFC 2920) the three commands leave together and cost one round trip instead of
//! three; the contents never leave before the relay has asked for them.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter};

use crate::delivery::{Delivery, Enhanced, Outcome, Stage};
use crate::letter::{Composed, Envelope};
use crate::reply::Said;
use crate::route::StageTimeouts;
use crate::session::{Live, Silence, answer_in, said};

/// The three commands of an envelope, to be written as one.
struct Together(Mail, Rcpt, Data);

impl Live {
    /// Refuses on our side what the relay has no way to take.
    pub(crate) fn cannot_carry(&self, mail: &Composed) -> Option<Delivery> {
        let refusal = |enhanced, text: &str| Delivery {
            enhanced: Some(enhanced),
            ..Delivery::without_reply(Outcome::RejectedPermanent, Stage::Mail, text)
        };
        let of_content = |detail| Enhanced { class: 5, subject: 6, detail };
        if mail.envelope().needs_smtputf8() && !self.offers.smtputf8 {
            return Some(refusal(of_content(7), "the relay takes no address beyond ASCII (SMTPUTF8)"));
        }
        if !mail.bytes().is_ascii() && !self.offers.eight_bit {
            return Some(refusal(of_content(3), "the relay takes no contents of eight bits (8BITMIME)"));
        }
        None
    }

    /// Drives one mail up to the relay's wish for its contents; `None` when it has that wish. The second value of a refusal
    /// tells whether the connection is in order for another mail.
    pub(crate) async fn envelope(&mut self, mail: &Composed, time: &StageTimeouts) -> Option<(Delivery, bool)> {
        let envelope = mail.envelope();
        let sender = Mail::new(Some(envelope.sender().clone()), self.parameters(mail));
        let recipient = Rcpt::new(envelope.recipient().clone(), Vec::new());
        if self.offers.pipelining {
            return self.together(Together(sender, recipient, Data), envelope, time).await;
        }
        match self.ask(time.mail, sender).await {
            Ok(said) if said.is_yes() => {}
            Ok(said) => return Some((said.judge(Stage::Mail, Some(envelope)), false)),
            Err(silence) => return Some((silence.before_dot(Stage::Mail), false)),
        }
        match self.ask(time.rcpt, recipient).await {
            Ok(said) if said.is_yes() => {}
            Ok(said) => return Some(self.refused(&said, Stage::Rcpt, envelope, time).await),
            Err(silence) => return Some((silence.before_dot(Stage::Rcpt), false)),
        }
        match self.ask(time.data, Data).await {
            Ok(said) if said.code == 354 => None,
            Ok(said) => Some(self.refused(&said, Stage::Data, envelope, time).await),
            Err(silence) => Some((silence.before_dot(Stage::Data), false)),
        }
    }

    /// [`Live::envelope`] with the commands written as one. A relay that takes no recipient and asks for the contents all
    /// the same gets none: the connection is not in order for another mail then.
    async fn together(
        &mut self,
        commands: Together,
        envelope: &Envelope,
        time: &StageTimeouts,
    ) -> Option<(Delivery, bool)> {
        let sender = answer_in(time.mail, self.connection.command(commands)).await;
        match self.in_step(sender, 2) {
            Ok(said) if said.is_yes() => {}
            Ok(said) => return Some((said.judge(Stage::Mail, Some(envelope)), false)),
            Err(silence) => return Some((silence.before_dot(Stage::Mail), false)),
        }
        let recipient = match self.due(time.rcpt, 1).await {
            Ok(said) if said.is_yes() || said.code >= 400 => said,
            Ok(said) => return Some((said.judge(Stage::Rcpt, Some(envelope)), false)),
            Err(silence) => return Some((silence.before_dot(Stage::Rcpt), false)),
        };
        let data = self.due(time.data, 0).await;
        if !recipient.is_yes() {
            return Some(match data {
                Ok(said) if said.code >= 400 && !said.is_closing() => {
                    self.refused(&recipient, Stage::Rcpt, envelope, time).await
                }
                Ok(_) | Err(_) => (recipient.judge(Stage::Rcpt, Some(envelope)), false),
            });
        }
        match data {
            Ok(said) if said.code == 354 => None,
            Ok(said) => Some(self.refused(&said, Stage::Data, envelope, time).await),
            Err(silence) => Some((silence.before_dot(Stage::Data), false)),
        }
    }

    /// Takes the next reply of those that are due.
    async fn due(&mut self, time: Duration, behind: usize) -> Result<Said, Silence> {
        let reply = answer_in(time, self.connection.read_response()).await;
        self.in_step(reply, behind)
    }

    /// Ends a transaction that the relay refused, so that the connection can serve the next mail.
    async fn refused(
        &mut self,
        said: &Said,
        stage: Stage,
        envelope: &Envelope,
        time: &StageTimeouts,
    ) -> (Delivery, bool) {
        let delivery = said.judge(stage, Some(envelope));
        let may_stay = match delivery.outcome {
            Outcome::RejectedPermanent | Outcome::RejectedTransient => !said.is_closing(),
            Outcome::Accepted | Outcome::RouteFailed | Outcome::Unknown => false,
        };
        let in_order = may_stay && matches!(self.ask(time.mail, Rset).await, Ok(said) if said.is_yes());
        (delivery, in_order)
    }

    /// Writes the contents and takes the answer to the final dot.
    pub(crate) async fn contents(&mut self, mail: &Composed, time: &StageTimeouts) -> (Delivery, bool) {
        let bytes = mail.bytes();
        // lettre writes its own line end in front of the dot.
        let bytes = bytes.strip_suffix(b"\r\n").unwrap_or(bytes);
        let watch = Arc::clone(&self.watch);
        watch.begin_contents();
        let mut message = pin!(self.connection.message(bytes));
        let early = tokio::select! {
            biased;
            result = &mut message => Some(said(result)),
            () = watch.dot_leaves() => None,
            () = tokio::time::sleep(time.body) => Some(Err(Silence::TimedOut)),
        };
        let answer = match early {
            Some(answer) => answer,
            None => answer_in(time.dot, message).await,
        };
        match answer {
            Ok(said) => {
                self.replies += 1;
                let delivery = said.judge(Stage::Dot, Some(mail.envelope()));
                let may_stay = !said.is_closing() && delivery.outcome != Outcome::Unknown;
                (delivery, may_stay)
            }
            Err(silence) if watch.dot_has_left() => (silence.seen_by(&watch).after_dot(), false),
            Err(silence) => (silence.seen_by(&watch).before_dot(Stage::Body), false),
        }
    }

    fn parameters(&self, mail: &Composed) -> Vec<MailParameter> {
        let mut parameters = Vec::new();
        if self.offers.dsn {
            // A bounce then quotes our headers only, and never the link in the body.
            parameters.push(MailParameter::Other { keyword: "RET".to_owned(), value: Some("HDRS".to_owned()) });
        }
        if !mail.bytes().is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        if mail.envelope().needs_smtputf8() {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        parameters
    }
}

impl fmt::Display for Together {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.0, self.1, self.2)
    }
}
