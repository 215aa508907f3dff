//! What an attacker finds, and does not find: in the open ledger, in the closed one, and after the opening.
//!
//! The attacker has database, files, write-ahead logs, backups, logs and mails, but no key. Every absence is shown by a
//! search that finds the same thing where it does stand. What is not claimed is in `docs/threat-model.md`.
//! Nothing here sleeps: time is passed in.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]
#![expect(clippy::print_stdout, reason = "what an attacker found is shown as a table")]
#![expect(clippy::type_complexity, reason = "tables of names and functions read best in place")]

/// Guessing who gave which response, over many campaigns, and the same where a wall is missing.
mod attacker;
/// The sealed box and its order.
mod closed;
mod drafts;
/// The table of what is found where.
mod findings;
/// Link tokens and the files that hold secrets.
mod links;
/// What is searched for, in every notation it could stand in.
mod needles;
/// The open ledger.
mod open;
/// After the opening.
mod opened;
/// Names and addresses.
mod people;
/// Many small campaigns in this process.
mod play;
/// One campaign through the real program, with everything it leaves behind.
mod record;
/// Every row of every table, hidden columns included.
mod rows;
/// The program with its log wide open.
mod talkative;
