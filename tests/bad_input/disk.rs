//! A disk that is full while a list is imported or a box is written.
//!
//! Sending on a full disk is tried with the other ways in which sending is disturbed, not here.

use parsurvey_tests::{Survey, on_a_small_disk};

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
