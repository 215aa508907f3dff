//! One small campaign through the real program, with everything it leaves behind at three moments: open, closed, opened.
//!
//! Keys are made apart from the data, as a real survey does. Every command and the form server run with the log at its
//! most talkative. Ten people answer one by one in a shuffled order, one begins and stops, one does nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parsurvey_rehearsal::browser::Browser;
use parsurvey_rehearsal::catcher::{Act, At, Catcher, Reply, Script};
use parsurvey_survey::ballot::{Choice, Codebook};
use parsurvey_survey::link::LinkSecret;
use parsurvey_tests::{Survey, moments, postgres_folder, read_folder};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{Connection, Executor};
use tokio::sync::OnceCell;

use crate::needles::Files;
use crate::rows::{self, Row};
use crate::talkative::{Server, talkative, temporary};

/// In front of every option's code, so that an answer cannot stand anywhere by chance.
pub(crate) const OPTION: &str = "quvexo";
/// When the relay is asked again after it put two mails off.
const SECOND_TRY: &str = "2023-12-18T08:10:00+07:00";

/// Which database keeps the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A respondent, and what only the respondent knows.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) form: i64,
    pub(crate) token: String,
    /// Question → option.
    pub(crate) answers: BTreeMap<String, String>,
    /// The ballot in the clear, as it is before sealing.
    pub(crate) ballot: Vec<u8>,
}

/// What stands on disks and in tables at a moment.
#[derive(Debug, Default)]
pub(crate) struct Moment {
    pub(crate) files: Files,
    pub(crate) rows: Vec<Row>,
}

/// A whole campaign and what it left behind.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) people: Vec<Person>,
    /// Copies of all files taken while people answered.
    pub(crate) backups: Vec<Files>,
    pub(crate) open: Moment,
    pub(crate) closed: Moment,
    pub(crate) opened: Moment,
    /// What every command and the server said on stderr, by command.
    pub(crate) said: Files,
    /// What every command printed.
    pub(crate) printed: Files,
    /// Pages and headers that a stranger, and those that link holders, were shown.
    pub(crate) pages: Files,
    /// The mails' header parts.
    pub(crate) headers: Files,
    /// The mails' bodies, decoded.
    pub(crate) bodies: Files,
    /// The link secret's file.
    pub(crate) link_key: String,
    /// Mode bits of the data folder's files.
    pub(crate) modes: BTreeMap<String, u32>,
    /// What the archive's holder reads, one JSON line per response, in order.
    pub(crate) archive: Vec<String>,
    /// What was refused: opening with the archive's key, reading the archive with the box's key.
    pub(crate) wrong_keys: Vec<String>,
}

/// The record of a database, made once per test run.
pub(crate) async fn record(database: Database) -> &'static Record {
    static SQLITE: OnceCell<Record> = OnceCell::const_new();
    static POSTGRES: OnceCell<Record> = OnceCell::const_new();
    match database {
        Database::Sqlite => SQLITE.get_or_init(|| make(Database::Sqlite)).await,
        Database::Postgres => POSTGRES.get_or_init(|| make(Database::Postgres)).await,
    }
}

async fn make(database: Database) -> Record {
    let survey = match database {
        Database::Sqlite => Survey::small().await,
        Database::Postgres => Survey::small_on_postgres().await,
    };
    let mut field = Field::new(survey).await;
    let (backups, pages) = field.answer().await;
    let open = field.moment().await;
    field.survey.at(moments::AFTER);
    field.run(&["close"]).await;
    let closed = field.moment().await;
    let wrong_keys = field.open_wrongly().await;
    let box_key = field.key("box");
    field.run(&["open", "--key", box_key.to_str().unwrap()]).await;
    for args in [&["score"][..], &["score", "--format", "json"], &["index"], &["explain", "1.1"], &["report"]] {
        field.run(args).await;
    }
    for by in ["group", "unit", "day"] {
        field.run(&["status", "--by", by]).await;
    }
    field.run(&["mails"]).await;
    let opened = field.moment().await;
    field.finish(backups, pages, [open, closed, opened], wrong_keys)
}

