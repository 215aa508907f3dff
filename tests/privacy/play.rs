//! Many small campaigns in this process, for what only shows over many: every act is the program's own, only mail reading
//! and forms are left out. Answers, order of submission and times come from a seed; keys and shuffles do not.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parsurvey_desk::drafts::Saving;
use parsurvey_desk::mailing::Relay;
use parsurvey_desk::opening::OpenOptions;
use parsurvey_desk::respond::{Answers, Changes, Choice, Submission};
use parsurvey_desk::roster::ImportOptions;
use parsurvey_desk::{Because, DataFolder, Desk, load_campaign};
use parsurvey_dispatch::{Route, RunLimits, Stop};
use parsurvey_rehearsal::catcher::{Catcher, Script};
use parsurvey_survey::ballot_box::open_archive;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::key::PrivateKey;
use parsurvey_survey::link::LinkSecret;
use parsurvey_tests::{moments, postgres_database, read_folder, root};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::OnceCell;

use crate::closed::read_box;
use crate::record::{Moment, of_cluster};
use crate::rows::{self, Row};

/// Campaigns played unless PARSURVEY_PRIVACY_CAMPAIGNS says otherwise; every fourth is on PostgreSQL.
const CAMPAIGNS: u32 = 12;

/// What is known of one campaign afterwards: by the attacker, and by the test alone.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    /// What stood there before closing, after closing, after opening.
    pub(crate) moments: Arc<[Moment; 3]>,
    /// Rows that a broken program would have had besides.
    pub(crate) leaked: Vec<Row>,
    /// Forms in the order of the box, known from any backup that ties ciphertexts to forms.
    pub(crate) box_order: Vec<i64>,
    /// The same for the box written a second time.
    pub(crate) rewritten_order: Vec<i64>,
    /// The group of each form.
    pub(crate) groups: BTreeMap<i64, String>,
    /// The test's own knowledge: what each form answered.
    pub(crate) truth: BTreeMap<i64, String>,
    /// The test's own knowledge: the forms in the order of the archive.
    pub(crate) archive_order: Vec<i64>,
    /// Forms in the order of submission; the attacker reads the same from the event log.
    pub(crate) submitted: Vec<i64>,
}

impl Played {
    /// The rank of a form among the submissions.
    pub(crate) fn submitted_as(&self, form: i64) -> f64 {
        let place = self.submitted.iter().position(|other| *other == form).unwrap();
        f64::from(u32::try_from(place).unwrap())
    }
}

/// How many campaigns are played.
pub(crate) fn campaigns() -> u32 {
    std::env::var("PARSURVEY_PRIVACY_CAMPAIGNS").map_or(CAMPAIGNS, |text| text.parse().expect("a number of campaigns"))
}

/// The campaigns, played once per test run.
pub(crate) async fn played() -> &'static [Played] {
    static PLAYED: OnceCell<Vec<Played>> = OnceCell::const_new();
    PLAYED
        .get_or_init(|| async {
            let mut all = Vec::new();
            for seed in 0..campaigns() {
                all.push(play(u64::from(seed), u64::from(seed), seed % 4 == 3).await);
            }
            all
        })
        .await
}

/// Plays a campaign of twelve. Who answers when comes from `order`, what they answer from `answers`.
pub(crate) async fn play(order: u64, answers: u64, postgres: bool) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let database = if postgres { Some(postgres_database().await) } else { None };
    let desk = begun(folder.path(), database.as_deref()).await;
    let secret = LinkSecret::from_file(&std::fs::read_to_string(desk.data().link_key()).unwrap()).unwrap();
    let seats = desk.ledger().seats().await.unwrap();
    let drawn = draw(&desk, seats.len(), answers);
    let mut plan: Vec<_> = seats.iter().zip(&drawn).collect();
    plan.shuffle(&mut ChaCha8Rng::seed_from_u64(order));
    let mut now = at(moments::INVITATION);
    for (seat, answers) in &plan {
        now = now.checked_add(SignedDuration::from_mins(37)).unwrap();
        let token = secret.token("example-small", seat.form, 1);
        let changes = Changes { given: (*answers).clone(), ..Changes::default() };
        assert_eq!(desk.save_draft(token.expose(), &changes, now).await.unwrap(), Saving::Saved);
        let later = now.checked_add(SignedDuration::from_mins(3)).unwrap();
        assert_eq!(desk.submit(token.expose(), answers, later).await.unwrap(), Submission::Stored);
    }
    let open = moment(&desk, database.as_deref()).await;
    let by_ciphertext: BTreeMap<Vec<u8>, i64> = rows::of(&open.rows, "ballot")
        .into_iter()
        .map(|row| (rows::blob(row, "ciphertext"), row.form().unwrap()))
        .collect();
    let (because, after) = (Because { actor: "tester".into(), ..Because::default() }, at(moments::AFTER));
    let mut orders = Vec::new();
    for _ in 0..2 {
        let closed = desk.close(&because, after).await.unwrap();
        let (_, ballots) = read_box(&std::fs::read(&closed.file).unwrap());
        orders.push(ballots.iter().map(|ballot| by_ciphertext[ballot]).collect::<Vec<_>>());
        if orders.len() == 1 {
            std::fs::remove_file(&closed.file).unwrap();
        }
    }
    let closed = moment(&desk, database.as_deref()).await;
    let keys = desk.data().root().join("keys");
    desk.open_here(&[keys.join("example-small-box.key")], &OpenOptions::default(), &because, after).await.unwrap();
    let opened = moment(&desk, database.as_deref()).await;
    let truth: BTreeMap<i64, String> =
        seats.iter().zip(&drawn).map(|(seat, answers)| (seat.form, written(answers))).collect();
    Played {
        moments: Arc::new([open, closed, opened]),
        leaked: Vec::new(),
        rewritten_order: orders.remove(1),
        box_order: orders.remove(0),
        groups: seats.iter().map(|seat| (seat.form, seat.group.to_string())).collect(),
        archive_order: archive_order(&desk, &truth),
        truth,
        submitted: plan.iter().map(|(seat, _)| seat.form).collect(),
    }
}

