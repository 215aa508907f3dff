//! What people hand in wrongly, and what they are told: the program names the fault, its place and the remedy, and
//! loses nothing.
//!
//! Nothing here sleeps: time is passed in, and a process is stopped by what it has done, never after a while.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod anchors;
mod answers;
mod campaigns;
mod disk;
mod keys;
mod ledgers;
mod names;
mod posts;
mod relays;
mod rosters;
mod stops;
mod wire;

use parsurvey_tests::Ran;

/// Words that only a programmer would know: none may stand in a message.
const DEBUG_OUTPUT: [&str; 10] =
    ["panicked", "unwrap", "Some(", "None", "Err(", "Ok(", "Error {", "kind:", "RUST_BACKTRACE", "src/"];

/// A refusal as a person may expect it: the code, the words, a remedy, no debug output, and nobody's address.
#[track_caller]
fn refused(ran: Ran, code: i32, words: &[&str]) -> Ran {
    let ran = ran.done_with(code).says(words);
    let remedy = ["help: ", "Usage: ", "]; "].iter().any(|sign| ran.stderr.contains(sign));
    assert!(remedy, "no remedy in:\n{}", ran.stderr);
    for debug in DEBUG_OUTPUT {
        assert!(!ran.stderr.contains(debug), "'{debug}' is in:\n{}", ran.stderr);
    }
    ran
}

/// As [`refused`], where nobody's name or address may be told either.
#[track_caller]
fn refused_without_people(ran: Ran, code: i32, words: &[&str]) -> Ran {
    let ran = refused(ran, code, words);
    for person in ["@thitranmau.example", "Nguyễn Văn An", "/f/"] {
        assert!(!ran.stderr.contains(person), "'{person}' is in:\n{}", ran.stderr);
    }
    ran
}
