//! The form's server under load, killed at random moments: what was acknowledged is stored, once.
//!
//! The short form runs with the other tests and prints its seed; the long one is `just kills`.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::type_complexity, reason = "tables of names and functions read best in place")]

/// What people were told against what is stored.
mod judge;
/// Many kills, on request; a few in the usual run.
mod kills;
/// People, a server that is killed again and again, and what they were told.
mod play;

use std::fmt::Display;
use std::io::Write;

/// Tells what was played, past the test runner, which would keep it to itself: a seed that is not seen repeats nothing.
fn tell(what: &dyn Display) {
    std::io::stderr().lock().write_all(format!("{what}\n").as_bytes()).unwrap();
}
