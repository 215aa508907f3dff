//! A disk that is full while a list is imported or a box is written.
//!
//! A small file system of its own is mounted for one shell alone and vanishes with it. Without the right to mount, these
//! tests fail and say so: a full disk cannot be tried otherwise.

use parsurvey_tests::{Survey, binary, root};
use tokio::process::Command;

/// What a shell on a small file system said.
struct Told {
    lines: Vec<String>,
    stderr: String,
}

/// Runs a script with an 8 MB file system at `$SMALL`; `run` in it is the program with the survey's arguments, whose
/// data folder lies on that file system.
async fn on_a_small_disk(survey: &Survey, script: &str) -> Told {
    let small = survey.folder().join("small");
    std::fs::create_dir(&small).unwrap();
    let mut args = survey.arguments(&[]);
    let place = args.iter().position(|arg| arg == "--data").unwrap();
    args[place + 1] = small.join("data").to_str().unwrap().to_owned();
    let setup = format!(
        "mount -t tmpfs -o size=8m tmpfs \"$SMALL\" || {{ echo 'no right to mount'; exit 77; }}\n\
         fill() {{ cat /dev/zero > \"$SMALL/fill\" 2>/dev/null; truncate -s -$1 \"$SMALL/fill\"; }}\n\
         run() {{ \"$PROGRAM\" \"$@\" {}; }}\n",
        args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" ")
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &(setup + script)])
        .env("SMALL", &small)
        .env("PROGRAM", binary())
        .env("ROSTER", root().join("sample-data/hanoi-2023/roster.csv"))
        .output()
        .await
        .expect("`unshare` is missing: install util-linux");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_ne!(
        output.status.code(),
        Some(77),
        "these tests need the right to mount (root, or user namespaces): {stderr}"
    );
    assert!(!stdout.is_empty(), "the script did not run: {stderr}");
    Told { lines: stdout.lines().map(str::to_owned).collect(), stderr }
}

#[tokio::test]
async fn an_import_that_fills_the_disk_is_undone_whole_and_can_be_repeated() {
    let survey = Survey::hanoi().await;
    let told = on_a_small_disk(
        &survey,
        "run init --self-held 2>/dev/null || exit 1
         for room in 0 20000 40000 65536 98304 131072; do
             fill $room
             run roster import \"$ROSTER\" > \"$SMALL/data/out/said\"; echo \"import $?\"
             rm \"$SMALL/fill\"
             echo \"forms $(run status --format json | grep -A 2 '\"all\"' | grep -o '[0-9]*$')\"
         done
         run roster import \"$ROSTER\" > /dev/null; echo \"import $?\"
         echo \"forms $(run status --format json | grep -A 2 '\"all\"' | grep -o '[0-9]*$')\"",
    )
    .await;
    let (last, full) = told.lines.split_at(told.lines.len() - 2);
    assert_eq!(full, ["import 0", "forms 851"], "{:?}\n{}", told.lines, told.stderr);
    for pair in last.chunks(2) {
        assert_eq!(pair, ["import 3", "forms 0"], "{:?}\n{}", told.lines, told.stderr);
    }
    assert_eq!(last.len(), 12);
    assert_eq!(told.stderr.matches("no room is left").count(), 6, "{}", told.stderr);
    assert_eq!(told.stderr.matches("  help: make room and try again").count(), 6, "{}", told.stderr);
}

#[tokio::test]
async fn a_report_that_does_not_fit_leaves_no_half_file() {
    let survey = Survey::hanoi().await;
    let told = on_a_small_disk(
        &survey,
        "answers=$(dirname \"$ROSTER\")/answers_all_asked.csv
         report() { run report --answers \"$answers\" --orientation oriented --out \"$SMALL\" > /dev/null; }
         fill 4096; report; echo \"report $?\"; ls \"$SMALL\" | grep -c report
         rm \"$SMALL/fill\"; report; echo \"report $?\"; ls \"$SMALL\" | grep -c report",
    )
    .await;
    assert_eq!(told.lines, ["report 3", "0", "report 0", "2"], "{}", told.stderr);
    assert!(told.stderr.contains("help: free some disk space and run the command again"), "{}", told.stderr);
}
