//! Official letters (công văn) as DOCX, in the form of Nghị định 30/2020/NĐ-CP, Phụ lục I: ready to number, sign and stamp.
//!
//! The same letter gives the same bytes: no clock, no random number, no id that depends on what was written before. The
//! form is prescribed in Vietnamese, so there is no other language here. Nothing of an answer comes near this module.

mod chase;
mod form;
mod pack;

pub use chase::{ChaseLetter, ChaseSummary, NamedPerson, UnitCounts, chase_letter, chase_summary};
