//! What points are: the criteria tree of a year, the tally of answers, policies, and the exact way from one to the other.
//!
//! Pure: no disk, network, clock, environment, randomness or async, and no float anywhere in points.
//! Start with [`counts::Tally`] (what comes in), [`policy::Policy`] (what was decided) and [`tree::IndexTree`] (what is rated).

pub mod code;
pub mod counts;
pub mod exact;
pub mod policy;
pub mod score;
pub mod tree;
