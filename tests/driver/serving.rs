//! A running form server, found by the address it prints; it ends with the test that started it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::Survey;

use crate::program::command;
use crate::running::interrupt;

/// A running `serve`.
pub struct Serving {
    child: Child,
    base: String,
    said: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
    began: Instant,
}

impl Serving {
    /// Starts it and waits for the line that names its address.
    pub async fn start(args: Vec<String>) -> Self {
        Self::start_with(&args, &[]).await
    }

    /// The same, with variables in its environment.
    pub async fn start_with(args: &[String], variables: &[(&str, &str)]) -> Self {
        let mut child = command(args).envs(variables.iter().copied()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(Vec::new()));
        let base = loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| {
                panic!("it ended before it said where it listens: {:?}", said.lock().unwrap());
            });
            let address = line.split_once(" on http").and_then(|(_, rest)| rest.split_whitespace().next());
            let base = address.map(|address| format!("http{address}"));
            said.lock().unwrap().push(line);
            if let Some(base) = base {
                break base;
            }
        };
        // Whatever it says later is read as it comes, so that a full pipe never stops it.
        let heard = Arc::clone(&said);
        let reading = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                heard.lock().unwrap().push(line);
            }
        });
        Self { child, base, began: Instant::now(), said, reading }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where it listens, as `--listen` takes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.split_once("://").expect("the base is a URL").1.to_owned()
    }

    /// What it has said on stderr so far.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id().expect("it has not ended yet")
    }

    /// The largest resident set so far, in megabytes.
    #[must_use]
    pub fn megabytes(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the system counts memory");
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }

    /// Sends it a signal, such as `HUP`.
    pub async fn signal(&self, name: &str) {
        crate::running::signal(self.id(), name).await;
    }

    /// Asks it to stop as Ctrl-C does, waits for its end, and gives what it said.
    pub async fn end(mut self) -> Vec<String> {
        interrupt(self.id()).await;
        self.child.wait().await.unwrap();
        (&mut self.reading).await.unwrap();
        self.said()
    }

    /// The moment that it shows, if it was started at the survey's present one.
    #[must_use]
    pub fn now(&self, survey: &Survey) -> jiff::Timestamp {
        survey.moment() + self.began.elapsed()
    }

    /// Kills it as a power cut would.
    pub async fn kill(mut self) {
        self.stop().await;
    }

    /// The same, for a test that goes on to start another one in its place.
    pub async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }
}
