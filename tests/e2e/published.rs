//! The published figures of 2023, from the answers file to every printed digit, without a ledger.
//!
//! The arithmetic itself is tested in `index` and `tally`; here only that the program's own output carries it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parsurvey_index::exact::Exact;
use parsurvey_tests::{Ran, root, run_in};
use serde_json::Value;

const ALL_ASKED: &str = "sample-data/hanoi-2023/answers_all_asked.csv";
const BY_FORM: &str = "sample-data/hanoi-2023/answers_by_form.csv";

/// A question asked of an answers file, from the project's root.
async fn ask(command: &[&str], answers: &str, more: &[&str]) -> Ran {
    let file = ["--campaign", "pipelines/hanoi-2023", "--answers", answers, "--orientation", "oriented"];
    let args: Vec<&str> = command.iter().chain(&file).chain(more).copied().collect();
    run_in(&root(), &args).await
}

async fn json(command: &[&str], answers: &str, more: &[&str]) -> Value {
    let more: Vec<&str> = more.iter().copied().chain(["--format", "json"]).collect();
    ask(command, answers, &more).await.done().json()
}

fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = root().join("sample-data/hanoi-2023/published").join(name);
    csv::Reader::from_path(path).unwrap().deserialize().map(Result::unwrap).collect()
}

/// The row of a list with this code.
#[track_caller]
fn row<'a>(list: &'a Value, code: &str) -> &'a Value {
    let found = list.as_array().unwrap().iter().find(|row| row["code"] == code);
    found.unwrap_or_else(|| panic!("there is no {code}"))
}

#[track_caller]
fn exact(quantity: &Value) -> Exact {
    quantity["exact"].as_str().unwrap_or_else(|| panic!("no value: {quantity}")).parse().unwrap()
}

/// Holds a quantity to a printed figure, with as many places as it was printed with.
#[track_caller]
fn printed(what: &str, quantity: &Value, figure: &str) {
    if figure.is_empty() {
        assert_eq!(quantity["why"], "absent", "{what}");
        return;
    }
    let places = figure.split_once('.').map_or(0, |(_, digits)| digits.len());
    assert_eq!(exact(quantity).rounded(places), figure, "{what}");
    assert_eq!(quantity["rounded"], exact(quantity).rounded(2), "{what}");
}

