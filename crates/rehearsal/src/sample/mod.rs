//! Samples: a roster of people who do not exist, and the answers they give.
//!
//! The same seed gives the same bytes on every machine and with every version of the libraries.
//! Nothing here is drawn from a real list; a name that somebody bears is chance.

mod answers;
pub(crate) mod dice;
mod names;
mod posts;
mod roster;

pub use answers::{SampleAnswers, answer_plan};
pub use roster::{ROSTER_SEED, roster};

/// Why a sample cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// The campaign is not one this sample is for.
    #[error("the sample cannot be made for this campaign: {0}")]
    Campaign(String),
    /// The file of answers is not as expected.
    #[error("the file of sample answers is not as expected: {0}")]
    Answers(String),
    /// There are fewer sample answers than seats that answer.
    #[error("the sample has {rows} answers for the group {group}, none for its seat {seat}")]
    NoMoreAnswers {
        /// The group.
        group: String,
        /// Answers there are.
        rows: usize,
        /// The seat, counted from 0 among those of the group that answer.
        seat: usize,
    },
}
