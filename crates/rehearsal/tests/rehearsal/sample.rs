//! The Hanoi sample: the committed roster is the generated one, and its people answer as the calibrated file says.
//!
//! That these answers make the published points is tested where points are made, not here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parsurvey_index::code::{GroupCode, SubCriterionCode, TargetCode};
use parsurvey_index::exact::Exact;
use parsurvey_rehearsal::sample::{ROSTER_SEED, SampleError, answer_plan, roster};
use parsurvey_survey::campaign::{self, Campaign};
use parsurvey_survey::roster::{ReadOptions, read};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn hanoi() -> Campaign {
    let folder = project().join("pipelines/hanoi-2023");
    let mut files = BTreeMap::new();
    let mut open = vec![folder.clone()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    campaign::load(&files).unwrap().campaign
}

fn code<C: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> C {
    text.parse().unwrap()
}

#[test]
fn the_committed_roster_is_the_generated_one() {
    let committed = std::fs::read_to_string(project().join("sample-data/hanoi-2023/roster.csv")).unwrap();
    let generated = roster(&hanoi(), ROSTER_SEED).unwrap();
    // Not assert_eq: 851 rows of difference help nobody.
    let differs = committed.lines().zip(generated.lines()).position(|(a, b)| a != b);
    assert_eq!(differs, None, "renew it with `cargo run -p parsurvey-rehearsal --example roster`");
    assert!(committed == generated);
}

#[test]
fn the_roster_reads_without_a_word_and_has_the_groups_of_the_source() {
    let campaign = hanoi();
    let text = roster(&campaign, ROSTER_SEED).unwrap();
    let reading = read("roster.csv", text.as_bytes(), &campaign, &ReadOptions::default());
    assert_eq!((&reading.faults, &reading.warnings, &reading.repaired), (&vec![], &vec![], &vec![]));
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut units: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for row in &reading.rows {
        *sizes.entry(row.group.as_str()).or_default() += 1;
        units.entry(row.group.as_str()).or_default().insert(row.unit.as_str());
        assert!(row.email.expose().ends_with(".example"));
    }
    let expected = [
        ("council_delegates", 94, 1),
        ("department_leaders", 80, 22),
        ("district_leaders", 102, 30),
        ("division_heads", 543, 22),
        ("state_bank_branch", 32, 1),
    ];
    let got: Vec<(&str, usize, usize)> =
        sizes.iter().map(|(group, size)| (*group, *size, units[group].len())).collect();
    assert_eq!(got, expected);
    assert_eq!(reading.rows.len(), 851);
}

#[test]
fn another_seed_gives_other_people() {
    let campaign = hanoi();
    assert_ne!(roster(&campaign, 1).unwrap(), roster(&campaign, 2).unwrap());
}

/// The percent of each chosen option is the level of the file, also where the question is about a bad thing.
#[test]
fn chosen_options_are_worth_the_calibrated_levels() {
    let campaign = hanoi();
    let target: TargetCode = code("hanoi");
    let text = std::fs::read_to_string(project().join("sample-data/hanoi-2023/answers_all_asked.csv")).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let mut seats: BTreeMap<&str, usize> = BTreeMap::new();
    let mut checked = 0;
    for cells in lines {
        let seat = seats.entry(cells[0]).or_default();
        let group: GroupCode = code(cells[0]);
        let questionnaire = campaign.questionnaire(&target, &group).unwrap();
        let plan: BTreeMap<_, _> = answer_plan(&campaign, &target, &group, *seat).unwrap().into_iter().collect();
        for question in questionnaire.questions() {
            let sub_criterion: &SubCriterionCode = question.sub_criterion.as_ref().unwrap();
            let column = header.iter().position(|name| *name == sub_criterion.as_str()).unwrap();
            let level: i64 = cells[column].parse().unwrap();
            let option = question.options.iter().find(|option| option.code == plan[&question.code]).unwrap();
            assert_eq!(option.percent, Exact::from(level * 20), "{} {}", cells[0], question.code);
            checked += 1;
        }
        *seat += 1;
    }
    assert_eq!(checked, 816 * 22);
    let beyond = answer_plan(&campaign, &target, &code("division_heads"), 540);
    assert!(matches!(beyond, Err(SampleError::NoMoreAnswers { rows: 540, seat: 540, .. })));
}

#[test]
fn the_state_bank_answers_every_question_and_not_all_alike() {
    let campaign = hanoi();
    let (target, group) = (code("sbv"), code("state_bank_branch"));
    let questions = campaign.questionnaire(&target, &group).unwrap().questions().count();
    let plans: Vec<_> = (0..32).map(|seat| answer_plan(&campaign, &target, &group, seat).unwrap()).collect();
    assert!(plans.iter().all(|plan| plan.len() == questions));
    assert_eq!(plans[7], answer_plan(&campaign, &target, &group, 7).unwrap());
    assert!(plans.iter().any(|plan| *plan != plans[0]));
}
