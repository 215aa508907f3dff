//! Sending what is due: the act begins it, a task of the server goes on with it, the page tells how far it is.
//!
//! Others may send at the same time, from a terminal or another server: the ledger gives no mail to two of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use parsurvey_desk::mailing::{Clock, Relay, Stop};
use parsurvey_desk::outlook::{Outgoing, Standing};
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::CampaignState;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use tokio::task::JoinHandle;

use super::{Act, Ask, Fact, Given, Outlook, mark};
use crate::console::names;

/// How this server sends, where whoever started it has said so.
#[derive(Clone)]
pub struct Sending {
    relay: Relay,
    stop: Stop,
    job: Arc<Mutex<Job>>,
}

/// What the server sends, or sent last.
#[derive(Default)]
struct Job {
    task: Option<JoinHandle<()>>,
    last: Option<Last>,
}

/// A sending that was begun here.
#[derive(Clone)]
struct Last {
    by: String,
    at: Timestamp,
    /// How it ended, if it has: mails accepted, or the desk's words.
    ended: Option<Result<u64, String>>,
}

impl Sending {
    /// Over `relay`, until `stop` asks to end.
    #[must_use]
    pub fn new(relay: Relay, stop: Stop) -> Self {
        Self { relay, stop, job: Arc::default() }
    }

    /// The way mails leave.
    pub(super) fn relay(&self) -> &Relay {
        &self.relay
    }

    /// Waits for a sending that was begun; asked to stop, it finishes the mails in hand.
    pub async fn finish(&self) {
        let task = self.job().task.take();
        if let Some(task) = task {
            // A task that panicked has said so, and holds no mail any more.
            task.await.unwrap_or_default();
        }
    }

    fn job(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_running(&self) -> bool {
        self.job().task.as_ref().is_some_and(|task| !task.is_finished())
    }

    fn begin(&self, ask: &Ask, because: &Because) {
        let room = Arc::clone(&ask.room);
        let (sending, because) = (self.clone(), because.clone());
        let mut job = self.job();
        job.last = Some(Last { by: because.actor.clone(), at: ask.now, ended: None });
        job.task = Some(tokio::spawn(async move {
            let (telling, desk) = (Arc::clone(&room), Arc::clone(&room.desk));
            let clock = Clock::new(move || telling.clock.now());
            let done = desk.send_due(&sending.relay, &sending.stop, &because, clock).await;
            let ended = done.map(|sent| sent.iter().map(|(_, sent)| sent.accepted).sum());
            if let Err(error) = &ended {
                tracing::warn!(%error, "a sending from the console ended early");
            }
            if let Some(last) = &mut sending.job().last {
                last.ended = Some(ended.map_err(|error| error.to_string()));
            }
        }));
    }
}

/// Whether and how the console sends.
pub(in crate::console) type Post = Option<Sending>;

/// Sends whatever is due.
pub(in crate::console) struct SendDue;

/// Where the act's page stands.
pub(super) const PATH: &str = "/console/acts/send";

impl Act for SendDue {
    const NAME: &'static str = "send";
    const TITLE: &'static str = "act-send-title";
    const BUTTON: &'static str = "act-send-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let desk = &ask.room.desk;
        let (standing, outgoing) = (desk.standing().await?, desk.outgoing(ask.now).await?);
        let owed: u64 = outgoing.iter().map(|contact| contact.owed).sum();
        let waiting = standing.mails_that(MailState::is_waiting);
        let mut look = Outlook {
            back: PATH.to_owned(),
            facts: facts(ask, &outgoing),
            consequences: consequences(ask, &standing, &outgoing, owed + waiting),
            hindrances: hindrances(ask, &standing, owed + waiting),
            ..Outlook::default()
        };
        let running = ask.room.post.as_ref().is_some_and(Sending::is_running);
        let counted: Vec<_> = outgoing.iter().map(|of| (of.kind, of.wave, of.owed)).collect();
        look.mark = mark((counted, waiting, standing.pause.is_some(), running));
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let Some(sending) = &ask.room.post else {
            return Err(DeskError::refused("this server was told no relay", "run `parsurvey send` in a terminal"));
        };
        sending.begin(ask, because);
        Ok(ask.t("act-send-begun"))
    }
}

