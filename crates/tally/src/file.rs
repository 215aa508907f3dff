//! The tally as a file: canonical JSON, so that equal tallies have equal bytes and one hash.
//!
//! Only bytes are made and read; where they lie is the caller's.

use parsurvey_index::counts::{TALLY_FORMAT, Tally};
use parsurvey_index::merging::CountsError;
use serde::Deserialize;

/// Why bytes are not a tally this program can use.
#[derive(Debug, thiserror::Error)]
pub enum TallyError {
    /// No JSON object with a format number.
    #[error("this is not a tally file: {0}; give the file that `open` wrote")]
    NotATally(#[source] serde_json::Error),
    /// Another version of the format.
    #[error("the tally file has format {found}, this program reads format {TALLY_FORMAT}; {}", remedy(*.found))]
    OtherFormat {
        /// The format found.
        found: u64,
    },
    /// The right format, but not its shape.
    #[error("the tally file is damaged: {0}; take a fresh copy of what `open` wrote")]
    Malformed(#[source] serde_json::Error),
    /// The numbers contradict each other.
    #[error("the tally file does not hold together: {0}")]
    Inconsistent(#[from] CountsError),
}

fn remedy(found: u64) -> &'static str {
    if found > u64::from(TALLY_FORMAT) {
        "use a newer version of the program"
    } else {
        "open the box again with this version"
    }
}

/// The canonical bytes of a tally: keys in a fixed order, no spaces, one line feed at the end.
///
/// # Panics
/// Never: a tally holds nothing that JSON cannot say.
#[must_use]
pub fn tally_bytes(tally: &Tally) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(tally).expect("a tally is maps of codes and integers");
    bytes.push(b'\n');
    bytes
}

/// Reads a tally. The format is looked at first, so that a newer file is named as such and not as damaged.
///
/// # Errors
/// The bytes are no tally, of another format, damaged, or their numbers do not fit each other.
pub fn read_tally(bytes: &[u8]) -> Result<Tally, TallyError> {
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    let Head { format } = serde_json::from_slice(bytes).map_err(TallyError::NotATally)?;
    if format != u64::from(TALLY_FORMAT) {
        return Err(TallyError::OtherFormat { found: format });
    }
    let tally: Tally = serde_json::from_slice(bytes).map_err(TallyError::Malformed)?;
    tally.verify()?;
    Ok(tally)
}
