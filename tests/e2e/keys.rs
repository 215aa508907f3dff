//! The ceremony of the keys, the opening away from the ledger, and the order in which a survey ends.
//!
//! Here no key lies beside the data: box and archive are made in folders that stand for other machines.

use std::path::{Path, PathBuf};

use parsurvey_tests::{Ran, Survey, moments, root, run_in};

const ID: &str = "example-small";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A command on a holder's machine: no campaign, no ledger.
async fn holder(survey: &Survey, args: &[&str]) -> Ran {
    run_in(survey.folder(), args).await
}

/// Makes a box key as two of three shares and an archive key with a second copy.
async fn keygen(survey: &Survey, id: &str, folder: &str) -> PathBuf {
    let make = |role: &'static str, copies: [String; 2]| {
        let id = id.to_owned();
        async move {
            let args = ["keygen", role, "--campaign-id", &id, "--out", folder, &copies[0], &copies[1]];
            holder(survey, &args).await.done().says(&["no back door"])
        }
    };
    let fingerprint = make("box", ["--shares".into(), format!("{folder}/shares")]).await.stdout;
    assert!(!fingerprint.trim().is_empty());
    make("archive", ["--second-copy".into(), format!("{folder}/copy")]).await;
    survey.folder().join(folder)
}

fn share(folder: &Path, number: u8) -> PathBuf {
    folder.join(format!("shares/{ID}-box.share{number}"))
}

/// Plays the ceremony: init, keygen, register, open-test, confirm. Returns the folder of the keys.
async fn ceremony(survey: &Survey) -> PathBuf {
    survey.run(&["init"]).await.done();
    survey.run(&["roster", "import", text(&survey.roster)]).await.done();
    let keys = keygen(survey, ID, "holder").await;
    let public = |role: &str| keys.join(format!("{ID}-{role}.pub"));
    survey.run(&["key", "register", text(&public("box")), text(&public("archive"))]).await.done();
    confirm_box(survey, &keys).await;
    confirm_archive(survey, &keys).await;
    keys
}

async fn confirm_box(survey: &Survey, keys: &Path) {
    let test = survey.data.join("out/test-ballot-box.sealed");
    let (one, three) = (share(keys, 1), share(keys, 3));
    let args = ["key", "open-test", "--key", text(&one), "--key", text(&three), text(&test)];
    let code = holder(survey, &args).await.done().stdout;
    survey.run(&["key", "confirm", code.trim()]).await.done().says(&["box key"]);
}

async fn confirm_archive(survey: &Survey, keys: &Path) {
    let test = survey.data.join("out/test-ballot-archive.sealed");
    let key = keys.join(format!("copy/{ID}-archive.key"));
    let code = holder(survey, &["key", "open-test", "--key", text(&key), text(&test)]).await.done().stdout;
    survey.run(&["key", "confirm", code.trim()]).await.done().says(&["archive key"]);
}

