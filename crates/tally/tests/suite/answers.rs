//! Reading a file of answers: what it takes, and that every fault is said with its line.
//!
//! The published files are read in `published`; here are the bad ones.

use std::io::{Cursor, Read};

use parsurvey_index::counts::Tally;
use parsurvey_survey::fault::Fault;
use parsurvey_tally::answers_csv::{AnswersError, AnswersFile, FAULTS_SHOWN, Orientation, count_answers};
use parsurvey_tally::counter::Frame;

use crate::fixture::{GROUPS, frame, hanoi, tree};

fn read_from(reader: impl Read, orientation: Orientation, frame: Frame) -> Result<Tally, Vec<Fault>> {
    let (target, tree) = (hanoi(), tree());
    let file = AnswersFile { name: "answers.csv", orientation, target: &target, tree: &tree };
    count_answers(reader, &file, frame).map_err(|error| match error {
        AnswersError::Faults(faults) => faults,
        AnswersError::Count(error) => panic!("{error}"),
    })
}

/// A frame of two questions (an ordinary one and one that states something bad) so that tables stay readable.
fn small() -> Frame {
    let mut frame = frame(&[("council_delegates", "5")]);
    frame.k = 1;
    for tables in frame.questionnaires.values_mut() {
        tables.questions.retain(|table| ["2.4.1", "5.2.4"].contains(&table.code.as_str()));
    }
    for groups in frame.targets.values_mut() {
        groups.retain(|group, _| GROUPS[..2].contains(&group.as_str()));
        for asked in groups.values_mut() {
            asked.questions.retain(|code| ["2.4.1", "5.2.4"].contains(&code.as_str()));
        }
    }
    frame
}

/// Each fault as `line field code`.
fn check(text: impl AsRef<[u8]>, expected: &[&str]) {
    let faults =
        read_from(Cursor::new(text.as_ref().to_vec()), Orientation::Oriented, small()).err().unwrap_or_default();
    let found: Vec<_> = faults.iter().map(|f| format!("{} {} {}", f.line, f.field, f.code)).collect();
    assert_eq!(found, expected, "{faults:#?}");
    assert!(faults.iter().all(|f| f.file == "answers.csv" && !f.reason.is_empty() && !f.remedy.is_empty()));
}

const GOOD: &str = "group,respondent,2.4.1,5.2.4\ncouncil_delegates,1,5,\ndepartment_leaders,1,no_opinion,5\n";

#[test]
fn a_good_file_has_no_fault() {
    check(GOOD, &[]);
    check(format!("\u{feff}{}", GOOD.replace('\n', "\r\n")), &[]);
    check(GOOD.replace(",5,\n", ", 5 ,\n\n"), &[]);
}

#[test]
fn faults_of_the_header() {
    let with = |header: &str| GOOD.replacen("group,respondent,2.4.1,5.2.4", header, 1);
    check("", &["0  no-answers"]);
    check(GOOD.replace(',', ";"), &["1  wrong-separator"]);
    check(with("grp,respondent,2.4.1,5.2.4"), &["1 group missing-column", "1 grp unknown-code"]);
    check(with("group,respondent,2.4.1,9.9.9"), &["1 5.2.4 missing-column", "1 9.9.9 unknown-code"]);
    check(with("group,respondent,2.4.1,2.4.1"), &["1 2.4.1 duplicate-column", "1 5.2.4 missing-column"]);
    check(b"group,respondent,2.4.1,5.2.4,\xff\n", &["1  not-utf8"]);
    check(
        "<html><body>no table</body></html>",
        &[
            "1 group missing-column",
            "1 respondent missing-column",
            "1 2.4.1 missing-column",
            "1 2.4.1 missing-column",
            "1 5.2.4 missing-column",
            "1 <html><body>no table</body></html> unknown-code",
        ],
    );
}

#[test]
fn every_fault_of_the_rows_at_once() {
    let rows = "department_leaders,2,6,5\n\
        mayors,1,5,5\n\
        ,1,5,5\n\
        council_delegates,1,5,\n\
        council_delegates,7,5,4\n\
        department_leaders,3,5\n\
        department_leaders,,5.0,none\n";
    check(
        format!("{GOOD}{rows}"),
        &[
            "4 2.4.1 unknown-level",
            "5 group unknown-group",
            "6 group missing-group",
            "7 respondent duplicate-respondent",
            "8 5.2.4 not-asked",
            "9  ragged-row",
            "10 respondent missing-respondent",
            "10 2.4.1 unknown-level",
            "10 5.2.4 unknown-level",
        ],
    );
    let mut bytes = GOOD.as_bytes().to_vec();
    bytes.extend(b"department_leaders,4,\xc3,5\n");
    check(bytes, &["4 2.4.1 not-utf8"]);
    let from_excel = format!("{GOOD}department_leaders,2,6,5\ndepartment_leaders,3,5\n").replace('\n', "\r\n");
    check(from_excel, &["4 2.4.1 unknown-level", "5  ragged-row"]);
}

#[test]
fn a_group_without_a_line_is_a_fault() {
    check("group,respondent,2.4.1,5.2.4\ndepartment_leaders,1,5,5\n", &["0 group group-without-answers"]);
}

/// Here 2.4.1 shows its best option as "1", and 5.2.4, which states something bad, as "5".
#[test]
fn orientation_decides_what_a_level_means() {
    let chosen = |orientation, group: &str, question: &str| {
        let tally = read_from(GOOD.as_bytes(), orientation, small()).unwrap();
        let counts = &tally.targets[&hanoi()][&group.parse().unwrap()].questions[&question.parse().unwrap()];
        counts.options.iter().find(|(_, n)| **n == 1).map(|(code, _)| code.to_string())
    };
    for (group, question, oriented, as_shown) in [
        ("council_delegates", "2.4.1", Some("1"), Some("5")),
        ("department_leaders", "5.2.4", Some("5"), Some("5")),
        ("department_leaders", "2.4.1", None, None),
    ] {
        assert_eq!(chosen(Orientation::Oriented, group, question).as_deref(), oriented, "{question}");
        assert_eq!(chosen(Orientation::AsShown, group, question).as_deref(), as_shown, "{question}");
    }
    let none = "sideways".parse::<Orientation>().unwrap_err();
    assert!(none.to_string().contains("oriented"));
}

#[test]
fn reading_stops_after_a_thousand_faults() {
    let rows: String = (2..5000).map(|n| format!("department_leaders,{n},6,6\n")).collect();
    let faults = read_from(Cursor::new(format!("{GOOD}{rows}")), Orientation::Oriented, small()).unwrap_err();
    assert_eq!((faults.len(), faults[FAULTS_SHOWN].code), (FAULTS_SHOWN + 1, "too-many-faults"));
}

/// An unclosed quotation mark must not pull an endless file into memory.
#[test]
fn a_record_without_end_is_refused() {
    let endless = GOOD.as_bytes().chain(b"department_leaders,\"2".as_slice()).chain(std::io::repeat(b'\n'));
    let faults = read_from(endless, Orientation::Oriented, small()).unwrap_err();
    assert_eq!(faults.iter().map(|f| f.code).collect::<Vec<_>>(), ["unreadable"]);
}
