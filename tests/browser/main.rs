//! The form, the status page and the console in a real browser.
//!
//! Nothing here sleeps: time is passed in. Screen readers are not tried, only what they are told.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod drafts;
mod fill;
mod look;
mod mishaps;
mod office;
mod person;
mod screenshots;
mod tour;
mod visits;