/// What holds of both answer files.
fn survey_figures(target: &Value) {
    let sub_criteria = rows("sub_criteria.csv");
    assert_eq!(sub_criteria.len(), 22);
    assert_eq!(target["sub_criteria"].as_array().unwrap().len(), 22);
    for figure in &sub_criteria {
        let code = figure["code"].as_str();
        printed(code, &row(&target["sub_criteria"], code)["points"], &figure["score_2023"]);
    }
    // Area 5 is printed as 7.54 in the table and as 7.61 in the text: only 7.61 fits every sum.
    for (area, figure) in [("2", "3.45"), ("4", "3.38"), ("5", "7.61"), ("6", "3.24"), ("7", "0.87")] {
        printed(area, &row(&target["areas"], area)["points"], figure);
    }
    printed("survey points", &target["survey_points"], "18.55");
    for figure in rows("groups_2023.csv").iter().filter(|figure| !figure["index_percent"].is_empty()) {
        let group = row(&target["groups"], &figure["group"]);
        printed(&figure["group"], &group["percent"], &figure["index_percent"]);
        assert_eq!(group["ballots"].to_string(), figure["respondents"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_survey_figure_of_2023_comes_out_as_printed() {
    let score = json(&["score"], ALL_ASKED, &[]).await;
    assert_eq!(score["format"], 1);
    assert_eq!(score["synthetic"], true);
    assert_eq!(score["released"], false);
    assert_eq!(score["policy"]["name"], "delegates-1-others-2");
    let targets = score["targets"].as_array().unwrap();
    assert_eq!(targets.len(), 1, "the State Bank's own target has no answers in this file");
    assert_eq!(targets[0]["survey_points"]["exact"], "280105927/15101100");
    assert_eq!(targets[0]["groups"].as_array().unwrap().len(), 4);
    survey_figures(&targets[0]);
    let answers = score["inputs"].as_array().unwrap().iter().find(|input| input["path"] == ALL_ASKED).unwrap();
    assert_eq!(answers["sha256"].as_str().unwrap().len(), 64);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_area_table_of_2023_comes_out_as_printed() {
    let index = json(&["index"], ALL_ASKED, &[]).await;
    let target = &index["targets"][0];
    let mut areas = 0;
    for figure in rows("areas_2023.csv") {
        let code = figure["area"].as_str();
        let area = if code == "total" { &target["total"] } else { row(&target["areas"], code) };
        areas += 1;
        for (part, key) in [("appraisal", "appraisal"), ("survey", "survey"), ("sipas", "sipas"), ("total", "points")] {
            let what = format!("{part} of area {code}");
            let score = figure[&format!("{part}_score")].as_str();
            let score = if (code, part) == ("5", "survey") { "7.61" } else { score };
            printed(&what, &area[key], score);
            let maximum = if key == "points" { "maximum".to_owned() } else { format!("{key}_maximum") };
            let figure: Exact = figure[&format!("{part}_max")].parse().unwrap();
            assert_eq!(exact(&area[maximum.as_str()]), figure, "maximum: {what}");
        }
        printed(&format!("percent of area {code}"), &area["percent"], &figure["index_percent"]);
    }
    assert_eq!(areas, 9);
    let total = &target["total"];
    printed("appraisal", &total["appraisal"], "64.51");
    printed("index", &total["points"], "91.43");
    let both = exact(&total["survey"]) + exact(&total["sipas"]);
    assert_eq!(both.rounded(2), "26.92", "survey and SIPAS together");
    let percent = exact(&total["survey"]).checked_div(&exact(&total["survey_maximum"])).unwrap() * Exact::from(100_u64);
    assert_eq!(percent.rounded(2), "84.31", "survey percent");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_by_form_need_their_own_policy_and_then_give_the_same_figures() {
    let policy = ["--policy", "pipelines/hanoi-2023/policy-by-form.toml"];
    let score = json(&["score"], BY_FORM, &policy).await;
    let target = &score["targets"][0];
    assert_eq!(target["survey_points"]["exact"], "1920598543/103550400");
    survey_figures(target);
    let cell = |code: &str, group: &str| row(&row(&target["sub_criteria"], code)["groups"], group)["percent"].clone();
    assert_eq!(cell("5.7.4", "council_delegates")["why"], "not_asked");
    assert_eq!(cell("2.4.1", "division_heads")["why"], "not_asked");
    let names: Vec<&str> =
        score["inputs"].as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert!(names.contains(&policy[1]) && names.contains(&BY_FORM), "{names:?}");

    // Under the campaign's own policy the delegates' blanks in area 5 are an asked group without an answer: no value.
    let score = json(&["score"], BY_FORM, &[]).await;
    let target = &score["targets"][0];
    assert_eq!(target["survey_points"]["why"], "not_determinable");
    assert_eq!(row(&target["areas"], "5")["points"]["why"], "not_determinable");
    assert!(
        row(&target["areas"], "6")["points"]["exact"].is_string(),
        "an area whose questions all were asked has points"
    );
}

/// Every exact number of a tree of JSON, by the codes and keys that lead to it.
fn figures(value: &Value, path: &str, found: &mut BTreeMap<String, Exact>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(exact)) = object.get("exact") {
                found.insert(path.to_owned(), exact.parse().unwrap());
            }
            for (key, value) in object {
                figures(value, &format!("{path}/{key}"), found);
            }
        }
        Value::Array(list) => {
            for (place, value) in list.iter().enumerate() {
                let name = value["code"].as_str().map_or_else(|| place.to_string(), str::to_owned);
                figures(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Copies the answers with one cell changed, and returns by how many levels it went down.
fn lower_one_answer(to: &Path, group: &str, question: &str) -> PathBuf {
    let mut reader = csv::Reader::from_path(root().join(ALL_ASKED)).unwrap();
    let header = reader.headers().unwrap().clone();
    let column = header.iter().position(|name| name == question).unwrap();
    let path = to.join("answers.csv");
    let mut writer = csv::Writer::from_path(&path).unwrap();
    writer.write_record(&header).unwrap();
    let mut changed = 0;
    for record in reader.records().map(Result::unwrap) {
        let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
        if changed == 0 && cells[0] == group && cells[column] == "5" {
            cells[column] = "4".into();
            changed += 1;
        }
        writer.write_record(&cells).unwrap();
    }
    writer.flush().unwrap();
    assert_eq!(changed, 1);
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_answer_moves_every_dependent_figure_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = lower_one_answer(folder.path(), "division_heads", "5.7.4");
    let changed = path.to_str().unwrap();
    let mut before = BTreeMap::new();
    let mut after = BTreeMap::new();
    for command in ["score", "index"] {
        figures(&json(&[command], ALL_ASKED, &[]).await["targets"], command, &mut before);
        figures(&json(&[command], changed, &[]).await["targets"], command, &mut after);
    }
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let moved: BTreeMap<&str, Exact> = before
        .iter()
        .map(|(name, value)| (name.as_str(), after[name].clone() - value.clone()))
        .filter(|(_, difference)| !difference.is_zero())
        .collect();
    // One of 540 heads says 80 instead of 100 percent, in a group that weighs 2 of 7; 1 point of 22, of 9 and of 15.
    let fraction = |text: &str| text.parse::<Exact>().unwrap();
    let expected = [
        ("score/hanoi/groups/division_heads/percent", "-20/11880"),
        ("score/hanoi/sub_criteria/5.7.4/groups/division_heads/percent", "-20/540"),
        ("score/hanoi/sub_criteria/5.7.4/percent", "-40/3780"),
        ("score/hanoi/sub_criteria/5.7.4/points", "-40/378000"),
        ("score/hanoi/areas/5/points", "-40/378000"),
        ("score/hanoi/areas/5/percent", "-40/34020"),
        ("score/hanoi/survey_points", "-40/378000"),
        ("index/hanoi/areas/5/survey", "-40/378000"),
        ("index/hanoi/areas/5/points", "-40/378000"),
        ("index/hanoi/areas/5/percent", "-40/56700"),
        ("index/hanoi/total/survey", "-40/378000"),
        ("index/hanoi/total/points", "-40/378000"),
        ("index/hanoi/total/percent", "-40/378000"),
    ];
    let expected: BTreeMap<&str, Exact> = expected.into_iter().map(|(name, text)| (name, fraction(text))).collect();
    assert_eq!(moved, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_walks_from_counts_to_points() {
    let walk = ask(&["explain", "5.7.4"], ALL_ASKED, &["--lang", "en"]).await.done().stdout;
    let steps = [
        "hanoi · 5.7.4",
        "(1×100 + 31×80 + 46×60 + 14×40 + 2×20) / 94 = 2970/47",
        "(63×100 + 214×80 + 225×60 + 35×40 + 3×20) / 540 = 1919/27",
        "weighted mean over the groups asked",
        "(1×2970/47 + 2×303/4 + 2×1919/27 + 2×80/1) / 7 = 1311739/17766",
        "points = maximum × percent",
        "1 × 1311739/17766 / 100 = 1311739/1776600 ≈ 0.7383423392997861082967465946 ≈ 0.74",
    ];
    let mut rest = walk.as_str();
    for step in steps {
        let (_, after) = rest.split_once(step).unwrap_or_else(|| panic!("'{step}' does not follow in:\n{walk}"));
        rest = after;
    }
    let walk = json(&["explain", "5.7.4"], ALL_ASKED, &[]).await;
    let kinds: Vec<&str> = walk[0]["steps"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    let group = ["question", "group"];
    let expected: Vec<&str> = group.iter().cycle().take(8).copied().chain(["weights", "points"]).collect();
    assert_eq!(kinds, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_named_beside_the_answers_is_shown() {
    let frame = ["--frame", "division_heads=543", "--frame", "council_delegates=94"];
    let score = json(&["score"], ALL_ASKED, &frame).await;
    let frame_of = |code: &str| row(&score["targets"][0]["groups"], code)["frame"].clone();
    assert_eq!(frame_of("division_heads"), 543);
    assert_eq!(frame_of("council_delegates"), 94);
    assert!(frame_of("district_leaders").is_null(), "a frame that nobody named is not guessed");
    assert_eq!(score["targets"][0]["survey_points"]["exact"], "280105927/15101100", "a frame moves no points");
}

/// stderr is for people and names the cure; nothing of a refused question is on stdout.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_cannot_be_answered_ends_with_its_code() {
    let cases: [(&[&str], i32, &str); 8] = [
        (&["score", "--answers", ALL_ASKED], 2, "--orientation"),
        (&["score", "--answers", ALL_ASKED, "--orientation", "sideways"], 2, "as_shown"),
        (&["explain", "9.9.9", "--answers", ALL_ASKED, "--orientation", "oriented"], 1, "9.9.9"),
        (&["score", "--answers", "sample-data/none.csv", "--orientation", "oriented"], 1, "none.csv"),
        (&["score", "--answers", ALL_ASKED, "--orientation", "oriented", "--target", "hue"], 1, "hue"),
        (&["score", "--answers", ALL_ASKED, "--orientation", "oriented", "--frame", "heads"], 2, "GROUP=N"),
        (&["score", "--answers", ALL_ASKED, "--orientation", "oriented", "--frame", "heads=1"], 1, "heads"),
        (&["score", "--frame", "division_heads=543"], 2, "--answers"),
    ];
    for (args, code, word) in cases {
        let args: Vec<&str> = args.iter().copied().chain(["--campaign", "pipelines/hanoi-2023"]).collect();
        let ran = run_in(&root(), &args).await.done_with(code).says(&[word]);
        assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);
    }
}
