//! What the rehearsal's tools promise, tried on loopback. Tests of the whole program stand in the `tests` package instead.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

/// The catcher by itself: what it keeps and how it reads a mail.
mod catcher;
/// The sending of `desk` on a clock that goes on.
mod clocked;
/// Sessions of `dispatch` through guarded doors: TLS, AUTH, and tampering with either.
mod guarded;
/// An outbox in memory and mails to put into it.
mod pile;
/// The sample's roster and answers.
mod sample;
/// The engine of `dispatch` against the catcher: who gets a mail when things go wrong.
mod sending;
/// One session of `dispatch` against relays that speak oddly.
mod session;
/// Signatures of `dispatch` before a verifier that is not ours.
mod signed;
