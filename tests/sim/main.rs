//! The proof from outside: senders that are killed, against a relay whose journal is the truth.
//!
//! The short form runs with the other tests and prints its seed; the long one is `just sim`. `docs/proof.md` says what is
//! proved and how. Nothing here knows how the program sends.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

/// The ledger's history against the journal.
mod audit;
/// Full disks, held ledgers, clocks set back, servers that crash, processes that sleep.
mod disturbed;
/// Every fault at every stage, by name.
mod faults;
/// Beliefs against the journal.
mod judge;
/// Many campaigns, on request.
mod long;
/// A sender as it is usually written.
mod naive;
/// Start, kill, start again.
mod play;
/// The relay's process.
mod relay;
/// Who is on trial.
mod sender;
/// One or two plays.
mod short;

use std::fmt::Display;
use std::io::Write;

/// Tells what was played, past the test runner, which would keep it to itself: a seed that is not seen repeats nothing.
fn tell(what: &dyn Display) {
    std::io::stderr().lock().write_all(format!("{what}\n").as_bytes()).unwrap();
}
