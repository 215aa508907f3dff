//! How a catcher misbehaves: what it does to which recipient or connection, and what it offers to all.
//!
//! Who is named by no rule is served well, unless [`Faults`] says otherwise.

use std::collections::HashMap;
use std::time::Duration;

use super::faults::Faults;
use super::guard::{Account, Handshake, Tls};
use super::identity::Identity;

/// The stage at which an act happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Instead of the greeting. Like the next two it is about a connection, because there is no recipient yet.
    Greeting,
    /// In answer to `EHLO`.
    Hello,
    /// In answer to `MAIL FROM`.
    Mail,
    /// In answer to `RCPT TO`.
    Rcpt,
    /// In answer to `DATA`.
    Data,
    /// While the contents come in: after 354, before the final dot can be read.
    Contents,
    /// In answer to the final dot.
    Dot,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The basic code.
    pub code: u16,
    /// The text, with an enhanced code in front if there is to be one; lines are sent as a reply of several lines.
    pub text: String,
}

/// What is done to a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The reply is this one; below 400 it changes nothing but the words.
    Say(Reply),
    /// The connection is closed without a reply. After the final dot the mail has been taken nevertheless.
    HangUp,
    /// No reply, and the connection stays open. After the final dot the mail has been taken nevertheless.
    Silence,
    /// The usual reply, but so much later.
    Late(Duration),
    /// No reply for so long, and then the connection is closed. After the final dot the mail has been taken nevertheless.
    Mute(Duration),
    /// The usual reply, byte by byte, with so long between two.
    Drip(Duration),
    /// The connection is closed without a reply, and a mail whose final dot was read is not taken.
    Lose,
}

/// What a catcher does; the default is to take everything.
#[derive(Debug, Clone)]
pub struct Script {
    rules: HashMap<Who, Vec<Rule>>,
    faults: Faults,
    greeting: Reply,
    extensions: Vec<String>,
    latency: Duration,
    tls: Option<Tls>,
    account: Option<Account>,
    /// Keywords that are never offered.
    withheld: Vec<String>,
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    /// In small letters.
    Recipient(String),
    /// By its number.
    Connection(u64),
}

/// What is done at a stage.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) at: At,
    pub(super) act: Act,
    /// How often it still applies; `None` for ever.
    pub(super) left: Option<u32>,
}

