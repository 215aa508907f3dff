//! A running form server, found by the address it prints; it ends with the test that started it.

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::Instant;

use crate::Survey;

use crate::program::command;

/// A running `serve`.
pub struct Serving {
    child: Child,
    base: String,
    began: Instant,
}

impl Serving {
    /// Starts it and waits for the line that names its address.
    pub async fn start(args: Vec<String>) -> Self {
        let mut child = command(&args).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let base = loop {
            let line = lines.next_line().await.unwrap().expect("the server says where it listens before it ends");
            if let Some((_, rest)) = line.split_once(" on http://") {
                let address = rest.split_whitespace().next().unwrap();
                break format!("http://{address}");
            }
        };
        // Whatever it says later is read and forgotten, so that a full pipe never stops it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, base, began: Instant::now() }
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Where it listens, as `--listen` takes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
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
