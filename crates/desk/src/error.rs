//! Why an act was not done, in words for the person who asked, and what they can do about it.
//!
//! No error carries a respondent's name, address or token; a roster's own faults quote its cells to whoever handed it in.

use parsurvey_ledger::LedgerError;
use parsurvey_survey::fault::Fault;

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// What was handed in has faults; nothing was changed.
    #[error("{what} has {} fault(s); nothing was changed", faults.len())]
    Faults {
        /// What was handed in.
        what: String,
        /// Every fault found.
        faults: Vec<Fault>,
    },
    /// A person must decide or mend something first; nothing was changed.
    #[error("{reason}; {remedy}")]
    Refused {
        /// What stands in the way.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// Not done, or done in part; running the same command again continues.
    #[error("{reason}; {remedy}")]
    Unfinished {
        /// What stood in the way.
        reason: String,
        /// What to do.
        remedy: String,
    },
}

impl DeskError {
    /// A refusal.
    pub fn refused(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        DeskError::Refused { reason: reason.into(), remedy: remedy.into() }
    }

    /// Something unfinished.
    pub fn unfinished(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        DeskError::Unfinished { reason: reason.into(), remedy: remedy.into() }
    }

    /// The same error with the place in front of its reason.
    #[must_use]
    pub(crate) fn at(self, place: &str) -> Self {
        match self {
            DeskError::Refused { reason, remedy } => Self::refused(format!("{place}: {reason}"), remedy),
            DeskError::Unfinished { reason, remedy } => Self::unfinished(format!("{place}: {reason}"), remedy),
            faults @ DeskError::Faults { .. } => faults,
        }
    }

    /// An error of the file system, told by what was being done to which file.
    #[must_use]
    pub fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let reason = format!("{doing} {} failed: {error}", path.display());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::unfinished(reason, "free some disk space and run the command again")
            }
            ErrorKind::NotFound => Self::refused(reason, "check the path"),
            ErrorKind::IsADirectory => Self::refused(reason, "this is a folder: name the file in it"),
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                Self::refused(reason, "a file stands where a folder belongs: name another place")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::refused(reason, "check who owns the folder and whether it can be written")
            }
            _ => Self::unfinished(reason, "mend the cause and run the command again"),
        }
    }

    /// The exit code of the command: 1 a person must act, 3 run it again.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            DeskError::Faults { .. } | DeskError::Refused { .. } => 1,
            DeskError::Unfinished { .. } => 3,
        }
    }
}

impl From<LedgerError> for DeskError {
    fn from(error: LedgerError) -> Self {
        // The ledger's own texts end with the remedy, after the last semicolon.
        let text = error.to_string();
        let without = if matches!(error, LedgerError::Database(_)) {
            "check the disk and the database, then run the command again"
        } else {
            "look at `parsurvey status` and decide anew"
        };
        let (reason, remedy) = text.rsplit_once("; ").unwrap_or((&text, without));
        match error {
            LedgerError::NotFound(_)
            | LedgerError::NotALedger(_)
            | LedgerError::Newer { .. }
            | LedgerError::ReadOnly
            | LedgerError::Damaged(_)
            | LedgerError::Conflict(_) => Self::refused(reason, remedy),
            LedgerError::Locked
            | LedgerError::DiskFull
            | LedgerError::Unreachable
            | LedgerError::Meanwhile(_)
            | LedgerError::Database(_) => Self::unfinished(reason, remedy),
        }
    }
}
