//! The arithmetic from outside, as one binary.
//!
//! `rules` holds small tables, one rule each; `properties` what is true of every tally; `world` the pieces both build on.
//! Printed figures of a real year are tested where answers are counted, not here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod properties;
mod rules;
mod values;
mod world;
