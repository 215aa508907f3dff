//! The counting of answers from outside, as one binary because each one links the data-frame engine.
//!
//! `published` holds the printed truth of 2023; `counting` the rules of counts; `answers` the reading of CSV files.
//! Nothing here sends, stores or opens anything.

mod answers;
mod counting;
mod fixture;
mod published;
