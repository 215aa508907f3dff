//! A crowd hands in forms; the server is killed at a seeded moment and started again, as often as was asked for.
//!
//! A moment is a number of answers that the crowd has had, so that a kill always falls into the middle of the crowd's
//! work, somewhere between one look and the next submission. Every second person who was left without an answer tries
//! again after the start, as people do; the others never come back.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use parsurvey_tests::{OpenForm, Survey, Wire};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::Connection;
use tokio::sync::oneshot;

use crate::judge::{Knows, Stored, faults};

/// What is played.
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kills: u64,
    /// People at the same time.
    pub(crate) crowd: usize,
    /// Answers that a server gives at most before it is killed.
    pub(crate) answers: u64,
}

/// What was played.
#[derive(Default)]
pub(crate) struct Played {
    pub(crate) seed: u64,
    pub(crate) kills: u64,
    pub(crate) acknowledged: u64,
    /// Submissions that a kill left without an answer, and how many of those were stored.
    pub(crate) unanswered: u64,
    pub(crate) unanswered_stored: u64,
    /// Of those who tried again: told that the form had been submitted before, and stored now.
    pub(crate) told_before: u64,
    pub(crate) stored_again: u64,
    pub(crate) events: u64,
    pub(crate) faults: Vec<String>,
}

impl Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: {} kills of `serve` under load", self.seed, self.kills)?;
        writeln!(f, "  submissions acknowledged                      {:>7}", self.acknowledged)?;
        writeln!(f, "  left without an answer by a kill              {:>7}", self.unanswered)?;
        writeln!(f, "    tried again: had been stored before the kill{:>7}", self.told_before)?;
        writeln!(f, "    tried again: stored only now                {:>7}", self.stored_again)?;
        writeln!(f, "    never came back: stored                     {:>7}", self.unanswered_stored)?;
        writeln!(f, "  entries of the log, its chain intact          {:>7}", self.events)?;
        write!(f, "  lost, doubled, half stored or nobody's        {:>7}", self.faults.len())?;
        self.faults.iter().take(20).try_for_each(|fault| write!(f, "\n    {fault}"))
    }
}

/// What the crowd shares while one server lives.
struct Street {
    address: String,
    forms: Arc<Vec<OpenForm>>,
    next: Arc<AtomicUsize>,
    answers: AtomicU64,
    /// After so many answers the server is killed.
    last: u64,
    enough: Mutex<Option<oneshot::Sender<()>>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    acknowledged: Vec<usize>,
    unanswered: Vec<usize>,
}

impl Street {
    fn answered(&self) {
        if self.answers.fetch_add(1, Ordering::SeqCst) + 1 == self.last
            && let Some(enough) = self.enough.lock().unwrap().take()
        {
            // Whoever waits for it is the killer, who waits until it comes.
            enough.send(()).unwrap();
        }
    }

    /// One place in the crowd: form after form, until the line is lost.
    fn walk(&self) {
        let Ok(mut wire) = Wire::open(&self.address) else { return };
        loop {
            let place = self.next.fetch_add(1, Ordering::SeqCst);
            let form = self.forms.get(place).expect("there are forms enough");
            let came_to_hand_in = self.begin(form, &mut wire);
            if came_to_hand_in.is_err() {
                return;
            }
            match form.hand_in(&mut wire) {
                Ok(reply) => {
                    assert_eq!(reply.status, 303, "{}", reply.text());
                    self.told.lock().unwrap().acknowledged.push(place);
                    self.answered();
                }
                Err(_) => {
                    self.told.lock().unwrap().unanswered.push(place);
                    return;
                }
            }
        }
    }

    fn begin(&self, form: &OpenForm, wire: &mut Wire) -> io::Result<()> {
        for reply in [form.look(wire)?, form.begin(wire)?] {
            assert_eq!(reply.status, 200, "{}", reply.text());
            self.answered();
        }
        Ok(())
    }
}

