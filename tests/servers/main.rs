//! The program among real servers on loopback: Postfix relays and bounces, postgrey greylists, Dovecot keeps mailboxes.
//!
//! Each test has servers of its own, with their own folder and ports, which end with it; nothing of the system's own
//! configuration is read or changed. Postfix starts as root only, so these tests do too. A missing server fails them.
//! Nothing is awaited by sleeping: the servers say in their logs what has happened.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

/// A process of a test's own, and what it says.
mod daemon;
/// A name server that knows one key and no host.
mod dns;
/// Postfix, postgrey and Dovecot.
mod house;
/// Mailboxes that refuse, break off, or are read in another way.
mod mailbox;
/// Real reports, from the invitation to the list of what came back.
mod reports;
/// TLS and signatures as others see them.
mod signed;
