//! One connection to a relay, owned by one worker, driven stage by stage.
//!
//! It is dropped on any doubt: a missing answer, one too many, one of the wrong kind. A dropped session says no `QUIT`,
//! for there is nobody left to trust the answer of. A `send` that is cancelled takes the connection with it.
//! Sends one mail to one recipient at a time and repeats nothing; the steps of one mail are in `transaction`.

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Auth, Quit};
use lettre::transport::smtp::response::{Category, Code, Detail, Response, Severity};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use crate::delivery::{Delivery, Outcome, Peer, Stage};
use crate::engine::{Always, Carrier, Line, Permit};
use crate::letter::Composed;
use crate::open::{self, Opened, failed};
use crate::reply::Said;
use crate::route::{Login, Route, StageTimeouts};
use crate::wire::{Offers, Watch};

/// How long leaving politely may take at most.
const QUIT_LIMIT: Duration = Duration::from_secs(5);

/// 334: the relay asks for the name or the password.
const CHALLENGE: Code =
    Code { severity: Severity::PositiveIntermediate, category: Category::Unspecified3, detail: Detail::Four };

/// A connection to a relay.
#[derive(Debug)]
pub struct Session {
    timeouts: StageTimeouts,
    peer: Arc<Peer>,
    live: Option<Live>,
    /// Mails handed to this session.
    mails: u64,
}

/// A connection of which nothing is in doubt.
pub(crate) struct Live {
    pub(crate) connection: AsyncSmtpConnection,
    pub(crate) watch: Arc<Watch>,
    pub(crate) offers: Offers,
    /// Replies that were taken for an answer; more than these on the wire means that we are out of step.
    pub(crate) replies: usize,
}

/// Why there is no reply to trust.
pub(crate) enum Silence {
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Broken,
    /// What came is not SMTP, or not an answer to what was asked.
    OutOfStep,
}

impl Session {
    /// Connects, starts TLS and logs in as the route asks, and exchanges greetings.
    ///
    /// # Errors
    /// A [`Delivery`] of [`Outcome::RouteFailed`] that says how far it came.
    pub async fn connect(route: &Route) -> Result<Self, Delivery> {
        let Opened { connection, watch, peer } = open::open(route).await?;
        let offers = watch.offers();
        let mut live = Live { connection, watch, offers, replies: 2 };
        if let Some(login) = &route.login {
            live.log_in(login, &peer, route.timeouts.hello).await.map_err(|delivery| delivery.by(&peer))?;
        }
        Ok(Self { timeouts: route.timeouts, peer, live: Some(live), mails: 0 })
    }

    /// Who is spoken to, and whether under TLS.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
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
        let delivery = self.send_if(mail, Always).await;
        delivery.unwrap_or_else(|| failed(Stage::Data, "a mail that was permitted was withheld"))
    }

    /// [`Session::send`], asking `permit` once the relay wants the contents and before any of them leaves. Where it says
    /// no, nothing is sent, the session is spent, and the answer is `None`.
    pub async fn send_if<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        self.mails += 1;
        Some(self.attempt(mail, permit).await?.by(&self.peer))
    }

    async fn attempt<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        // Taken out, so that a cancelled send cannot leave a connection in the middle of an exchange behind.
        let Some(mut live) = self.live.take().filter(Live::is_in_step) else {
            return Some(failed(Stage::Mail, "the relay had closed the connection"));
        };
        if let Some(delivery) = live.cannot_carry(mail) {
            self.live = Some(live);
            return Some(delivery);
        }
        let (delivery, in_order) = match live.envelope(mail, &self.timeouts).await {
            Some(refused) => refused,
            None if permit.ask(&self.peer).await => live.contents(mail, &self.timeouts).await,
            // The relay waits for contents; there is no polite way out of that.
            None => return None,
        };
        if in_order && live.is_in_step() {
            self.live = Some(live);
        }
        Some(delivery)
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

impl Carrier for Route {
    type Line = Session;

    async fn open(&self) -> Result<Session, Delivery> {
        Session::connect(self).await
    }
}

impl Line for Session {
    fn is_usable(&self) -> bool {
        Session::is_usable(self)
    }

    async fn carry<P: Permit>(&mut self, mail: &Composed, permit: P) -> Option<Delivery> {
        self.send_if(mail, permit).await
    }