impl Plan {
    pub(crate) async fn play(&self, survey: &mut Survey) -> Played {
        // Three answers make a submission; whoever is cut off has used a form as well.
        let people = usize::try_from(self.kills * (self.answers / 3 + 1)).unwrap() + self.crowd * self.kills as usize;
        let forms = Arc::new(survey.open_forms(people).await);
        let mut dice = ChaCha8Rng::seed_from_u64(self.seed);
        let next = Arc::new(AtomicUsize::new(0));
        let mut played = Played { seed: self.seed, ..Played::default() };
        let mut people: BTreeMap<i64, Knows> = forms.iter().map(|form| (form.number, Knows::NotSent)).collect();
        let (mut address, mut again) = ("127.0.0.1:0".to_owned(), Vec::new());
        while played.kills < self.kills {
            let mut serving = survey.serve_on(&address).await;
            address = serving.address();
            for place in std::mem::take(&mut again) {
                let form: &OpenForm = &forms[place];
                let reply = form.hand_in(&mut Wire::open(&address).unwrap()).unwrap();
                match reply.status {
                    303 => played.stored_again += 1,
                    409 => played.told_before += 1,
                    status => panic!("{status}: {}", reply.text()),
                }
                people.insert(form.number, Knows::Acknowledged);
            }
            let (enough, killing) = oneshot::channel();
            let street = Arc::new(Street {
                address: address.clone(),
                forms: Arc::clone(&forms),
                next: Arc::clone(&next),
                answers: AtomicU64::new(0),
                last: dice.random_range(1..=self.answers),
                enough: Mutex::new(Some(enough)),
                told: Mutex::default(),
            });
            let crowd: Vec<_> = (0..self.crowd)
                .map(|_| {
                    let street = Arc::clone(&street);
                    std::thread::spawn(move || street.walk())
                })
                .collect();
            killing.await.unwrap();
            serving.stop().await;
            played.kills += 1;
            tokio::task::spawn_blocking(|| crowd.into_iter().for_each(|one| one.join().unwrap())).await.unwrap();
            let told = std::mem::take(&mut *street.told.lock().unwrap());
            for place in &told.acknowledged {
                people.insert(forms[*place].number, Knows::Acknowledged);
            }
            for (number, place) in told.unanswered.iter().enumerate() {
                people.insert(forms[*place].number, Knows::Unclear);
                if number % 2 == 0 {
                    again.push(*place);
                }
            }
            played.acknowledged += told.acknowledged.len() as u64;
            played.unanswered += told.unanswered.len() as u64;
        }
        let stored = stored(survey).await;
        let unclear = people.iter().filter(|(_, knows)| **knows == Knows::Unclear);
        played.unanswered_stored = unclear.filter(|(form, _)| stored.completed.contains(form)).count() as u64;
        played.faults = faults(&people, &stored);
        played.events = intact(survey).await;
        played
    }
}

/// What the ledger holds, read past the program.
async fn stored(survey: &Survey) -> Stored {
    let (events, completed, ballots) = (
        "SELECT form FROM event WHERE kind = 'submitted' ORDER BY seq",
        "SELECT form FROM seat WHERE completed IS NOT NULL",
        "SELECT form FROM ballot",
    );
    sqlx::any::install_default_drivers();
    let file = format!("sqlite://{}", survey.data.join("ledger.sqlite").display());
    let mut connection = sqlx::AnyConnection::connect(survey.database().unwrap_or(&file)).await.unwrap();
    let mut read =
        async |sql: &'static str| sqlx::query_scalar::<_, i64>(sql).fetch_all(&mut connection).await.unwrap();
    let mut stored = Stored::default();
    for form in read(events).await {
        *stored.events.entry(form).or_default() += 1;
    }
    stored.completed = read(completed).await.into_iter().collect::<BTreeSet<_>>();
    stored.ballots = read(ballots).await.into_iter().collect();
    stored
}

/// How many entries the log has, once the program has found its chain intact.
async fn intact(survey: &Survey) -> u64 {
    let ran = survey.run(&["log", "--format", "csv"]).await.done().says(&["is intact"]);
    let words = ran.stderr.split_whitespace().find_map(|word| word.parse().ok());
    words.expect("the log says how many entries it has")
}
