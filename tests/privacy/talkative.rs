//! The program run with its log at its most talkative, its temporary files in a folder that the tests look into.
//!
//! Unlike the driver's own commands these keep what a server says; they do nothing else that the driver does.

use std::path::PathBuf;
use std::process::Stdio;

use parsurvey_tests::{Survey, binary};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// The folder for temporary files.
pub(crate) fn temporary(survey: &Survey) -> PathBuf {
    let path = survey.folder().join("tmp");
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A command that says all it can.
pub(crate) fn talkative(survey: &Survey, args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(survey.arguments(args))
        .env_clear()
        .env("PARSURVEY_LOG", "trace")
        .env("NO_COLOR", "1")
        .env("TMPDIR", temporary(survey))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A form server whose log is kept.
pub(crate) struct Server {
    child: tokio::process::Child,
    /// Where its addresses begin.
    pub(crate) base: String,
    log: tokio::task::JoinHandle<String>,
}

impl Server {
    /// Starts it and waits for the line that names its address.
    pub(crate) async fn start(survey: &Survey) -> Self {
        let mut child = talkative(survey, &["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let base = loop {
            let line = lines.next_line().await.unwrap().expect("the server says where it listens before it ends");
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once(" on http://") {
                break format!("http://{}", rest.split_whitespace().next().unwrap());
            }
        };
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                log.push_str(&line);
                log.push('\n');
            }
            log
        });
        Self { child, base, log }
    }

    /// Asks it to stop and returns its log.
    pub(crate) async fn stop(mut self) -> String {
        let id = self.child.id().expect("it has not ended yet").to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(sent.expect("`kill` is missing: install procps").success());
        self.child.wait().await.unwrap();
        self.log.await.unwrap()
    }
}
