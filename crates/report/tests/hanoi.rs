//! The report of the Hanoi 2023 campaign from its folder and the calibrated answers, against the published figures.
//!
//! Points are tested in `index`; here only that the documents print them, in the right place and form.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use parsurvey_index::area_table::index_points;
use parsurvey_index::counts::{
    GroupTally, OptionPercent, OptionTables, QuestionCounts, QuestionTable, ShapeCounts, TALLY_FORMAT, Tally,
};
use parsurvey_index::exact::Exact;
use parsurvey_index::scoring::{ScoredGroup, ScoredTarget, score};
use parsurvey_index::sensitivity::sensitivity;
use parsurvey_report::lang::Lang;
use parsurvey_report::results::{Input, Outcome, Results};
use parsurvey_report::table::{to_csv, to_terminal};
use parsurvey_report::{html, tables, xlsx};
use parsurvey_survey::campaign::{Campaign, load};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder(base: &Path, path: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(path).expect("the campaign folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            folder(base, &path, files);
        } else {
            let name = path.strip_prefix(base).expect("below the folder").to_string_lossy().replace('\\', "/");
            files.insert(name, fs::read(&path).expect("a readable file"));
        }
    }
}

fn campaign() -> Campaign {
    let base = root().join("pipelines/hanoi-2023");
    let mut files = BTreeMap::new();
    folder(&base, &base, &mut files);
    load(&files).expect("the campaign passes its checks").campaign
}

/// Counts the calibrated answers: oriented levels, 5 best.
fn tally(campaign: &Campaign) -> Tally {
    let path = root().join("sample-data/hanoi-2023/answers_all_asked.csv");
    let mut reader = csv::Reader::from_path(path).expect("the answers are there");
    let codes: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let target = campaign.targets[0].code.clone();
    let mut groups: BTreeMap<_, GroupTally> = BTreeMap::new();
    let level = |level: i64| level.to_string().parse().expect("an option code");
    for record in reader.records() {
        let record = record.expect("a record");
        let group = groups.entry(record[0].parse().expect("a group")).or_insert_with(|| GroupTally {
            ballots: 0,
            questionnaire: "province".parse().expect("a code"),
            hidden: None,
            questions: BTreeMap::new(),
            pairs: Vec::new(),
            shape: ShapeCounts::default(),
        });
        group.ballots += 1;
        for (place, code) in codes.iter().enumerate().skip(2) {
            let counts = group.questions.entry(code.parse().expect("a question")).or_insert_with(|| QuestionCounts {
                options: (1..=5).map(|option| (level(option), 0)).collect(),
                ..QuestionCounts::default()
            });
            *counts.options.get_mut(&record[place].parse().expect("an option")).expect("a level of 1 to 5") += 1;
        }
    }
    let options: Vec<OptionPercent> =
        (1..=5).map(|option| OptionPercent { code: level(option), percent_numerator: option * 20 }).collect();
    let questions = codes.iter().skip(2).map(|code| QuestionTable {
        code: code.parse().expect("a question"),
        denominator: 1,
        options: options.clone(),
    });
    let table = OptionTables { version: 1, questions: questions.collect() };
    Tally {
        format: TALLY_FORMAT,
        campaign: campaign.id.clone(),
        synthetic: true,
        k: campaign.limits.k,
        box_sha256: None,
        unreadable: 0,
        questionnaires: BTreeMap::from([("province".parse().expect("a code"), table)]),
        targets: BTreeMap::from([(target, groups)]),
    }
}

fn results() -> Results {
    let campaign = campaign();
    let tally = tally(&campaign);
    let targets: Vec<ScoredTarget> = campaign
        .targets
        .iter()
        .map(|target| ScoredTarget { code: target.code.clone(), has_tree: target.has_tree })
        .collect();
    let groups: Vec<ScoredGroup> = campaign
        .groups
        .iter()
        .map(|group| ScoredGroup {
            code: group.code.clone(),
            feeds: group.feeds,
            frame: group.forms.keys().map(|target| (target.clone(), None)).collect(),
        })
        .collect();
    let scores = score(&tally, &campaign.tree, &targets, &campaign.policy, &groups).expect("the answers score");
    let hanoi = campaign.targets[0].code.clone();
    let others = sensitivity(&tally, &campaign.tree, &hanoi, &campaign.policy, &groups).expect("alternatives");
    let indices = scores.iter().map(|score| index_points(score, &campaign.tree, &campaign.imported[&score.code]));
    let outcome = Outcome {
        policy: campaign.policy.clone(),
        indices: indices.collect(),
        scores,
        alternatives: others.into_iter().map(|other| (hanoi.clone(), other)).collect(),
        inputs: vec![Input { path: "answers_all_asked.csv".into(), sha256: "0".repeat(64) }],
        synthetic: true,
        released: false,
        status: None,
        generated_at: "2024-01-15T10:00:00+07:00".into(),
    };
    Results::new(&campaign, outcome)
}

#[test]
fn the_documents_print_the_published_figures() {
    let results = results();
    let target = &results.targets[0];
    assert_eq!(target.score.survey_points.value().map(Exact::to_string).as_deref(), Some("280105927/15101100"));
    let page = html::html(&results, Lang::Vi).expect("html");
    for figure in [
        "91,43", "64,51", "26,92", "18,55/22", "84,31", "8,37/10", "73,31", "86,30", "81,64", "90,50", "56/63",
        "3,45/4", "3,38/4", "7,61/9", "3,24/4", "0,87/1", "99,33", "94,53", "94,16", "94,05", "85,73", "92,78",
        "90,01", "86,54", "82,94", "89,58", "+1,85", "1,26/1,5", "18,59", "86,98",
    ] {
        assert!(page.contains(&format!(">{figure}")), "{figure}");
    }
    assert!(xlsx::xlsx(&results, Lang::Vi).expect("xlsx").starts_with(b"PK"));
}

#[test]
fn the_group_and_area_tables_fit_an_ordinary_terminal() {
    let results = results();
    for table in [tables::group_table(&results, &results.targets[0]), tables::area_table(&results, &results.targets[0])]
    {
        for width in [80, 100, 120] {
            let text = to_terminal(&table, Lang::Vi, Some(width));
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
        }
    }
}

#[test]
fn what_misses_the_goal_is_listed_with_its_agency() {
    let results = results();
    let csv = to_csv(&tables::below_goal_table(&results, &results.targets[0]), Lang::Vi).expect("csv");
    let codes: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(codes, ["2.4.1", "5.5.2", "5.7.1", "5.7.2", "5.7.4", "6.1.4", "6.3.5"]);
    assert!(csv.contains("Sở Tư pháp") && csv.contains("Sở Nội vụ"), "{csv}");
}