/// The campaign while it runs.
struct Field {
    survey: Survey,
    people: Vec<Person>,
    said: Files,
    printed: Files,
}

impl Field {
    async fn new(survey: Survey) -> Self {
        let path = survey.campaign.join("questionnaire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("{ code = \"", &format!("{{ code = \"{OPTION}"))).unwrap();
        let mut field = Self { survey, people: Vec::new(), said: Files::new(), printed: Files::new() };
        field.run(&["init"]).await;
        field.hold_keys_apart().await;
        let roster = field.survey.roster.to_str().unwrap().to_owned();
        field.run(&["roster", "import", &roster]).await;
        field.meet_people().await;
        field.invite().await;
        field
    }

    fn key(&self, role: &str) -> PathBuf {
        self.survey.folder().join("holder").join(format!("example-small-{role}.key"))
    }

    async fn hold_keys_apart(&mut self) {
        let holder = self.survey.folder().join("holder");
        let copy = self.survey.folder().join("safe");
        for role in ["box", "archive"] {
            let (out, second) = (holder.to_str().unwrap(), copy.to_str().unwrap());
            self.run(&["keygen", role, "--campaign-id", "example-small", "--out", out, "--second-copy", second]).await;
            let public = holder.join(format!("example-small-{role}.pub"));
            self.run(&["key", "register", public.to_str().unwrap()]).await;
            let test = self.survey.data.join("out").join(format!("test-ballot-{role}.sealed"));
            let key = self.key(role);
            let args = ["key", "open-test", "--key", key.to_str().unwrap(), test.to_str().unwrap()];
            let code = self.run(&args).await;
            self.run(&["key", "confirm", code.trim()]).await;
        }
    }

    /// Draws what each person will answer: no two of a group alike.
    async fn meet_people(&mut self) {
        let campaign = parsurvey_survey::campaign::load(&read_folder(&self.survey.campaign)).unwrap().campaign;
        let codebook = Codebook::of(&campaign);
        let secret = LinkSecret::from_file(&self.link_key()).unwrap();
        let rows = self.rows().await;
        let mut random = ChaCha8Rng::seed_from_u64(17);
        for row in rows::of(&rows, "seat") {
            let person =
                rows::of(&rows, "person").into_iter().find(|p| p.text("person") == row.text("person")).unwrap();
            let (target, group) = (row.text("target").parse().unwrap(), row.text("grp").parse().unwrap());
            let mut answers = BTreeMap::new();
            let mut chosen = BTreeMap::new();
            let tables = codebook.questionnaires.values().next().unwrap();
            for question in &tables.questions {
                let option = &question.options[random.random_range(0..question.options.len())].code;
                answers.insert(question.code.to_string(), option.to_string());
                chosen.insert(question.code.clone(), Choice::Option(option.clone()));
            }
            let ballot = codebook.ballot(&target, &group, &chosen).unwrap();
            let place = u16::try_from(codebook.groups.iter().position(|code| *code == group).unwrap()).unwrap();
            // Format, target, group, questionnaire, version, number of answers, answers.
            let mut plain = vec![1, 0, 0];
            plain.extend(place.to_be_bytes());
            plain.extend([0, 0, 0, 1, 0, 5]);
            plain.extend(&ballot.answers);
            let form = row.form().unwrap();
            self.people.push(Person {
                name: person.text("name"),
                address: person.text("email"),
                form,
                token: secret.token("example-small", form, 1).expose().to_owned(),
                answers,
                ballot: plain,
            });
        }
    }

