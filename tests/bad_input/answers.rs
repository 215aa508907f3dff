//! Answer files that cannot be counted: each fault by line and column, and no number printed.
//!
//! They need no ledger, so a faulty file can cost nothing but the time to read it.

use parsurvey_tests::{Ran, Survey, root};

use crate::refused;

/// Scores the published answers with some of their lines changed.
async fn score(change: impl FnOnce(&mut Vec<String>), options: &[&str]) -> Ran {
    let survey = Survey::hanoi().await;
    let source = root().join("sample-data/hanoi-2023/answers_all_asked.csv");
    let text = std::fs::read_to_string(source).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let file = survey.folder().join("answers.csv");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut args = vec!["score", "--answers", file.to_str().unwrap()];
    args.extend(options);
    survey.run(&args).await
}

const ORIENTED: [&str; 2] = ["--orientation", "oriented"];

#[tokio::test]
async fn each_fault_of_an_answers_file_is_named_with_its_line() {
    let ran = score(
        |lines| {
            lines[1] = lines[1].replacen(",4,", ",6,", 1);
            lines[2] = lines[2].replacen("council_delegates", "councillors", 1);
            lines[3] = lines[3].replacen("council_delegates", "", 1);
            lines[4].push_str(",5");
            let last = lines[5].len() - 1;
            lines[5].replace_range(last.., "five");
        },
        &ORIENTED,
    )
    .await;
    let ran = refused(ran, 1, &["answers.csv:2", "answers.csv:3", "answers.csv:4", "answers.csv:5", "answers.csv:6"]);
    let ran = ran.says(&["'6' is not a level", "'councillors'", "The cell is empty", "cells", "'five'", "5 fault(s)"]);
    assert!(ran.stdout.is_empty(), "no number of a faulty file is printed:\n{}", ran.stdout);
}

#[tokio::test]
async fn an_unknown_code_and_a_missing_group_are_named() {
    let ran = score(|lines| lines[0] = lines[0].replacen("5.7.4", "5.7.9", 1), &ORIENTED).await;
    assert!(refused(ran, 1, &["5.7.9", "5.7.4"]).stdout.is_empty());
    let ran = score(|lines| lines.retain(|line| !line.starts_with("council_delegates")), &ORIENTED).await;
    assert!(refused(ran, 1, &["council_delegates", "no line"]).stdout.is_empty());
    let ran = score(|lines| lines[0] = lines[0].replacen("group,", "", 1), &ORIENTED).await;
    assert!(refused(ran, 1, &["group"]).stdout.is_empty());
    let ran = score(Vec::clear, &ORIENTED).await;
    assert!(refused(ran, 1, &["empty"]).stdout.is_empty());
}

#[tokio::test]
async fn the_orientation_is_never_guessed() {
    let ran = score(|_| {}, &[]).await.done_with(2).says(&["--orientation"]);
    assert!(ran.stdout.is_empty());
    score(|_| {}, &["--orientation", "upwards"]).await.done_with(2).says(&["oriented", "as_shown"]);
    score(|_| {}, &["--orientation", "oriented", "--frame", "nonsense"]).await.done_with(2).says(&["GROUP=N"]);
    score(|_| {}, &ORIENTED).await.done();
}
