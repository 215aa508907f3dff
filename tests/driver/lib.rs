//! The driver: the real program in a fresh folder, spoken to in an operator's and a respondent's words.
//!
//! It runs the binary as a process, catches mail on loopback and answers as a browser. It knows no ledger and no SQL.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a driver that panics fails the test that uses it")]

/// axe-core over a page.
pub mod axe;
/// Chromium through its driver.
pub mod chrome;
/// What a browser runs on.
pub mod device;
/// A DNS server on loopback.
pub mod dns;
mod forms;
/// A throw-away PostgreSQL server, the same one the ledger's own tests use.
#[path = "../../crates/ledger/tests/support/postgres.rs"]
mod postgres;
mod program;
/// What a screen reader says of a page.
pub mod reader;
mod running;
mod serving;
mod small_disk;
mod transfers;
mod wire;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parsurvey_rehearsal::browser::{Browser, Page};
use parsurvey_rehearsal::catcher::{Catcher, Script};
use sqlx::Connection;
use tempfile::TempDir;

pub use forms::OpenForm;
pub use program::{Ran, binary, example, root, run_in};
pub use running::{Running, seed, until};
pub use serving::Serving;
pub use small_disk::{Told, on_a_small_disk};
pub use wire::{Reply, Wire};

/// A moment of the sample campaigns: the morning of the prenotice, and of the first reminder; and after the grace.
pub mod moments {
    /// When everything is set up.
    pub const PRENOTICE: &str = "2023-12-11T08:00:00+07:00";
    /// When invitations go out and forms open.
    pub const INVITATION: &str = "2023-12-18T08:00:00+07:00";
    /// When the first reminder is due.
    pub const REMINDER: &str = "2023-12-22T08:00:00+07:00";
    /// After deadline and grace.
    pub const AFTER: &str = "2024-01-11T00:31:00+07:00";
}

/// A campaign in a folder of its own, with its data folder, mail catcher and clock.
pub struct Survey {
    folder: TempDir,
    /// The campaign folder, a copy that a test may edit.
    pub campaign: PathBuf,
    /// The data folder.
    pub data: PathBuf,
    /// The sample roster, a copy that a test may edit.
    pub roster: PathBuf,
    /// The mails that left.
    pub catcher: Catcher,
    now: String,
    database: Option<String>,
}

impl Survey {
    /// The small sample campaign, nothing done yet.
    pub async fn small() -> Self {
        Self::of("example-small").await
    }

    /// The Hanoi sample campaign, nothing done yet.
    pub async fn hanoi() -> Self {
        Self::of("hanoi-2023").await
    }

    /// The small sample campaign with a ledger on PostgreSQL.
    pub async fn small_on_postgres() -> Self {
        Self::small_at(postgres_database().await).await
    }

    /// The small sample campaign with a ledger at this URL.
    pub async fn small_at(database: String) -> Self {
        let mut survey = Self::small().await;
        survey.database = Some(database);
        survey
    }

    async fn of(name: &str) -> Self {
        install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let campaign = folder.path().join("campaign");
        copy_folder(&root().join("pipelines").join(name), &campaign);
        let roster = folder.path().join("roster.csv");
        std::fs::copy(root().join("sample-data").join(name).join("roster.csv"), &roster).unwrap();
        let data = folder.path().join("data");
        let catcher = Catcher::start(Script::new()).await.unwrap();
        Self { campaign, data, roster, catcher, now: moments::PRENOTICE.into(), database: None, folder }
    }

    /// A small campaign whose keys are proved and whose roster is stored.
    pub async fn ready() -> Self {
        let survey = Self::small().await;
        survey.set_up().await;
        survey
    }

    /// A small campaign whose invitations were sent.
    pub async fn invited() -> Self {
        let mut survey = Self::ready().await;
        survey.at(moments::INVITATION);
        survey.invite().await.done();
        survey
    }

    /// Replaces the roster by so many people, half of them leaders and half staff.
    pub fn with_people(&self, number: usize) {
        let mut text = "name,email,group,unit,position\n".to_owned();
        for person in 1..=number {
            let group = if person % 2 == 0 { "staff" } else { "leaders" };
            text.push_str(&format!("Người thứ {person},p{person}@thitranmau.example,{group},office,Chuyên viên\n"));
        }
        std::fs::write(&self.roster, text).unwrap();
    }

    /// Makes ledger and keys and stores the roster.
    pub async fn set_up(&self) {
        self.run(&["init", "--self-held"]).await.done();
        self.run(&["roster", "import", self.roster.to_str().unwrap()]).await.done();
    }

