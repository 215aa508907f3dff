//! The field time: contacts by the campaign's calendar, and people who open the link of the mail they received.
//!
//! A respondent knows nothing but the received mail. Answers come from the sample; who answers when is drawn from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parsurvey_desk::{Because, Desk};
use parsurvey_dispatch::Stop;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::roster::RosterRow;
use parsurvey_survey::seat::ExcuseCategory;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::{DemoError, Watch, because, relay};
use crate::browser::Browser;
use crate::catcher::Catcher;
use crate::clock::CampaignClock;
use crate::sample::{SampleError, answer_plan};

/// People who are at their phones at the same moment.
const AT_ONCE: usize = 8;
/// Seed of who answers when.
const ORDER_SEED: u64 = 819;
/// Of a hundred people, how many answer before the first reminder.
const BEFORE_REMINDER: usize = 62;

/// The form server of a rehearsal.
pub(crate) struct Server {
    listener: TcpListener,
    /// Where its links begin.
    pub(crate) base: String,
}

/// A server that runs.
pub(crate) struct Serving {
    stop: Arc<Notify>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub(crate) async fn bind() -> Result<Self, DemoError> {
        let refused = |e| DemoError::Io("the form server".into(), e);
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(refused)?;
        let base = format!("http://{}", listener.local_addr().map_err(refused)?);
        Ok(Self { listener, base })
    }

    pub(crate) fn start(self, desk: Arc<Desk>, clock: Arc<CampaignClock>) -> Serving {
        let stop = Arc::new(Notify::new());
        let asked = Arc::clone(&stop);
        let app = parsurvey_web::app(desk, clock, parsurvey_web::OpenCounts::Nobody);
        let task = tokio::spawn(parsurvey_web::serve(self.listener, app, async move { asked.notified().await }));
        Serving { stop, task }
    }
}

impl Serving {
    pub(crate) async fn stop(self) -> Result<(), DemoError> {
        self.stop.notify_one();
        match self.task.await {
            Ok(served) => served.map_err(|e| DemoError::Io("the form server".into(), e)),
            Err(error) => Err(DemoError::Contradiction(format!("the form server broke off: {error}"))),
        }
    }
}

/// One person who will answer.
struct Respondent {
    email: String,
    /// Per form: question → value of the option.
    answers: Vec<BTreeMap<String, String>>,
}

/// The field time of one campaign.
pub(crate) struct Field {
    desk: Arc<Desk>,
    clock: Arc<CampaignClock>,
    catcher: Catcher,
    respondents: Vec<Arc<Respondent>>,
    /// Addresses of those who are in hospital.
    excused: BTreeSet<String>,
    stop: Stop,
}

