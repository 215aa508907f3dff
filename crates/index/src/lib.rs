//! What points are: the criteria tree of a year, the tally of answers, policies, and the exact way from one to the other.
//!
//! Pure: no disk, network, clock, environment, randomness or async, and no float anywhere in points.
//! Start with [`counts::Tally`] (what comes in), [`policy::Policy`] (what was decided) and [`tree::IndexTree`] (what is
//! rated); [`scoring::score`] makes points of them, [`area_table::index_points`] the index.

pub mod area_table;
mod cells;
pub mod code;
pub mod counts;
pub mod exact;
pub mod explain;
pub mod finite_sample;
mod fit;
pub mod history;
pub mod merging;
pub mod policy;
pub mod ranking;
pub mod score;
pub mod scoring;
pub mod sensitivity;
pub mod tree;