    /// Names the mailbox that bounces come back to.
    pub fn name_return_path(&self, address: &str) {
        let path = self.campaign.join("campaign.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let with = text.replacen("[limits]", &format!("[bounces]\nreturn_path = \"{address}\"\n\n[limits]"), 1);
        assert_ne!(with, text, "the campaign has limits");
        std::fs::write(path, with).unwrap();
    }

    /// Adds the last page on how the form came to be answered, worded as `docs/campaign.md` proposes.
    pub fn ask_about_pressure(&self) {
        let manual = std::fs::read_to_string(root().join("docs/campaign.md")).unwrap();
        let page = manual.split("```toml\n[pressure]\n").nth(1).and_then(|rest| rest.split("```").next());
        let path = self.campaign.join("questionnaire.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let page = page.expect("the manual words the page");
        std::fs::write(path, format!("[pressure]\n{page}\n{text}")).unwrap();
    }

    /// Adds a table to `campaign.toml`.
    pub fn declare(&self, table: &str) {
        let path = self.campaign.join("campaign.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n{table}\n")).unwrap();
    }

    /// Sets the clock that every command is given.
    pub fn at(&mut self, moment: &str) {
        moment.clone_into(&mut self.now);
    }

    /// The moment that every command is given.
    #[must_use]
    pub fn moment(&self) -> jiff::Timestamp {
        self.now.parse().unwrap()
    }

    /// The survey's own folder, for a test's files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command with the survey's folders and clock.
    pub async fn run(&self, args: &[&str]) -> Ran {
        program::run(self.arguments(args)).await
    }

    /// Runs a command as another operator.
    pub async fn run_as(&self, actor: &str, args: &[&str]) -> Ran {
        program::run(self.arguments_as(actor, args)).await
    }

    /// Runs an act, and where it waits for a second person lets another operator approve it.
    pub async fn by_two(&self, args: &[&str]) -> Ran {
        let ran = self.run(args).await;
        let number = ran.stderr.strip_prefix("proposal ").or_else(|| ran.stderr.split("\nproposal ").nth(1));
        let number = number.filter(|_| ran.code == 0).and_then(|text| text.split([' ', ':']).next());
        let Some(number) = number else { return ran };
        let approved = self.run_as("second tester", &["approve", number]).await;
        Ran { code: approved.code, stderr: format!("{}{}", ran.stderr, approved.stderr), stdout: ran.stdout }
    }

    /// Starts a command with the survey's folders and clock, and does not wait for its end.
    #[must_use]
    pub fn begin(&self, args: &[&str]) -> Running {
        Running::start(&self.arguments(args))
    }

    /// The arguments of a command with the survey's folders and clock.
    #[must_use]
    pub fn arguments(&self, args: &[&str]) -> Vec<String> {
        self.arguments_as("tester", args)
    }

    fn arguments_as(&self, actor: &str, args: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let campaign = self.campaign.to_str().unwrap();
        let data = self.data.to_str().unwrap();
        for (name, value) in [("--campaign", campaign), ("--data", data), ("--actor", actor), ("--now", &self.now)] {
            all.extend([name.to_owned(), value.to_owned()]);
        }
        if let Some(database) = &self.database {
            all.extend(["--database".to_owned(), database.clone()]);
        }
        all
    }

    /// Where the catcher listens, as `--smtp` takes it.
    #[must_use]
    pub fn smtp(&self) -> String {
        self.catcher.address().to_string()
    }

    /// Sends the invitations.
    pub async fn invite(&self) -> Ran {
        self.run(&["invite", "--smtp", &self.smtp()]).await
    }

    /// Sends the reminder wave that is due.
    pub async fn remind(&self) -> Ran {
        self.run(&["remind", "--smtp", &self.smtp()]).await
    }

    /// Excuses a form.
    pub async fn excuse(&self, form: i64) -> Ran {
        let form = form.to_string();
        self.run(&["excuse", &form, "--category", "ill", "--reason", "in hospital", "--document", "12/BNV"]).await
    }

    /// The URL of a ledger on PostgreSQL; `None` for the SQLite file of the data folder.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// The status as JSON.
    pub async fn status(&self) -> serde_json::Value {
        self.run(&["status", "--format", "json"]).await.done().json()
    }

    /// Starts the form server at the survey's moment.
    pub async fn serve(&self) -> Serving {
        self.serve_on("127.0.0.1:0").await
    }

    /// Starts the form server at the survey's moment where another one stood, whose pages are still open in browsers.
    pub async fn serve_on(&self, address: &str) -> Serving {
        Serving::start(self.arguments(&["serve", "--open-counts", "--listen", address])).await
    }

    /// Starts the form server with further arguments.
    pub async fn serve_with(&self, args: &[&str]) -> Serving {
        Serving::start(self.arguments(&[&["serve"], args].concat())).await
    }

    /// What the outbox shows of every mail, or of those in one state, as JSON.
    pub async fn mails(&self, state: Option<&str>) -> Vec<serde_json::Value> {
        let mut args = vec!["mails", "--format", "json"];
        args.extend(state.map(|_| "--state"));
        args.extend(state);
        self.run(&args).await.done().json().as_array().unwrap().clone()
    }

    /// How many mails reached each address of the roster.
    #[must_use]
    pub fn mails_by_person(&self) -> Vec<usize> {
        self.addresses().iter().map(|address| self.catcher.mailbox(address).len()).collect()
    }

    /// The path of the link in the newest mail to an address, such as `/f/…`.
    #[must_use]
    pub fn link_path(&self, address: &str) -> String {
        let mails = self.catcher.mailbox(address);
        let mail = mails.last().unwrap_or_else(|| panic!("no mail reached this person"));
        let link = mail.links().into_iter().find(|link| link.contains("/f/")).expect("the mail carries a link");
        link[link.find("/f/").unwrap()..].to_owned()
    }

    /// Addresses of the sample roster, in file order.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.roster).unwrap();
        text.split(['\n', ',', ';']).filter(|cell| cell.contains('@')).map(|cell| cell.trim().to_owned()).collect()
    }

    /// Lets everybody of a list of addresses answer at the same level.
    pub async fn everybody_answers(&self, serving: &Serving, addresses: &[String], level: usize) {
        for address in addresses {
            let page = self.answer(serving, address, level).await;
            assert_eq!(page.status, 200, "{}", page.text());
        }
    }

    /// One person opens the link of the newest mail and answers every question at the same level.
    pub async fn answer(&self, serving: &Serving, address: &str, level: usize) -> Page {
        let link = serving.url(&self.link_path(address));
        Browser::new().unwrap().answer(&link, &self.answers(level)).await.unwrap()
    }

    /// The option of the same rank for every question: `level` 1 is the worst by its percent, 5 the best of five.
    #[must_use]
    pub fn answers(&self, level: usize) -> BTreeMap<String, String> {
        let files = read_folder(&self.campaign);
        let campaign = parsurvey_survey::campaign::load(&files).expect("the campaign has no fault").campaign;
        let questions = campaign.questionnaires.values().flat_map(|questionnaire| questionnaire.questions());
        questions
            .map(|question| {
                let mut options: Vec<_> = question.options.iter().collect();
                options.sort_by(|a, b| a.percent.cmp(&b.percent));
                (question.code.to_string(), options[level - 1].code.to_string())
            })
            .collect()
    }

    /// Closes, and opens the box with the key beside the data.
    pub async fn close_and_open(&mut self) {
        self.at(moments::AFTER);
        self.run(&["close"]).await.done();
        self.open().await.done();
    }

    /// Opens the box with the key beside the data.
    pub async fn open(&self) -> Ran {
        let key = self.box_key();
        self.run(&["open", "--key", key.to_str().unwrap()]).await
    }

    /// The box key that `init --self-held` made.
    #[must_use]
    pub fn box_key(&self) -> PathBuf {
        let keys = std::fs::read_dir(self.data.join("keys")).unwrap();
        let mut paths = keys.map(|entry| entry.unwrap().path());
        paths.find(|path| path.to_string_lossy().ends_with("-box.key")).expect("the box key lies beside the data")
    }
}

