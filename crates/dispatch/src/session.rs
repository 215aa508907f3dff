//! One connection to a relay, owned by one worker, driven stage by stage.
//!
//! It is dropped on any doubt: a missing answer, one too many, one of the wrong kind. A dropped session says no `QUIT`,
//! for there is nobody left to trust the answer of. A `send` that is cancelled takes the connection with it.
//! Sends one mail to one recipient at a time and repeats nothing.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::delivery::{Delivery, Enhanced, Outcome, Stage};
use crate::letter::{Composed, Envelope};
use crate::reply::Said;
use crate::route::{Route, StageTimeouts};
use crate::wire::{Offers, Watch, Wire};

/// How long leaving politely may take at most.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// A connection to a relay.
#[derive(Debug)]
pub struct Session {
    timeouts: StageTimeouts,
    live: Option<Live>,
    /// Mails handed to this session.
    mails: u64,
}

/// A connection of which nothing is in doubt.
struct Live {
    connection: AsyncSmtpConnection,
    watch: Arc<Watch>,
    offers: Offers,
    /// Replies that were taken for an answer; more than these on the wire means that we are out of step.
    replies: usize,
}

/// Why there is no reply to trust.
enum Silence {
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Broken,
    /// What came is not SMTP, or not an answer to what was asked.
    OutOfStep,
}

impl Session {
    /// Connects and exchanges greetings.
    ///
    /// # Errors
    /// A [`Delivery`] of [`Outcome::RouteFailed`] that says how far it came.
    pub async fn connect(route: &Route) -> Result<Self, Delivery> {
        let failed = |stage, text: &str| Delivery::without_reply(Outcome::RouteFailed, stage, text);
        let time = route.timeouts;
        let stream = timeout(time.connect, TcpStream::connect((route.host.as_str(), route.port)))
            .await
            .map_err(|_| failed(Stage::Connect, "the relay did not answer in time"))?
            .map_err(|error| failed(Stage::Connect, connect_words(error.kind())))?;
        // Without it each command waits for the acknowledgement of the one before: 40 ms a mail.
        stream.set_nodelay(true).map_err(|_| failed(Stage::Connect, "the connection broke"))?;
        let watch = Watch::new(stream);
        let wire = Box::new(Wire::new(Arc::clone(&watch)));
        let name = ClientId::Domain(route.hello_name.clone());
        let greetings = AsyncSmtpConnection::connect_with_transport(wire, &name);
        let connection = match timeout(time.hello, greetings).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(error)) => {
                return Err(match said(Err(error)) {
                    Ok(said) => said.judge(Stage::Hello, None),
                    Err(silence) => failed(Stage::Hello, silence.seen_by(&watch).words()),
                });
            }
            Err(_) => return Err(failed(Stage::Hello, Silence::TimedOut.words())),
        };
        let offers = watch.offers();
        Ok(Self { timeouts: time, live: Some(Live { connection, watch, offers, replies: 2 }), mails: 0 })
    }

    /// Whether another mail may be given to it. A relay that hung up meanwhile is noticed here.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.live.as_ref().is_some_and(Live::is_in_step)
    }

    /// Mails handed to this session so far.
    #[must_use]
    pub fn mails(&self) -> u64 {
        self.mails
    }

    /// Sends one mail and says what became of it.
    ///
    /// A failure before the final dot has left is [`Outcome::RouteFailed`]: the mail is provably unsent. After it, only a
    /// reply decides, and without one the outcome is [`Outcome::Unknown`]. When the future is dropped half-way the
    /// session is spent, and the caller has to count the mail as unknown.
    pub async fn send(&mut self, mail: &Composed) -> Delivery {
        self.mails += 1;
        // Taken out, so that a cancelled send cannot leave a connection in the middle of an exchange behind.
        let Some(mut live) = self.live.take().filter(Live::is_in_step) else {
            return Delivery::without_reply(Outcome::RouteFailed, Stage::Mail, "the relay had closed the connection");
        };
        if let Some(delivery) = live.cannot_carry(mail) {
            self.live = Some(live);
            return delivery;
        }
        let (delivery, in_order) = live.exchange(mail, &self.timeouts).await;
        if in_order && live.is_in_step() {
            self.live = Some(live);
        }
        delivery
    }

    /// Leaves politely, without waiting long for the answer.
    pub async fn quit(mut self) {
        if let Some(mut live) = self.live.take().filter(Live::is_in_step) {
            let time = self.timeouts.mail.min(QUIT_LIMIT);
            if timeout(time, live.connection.command(Quit)).await.is_err() {
                tracing::debug!("the relay did not answer QUIT");
            }
        }
    }
}

