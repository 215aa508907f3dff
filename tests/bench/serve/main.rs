//! How much the form's server bears, with the crowd on the same machine. `just bench-serve` runs it.
//!
//! It is a measurement and no test: it asserts that what was acknowledged is stored, and prints the rest. Options are
//! `key=number`: `forms`, `connections` (people at the same time), `rounds` (medians of so many), `seconds` (of each
//! measurement), `open` (connections held open beside them, slow ones among them; 0 leaves that out).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says so and ends")]

mod crowd;
mod held;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crowd::{Crowd, Timed};
use parsurvey_tests::{Serving, Survey};

/// File handles of this process and of the server beside the connections.
const SPARE_HANDLES: u64 = 200;

fn asked() -> BTreeMap<String, u64> {
    let usual = [("forms", 50_000), ("connections", 64), ("rounds", 3), ("seconds", 5), ("open", 10_000)];
    let mut asked = BTreeMap::from(usual.map(|(key, value)| (key.to_owned(), value)));
    for word in std::env::args().skip(1) {
        let (key, value) = word.split_once('=').expect("key=number");
        *asked.get_mut(key).unwrap_or_else(|| panic!("'{key}' is no option")) = value.parse().expect("a number");
    }
    asked
}

/// What was measured, each as often as there were rounds.
#[derive(Default)]
struct Measured {
    flushes: Vec<f64>,
    bare: Vec<Timed>,
    views: Vec<Timed>,
    single: Vec<Timed>,
    submissions: Vec<Timed>,
}

#[tokio::main]
async fn main() {
    let asked = asked();
    let seconds = Duration::from_secs(asked["seconds"]);
    let connections = usize::try_from(asked["connections"]).unwrap();
    let mut survey = Survey::small().await;
    println!("making {} forms", asked["forms"]);
    let forms = survey.open_forms(usize::try_from(asked["forms"]).unwrap()).await;
    let serving = survey.serve().await;
    let crowd = Crowd::new(&serving.address(), forms);
    let mut measured = Measured::default();
    // One of each in turn, so that whatever else this machine does falls on all of them alike.
    for _ in 0..asked["rounds"] {
        measured.flushes.push(flushes(survey.folder()));
        measured.bare.push(crowd.ask_for_health(connections, seconds));
        measured.single.push(crowd.look(1, seconds));
        measured.views.push(crowd.look(connections, seconds));
        measured.submissions.push(crowd.hand_in(connections, seconds));
    }
    let memory = serving.megabytes();
    let acknowledged = crowd.acknowledged();
    // Asked while the server runs, as an operator would.
    assert_eq!(stored(&survey).await, acknowledged, "acknowledged = stored");
    let commits = serving.end().await;
    measured.print(&asked, memory, commits.last().unwrap());
    println!("  {acknowledged} acknowledged = stored");
    if asked["open"] > 0 {
        with_many_open(&survey, crowd, asked["open"], connections, seconds).await;
    }
}

async fn with_many_open(survey: &Survey, mut crowd: Crowd, open: u64, connections: usize, seconds: Duration) {
    let handles = handles();
    let open = if handles < open + SPARE_HANDLES {
        println!("the system allows {handles} file handles; raise `ulimit -n` to hold {open} connections");
        handles.saturating_sub(SPARE_HANDLES)
    } else {
        open
    };
    let serving: Serving = survey.serve().await;
    crowd.meet(&serving.address());
    let began = Instant::now();
    let held = held::Held::open(&serving.address(), usize::try_from(open).unwrap(), crowd.forms());
    let (before, opening) = (held.still_open(), began.elapsed());
    let timed = crowd.hand_in(connections, seconds);
    let still = held.still_open();
    println!("{open} connections held open, a third each idle, slow in the head and slow in the body:");
    println!("  {:.0} submissions/s beside them, {:.1} ms p99 of a request", timed.rate, timed.p99);
    println!(
        "  {before} open when the crowd began, {:.1} s after the first; {still} when it ended {:.1} s later",
        opening.as_secs_f64(),
        (began.elapsed() - opening).as_secs_f64()
    );
    println!("  memory: {:.0} MB at most (wanted: under 300 MB)", serving.megabytes());
    drop(held);
    assert_eq!(stored(survey).await, crowd.acknowledged(), "acknowledged = stored");
    println!("  {} acknowledged = stored", crowd.acknowledged());
    serving.end().await;
}

/// Completions as the status tells them.
async fn stored(survey: &Survey) -> u64 {
    survey.status().await["headline"]["all"]["completed"].as_u64().unwrap()
}

/// How many file handles this process may have.
fn handles() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(u64::MAX)
}

/// How often a second this disk takes 4 KB for good.
fn flushes(folder: &Path) -> f64 {
    let path = folder.join("flushes");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(&[0; 4096]).unwrap();
    let (began, mut count) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(1) {
        file.write_all_at(&count.to_le_bytes().repeat(1024), 0).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    let rate = f64::from(count) / began.elapsed().as_secs_f64();
    std::fs::remove_file(path).unwrap();
    rate
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Measured {
    fn print(self, asked: &BTreeMap<String, u64>, memory: f64, commits: &str) {
        let of = |timed: &[Timed], what: fn(&Timed) -> f64| median(timed.iter().map(what).collect());
        let row = |what: &str, timed: &[Timed], wanted: &str| {
            println!(
                "  {what:<44} {:>7.0}/s  p50 {:>6.2} ms  p99 {:>7.2} ms  {wanted}",
                of(timed, |timed| timed.rate),
                of(timed, |timed| timed.p50),
                of(timed, |timed| timed.p99)
            );
        };
        println!("{} forms, {} connections, medians of {}:", asked["forms"], asked["connections"], asked["rounds"]);
        println!("  {:<44} {:>7.0}/s", "4 KB flushed to this disk, one by one", median(self.flushes));
        row("/healthz, which asks nobody", &self.bare, "");
        row("landing page", &self.views, "(wanted: 3000/s)");
        row("landing page, one person alone", &self.single, "(wanted: under 5 ms)");
        row("complete submissions (look, begin, hand in)", &self.submissions, "(wanted: 1000/s, p99 under 150 ms)");
        println!("  the server: {commits}; {memory:.0} MB at most");
        let numbers: Vec<f64> = commits.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [steps, commits] = numbers[..] else { panic!("the server tells of steps and commits") };
        let seconds = (asked["rounds"] * asked["seconds"]) as f64;
        // A submission is two steps: the first page's answers, and the ballot.
        println!("  {:.0} commits/s, {:.1} submissions in each", commits / seconds, steps / 2.0 / commits);
    }
}