/// The SHA-256 that a command told to people.
fn sha256(ran: &Ran) -> String {
    let (_, rest) = ran.stderr.split_once("SHA-256 ").expect("it tells the box's SHA-256");
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// Everybody answers, and the survey is closed. Returns the SHA-256 of the box as closing told it.
async fn answered_and_closed(survey: &mut Survey) -> String {
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    serving.kill().await;
    survey.at(moments::AFTER);
    sha256(&survey.run(&["close"]).await.done())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_invited_before_both_holders_have_opened_their_test() {
    let mut survey = Survey::small().await;
    survey.run(&["init"]).await.done();
    survey.run(&["roster", "import", text(&survey.roster)]).await.done();
    survey.at(moments::INVITATION);
    survey.invite().await.done_with(1).says(&["no box key is registered", "keygen"]);

    let other = keygen(&survey, "another-survey", "other").await;
    let foreign = other.join("another-survey-box.pub");
    survey.run(&["key", "register", text(&foreign)]).await.done_with(1).says(&["another-survey"]);
    let keys = keygen(&survey, ID, "holder").await;
    let again = ["keygen", "archive", "--campaign-id", ID, "--out", "holder", "--second-copy", "holder/copy"];
    let before = std::fs::read(keys.join(format!("{ID}-archive.key"))).unwrap();
    assert_ne!(holder(&survey, &again).await.code, 0, "a key is never overwritten");
    assert_eq!(std::fs::read(keys.join(format!("{ID}-archive.key"))).unwrap(), before);
    assert!(!keys.join(format!("{ID}-box.key")).exists(), "shares leave no whole copy");
    let copy = std::fs::read(keys.join(format!("copy/{ID}-archive.key"))).unwrap();
    assert_eq!(copy, before, "the second copy is the same key");

    for role in ["box", "archive"] {
        let public = keys.join(format!("{ID}-{role}.pub"));
        survey.run(&["key", "register", text(&public)]).await.done();
    }
    survey.invite().await.done_with(1).says(&["box key has not opened the test ballot"]);
    survey.run(&["key", "confirm", "0000-0000-0000-0000-0000"]).await.done_with(1).says(&["opens no registered key"]);
    let test = survey.data.join("out/test-ballot-box.sealed");
    let wrong = keys.join(format!("{ID}-archive.key"));
    holder(&survey, &["key", "open-test", "--key", text(&wrong), text(&test)]).await.done_with(1);
    let one = share(&keys, 2);
    holder(&survey, &["key", "open-test", "--key", text(&one), text(&test)]).await.done_with(1).says(&["shares"]);
    confirm_box(&survey, &keys).await;
    survey.invite().await.done_with(1).says(&["archive key has not opened the test ballot"]);
    assert_eq!(survey.catcher.counts().taken, 0, "nothing has left so far");
    confirm_archive(&survey, &keys).await;
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    let public = keys.join(format!("{ID}-box.pub"));
    survey.run(&["key", "register", text(&public)]).await.done_with(1).says(&["before the first invitation"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_shares_open_the_box_away_from_the_ledger_and_the_tally_comes_back() {
    let mut survey = Survey::small().await;
    let keys = ceremony(&survey).await;
    let announced = answered_and_closed(&mut survey).await;
    assert_eq!(announced.len(), 64);

    // Another machine: the box, the archive's public key and the shares are all it has.
    let away = survey.folder().join("away");
    std::fs::create_dir(&away).unwrap();
    for name in ["box.sealed", "archive.pub"] {
        std::fs::copy(survey.data.join("out").join(name), away.join(name)).unwrap();
    }
    let shares = [1, 2].map(|number| share(&keys, number));
    let open = async |file: &str, sha256: &str, keys: &[&Path]| {
        let mut args = vec!["open", "--box", file, "--archive-pub", "archive.pub", "--out", "opened"];
        if !sha256.is_empty() {
            args.extend(["--sha256", sha256]);
        }
        for key in keys {
            args.extend(["--key", text(key)]);
        }
        run_in(&away, &args).await
    };
    let other = keygen(&survey, ID, "other").await;
    let nothing = || assert!(!away.join("opened").exists(), "a refused opening writes nothing");
    open("box.sealed", &announced, &[&shares[0]]).await.done_with(1).says(&["shares"]);
    nothing();
    let strange = share(&other, 2);
    open("box.sealed", &announced, &[&shares[0], &strange]).await.done_with(1).says(&["different keys"]);
    let strange = [1, 2].map(|number| share(&other, number));
    open("box.sealed", &announced, &[&strange[0], &strange[1]]).await.done_with(1).says(&["does not open this box"]);
    let archive = keys.join(format!("{ID}-archive.key"));
    open("box.sealed", &announced, &[&archive]).await.done_with(1);
    nothing();
    let mut bytes = std::fs::read(away.join("box.sealed")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(away.join("altered.sealed"), bytes).unwrap();
    open("altered.sealed", &announced, &[&shares[0], &shares[1]]).await.done_with(1).says(&["altered"]);
    let another = "0".repeat(64);
    let unannounced = open("box.sealed", &another, &[&shares[0], &shares[1]]).await.done_with(1);
    unannounced.says(&["not the box that was announced", "by phone or letter"]);
    open("box.sealed", "", &[&shares[0], &shares[1]]).await.done_with(1).says(&["--sha256", &announced]);
    nothing();

    survey.run(&["score"]).await.done_with(1).says(&["has not been opened"]);
    open("box.sealed", &announced, &[&shares[0], &shares[1]]).await.done().says(&["12 ballots opened", "tally import"]);
    let tally = away.join("opened/tally.json");
    let sealed = away.join("opened/archive.sealed");
    refuses_other_tallies(&survey, &tally, &sealed).await;
    let import = ["tally", "import", text(&tally), "--archive", text(&sealed)];
    survey.run(&import).await.done().says(&["ballots are destroyed"]);
    let score = survey.run(&["score", "--format", "json"]).await.done().stdout;
    assert!(score.contains("\"exact\": \"4/1\""), "{score}");
    survey.run(&import).await.done();
    assert_eq!(survey.run(&["score", "--format", "json"]).await.done().stdout, score, "twice changes nothing");
}

/// Another campaign's tally, half a tally, a file that is none, no archive beside it, and something else as the archive.
async fn refuses_other_tallies(survey: &Survey, tally: &Path, sealed: &Path) {
    let json = std::fs::read_to_string(tally).unwrap();
    let other = survey.folder().join("other.json");
    let refused = async |file: &Path, archive: &Path, word: &str| {
        let args = ["tally", "import", text(file), "--archive", text(archive)];
        survey.run(&args).await.done_with(1).says(&[word]);
    };
    std::fs::write(&other, json.replace(ID, "another-survey")).unwrap();
    refused(&other, sealed, "another-survey").await;
    std::fs::write(&other, &json[..json.len() / 2]).unwrap();
    refused(&other, sealed, "other.json").await;
    refused(&survey.roster, sealed, "tally.json").await;
    refused(tally, &survey.folder().join("none.sealed"), "none.sealed").await;
    refused(tally, tally, "archive").await;
    survey.run(&["score"]).await.done_with(1).says(&["has not been opened"]);
}

async fn ends_in_order(mut survey: Survey) {
    survey.set_up().await;
    survey.run(&["close"]).await.done_with(1).says(&["nobody was invited"]);
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 5).await;
    serving.kill().await;
    for question in [vec!["score"], vec!["index"], vec!["explain", "1.1"], vec!["report"]] {
        survey.run(&question).await.done_with(1).says(&["has not been opened"]);
    }
    survey.open().await.done_with(1).says(&["not closed yet"]);
    survey.run(&["close"]).await.done_with(1).says(&["11/01/2024 00:29"]);
    survey.at("2024-01-11T00:29:00+07:00");
    survey.run(&["close"]).await.done_with(1).says(&["forms are accepted until"]);
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    let sealed = std::fs::read(survey.data.join("out/box.sealed")).unwrap();
    survey.run(&["close"]).await.done();
    assert_eq!(std::fs::read(survey.data.join("out/box.sealed")).unwrap(), sealed, "closing twice is harmless");
    survey.run(&["score"]).await.done_with(1).says(&["has not been opened"]);
    survey.invite().await.done_with(1).says(&["closed"]);

    let archive = survey.data.join(format!("keys/{ID}-archive.key"));
    survey.run(&["open", "--key", text(&archive)]).await.done_with(1);
    assert!(!survey.data.join("out/tally.json").exists(), "a wrong key reads no ballot");
    survey.open().await.done().says(&["12 ballots"]);
    let score = survey.run(&["score", "--format", "json"]).await.done().stdout;
    survey.open().await.done().says(&["12 ballots"]);
    survey.run(&["close"]).await.done_with(1).says(&["was opened"]);
    assert_eq!(survey.run(&["score", "--format", "json"]).await.done().stdout, score);
    assert!(score.contains("\"exact\": \"5/1\""), "{score}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_ends_in_order_and_each_step_may_be_repeated() {
    ends_in_order(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_ends_in_order_on_postgresql_too() {
    ends_in_order(Survey::small_on_postgres().await).await;
}

/// Replaces the first `from` of a campaign's file by `to`, and returns what stood there.
fn edit(survey: &Survey, file: &str, from: &str, to: &str) -> String {
    let path = survey.campaign.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {file}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_were_asked_cannot_be_changed_afterwards_and_a_mail_can() {
    let mut survey = Survey::ready().await;
    edit(&survey, "questionnaire.toml", "How clear are the working rules?", "How clear are the rules?");
    survey.run(&["status"]).await.done();
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    for (file, from, to, part) in [
        ("questionnaire.toml", "How clear are the rules?", "How clear are they?", "questionnaires"),
        ("questionnaire.toml", "percent = \"80\"", "percent = \"75\"", "option tables"),
        ("groups.toml", "counted = true", "counted = false", "groups"),
        ("campaign.toml", "k = 5", "k = 4", "thresholds"),
        ("campaign.toml", "frame_date = 2023-12-01", "frame_date = 2023-12-02", "frame date"),
        ("campaign.toml", "Mau Town Office", "Mau Town", "targets"),
    ] {
        let before = edit(&survey, file, from, to);
        for command in [vec!["status"], vec!["remind"], vec!["serve", "--listen", "127.0.0.1:0"]] {
            survey.run(&command).await.done_with(1).says(&["differs from what was frozen", part]);
        }
        std::fs::write(survey.campaign.join(file), before).unwrap();
    }
    assert_eq!(survey.catcher.counts().taken, 12);
    edit(&survey, "templates/reminder.txt", "Chúng tôi chưa nhận được", "Đến nay chúng tôi chưa nhận được");
    // Weights, goal and imported points are not frozen before closing: they decide nothing about who is asked what.
    edit(&survey, "index.toml", "percent = \"80\"", "percent = \"81\"");
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    let mail = survey.catcher.mailbox(&survey.addresses()[0]).pop().unwrap();
    assert!(mail.text().contains("Đến nay chúng tôi"), "a mail's wording may be mended: {}", mail.text());

    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 3).await;
    serving.kill().await;
    survey.close_and_open().await;
    let before =
        edit(&survey, "index.toml", "questions = { q1 = \"2\", q2 = \"1\" }", "questions = { q1 = \"3\", q2 = \"1\" }");
    for command in ["score", "index", "report", "status"] {
        survey.run(&[command]).await.done_with(1).says(&["differs from what was frozen", "index.toml"]);
    }
    std::fs::write(survey.campaign.join("index.toml"), before).unwrap();
    survey.run(&["score"]).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_belongs_to_one_campaign() {
    let survey = Survey::ready().await;
    let data = text(&survey.data).to_owned();
    let hanoi = root().join("pipelines/hanoi-2023");
    let args = ["status", "--campaign", text(&hanoi), "--data", &data];
    run_in(survey.folder(), &args).await.done_with(1).says(&["example-small", "hanoi-2023"]);
    run_in(survey.folder(), &["init", "--campaign", text(&hanoi), "--data", &data]).await.done_with(1);
}