impl Field {
    pub(crate) fn new(
        desk: Arc<Desk>,
        clock: Arc<CampaignClock>,
        catcher: Catcher,
        roster: Vec<RosterRow>,
        stop: Stop,
    ) -> Result<Self, DemoError> {
        let mut respondents = Vec::new();
        let mut excused = BTreeSet::new();
        let mut seats: BTreeMap<(TargetCode, GroupCode), usize> = BTreeMap::new();
        for row in roster {
            let email = row.email.expose().to_owned();
            let targets: Vec<TargetCode> =
                desk.campaign().group(&row.group).map(|g| g.forms.keys().cloned().collect()).unwrap_or_default();
            let mut answers = Vec::new();
            for target in targets {
                let seat = seats.entry((target.clone(), row.group.clone())).or_default();
                match answer_plan(desk.campaign(), &target, &row.group, *seat) {
                    Ok(plan) => {
                        answers.push(plan.into_iter().map(|(q, o)| (q.to_string(), o.to_string())).collect());
                        *seat += 1;
                    }
                    // The frame has three people more than the published answers: they lie in hospital.
                    Err(SampleError::NoMoreAnswers { .. }) => {
                        excused.insert(email.clone());
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            if !answers.is_empty() {
                respondents.push(Arc::new(Respondent { email, answers }));
            }
        }
        respondents.shuffle(&mut ChaCha8Rng::seed_from_u64(ORDER_SEED));
        Ok(Self { desk, clock, catcher, respondents, excused, stop })
    }

    /// Plays the field time and returns the mails taken, by kind.
    pub(crate) async fn run(&mut self, watch: &dyn Watch) -> Result<[u64; 3], DemoError> {
        let [prenotice, invitation, reminder] = self.contacts()?;
        let mut mails = [0; 3];
        watch.step("sending the prenotice");
        mails[0] = self.contact(&prenotice).await?;
        watch.step("sending the invitations");
        mails[1] = self.contact(&invitation).await?;
        let first = self.respondents.len() * BEFORE_REMINDER / 100;
        watch.step("people open the link in their mail and answer");
        self.answer(0..first, invitation.due, reminder.due, watch).await?;
        watch.step("excusing those in hospital, and reminding whoever has not answered");
        self.clock.set(reminder.due);
        self.excuse(reminder.due).await?;
        mails[2] = self.contact(&reminder).await?;
        let ends = self.desk.deadline().await?;
        self.answer(first..self.respondents.len(), reminder.due, ends, watch).await?;
        Ok(mails)
    }

    fn contacts(&self) -> Result<[Contact; 3], DemoError> {
        let find = |kind: MailKind| {
            let contacts = &self.desk.campaign().contacts;
            contacts
                .iter()
                .find(|contact| contact.kind == kind)
                .cloned()
                .ok_or_else(|| DemoError::Contradiction(format!("the sample campaign has no {}", kind.as_str())))
        };
        Ok([find(MailKind::Prenotice)?, find(MailKind::Invitation)?, find(MailKind::Reminder)?])
    }

    async fn contact(&self, contact: &Contact) -> Result<u64, DemoError> {
        self.clock.set(contact.due);
        let before = self.catcher.counts().taken;
        let sent = self
            .desk
            .contact(contact.kind, &relay(&self.catcher), &self.stop, &because("by the calendar"), contact.due)
            .await?;
        let taken = self.catcher.counts().taken - before;
        if taken != sent.accepted {
            return Err(DemoError::Contradiction(format!(
                "{} mails are recorded as accepted, the relay took {taken}",
                sent.accepted
            )));
        }
        Ok(taken)
    }

    async fn excuse(&self, now: Timestamp) -> Result<(), DemoError> {
        let approval = Because {
            actor: super::ACTOR.into(),
            reason: "in hospital for the whole field time".into(),
            document: "sample approval by the Ministry, 22/12/2023".into(),
        };
        for person in self.desk.ledger().stored_people().await.map_err(parsurvey_desk::DeskError::from)?.people {
            if self.excused.contains(&person.email) {
                for (form, _) in person.seats {
                    self.desk.excuse(form, ExcuseCategory::Ill, &approval, now).await?;
                }
            }
        }
        Ok(())
    }

    /// Lets people answer, a few at once, while the clock goes from `from` to `to`.
    async fn answer(
        &self,
        range: std::ops::Range<usize>,
        from: Timestamp,
        to: Timestamp,
        watch: &dyn Watch,
    ) -> Result<(), DemoError> {
        let browser = Browser::new()?;
        let people = &self.respondents[range.clone()];
        let batches = people.len().div_ceil(AT_ONCE).max(1);
        let span = from.duration_until(to).as_millis();
        for (number, batch) in people.chunks(AT_ONCE).enumerate() {
            if self.stop.is_asked() {
                return Err(
                    parsurvey_desk::DeskError::unfinished("stopped as asked", "run the demonstration again").into()
                );
            }
            // Most answer soon after a contact: the share of time passed is the square of the share of people.
            let share = (number + 1) as i128 * (number + 1) as i128;
            let passed = span * share / (batches * batches + 1) as i128;
            let passed = SignedDuration::from_millis(i64::try_from(passed).unwrap_or(0));
            self.clock.set(from.checked_add(passed).unwrap_or(to));
            let mut tasks = JoinSet::new();
            for person in batch {
                let links = self.links(&person.email);
                tasks.spawn(respond(browser.clone(), Arc::clone(person), links));
            }
            while let Some(answered) = tasks.join_next().await {
                answered.map_err(|e| DemoError::Contradiction(format!("a respondent broke off: {e}")))??;
            }
            watch.answered(range.start + (number * AT_ONCE + batch.len()), self.respondents.len());
        }
        Ok(())
    }

    /// The links a person finds in the mails received, in the order of the forms.
    fn links(&self, email: &str) -> Vec<String> {
        let mut links = Vec::new();
        for mail in self.catcher.mailbox(email) {
            for link in mail.links() {
                if link.contains("/f/") && !links.contains(&link) {
                    links.push(link);
                }
            }
        }
        links
    }
}

async fn respond(browser: Browser, person: Arc<Respondent>, links: Vec<String>) -> Result<(), DemoError> {
    if links.len() != person.answers.len() {
        return Err(DemoError::Contradiction(format!(
            "a person with {} forms found {} links in the mails",
            person.answers.len(),
            links.len()
        )));
    }
    for (link, answers) in links.iter().zip(&person.answers) {
        let page = browser.answer(link, answers).await?;
        if page.status != 200 {
            return Err(DemoError::Contradiction(format!("a submission ended with the page {}", page.status)));
        }
    }
    Ok(())
}