    /// Invites through a relay that quotes addresses and links when it puts mails off.
    async fn invite(&mut self) {
        let (one, two) = (self.people[0].clone(), self.people[1].clone());
        let quoting = format!("4.7.1 <{}> {} is greylisted", one.address, one.address);
        let blocked = format!("4.7.1 https://khaosat.example/f/{} is listed; {} too", two.token, two.token);
        let script = Script::new().first(1, &one.address, At::Rcpt, Act::Say(Reply::new(451, &quoting))).first(
            1,
            &two.address,
            At::Dot,
            Act::Say(Reply::new(451, &blocked)),
        );
        self.survey.catcher = Catcher::start(script).await.unwrap();
        let smtp = self.survey.smtp();
        for (moment, code) in [(moments::INVITATION, 3), (SECOND_TRY, 0)] {
            self.survey.at(moment);
            self.run_to(&["invite", "--smtp", &smtp], code).await;
        }
        assert_eq!(self.survey.catcher.mails().len(), 12);
    }

    /// Lets people answer; returns copies of all files taken in between, and the pages that were shown.
    async fn answer(&mut self) -> (Vec<Files>, Files) {
        let server = Server::start(&self.survey).await;
        let mut order: Vec<usize> = (0..11).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(5));
        let browser = Browser::new().unwrap();
        let (mut backups, mut pages) = (Vec::new(), Files::new());
        for (number, person) in order.into_iter().map(|place| self.people[place].clone()).enumerate() {
            let link = format!("{}/f/{}", server.base, person.token);
            if number == 4 {
                let landing = browser.open(&link).await.unwrap();
                let form = landing.form().unwrap();
                let mut first = browser.press(&form, &form.buttons[0]).await.unwrap().form().unwrap();
                first.fill(&person.answers);
                let second = browser.press(&first, &first.buttons[0]).await.unwrap();
                pages.insert("landing".into(), landing.html.into_bytes());
                pages.insert("second page, with the answers of the first".into(), second.html.into_bytes());
            } else {
                let thanks = browser.answer(&link, &person.answers).await.unwrap();
                assert_eq!(thanks.status, 200, "{}", thanks.text());
                pages.insert(format!("thanks {number}"), thanks.html.into_bytes());
                let again = browser.open(&link).await.unwrap();
                pages.insert(format!("opened again {number}"), again.html.into_bytes());
            }
            if number % 4 == 3 {
                backups.push(self.files().await);
            }
        }
        for path in ["/status", "/f/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "/healthz", "/nowhere", "/metrics"] {
            let page = browser.open(&format!("{}{path}", server.base)).await.unwrap();
            pages.insert(format!("stranger at {path}"), page.html.into_bytes());
        }
        backups.push(self.files().await);
        self.said.insert("serve".into(), server.stop().await.into_bytes());
        (backups, pages)
    }

    async fn open_wrongly(&mut self) -> Vec<String> {
        let archive_key = self.key("archive");
        self.run_to(&["open", "--key", archive_key.to_str().unwrap()], 1).await;
        let (_, said) = self.said.iter().rfind(|(name, _)| name.contains(" open")).unwrap();
        vec![String::from_utf8(said.clone()).unwrap()]
    }

    fn link_key(&self) -> String {
        std::fs::read_to_string(self.survey.data.join("link.key")).unwrap()
    }

    async fn run(&mut self, args: &[&str]) -> String {
        self.run_to(args, 0).await
    }

    /// Runs a command with the log wide open, and keeps what it said and printed.
    async fn run_to(&mut self, args: &[&str], code: i32) -> String {
        let output = talkative(&self.survey, args).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        let name = format!("{:02} {}", self.printed.len(), args[..args.len().min(2)].join(" "));
        self.said.insert(name.clone(), said.into_bytes());
        self.printed.insert(name, output.stdout.clone());
        String::from_utf8(output.stdout).unwrap()
    }

    async fn moment(&self) -> Moment {
        Moment { files: self.files().await, rows: self.rows().await }
    }

    async fn rows(&self) -> Vec<Row> {
        match self.survey.database() {
            None => rows::of_sqlite(&self.survey.data).await,
            Some(url) => rows::of_postgres(url).await,
        }
    }

    /// Every file of the data folder, of the folder for temporary files, and of the database's own.
    async fn files(&self) -> Files {
        let mut files = prefixed("data", read_folder(&self.survey.data));
        files.extend(prefixed("tmp", read_folder(&temporary(&self.survey))));
        if let Some(url) = self.survey.database() {
            files.extend(of_cluster(url).await);
        }
        files
    }

    fn finish(self, backups: Vec<Files>, pages: Files, moments: [Moment; 3], wrong_keys: Vec<String>) -> Record {
        let [open, closed, opened] = moments;
        let mails = self.survey.catcher.mails();
        let part = |of: fn(&parsurvey_rehearsal::catcher::Mail) -> String| -> Files {
            mails.iter().enumerate().map(|(n, mail)| (format!("mail {n}"), of(mail).into_bytes())).collect()
        };
        let (archive, refused) = read_archive(&self, &opened.files["data/out/archive.sealed"]);
        Record {
            headers: part(|mail| mail.header_part()),
            bodies: part(|mail| format!("{}\n{}", mail.text(), mail.html())),
            link_key: self.link_key(),
            modes: modes(&self.survey.data),
            people: self.people,
            said: self.said,
            printed: self.printed,
            wrong_keys: [wrong_keys, vec![refused]].concat(),
            backups,
            pages,
            open,
            closed,
            opened,
            archive,
        }
    }
}

