//! A ledger restored from a backup older than the closing, and a key that is asked to open a second box.
//!
//! Only copies of files are made here; what a backup may reveal is the business of the privacy tests.

use parsurvey_tests::{Survey, copy_folder, moments};

const BECAUSE: [&str; 4] = ["--reason", "the disk was lost", "--document", "5/BB"];

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_ledger_takes_the_surveys_own_tally_and_makes_no_second_one() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    let (early, late) = (survey.addresses()[..11].to_vec(), survey.addresses()[11..].to_vec());
    survey.everybody_answers(&serving, &early, 5).await;
    serving.kill().await;
    let backup = survey.folder().join("backup");
    copy_folder(&survey.data, &backup);
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &late, 1).await;
    serving.kill().await;
    survey.close_and_open().await;
    let score = survey.run(&["score", "--format", "json"]).await.done().stdout;
    let out = survey.data.join("out");
    let results = survey.folder().join("results");
    copy_folder(&out, &results);
    std::fs::remove_dir_all(&survey.data).unwrap();
    copy_folder(&backup, &survey.data);
    copy_folder(&results, &out);
    survey.run(&["close"]).await.done_with(1).says(&["opened before", "--restored"]);
    let (tally, archive) = (out.join("tally.json"), out.join("archive.sealed"));
    let import = ["tally", "import", tally.to_str().unwrap(), "--archive", archive.to_str().unwrap()];
    survey.run(&import).await.done_with(1);
    survey.run(&[&import[..], &["--restored"]].concat()).await.done_with(1).says(&["--reason"]);
    survey.run(&[&import[..], &["--restored"], &BECAUSE].concat()).await.done();
    assert_eq!(survey.run(&["score", "--format", "json"]).await.done().json()["targets"], json(&score)["targets"]);
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert!(log.contains("5 completed, 6 counted"), "the difference stands in the log: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_opens_a_second_box_only_when_told_so() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    serving.kill().await;
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done();
    let note = survey.box_key().with_extension("key.opened");
    std::fs::write(&note, format!("{}\n", "0".repeat(64))).unwrap();
    survey.open().await.done_with(1).says(&["opened another box", "--another-box"]);
    let key = survey.box_key();
    survey.run(&["open", "--key", key.to_str().unwrap(), "--another-box"]).await.done();
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}
