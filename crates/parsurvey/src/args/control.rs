//! The arguments of what two people do, and of the page that counts it.

use clap::Subcommand;

use super::{AuditCommand, BecauseArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ControlCommand {
    /// What a body outside needs to believe the log, and what it finds.
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// How often people were changed after they were invited, by whom, and how often an answer followed at once. Counts only.
    Independence,
    /// The acts that wait for a second person, and what became of the others.
    Proposals {
        /// Only this one, with the values before and after: what its approval would do to whom.
        proposal: Option<i64>,
    },
    /// Carry out what somebody else has proposed; look at it first with `proposals NUMBER`.
    Approve {
        /// The proposal's number.
        proposal: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Refuse what somebody else has proposed.
    Reject {
        /// The proposal's number.
        proposal: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Take back what one has proposed oneself.
    Withdraw {
        /// The proposal's number.
        proposal: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
}