    async fn leave(self) {
        self.quit().await;
    }
}

impl Live {
    fn is_in_step(&self) -> bool {
        self.watch.replies() == self.replies && self.watch.is_quiet()
    }

    /// Logs in, unless that would tell the password to who listens on the way.
    async fn log_in(&mut self, login: &Login, peer: &Peer, time: Duration) -> Result<(), Delivery> {
        let is_loopback = peer.address.is_some_and(|address| address.is_loopback());
        if peer.tls.is_none() && !(login.may_be_plain_on_loopback() && is_loopback) {
            return Err(failed(Stage::Auth, "without TLS the password is not sent"));
        }
        let Some(mechanism) = self.connection.server_info().get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login])
        else {
            return Err(failed(Stage::Auth, "the relay offers neither AUTH PLAIN nor AUTH LOGIN"));
        };
        let credentials = Credentials::new(login.user().to_owned(), login.password().expose_secret().to_owned());
        let silent = |silence: Silence| failed(Stage::Auth, silence.words());
        let odd = |_| silent(Silence::OutOfStep);
        let mut command = Auth::new(mechanism, credentials.clone(), None).map_err(odd)?;
        // The name and the password are all that can be asked for.
        for _ in 0..3 {
            let said = self.ask(time, command).await.map_err(silent)?;
            if said.code != 334 {
                let refusal = said.judge(Stage::Auth, None);
                // Some relays quote the name back.
                let text = replaced(&refusal.text, login.user());
                return if said.is_yes() { Ok(()) } else { Err(Delivery { text, ..refusal }) };
            }
            let challenge = Response::new(CHALLENGE, said.text.lines().map(str::to_owned).collect());
            command = Auth::new_from_response(mechanism, credentials.clone(), &challenge).map_err(odd)?;
        }
        Err(silent(Silence::OutOfStep))
    }

    /// Asks one command and takes exactly one reply for its answer.
    pub(crate) async fn ask(&mut self, time: Duration, command: impl std::fmt::Display) -> Result<Said, Silence> {
        let reply = answer_in(time, self.connection.command(command)).await;
        self.in_step(reply, 0)
    }

    /// Takes a reply for an answer, unless more have come in than were asked for: it and those `behind` it.
    pub(crate) fn in_step(&mut self, reply: Result<Said, Silence>, behind: usize) -> Result<Said, Silence> {
        let said = reply.map_err(|silence| silence.seen_by(&self.watch))?;
        self.replies += 1;
        let may_be_in = self.replies..=self.replies + behind;
        if may_be_in.contains(&self.watch.replies()) { Ok(said) } else { Err(Silence::OutOfStep) }
    }
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("offers", &self.offers).field("replies", &self.replies).finish_non_exhaustive()
    }
}

impl Silence {
    /// lettre reads a connection that ends without a reply as a faulty reply.
    pub(crate) fn seen_by(self, watch: &Watch) -> Self {
        match self {
            Silence::OutOfStep if watch.has_ended() => Silence::Broken,
            Silence::TimedOut | Silence::Broken | Silence::OutOfStep => self,
        }
    }

    pub(crate) fn words(&self) -> &'static str {
        match self {
            Silence::TimedOut => "the relay did not answer in time",
            Silence::Broken => "the connection broke",
            Silence::OutOfStep => "the relay's answer was not one to what was asked",
        }
    }

    pub(crate) fn before_dot(&self, stage: Stage) -> Delivery {
        failed(stage, self.words())
    }

    pub(crate) fn after_dot(&self) -> Delivery {
        Delivery::without_reply(Outcome::Unknown, Stage::Dot, self.words())
    }
}

/// Waits for a reply, negative ones included.
pub(crate) async fn answer_in(
    time: Duration,
    answer: impl Future<Output = Result<Response, SmtpError>>,
) -> Result<Said, Silence> {
    timeout(time, answer).await.map_or(Err(Silence::TimedOut), said)
}

/// A reply out of lettre's result, in which a refusal is an error that carries the reply's text as its source.
pub(crate) fn said(result: Result<Response, SmtpError>) -> Result<Said, Silence> {
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

/// The text without the login's name.
fn replaced(text: &str, user: &str) -> String {
    if user.is_empty() { text.to_owned() } else { text.replace(user, "[user]") }
}
