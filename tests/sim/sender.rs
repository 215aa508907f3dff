//! Senders on trial: the real program with a campaign of made-up people, and whatever else can be started, killed and asked.
//!
//! A sender is a command and what it believes afterwards. Nothing here knows how it sends.

use std::collections::HashMap;
use std::future::Future;
use std::process::Stdio;

use jiff::civil::{DateTime, Weekday, date};
use jiff::{ToSpan, tz::TimeZone};
use parsurvey_rehearsal::catcher::Event;
use parsurvey_tests::{Survey, binary, moments};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::audit::{Audit, attempts, audit};
use crate::judge::Belief;

/// Something that sends mails when it is run, and goes on when it is run again.
pub(crate) trait Sender {
    /// What it is called in a table.
    fn name(&self) -> &'static str;

    /// One run over so many connections, not started yet.
    fn command(&self, relay: &str, connections: usize) -> Command;

    /// Lets so many minutes pass on its clock, if it has one.
    fn later(&mut self, minutes: i64);

    /// What it believes of each mail, by recipient.
    fn beliefs(&self) -> impl Future<Output = HashMap<String, Belief>>;

    /// Its history against a journal; `None` where it keeps none.
    fn audited(&self, journal: &[Event]) -> impl Future<Output = Option<Audit>>;
}

/// Starts a run, silent and with nothing of the environment.
pub(crate) fn start(sender: &impl Sender, relay: &str, connections: usize) -> Child {
    let mut command = sender.command(relay, connections);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().unwrap()
}

/// Sends a process a signal by its name. It may have ended meanwhile: then there is nobody to tell.
pub(crate) async fn signal(child: &Child, name: &str) {
    let Some(id) = child.id() else { return };
    let script = "kill -\"$0\" \"$1\" 2>/dev/null; true";
    let sent = Command::new("sh").args(["-c", script, name, &id.to_string()]).status().await;
    assert!(sent.unwrap().success());
}

/// The program, with a campaign whose invitations are due.
pub(crate) struct Ours {
    /// The campaign.
    pub(crate) survey: Survey,
    /// Words put behind `invite`.
    pub(crate) options: Vec<String>,
    now: DateTime,
}

/// How long a dispatcher that is not heard of keeps its mails.
const LEASE_SECONDS: u64 = 2;

/// Domains that the people are spread over.
const DOMAINS: [&str; 5] =
    ["soyte.example", "sotaichinh.example", "thitranmau.example", "quanmau.example", "hdnd.example"];

/// A list of made-up people in several domains.
pub(crate) fn roster(people: usize) -> String {
    let mut text = "name,email,group,unit,position\n".to_owned();
    for person in 1..=people {
        let group = if person % 2 == 0 { "staff" } else { "leaders" };
        let domain = DOMAINS[person % DOMAINS.len()];
        text.push_str(&format!("Người thứ {person},p{person}@{domain},{group},office,Chuyên viên\n"));
    }
    text
}

impl Ours {
    /// So many people, whose invitations are due and not queued yet.
    pub(crate) async fn with(people: usize) -> Self {
        Self::on(Survey::small().await, people).await
    }

    /// The same with a ledger on PostgreSQL.
    pub(crate) async fn on_postgres(people: usize) -> Self {
        Self::on(Survey::small_on_postgres().await, people).await
    }

    /// The same in this survey, of which nothing is set up.
    pub(crate) async fn on(survey: Survey, people: usize) -> Self {
        Self::of(survey, &roster(people)).await
    }

    /// The people of this list.
    pub(crate) async fn of(mut survey: Survey, roster: &str) -> Self {
        std::fs::write(&survey.roster, roster).unwrap();
        // Thousands of runs take their time on the campaign's clock too.
        let file = survey.campaign.join("campaign.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let longer = text.replace("closes = 2024-01-10T23:59:00", "closes = 2024-12-20T23:59:00");
        assert_ne!(text, longer, "the sample campaign closes at another time");
        // A short lease, because a test waits for its end.
        std::fs::write(file, format!("{longer}\n[sending]\nlease_seconds = {LEASE_SECONDS}\n")).unwrap();
        survey.set_up().await;
        survey.at(moments::INVITATION);
        Self { survey, options: Vec::new(), now: date(2023, 12, 18).at(8, 0, 0, 0) }
    }
}

impl Ours {
    /// The same, and unknown mails are sent once more instead of held.
    pub(crate) fn resending(self) -> Self {
        let file = self.survey.campaign.join("campaign.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, text.replace("[sending]\n", "[sending]\nunknown = \"resend\"\n")).unwrap();
        self
    }
}

impl Sender for Ours {
    fn name(&self) -> &'static str {
        "parsurvey"
    }

    fn command(&self, relay: &str, connections: usize) -> Command {
        let connections = connections.to_string();
        let mut words = vec!["invite", "--smtp", relay, "--connections", &connections];
        words.extend(self.options.iter().map(String::as_str));
        let mut command = Command::new(binary());
        command.args(self.survey.arguments(&words));
        command
    }

    /// Stays within the working hours of working days, because mails are sent at no other time.
    fn later(&mut self, minutes: i64) {
        self.now += minutes.minutes();
        while self.now.hour() >= 16 || matches!(self.now.weekday(), Weekday::Saturday | Weekday::Sunday) {
            self.now = self.now.date().tomorrow().unwrap().at(8, 0, 0, 0);
        }
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let now = self.now.to_zoned(zone).unwrap().timestamp();
        self.survey.at(&now.to_string());
    }

    async fn beliefs(&self) -> HashMap<String, Belief> {
        let roster = self.survey.run(&["roster", "list", "--format", "json"]).await.done().json();
        let mails = self.survey.run(&["mails", "--format", "json"]).await.done().json();
        beliefs_of(&roster, &mails)
    }

    async fn audited(&self, journal: &[Event]) -> Option<Audit> {
        Some(audit(journal, &attempts(&self.survey).await))
    }
}

/// What the program believes, as its list of people and its list of mails say it.
pub(crate) fn beliefs_of(roster: &Value, mails: &Value) -> HashMap<String, Belief> {
    let seats = roster.as_array().unwrap().iter();
    let addresses: HashMap<String, String> = seats.map(|seat| (word(&seat["form"]), word(&seat["email"]))).collect();
    let mut beliefs = HashMap::new();
    for mail in mails.as_array().unwrap() {
        let belief = match mail["state"].as_str().unwrap() {
            "accepted" => Belief::Accepted,
            "rejected" => Belief::Rejected,
            "planned" | "ready" | "leased" | "deferred" => Belief::Waiting,
            "sending" | "unknown" => Belief::Unknown,
            "expired" | "cancelled" | "suppressed" => Belief::Cancelled,
            other => panic!("'{other}' is no state that this knows"),
        };
        let before = beliefs.insert(addresses[&word(&mail["form"])].clone(), belief);
        assert_eq!(before, None, "two invitations for one form");
    }
    beliefs
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