impl Live {
    fn is_in_step(&self) -> bool {
        self.watch.replies() == self.replies && self.watch.is_quiet()
    }

    /// Refuses on our side what the relay has no way to take.
    fn cannot_carry(&self, mail: &Composed) -> Option<Delivery> {
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

    /// Drives one mail through; the second value tells whether the connection is in order for another.
    async fn exchange(&mut self, mail: &Composed, time: &StageTimeouts) -> (Delivery, bool) {
        let envelope = mail.envelope();
        let sender = Mail::new(Some(envelope.sender().clone()), self.parameters(mail));
        match self.ask(time.mail, sender).await {
            Ok(said) if said.is_yes() => {}
            Ok(said) => return (said.judge(Stage::Mail, Some(envelope)), false),
            Err(silence) => return (silence.before_dot(Stage::Mail), false),
        }
        let recipient = Rcpt::new(envelope.recipient().clone(), Vec::new());
        match self.ask(time.rcpt, recipient).await {
            Ok(said) if said.is_yes() => {}
            Ok(said) => return self.refused(&said, Stage::Rcpt, envelope, time).await,
            Err(silence) => return (silence.before_dot(Stage::Rcpt), false),
        }
        match self.ask(time.data, Data).await {
            Ok(said) if said.code == 354 => {}
            Ok(said) => return self.refused(&said, Stage::Data, envelope, time).await,
            Err(silence) => return (silence.before_dot(Stage::Data), false),
        }
        self.contents(mail, time).await
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
    async fn contents(&mut self, mail: &Composed, time: &StageTimeouts) -> (Delivery, bool) {
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

    /// Asks one command and takes exactly one reply for its answer.
    async fn ask(&mut self, time: Duration, command: impl std::fmt::Display) -> Result<Said, Silence> {
        let said =
            answer_in(time, self.connection.command(command)).await.map_err(|silence| silence.seen_by(&self.watch))?;
        self.replies += 1;
        if self.watch.replies() == self.replies { Ok(said) } else { Err(Silence::OutOfStep) }
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

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("offers", &self.offers).field("replies", &self.replies).finish_non_exhaustive()
    }
}

impl Silence {
    /// lettre reads a connection that ends without a reply as a faulty reply.
    fn seen_by(self, watch: &Watch) -> Self {
        match self {
            Silence::OutOfStep if watch.has_ended() => Silence::Broken,
            Silence::TimedOut | Silence::Broken | Silence::OutOfStep => self,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Silence::TimedOut => "the relay did not answer in time",
            Silence::Broken => "the connection broke",
            Silence::OutOfStep => "the relay's answer was not one to what was asked",
        }
    }

    fn before_dot(&self, stage: Stage) -> Delivery {
        Delivery::without_reply(Outcome::RouteFailed, stage, self.words())
    }

    fn after_dot(&self) -> Delivery {
        Delivery::without_reply(Outcome::Unknown, Stage::Dot, self.words())
    }
}

/// Waits for a reply, negative ones included.
async fn answer_in(time: Duration, answer: impl Future<Output = Result<Response, SmtpError>>) -> Result<Said, Silence> {
    timeout(time, answer).await.map_or(Err(Silence::TimedOut), said)
}

/// A reply out of lettre's result, in which a refusal is an error that carries the reply's text as its source.
fn said(result: Result<Response, SmtpError>) -> Result<Said, Silence> {
    match result {
        Ok(response) => {
            Ok(Said { code: response.code().into(), text: response.message().collect::<Vec<_>>().join(" ") })
        }
        Err(error) => match error.status() {
            Some(code) => {
                Ok(Said { code: code.into(), text: error.source().map(ToString::to_string).unwrap_or_default() })
            }
            None if error.is_response() => Err(Silence::OutOfStep),
            None => Err(Silence::Broken),
        },
    }
}

/// Plain words for the usual ways in which a relay is not there; the system's own could name hosts.
fn connect_words(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "nothing listens at the relay's address",
        io::ErrorKind::TimedOut => "the relay did not answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "the relay's network cannot be reached",
        _ => "the relay could not be reached",
    }
}
