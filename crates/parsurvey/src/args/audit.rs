//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::SmtpArgs;

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
}

#[derive(Debug, Clone, Args)]
pub(crate) struct VerifyArgs {
    /// The mails that were kept (.eml, mbox, a folder of them), or the blocks of text in them; - reads stdin.
    #[arg(long, num_args = 1.., value_name = "FILE|-|DIR")]
    pub(crate) anchor: Vec<PathBuf>,
}
