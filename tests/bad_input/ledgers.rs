//! Ledgers that are held, read-only, newer, somebody else's or gone.
//!
//! The ledger's own tests hold its error variants; here is what a person at the command line sees.

use std::time::{Duration, Instant};

use parsurvey_tests::{Survey, copy_folder, root};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::{refused, refused_without_people};

async fn connection(survey: &Survey) -> SqliteConnection {
    let path = survey.data.join("ledger.sqlite");
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

fn remove_ledger(survey: &Survey) {
    for ending in ["", "-wal", "-shm"] {
        let path = survey.data.join(format!("ledger.sqlite{ending}"));
        if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

const EXCUSE: [&str; 8] = ["excuse", "1", "--category", "ill", "--reason", "in hospital", "--document", "12/BNV"];

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_in_use_is_waited_for_and_then_told() {
    let survey = Survey::ready().await;
    let mut other = connection(&survey).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let began = Instant::now();
    let ran = survey.run(&EXCUSE).await;
    let waited = began.elapsed();
    refused_without_people(ran, 3, &["in use by another process", "try again"]);
    assert!(waited >= Duration::from_secs(5), "gave up after {waited:?}");
    assert!(waited < Duration::from_secs(25), "waited for {waited:?}");
    // Reading goes on meanwhile, and the refused act left nothing behind.
    assert_eq!(survey.status().await["rows"][0]["excused"], 0);

    // An act that finds the ledger free before its patience ends is done.
    let waiting = survey.begin(&EXCUSE);
    other.execute("ROLLBACK").await.unwrap();
    waiting.end().await.done();
    assert_eq!(survey.status().await["rows"][0]["excused"], 1);
    other.close().await.unwrap();
}

#[tokio::test]
async fn a_newer_ledger_is_left_alone() {
    let survey = Survey::ready().await;
    let mut other = connection(&survey).await;
    other
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (99990101, 'later', 1, x'00', 0)",
        )
        .await
        .unwrap();
    for command in [&["status"][..], &["init"], &EXCUSE] {
        let ran = survey.run(command).await;
        refused_without_people(ran, 1, &["ledger.sqlite", "format 99990101", "use the newer program"]);
    }
    other.execute("DELETE FROM _sqlx_migrations WHERE version = 99990101").await.unwrap();
    other.close().await.unwrap();
    assert_eq!(survey.status().await["headline"]["all"]["forms"], 12, "nothing was lost");
}

#[tokio::test]
async fn what_is_no_ledger_is_told_apart_and_never_overwritten() {
    let survey = Survey::ready().await;
    let path = survey.data.join("ledger.sqlite");
    for bytes in [b"Danh s\xC3\xA1ch, not a database at all".repeat(200), Vec::new()] {
        remove_ledger(&survey);
        std::fs::write(&path, &bytes).unwrap();
        refused(survey.run(&["status"]).await, 1, &["ledger.sqlite", "not a parsurvey ledger", "--data"]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    remove_ledger(&survey);
    let mut other = connection(&survey).await;
    other.execute("CREATE TABLE accounts (number INTEGER)").await.unwrap();
    other.close().await.unwrap();
    for command in ["status", "init"] {
        refused(survey.run(&[command]).await, 1, &["ledger.sqlite", "it holds other tables"]);
    }
}

#[tokio::test]
async fn a_missing_ledger_names_the_folder_and_init() {
    let survey = Survey::small().await;
    let folder = survey.data.display().to_string();
    for command in [&["status"][..], &["close"], &["score"], &["invite"], &["serve"]] {
        refused(survey.run(command).await, 1, &["no ledger", &folder, "--data", "parsurvey init"]);
    }
    assert!(!survey.data.exists(), "a question makes no folder");
}

#[tokio::test]
async fn another_campaigns_data_folder_is_refused() {
    let survey = Survey::ready().await;
    let other = root().join("pipelines/hanoi-2023");
    let mut args = survey.arguments(&["status"]);
    let place = args.iter().position(|arg| arg == "--campaign").unwrap();
    args[place + 1] = other.to_str().unwrap().to_owned();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = parsurvey_tests::run_in(survey.folder(), &args).await;
    refused_without_people(ran, 1, &["example-small", "hanoi-2023", "--data"]);
}

/// Runs a command as a user who may read everything and write nothing, as a mounted backup is.
async fn run_read_only(survey: &Survey, args: &[&str]) -> parsurvey_tests::Ran {
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,ro,bind \"$0\" && exec \"$@\"";
    let output = tokio::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(&survey.data)
        .arg(parsurvey_tests::binary())
        .args(survey.arguments(args))
        .output()
        .await
        .expect("`unshare` is missing: install util-linux");
    parsurvey_tests::Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_told() {
    let survey = Survey::ready().await;
    for command in [&EXCUSE[..], &["init"], &["status"]] {
        let ran = run_read_only(&survey, command).await;
        refused_without_people(ran, 1, &[survey.data.to_str().unwrap(), "permission"]);
    }
    assert_eq!(survey.status().await["rows"][0]["excused"], 0);
}

#[tokio::test]
async fn a_file_where_the_data_folder_belongs_is_told() {
    let survey = Survey::small().await;
    std::fs::write(&survey.data, "a note").unwrap();
    refused(survey.run(&["init"]).await, 1, &[survey.data.to_str().unwrap(), "name another place"]);
    assert_eq!(std::fs::read_to_string(&survey.data).unwrap(), "a note");
}

#[tokio::test]
async fn a_changed_campaign_is_refused_after_the_first_invitation() {
    let survey = Survey::invited().await;
    let path = survey.campaign.join("questionnaire.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("Rất tốt", "Tuyệt vời", 1)).unwrap();
    let ran = survey.run(&["status"]).await;
    refused_without_people(ran, 1, &["questionnaires", "put the folder back"]);
    std::fs::write(&path, text).unwrap();
    assert_eq!(survey.status().await["rows"][0]["invited"], 6);
}

#[tokio::test]
async fn init_can_be_run_again_and_changes_nothing() {
    let survey = Survey::ready().await;
    let copy = survey.folder().join("copy");
    copy_folder(&survey.data, &copy);
    survey.run(&["init", "--self-held"]).await.done();
    for file in ["link.key", "keys/example-small-box.key", "keys/example-small-box.pub"] {
        assert_eq!(std::fs::read(copy.join(file)).unwrap(), std::fs::read(survey.data.join(file)).unwrap(), "{file}");
    }
    assert_eq!(survey.status().await["headline"]["all"]["forms"], 12);
}
