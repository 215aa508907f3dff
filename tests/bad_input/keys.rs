//! Wrong, missing and damaged keys: of the box, of the archive, and of the links.
//!
//! A key is never guessed and never replaced; what could not be opened stays closed and whole.

use std::path::PathBuf;

use parsurvey_tests::{Survey, copy_folder, moments, run_in};

use crate::{refused, refused_without_people};

/// A closed campaign in which everybody has answered.
async fn closed() -> Survey {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    serving.kill().await;
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    survey
}

/// A key pair of the same campaign that is not the registered one.
async fn another_box_key(survey: &Survey) -> PathBuf {
    let args = ["keygen", "box", "--campaign-id", "example-small", "--out", "elsewhere", "--second-copy", "copy"];
    run_in(survey.folder(), &args).await.done();
    survey.folder().join("elsewhere/example-small-box.key")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_registered_key_opens_the_box() {
    let survey = closed().await;
    let other = another_box_key(&survey).await;
    let archive = survey.data.join("keys/example-small-archive.key");
    let damaged = survey.folder().join("damaged.key");
    let text = std::fs::read_to_string(survey.box_key()).unwrap();
    std::fs::write(&damaged, &text[..text.len() / 2]).unwrap();
    let absent = survey.folder().join("absent.key");
    let public = survey.box_key().with_extension("pub");
    let box_before = std::fs::read(survey.data.join("out/box.sealed")).unwrap();
    for (key, words) in [
        (&other, "fingerprint"),
        (&archive, "help: "),
        (&damaged, "damaged.key"),
        (&absent, "absent.key"),
        (&public, "keygen"),
        (&survey.campaign.join("campaign.toml"), "campaign.toml"),
        (&survey.campaign, "folder"),
    ] {
        let ran = survey.run(&["open", "--key", key.to_str().unwrap()]).await;
        let ran = refused_without_people(ran, 1, &[words]);
        let secret = text.lines().last().unwrap();
        assert!(!ran.stderr.contains(&secret[..secret.len().min(16)]), "no part of a key is quoted:\n{}", ran.stderr);
        refused(survey.run(&["score"]).await, 1, &["has not been opened"]);
    }
    assert!(!survey.data.join("out/tally.json").exists());
    assert_eq!(std::fs::read(survey.data.join("out/box.sealed")).unwrap(), box_before);
    survey.open().await.done();
    survey.run(&["score"]).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_box_is_refused_away_and_written_anew_beside_the_ledger() {
    let survey = closed().await;
    let fresh = survey.folder().join("fresh");
    copy_folder(&survey.data, &fresh);
    let path = survey.data.join("out/box.sealed");
    let key = survey.box_key();
    let archive = fresh.join("out/archive.pub");
    let away = survey.folder().join("away");
    let whole = std::fs::read(&path).unwrap();
    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    for bytes in [&whole[..whole.len() / 2], &altered[..], b"", b"<html>"] {
        std::fs::write(&path, bytes).unwrap();
        let [path, key, archive, away] = [&path, &key, &archive, &away].map(|path| path.to_str().unwrap());
        let args = ["open", "--key", key, "--box", path, "--archive-pub", archive, "--out", away];
        let sha256 = "0".repeat(64);
        refused_without_people(survey.run(&[&args[..], &["--sha256", &sha256]].concat()).await, 1, &["box.sealed"]);
        assert!(!std::path::Path::new(away).join("tally.json").exists());

        survey.open().await.done();
        let score = survey.run(&["score", "--format", "json"]).await.done().json();
        assert_eq!(score["targets"][0]["survey_points"]["exact"], "4/1", "the ledger held every ballot");
        std::fs::remove_dir_all(&survey.data).unwrap();
        copy_folder(&fresh, &survey.data);
    }
}

#[tokio::test]
async fn nothing_is_closed_or_opened_too_early() {
    let mut survey = Survey::small().await;
    survey.set_up().await;
    refused(survey.run(&["close"]).await, 1, &["nobody was invited"]);
    refused(survey.open().await, 1, &["not closed yet", "parsurvey close"]);
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    refused(survey.run(&["close"]).await, 1, &["help: "]);
    refused(survey.open().await, 1, &["not closed yet"]);
    refused(survey.run(&["score"]).await, 1, &["has not been opened"]);
    refused(survey.run(&["report"]).await, 1, &["has not been opened"]);
}

#[tokio::test]
async fn nobody_is_invited_to_a_box_whose_key_was_not_proved() {
    let mut survey = Survey::small().await;
    survey.run(&["init"]).await.done();
    survey.run(&["roster", "import", survey.roster.to_str().unwrap()]).await.done();
    survey.at(moments::INVITATION);
    refused(survey.invite().await, 1, &["key"]);
    assert_eq!(survey.catcher.mails().len(), 0);
    let wrong = survey.campaign.join("units.csv");
    refused(survey.run(&["key", "register", wrong.to_str().unwrap()]).await, 1, &["units.csv", "keygen"]);
    refused(survey.run(&["key", "confirm", "0000-0000-0000-0000-0000"]).await, 1, &["opens no registered key"]);
    let other = ["keygen", "box", "--campaign-id", "another-campaign", "--out", "k", "--second-copy", "kk"];
    run_in(survey.folder(), &other).await.done();
    let foreign = survey.folder().join("k/another-campaign-box.pub");
    refused(survey.run(&["key", "register", foreign.to_str().unwrap()]).await, 1, &["another-campaign"]);
    refused(run_in(survey.folder(), &other).await, 1, &["exists already"]);
}

#[tokio::test]
async fn a_missing_link_key_is_asked_back_and_never_made_anew() {
    let survey = Survey::invited().await;
    let path = survey.data.join("link.key");
    let secret = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for command in [&["status"][..], &["init"], &["serve"]] {
        refused_without_people(survey.run(command).await, 1, &["link.key", "restore it"]);
        assert!(!path.exists(), "a new link key would make every mailed link a dead one");
    }
    for rubbish in ["", "hello\n", &secret[..20]] {
        std::fs::write(&path, rubbish).unwrap();
        let ran = refused_without_people(survey.run(&["status"]).await, 1, &["link.key", "restore it"]);
        assert!(rubbish.is_empty() || !ran.stderr.contains(rubbish.trim()), "{}", ran.stderr);
    }
    std::fs::write(&path, secret).unwrap();
    survey.run(&["status"]).await.done();
}

#[tokio::test]
async fn no_mail_leaves_with_another_campaigns_link_key() {
    let mut survey = Survey::invited().await;
    let other = Survey::ready().await;
    std::fs::copy(other.data.join("link.key"), survey.data.join("link.key")).unwrap();
    survey.at(moments::REMINDER);
    let before = survey.catcher.mails().len();
    refused_without_people(survey.remind().await, 1, &["link.key", "restore"]);
    assert_eq!(survey.catcher.mails().len(), before);
}

#[tokio::test]
async fn mails_that_wait_are_held_to_the_link_key_too() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    // Nothing listens on the port of a catcher that was stopped, so the mails are queued and wait.
    let gone = crate::relays::free_port().to_string();
    survey.run(&["invite", "--smtp", &format!("127.0.0.1:{gone}")]).await.done_with(3);
    let other = Survey::ready().await;
    let right = std::fs::read(survey.data.join("link.key")).unwrap();
    std::fs::copy(other.data.join("link.key"), survey.data.join("link.key")).unwrap();
    refused_without_people(survey.invite().await, 1, &["link.key", "restore"]);
    assert_eq!(survey.catcher.mails().len(), 0);
    std::fs::write(survey.data.join("link.key"), right).unwrap();
    survey.invite().await.done();
    assert_eq!(survey.catcher.mails().len(), 12);
}
