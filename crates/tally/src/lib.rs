//! From opened ballots, or a file of answers, to exact integer counts. Owns the data-frame engine.
//!
//! Counts only: nothing is divided into a mean or a point here, and nothing here opens a ballot or reads a disk.
//! Start with [`counter::Counter`]; [`answers_csv::count_answers`] reads a file of answers, [`mod@file`] writes the tally.

pub mod answers_csv;
pub mod counter;
pub mod file;
mod joint;
mod layout;
mod lines;
pub mod pressure;
