//! The counting of answers from outside, as one binary because each one links the data-frame engine.
//!
//! `published` holds the printed truth of 2023; `counting` the rules of counts; `answers` the reading of CSV files.
//! Nothing here sends, stores or opens anything.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod counting;
mod fixture;
mod published;
