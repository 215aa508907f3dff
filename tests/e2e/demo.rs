//! The demonstration from outside: one whole campaign of 851 people, and what it leaves behind.
//!
//! One test only, because one run is long; whatever needs a finished campaign of that size is asked of its folder.

use std::path::Path;

use parsurvey_tests::{Ran, root, run_in};
use serde_json::{Value, json};

/// A moment after the campaign's end.
const AFTER: &str = "2024-02-01T08:00:00+07:00";

async fn ask(folder: &Path, args: &[&str]) -> Ran {
    let place = ["--campaign", "demo/campaign", "--data", "demo/data", "--now", AFTER];
    let args: Vec<&str> = args.iter().chain(&place).copied().collect();
    run_in(folder, &args).await
}

/// The headline of 2023 as the status tells it.
fn headline() -> Value {
    let share = |completed: u32, forms: u32| json!({"completed": completed, "forms": forms});
    json!({"counted": share(816, 819), "able": share(816, 816), "all": share(848, 851)})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_runs_the_whole_campaign() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    refuses_a_folder_of_somebody_else(here).await;

    let out = here.join("demo");
    std::fs::create_dir_all(out.join("data")).unwrap();
    std::fs::write(out.join(".parsurvey-demo"), "made by an earlier demonstration").unwrap();
    std::fs::write(out.join("data/left-over.txt"), "of an earlier demonstration").unwrap();
    let ran = run_in(here, &["demo", "--out", "demo", "--format", "json"]).await.done().says(&[
        "851 prenotices",
        "851 invitations",
        "reminders",
        "report.vi.html",
        "report.vi.xlsx",
        "SYNTHETIC SAMPLE",
    ]);
    assert!(!out.join("data/left-over.txt").exists(), "an earlier demonstration is replaced");
    let told = ran.json();
    assert_eq!(told["status"]["headline"], headline());
    figures(&told["score"], &told["index"]);
    rows_of_the_status(&told["status"]);
    the_folder_can_be_asked(here, &told).await;
}

async fn refuses_a_folder_of_somebody_else(here: &Path) {
    let work = here.join("work");
    std::fs::create_dir(&work).unwrap();
    std::fs::write(work.join("thesis.txt"), "years").unwrap();
    let ran = run_in(here, &["demo", "--out", "work"]).await.done_with(1).says(&["not made by a demonstration"]);
    assert!(ran.stdout.is_empty());
    assert_eq!(std::fs::read_dir(&work).unwrap().count(), 1, "nothing was touched");
    assert_eq!(std::fs::read_to_string(work.join("thesis.txt")).unwrap(), "years");
}

/// The points that 848 sealed ballots give are those of the calibrated answers, digit by digit.
fn figures(score: &Value, index: &Value) {
    assert_eq!(score["synthetic"], true);
    let hanoi = &score["targets"][0];
    assert_eq!(hanoi["code"], "hanoi");
    assert_eq!(hanoi["survey_points"]["exact"], "280105927/15101100");
    assert_eq!(hanoi["survey_points"]["rounded"], "18.55");
    let groups: Vec<[String; 4]> = hanoi["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            let word = |value: &Value| value.to_string().trim_matches('"').to_owned();
            [word(&group["code"]), word(&group["frame"]), word(&group["ballots"]), word(&group["percent"]["rounded"])]
        })
        .collect();
    let expected = [
        ["council_delegates", "94", "94", "73.31"],
        ["department_leaders", "80", "80", "86.30"],
        ["division_heads", "543", "540", "81.64"],
        ["district_leaders", "102", "102", "90.50"],
    ];
    assert_eq!(groups, expected.map(|row| row.map(str::to_owned)), "the State Bank is in no figure of the province");
    assert_eq!(score["targets"][1]["code"], "sbv");
    assert_eq!(score["targets"][1]["groups"][0]["ballots"], 32);
    let total = &index["targets"][0]["total"];
    assert_eq!(total["points"]["rounded"], "91.43");
    assert_eq!(total["appraisal"]["rounded"], "64.51");
    assert_eq!(total["sipas"]["exact"], "16733/2000");
}

fn rows_of_the_status(status: &Value) {
    let rows = status["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    let sum = |key: &str| rows.iter().map(|row| row[key].as_u64().unwrap()).sum::<u64>();
    let keys = ["listed", "invited", "rejected", "unknown", "completed", "excused", "outstanding"];
    assert_eq!(keys.map(sum), [851, 851, 0, 0, 848, 3, 0]);
    let heads = rows.iter().find(|row| row["key"] == "division_heads").unwrap();
    assert_eq!((&heads["listed"], &heads["excused"]), (&json!(543), &json!(3)));
}

/// The folder that is left is a campaign like any other.
async fn the_folder_can_be_asked(here: &Path, told: &Value) {
    let status = ask(here, &["status", "--format", "json"]).await.done().json();
    assert_eq!(status["headline"], headline());
    assert_eq!(status["rows"], told["status"]["rows"]);
    let score = ask(here, &["score", "--format", "json"]).await.done().json();
    assert_eq!(score["targets"], told["score"]["targets"]);
    let walk = ask(here, &["explain", "5.7.4"]).await.done().stdout;
    assert!(walk.contains("(63×100 + 214×80 + 225×60 + 35×40 + 3×20) / 540 = 1919/27"), "{walk}");
    let paths = ask(here, &["report", "--lang", "en", "--out", "report"]).await.done().stdout;
    assert_eq!(paths.lines().collect::<Vec<_>>(), ["report/report.en.html", "report/report.en.xlsx"]);
    let page = std::fs::read_to_string(here.join("report/report.en.html")).unwrap();
    for figure in ["91.43", "64.51", "18.55", "816/819", "816/816", "848/851"] {
        assert!(page.contains(figure), "{figure} is not in the report");
    }

    // The same points as from the file of answers, which needs no ledger.
    let answers = root().join("sample-data/hanoi-2023/answers_all_asked.csv");
    let args = ["score", "--answers", answers.to_str().unwrap(), "--orientation", "oriented", "--format", "json"];
    let from_file = ask(here, &args).await.done().json();
    assert_eq!(from_file["targets"][0]["sub_criteria"], score["targets"][0]["sub_criteria"]);
    ask(here, &["close"]).await.done_with(1);
}

/// What the README tells a newcomer to type is a command of this program, and a file that can be run.
#[test]
fn the_two_commands_of_the_readme_exist() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for line in ["cargo run --release -- demo", "./test.sh"] {
        assert!(readme.lines().any(|written| written.starts_with(line)), "'{line}' is not a line of the README");
    }
    assert!(root().join("test.sh").is_file(), "the README's second command is a script of the project");
}
