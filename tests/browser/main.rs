//! The form, the status page and the console in a real browser.
//!
//! Nothing here sleeps: time is passed in. Screen readers are not tried, only what they are told.
//! `tests/browser/tools.sh` brings axe-core; Chromium and its driver are Debian's.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod accessible;
mod day;
mod drafts;
mod fill;
mod heard;
mod inapp;
mod late;
mod look;
mod mishaps;
mod office;
mod person;
mod phone;
mod results;
mod scanner;
mod screenshots;
mod several;
mod tour;
mod visits;
mod weight;