/// What is offered unless the script says otherwise.
const EXTENSIONS: [&str; 6] = ["PIPELINING", "SIZE 26214400", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN"];

impl Script {
    /// Takes everything.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rules: HashMap::new(),
            faults: Faults::none(),
            greeting: Reply::new(220, "catcher.example ESMTP"),
            extensions: EXTENSIONS.map(str::to_owned).into(),
            latency: Duration::ZERO,
            tls: None,
            account: None,
            withheld: Vec::new(),
        }
    }

    /// Does this to a recipient every time. The first rule for a stage that still applies is used.
    #[must_use]
    pub fn on(self, recipient: &str, at: At, act: Act) -> Self {
        self.rule(recipient, at, act, None)
    }

    /// Does this to a recipient the first `times`, and serves it well afterwards.
    #[must_use]
    pub fn first(self, times: u32, recipient: &str, at: At, act: Act) -> Self {
        self.rule(recipient, at, act, Some(times))
    }

    /// Does this to a connection, by its number from 1.
    #[must_use]
    pub fn on_connection(mut self, number: u64, at: At, act: Act) -> Self {
        self.rules.entry(Who::Connection(number)).or_default().push(Rule { at, act, left: None });
        self
    }

    /// Lets recipients and connections that no rule names meet these faults.
    #[must_use]
    pub fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// Refuses a recipient at `RCPT TO` every time.
    #[must_use]
    pub fn reject(self, recipient: &str, code: u16, text: &str) -> Self {
        self.on(recipient, At::Rcpt, Act::Say(Reply::new(code, text)))
    }

    /// Greets like this; from 400 up the connection is closed after it.
    #[must_use]
    pub fn greeting(mut self, code: u16, text: &str) -> Self {
        self.greeting = Reply::new(code, text);
        self
    }

    /// Does not offer an extension, named by its keyword.
    #[must_use]
    pub fn without(mut self, keyword: &str) -> Self {
        self.withheld.push(keyword.to_owned());
        self
    }

    /// Offers STARTTLS under this certificate.
    #[must_use]
    pub fn starttls(mut self, identity: &Identity) -> Self {
        self.tls = Some(Tls { identity: identity.clone(), is_implicit: false, handshake: Handshake::Works });
        self
    }

    /// Speaks TLS from the first byte under this certificate.
    #[must_use]
    pub fn implicit_tls(mut self, identity: &Identity) -> Self {
        self.tls = Some(Tls { identity: identity.clone(), is_implicit: true, handshake: Handshake::Works });
        self
    }

    /// Lets every handshake end like this; without TLS it changes nothing.
    #[must_use]
    pub fn handshake(mut self, handshake: Handshake) -> Self {
        if let Some(tls) = self.tls.as_mut() {
            tls.handshake = handshake;
        }
        self
    }

    /// Takes mails only after this login, which is offered under TLS only, by these mechanisms (`PLAIN`, `LOGIN`).
    #[must_use]
    pub fn login(mut self, user: &str, password: &str, mechanisms: &str) -> Self {
        let (user, password, mechanisms) = (user.to_owned(), password.to_owned(), mechanisms.to_owned());
        self.account = Some(Account { user, password, mechanisms, is_offered_in_plain: false });
        self
    }

    /// Offers the login without TLS too.
    #[must_use]
    pub fn login_in_plain(mut self) -> Self {
        if let Some(account) = self.account.as_mut() {
            account.is_offered_in_plain = true;
        }
        self
    }

    /// Answers every final dot so much later, as a relay that writes to disk does.
    #[must_use]
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    fn rule(mut self, recipient: &str, at: At, act: Act, left: Option<u32>) -> Self {
        let who = Who::Recipient(recipient.to_lowercase());
        self.rules.entry(who).or_default().push(Rule { at, act, left });
        self
    }

    pub(crate) fn act(&mut self, recipient: &str, at: At) -> Option<Act> {
        let recipient = recipient.to_lowercase();
        let faults = &self.faults;
        let drawn = || faults.of_recipient(&recipient);
        let rules = self.rules.entry(Who::Recipient(recipient.clone())).or_insert_with(drawn);
        Self::next(rules, at)
    }

    pub(crate) fn act_on_connection(&mut self, number: u64, at: At) -> Option<Act> {
        let faults = &self.faults;
        let rules = self.rules.entry(Who::Connection(number)).or_insert_with(|| faults.of_connection(number));
        Self::next(rules, at)
    }

    fn next(rules: &mut [Rule], at: At) -> Option<Act> {
        let rule = rules.iter_mut().find(|rule| rule.at == at && rule.left != Some(0))?;
        if let Some(left) = rule.left.as_mut() {
            *left -= 1;
        }
        Some(rule.act.clone())
    }

    pub(crate) fn greeting_reply(&self) -> Reply {
        self.greeting.clone()
    }

    pub(crate) fn dot_latency(&self) -> Duration {
        self.latency
    }

    /// How this connection does TLS; `None` where it is not offered.
    pub(super) fn tls(&self, connection: u64) -> Option<Tls> {
        let tls = self.tls.clone()?;
        let handshake = self.faults.of_tls(connection, tls.handshake)?;
        Some(Tls { handshake, ..tls })
    }

    pub(super) fn account(&self) -> Option<Account> {
        self.account.clone()
    }

    /// The answer to `EHLO`, which depends on whether there is TLS already.
    pub(crate) fn hello_reply(&self, connection: u64, is_under_tls: bool) -> Reply {
        let mut offers = self.extensions.clone();
        if self.tls(connection).is_some() && !is_under_tls {
            offers.push("STARTTLS".to_owned());
        }
        if let Some(account) = self.account.as_ref().filter(|account| is_under_tls || account.is_offered_in_plain) {
            offers.push(format!("AUTH {}", account.mechanisms));
        }
        let mut text = "catcher.example".to_owned();
        for offer in offers {
            if !self.withheld.iter().any(|keyword| offer.split(' ').next() == Some(keyword)) {
                text.push('\n');
                text.push_str(&offer);
            }
        }
        Reply::new(250, &text)
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// A reply of this code and text.
    #[must_use]
    pub fn new(code: u16, text: &str) -> Self {
        Self { code, text: text.to_owned() }
    }

    /// As it goes over the wire.
    pub(crate) fn to_wire(&self) -> String {
        let lines: Vec<&str> = self.text.split('\n').collect();
        let last = lines.len() - 1;
        let mut wire = String::new();
        for (place, line) in lines.into_iter().enumerate() {
            let sign = if place == last { ' ' } else { '-' };
            wire.push_str(&format!("{}{sign}{line}\r\n", self.code));
        }
        wire
    }
}
