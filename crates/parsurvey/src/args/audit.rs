//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{BecauseArgs, SmtpArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the log against the anchors that a body outside kept. Without anchors it fails: they alone prove anything.
    Verify(VerifyArgs),
    /// Mail the head of the log to the address outside, once a day; `run` and `serve --send` do so by themselves.
    Anchor {
        #[command(flatten)]
        smtp: SmtpArgs,
    },
    /// The heads of the log that were mailed outside.
    Anchors,
    /// Draw completed people whom an outside body may ask whether they answered themselves and freely.
    Callback(CallbackArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The mails that were kept (.eml, mbox, a folder of them), or the blocks of text in them; - reads stdin.
    #[arg(long, num_args = 1.., value_name = "FILE|-|DIR")]
    pub(crate) anchor: Vec<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct CallbackArgs {
    #[command(subcommand)]
    pub(crate) command: Option<CallbackCommand>,
    /// How many are drawn.
    #[arg(long, required = true, value_name = "N")]
    pub(crate) n: Option<usize>,
    /// The auditor's seed, such as a throw of dice; the same seed over the same list draws the same people.
    #[arg(long, required = true, value_name = "TEXT")]
    pub(crate) seed: Option<String>,
    /// Let each group give its share.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(crate) by: Option<DrawnBy>,
    #[command(flatten)]
    pub(crate) because: BecauseArgs,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum CallbackCommand {
    /// Record what the call about a form of the latest draw gave.
    Record {
        /// The form's number.
        form: i64,
        /// What the person said.
        #[arg(long, value_enum)]
        outcome: Outcome,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// What the calls gave, and with 95 % confidence how many of all would not confirm at most.
    Summary,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DrawnBy {
    Group,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    /// Answered themselves and freely.
    Confirmed,
    /// Did not answer, or not themselves, or not freely.
    Denied,
    /// Could not be reached.
    NotReached,
    /// Would not say.
    Refused,
}
