//! Ctrl-C, a termination signal and a power cut at any moment: the next run finishes the work and the state is whole.
//!
//! The moment is chosen by what the process has written so far, as the system counts it, so a run meets every stage of
//! the work however fast the machine is. Sending mail has its own tests.

use std::path::Path;
use std::process::Stdio;

use parsurvey_tests::{Survey, binary, copy_folder, moments};
use tokio::process::Command;

/// The ways to end a process.
const SIGNALS: [&str; 3] = ["KILL", "TERM", "INT"];
/// How many moments between start and end are tried.
const MOMENTS: u64 = 12;

/// How a run ended.
struct Stopped {
    /// The exit code; `None` when a signal ended it.
    code: Option<i32>,
    stderr: String,
    /// Bytes it was seen to have written.
    written: u64,
}

/// Bytes a process has written so far; `None` once it has ended.
fn written(id: u32) -> Option<u64> {
    let counts = std::fs::read_to_string(format!("/proc/{id}/io")).ok()?;
    counts.lines().find_map(|line| line.strip_prefix("wchar: "))?.parse().ok()
}

/// Runs a command and sends it a signal as soon as it has written so much.
async fn stop_after(survey: &Survey, args: &[&str], signal: &str, bytes: u64) -> Stopped {
    let mut child = Command::new(binary())
        .args(survey.arguments(args))
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let id = child.id().unwrap();
    let mut seen = 0;
    while child.try_wait().unwrap().is_none() {
        seen = written(id).unwrap_or(seen).max(seen);
        if seen >= bytes {
            // It may have ended since: then there is nothing left to stop, and `kill` says so to nobody.
            let kill = Command::new("sh")
                .args(["-c", "kill -\"$0\" \"$1\" 2>/dev/null; true", signal, &id.to_string()])
                .status();
            assert!(kill.await.unwrap().success());
            break;
        }
        tokio::task::yield_now().await;
    }
    let output = child.wait_with_output().await.unwrap();
    Stopped { code: output.status.code(), stderr: String::from_utf8(output.stderr).unwrap(), written: seen }
}

fn renew(from: &Path, to: &Path) {
    if to.exists() {
        std::fs::remove_dir_all(to).unwrap();
    }
    copy_folder(from, to);
}

/// Whether any run was stopped before its end; otherwise the moments were no moments.
#[derive(Default)]
struct Seen {
    stopped: u32,
    asked: u32,
}

impl Seen {
    fn add(&mut self, ended: &Stopped, signal: &str) {
        match ended.code {
            Some(0) => {}
            Some(3) => {
                assert_ne!(signal, "KILL");
                assert!(ended.stderr.contains("help: run the command again"), "{}", ended.stderr);
                self.asked += 1;
            }
            // Before it listens for signals, any of them ends it.
            None => self.stopped += 1,
            Some(code) => panic!("ended with {code}:\n{}", ended.stderr),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_stopped_stored_everybody_or_nobody() {
    let survey = Survey::hanoi().await;
    survey.run(&["init", "--self-held"]).await.done();
    let fresh = survey.folder().join("fresh");
    copy_folder(&survey.data, &fresh);
    let import = ["roster", "import", survey.roster.to_str().unwrap()];
    let whole = stop_after(&survey, &import, "KILL", u64::MAX).await.written;
    assert!(whole > 100_000, "an import writes more than {whole} bytes");
    let mut seen = Seen::default();
    for moment in 0..MOMENTS {
        for signal in SIGNALS {
            renew(&fresh, &survey.data);
            let ended = stop_after(&survey, &import, signal, whole * moment / MOMENTS).await;
            seen.add(&ended, signal);
            let forms = survey.status().await["headline"]["all"]["forms"].clone();
            assert!(forms == 0 || forms == 851, "{forms} of 851 after {} bytes", ended.written);
            survey.run(&import).await.done();
            assert_eq!(survey.status().await["headline"]["all"]["forms"], 851);
        }
    }
    assert!(seen.stopped >= 6 && seen.asked >= 2, "{} stopped, {} asked", seen.stopped, seen.asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_is_stopped_can_be_run_again_and_loses_no_ballot() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 5).await;
    serving.kill().await;
    survey.at(moments::AFTER);
    let fresh = survey.folder().join("fresh");
    copy_folder(&survey.data, &fresh);
    let whole = stop_after(&survey, &["close"], "KILL", u64::MAX).await.written;
    assert!(whole > 10_000, "closing writes more than {whole} bytes");
    let mut seen = Seen::default();
    for moment in 0..MOMENTS {
        let signal = SIGNALS[usize::try_from(moment).unwrap() % 3];
        renew(&fresh, &survey.data);
        seen.add(&stop_after(&survey, &["close"], signal, whole * moment / MOMENTS).await, signal);
        survey.run(&["close"]).await.done();
        survey.open().await.done();
        let score = survey.run(&["score", "--format", "json"]).await.done().json();
        assert_eq!(score["targets"][0]["survey_points"]["exact"], "5/1");
        let ballots: u64 = score["targets"][0]["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|group| group["ballots"].as_u64())
            .sum();
        assert_eq!(ballots, 12);
    }
    assert!(seen.stopped + seen.asked >= 3, "{} stopped, {} asked", seen.stopped, seen.asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_that_is_stopped_can_be_run_again() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 3).await;
    serving.kill().await;
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    let fresh = survey.folder().join("fresh");
    copy_folder(&survey.data, &fresh);
    let key = survey.box_key();
    let open = ["open", "--key", key.to_str().unwrap()];
    let whole = stop_after(&survey, &open, "KILL", u64::MAX).await.written;
    let expected = survey.run(&["score", "--format", "json"]).await.done().json();
    let mut seen = Seen::default();
    for moment in 0..MOMENTS {
        let signal = SIGNALS[usize::try_from(moment).unwrap() % 3];
        renew(&fresh, &survey.data);
        seen.add(&stop_after(&survey, &open, signal, whole * moment / MOMENTS).await, signal);
        survey.run(&open).await.done();
        let score = survey.run(&["score", "--format", "json"]).await.done().json();
        assert_eq!(score["targets"], expected["targets"]);
    }
    assert!(seen.stopped + seen.asked >= 3, "{} stopped, {} asked", seen.stopped, seen.asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_init_that_is_stopped_can_be_run_again() {
    let survey = Survey::small().await;
    let init = ["init", "--self-held"];
    let whole = stop_after(&survey, &init, "KILL", u64::MAX).await.written;
    for moment in 0..2 * MOMENTS {
        std::fs::remove_dir_all(&survey.data).unwrap();
        stop_after(&survey, &init, "KILL", whole * moment / (2 * MOMENTS)).await;
        survey.run(&init).await.done();
        let keys = survey.run(&["key", "list", "--format", "json"]).await.done().json();
        assert_eq!(keys.as_array().unwrap().len(), 2, "{keys}");
    }
}