/// A campaign whose invitations were sent.
async fn begun(folder: &Path, database: Option<&str>) -> Arc<Desk> {
    let because = Because { actor: "tester".into(), ..Because::default() };
    let (campaign, _) = load_campaign(&root().join("pipelines/example-small")).unwrap();
    let before = at(moments::PRENOTICE);
    let data = DataFolder::new(folder.join("data"));
    let desk = Desk::init(campaign, data, database, &because, before).await.unwrap();
    desk.hold_keys_itself(&because, before).await.unwrap();
    let roster = root().join("sample-data/example-small/roster.csv");
    assert!(desk.import_roster(&roster, &ImportOptions::default(), &because, before).await.unwrap().stored);
    let catcher = Catcher::start(Script::new()).await.unwrap();
    let limits = RunLimits { connections: 1, ..RunLimits::default() };
    let relay = Relay { way: Route::loopback(catcher.port()).into(), limits, settled: Arc::default() };
    let desk = Arc::new(desk);
    let sent =
        desk.contact(MailKind::Invitation, &relay, &Stop::new(), &because, at(moments::INVITATION)).await.unwrap();
    assert_eq!(sent.accepted, 12);
    desk
}

/// Answers for each seat, no two alike, so that a response found again is somebody's.
fn draw(desk: &Desk, n: usize, seed: u64) -> Vec<Answers> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xa5a5);
    let questionnaire = desk.campaign().questionnaires.values().next().unwrap();
    let mut drawn: Vec<Answers> = Vec::new();
    while drawn.len() < n {
        let answers: Answers = questionnaire
            .questions()
            .map(|question| {
                let option = &question.options[random.random_range(0..question.options.len())];
                (question.code.clone(), Choice::Option(option.code.clone()))
            })
            .collect();
        if !drawn.contains(&answers) {
            drawn.push(answers);
        }
    }
    drawn
}

/// Answers as the archive writes them.
fn written(answers: &Answers) -> String {
    let option = |choice: &Choice| match choice {
        Choice::Option(code) => code.to_string(),
        Choice::NoOpinion => "no_opinion".to_owned(),
    };
    let map: BTreeMap<String, String> = answers.iter().map(|(q, choice)| (q.to_string(), option(choice))).collect();
    serde_json::to_string(&map).unwrap()
}

fn archive_order(desk: &Desk, truth: &BTreeMap<i64, String>) -> Vec<i64> {
    let key = std::fs::read_to_string(desk.data().root().join("keys/example-small-archive.key")).unwrap();
    let file = std::fs::read(desk.data().archive()).unwrap();
    let responses = open_archive("example-small", &file, &PrivateKey::from_file(&key).unwrap()).unwrap();
    responses
        .iter()
        .map(|response| {
            let text = serde_json::to_string(&response.answers).unwrap();
            *truth.iter().find(|(_, answers)| **answers == text).unwrap().0
        })
        .collect()
}

/// What an attacker without keys sees of a data folder and its database.
async fn moment(desk: &Desk, database: Option<&str>) -> Moment {
    let mut files = read_folder(desk.data().root());
    files.retain(|name, _| !name.starts_with("keys/"));
    let rows = match database {
        None => rows::of_sqlite(desk.data().root()).await,
        Some(url) => {
            files.extend(of_cluster(url).await);
            rows::of_postgres(url).await
        }
    };
    Moment { files, rows }
}

fn at(moment: &str) -> Timestamp {
    moment.parse().unwrap()
}