fn read_archive(field: &Field, bytes: &[u8]) -> (Vec<String>, String) {
    let read = |role: &str| {
        let text = std::fs::read_to_string(field.key(role)).unwrap();
        let key = parsurvey_survey::key::PrivateKey::from_file(&text).unwrap();
        parsurvey_survey::ballot_box::open_archive("example-small", bytes, &key)
    };
    let refused = read("box").unwrap_err().to_string();
    let responses = read("archive").unwrap();
    (responses.iter().map(|response| serde_json::to_string(response).unwrap()).collect(), refused)
}

fn prefixed(prefix: &str, files: Files) -> Files {
    files.into_iter().map(|(name, bytes)| (format!("{prefix}/{name}"), bytes)).collect()
}

/// Every file of the cluster that belongs to this database or to no database: tables, write-ahead log, server log.
/// Pages in memory are written out first.
pub(crate) async fn of_cluster(url: &str) -> Files {
    let mut connection = sqlx::postgres::PgConnection::connect(url).await.unwrap();
    let oid: String = sqlx::query_scalar("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.execute("CHECKPOINT").await.unwrap();
    connection.close().await.unwrap();
    let data = postgres_folder().join("data");
    let mut files = Files::new();
    for (prefix, folder) in [
        (format!("postgres/base/{oid}"), data.join("base").join(&oid)),
        ("postgres/pg_wal".into(), data.join("pg_wal")),
        ("postgres/pg_xact".into(), data.join("pg_xact")),
        ("postgres/pgsql_tmp".into(), data.join("base/pgsql_tmp")),
    ] {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for entry in entries.flatten().filter(|entry| entry.path().is_file()) {
            // The server may remove a file between the listing and the reading.
            if let Ok(mut bytes) = std::fs::read(entry.path()) {
                // What every new database is made of holds nothing of a survey, and a log's unwritten end is zeros.
                if std::fs::read(data.join("base/1").join(entry.file_name())).is_ok_and(|new| new == bytes) {
                    continue;
                }
                bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
                files.insert(format!("{prefix}/{}", entry.file_name().to_string_lossy()), bytes);
            }
        }
    }
    files.insert("postgres/log".into(), std::fs::read(postgres_folder().join("log")).unwrap());
    files
}

#[cfg(unix)]
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut modes = BTreeMap::from([(".".to_owned(), mode(folder)), ("out".to_owned(), mode(&folder.join("out")))]);
    modes.extend(read_folder(folder).into_keys().map(|name| (name.clone(), mode(&folder.join(name)))));
    modes
}
