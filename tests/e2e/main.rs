//! The whole program from outside, through one driver that speaks the user's language.
//!
//! A test belongs here when it needs the real binary; a rule that can be tested without a process is tested in its crate.
//! Nothing here sleeps: time is passed in.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

/// An operator's acts on people and the calendar.
mod acts;
/// Mails that did not arrive, and the ways back.
mod again;
/// The head of the log outside, and what it catches.
mod anchors;
/// The house itself: floors, lengths, lints, documents.
mod architecture;
/// What comes back by mail, and what it changes.
mod bounces;
/// Whom an auditor calls back, and what the calls prove.
mod callback;
/// Whole campaigns, on both databases.
mod campaign;
/// Letters to units, the order to name people, the digest.
mod chase;
/// The demonstration, once.
mod demo;
/// Sender, relay and recipients before the first mail.
mod doctor;
/// The list after the first invitation.
mod frame;
/// The keys, the opening, and the order in which a survey ends.
mod keys;
/// What addresses that were given up are told.
mod last_words;
/// Lost links, and the erasing of names when their time has come.
mod law;
/// What leaves by mail, how often, and what does not.
mod mails;
/// What people are told of their data, and whom they can ask.
mod notice;
/// The last page, on how the form came to be answered.
mod pressure;
/// The published figures of 2023, without a ledger.
mod published;
/// Ledgers restored from a backup, and second boxes.
mod restored;
mod revise;
/// The hand on the sending: pauses, hours, the first few, other ways, what is due.
mod sending;
/// Certificates, proxies, limits, and whoever is slow.
mod serving;
/// One proposes, another approves.
mod two_people;