/// How far each contact is, and what this server did last.
fn facts(ask: &Ask, outgoing: &[Outgoing]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = outgoing
        .iter()
        .map(|of| {
            let count =
                |is: fn(MailState) -> bool| ask.count(of.mails.iter().filter(|(s, _)| is(**s)).map(|(_, n)| n).sum());
            let text = ask.lang.tn(
                "act-send-progress",
                &[
                    ("planned", &count(MailState::is_waiting)),
                    ("accepted", &count(MailState::was_accepted)),
                    ("deferred", &count(|state| state == MailState::Deferred)),
                    ("rejected", &count(|state| state == MailState::Rejected)),
                    ("unknown", &count(MailState::is_unclear)),
                ],
            );
            Fact { label: names::contact(ask.lang, of.kind, of.wave), text }
        })
        .collect();
    let running = is_running(&ask.room.post);
    let last = ask.room.post.as_ref().and_then(|sending| sending.job().last.clone());
    if let Some(Last { by, at, ended }) = last {
        let ended = match ended {
            None if running => ask.t("act-send-goes-on"),
            None => ask.t("act-send-broke-off"),
            Some(Ok(accepted)) => ask.lang.t1("act-send-ended", "n", ask.count(accepted)),
            Some(Err(words)) => ask.lang.t1("act-send-stopped", "words", words),
        };
        let text = ask.lang.tn("act-send-last", &[("who", &by), ("time", &ask.moment(at)), ("ended", &ended)]);
        facts.push(Fact { label: ask.t("act-send-here"), text });
    }
    facts
}

fn consequences(ask: &Ask, standing: &Standing, outgoing: &[Outgoing], all: u64) -> Vec<String> {
    let mut said = Vec::new();
    for of in outgoing.iter().filter(|of| of.owed > 0) {
        let what = names::contact(ask.lang, of.kind, of.wave);
        said.push(ask.lang.t2("act-send-owed", ("what", what), ("n", ask.count(of.owed))));
    }
    let waiting = standing.mails_that(MailState::is_waiting);
    if waiting > 0 {
        said.push(ask.lang.t1("act-send-waiting", "n", ask.count(waiting)));
    }
    if standing.state == CampaignState::Draft && outgoing.iter().any(|of| of.kind == MailKind::Invitation) {
        said.push(ask.t("act-send-freezes"));
    }
    if let Some(from) = ask.room.desk.mails_leave_from(ask.now) {
        said.push(ask.lang.t1("act-send-hours", "time", ask.moment(from)));
    }
    if all > 0 {
        said.push(ask.t("act-send-never-twice"));
    }
    if said.is_empty() {
        said.push(ask.t("act-send-nobody"));
    }
    said
}

fn hindrances(ask: &Ask, standing: &Standing, all: u64) -> Vec<String> {
    let mut said = ask.field_only(standing);
    match &ask.room.post {
        None => said.push(ask.t("act-send-no-relay")),
        Some(sending) if sending.is_running() => said.push(ask.t("act-send-running")),
        Some(_) => {}
    }
    if let Some(pause) = &standing.pause {
        said.push(ask.lang.t2("act-paused-by", ("who", &pause.by), ("why", &pause.why)));
    }
    if ask.now > standing.deadline && !standing.is_over() {
        said.push(ask.lang.t1("act-send-late", "time", ask.moment(standing.deadline)));
    }
    if all == 0 {
        said.push(ask.t("act-send-nobody"));
    }
    said
}

/// Where somebody sees how far the sending is; the index tells it.
pub(super) fn is_running(post: &Post) -> bool {
    post.as_ref().is_some_and(Sending::is_running)
}