/// The one TLS provider of this process; every HTTP client asks for it, even for plain loopback.
fn install_crypto() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| rustls::crypto::ring::default_provider().install_default().unwrap());
}

/// The one server of this test run.
fn postgres_server() -> &'static postgres::Postgres {
    static SERVER: OnceLock<postgres::Postgres> = OnceLock::new();
    SERVER.get_or_init(|| postgres::start().expect("PostgreSQL starts"))
}

/// A PostgreSQL server that one test has to itself, to stop it as a power cut would.
pub struct OwnPostgres(postgres::Postgres);

impl OwnPostgres {
    /// Starts it.
    #[must_use]
    pub fn start() -> Self {
        Self(postgres::start().expect("PostgreSQL starts"))
    }

    /// The URL of its one database.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.url("postgres")
    }

    /// Stops it at once, whatever it is doing: it recovers when it is started again.
    pub fn crash(&mut self) {
        self.0.crash().expect("PostgreSQL stops");
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        self.0.start_again().expect("PostgreSQL starts again");
    }
}

/// The folder of this test run's PostgreSQL server: its log, and under `data` every file it keeps.
#[must_use]
pub fn postgres_folder() -> &'static Path {
    &postgres_server().folder
}

/// A new database on the one server of this test run.
pub async fn postgres_database() -> String {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let server = postgres_server();
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let name = format!("e2e_{number}");
    let mut connection = sqlx::postgres::PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await.unwrap();
    server.url(&name)
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every file of a folder by its path within it.
#[must_use]
pub fn read_folder(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        for entry in std::fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}
