//! Commands around sending: the operator's hand on it, and what became of the mails.

use std::path::PathBuf;

use clap::Subcommand;

use super::{BecauseArgs, Kind, SmtpArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum SendingCommand {
    /// Do whatever is due now, and say what comes next: for a timer. Run twice, it does nothing twice.
    Run {
        #[command(flatten)]
        smtp: SmtpArgs,
    },
    /// What became of every mail.
    Mails {
        /// Only mails in this state: one as printed, or waiting, unknown, failed or sent.
        #[arg(long)]
        state: Option<String>,
        /// The whole history of one mail, by its number.
        #[arg(long, conflicts_with = "state", value_name = "MAIL")]
        history: Option<i64>,
    },
    /// Who was not mailed by a contact, and why.
    Unmailed {
        /// Which contact.
        #[arg(value_enum, default_value_t = Kind::Invitation)]
        kind: Kind,
        /// Which reminder wave.
        #[arg(long, default_value_t = 1)]
        wave: u32,
    },
    /// Pause all sending of the campaign, from any terminal: at most the one mail per connection that is in hand still leaves.
    Pause {
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Let sending go on after a pause.
    Resume {
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Let go of the mails that are held back behind the first few.
    LetGo {
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Send a contact's mail with a dummy link to the campaign's own mailboxes, or say that somebody has looked at it there.
    Canary {
        /// Which contact.
        #[arg(value_enum, default_value_t = Kind::Invitation)]
        kind: Kind,
        /// It was looked at, and may go to people; needs --reason.
        #[arg(long)]
        seen: bool,
        #[command(flatten)]
        because: BecauseArgs,
        #[command(flatten)]
        smtp: SmtpArgs,
    },
    /// Settle mails of which nobody knows whether they left.
    Settle {
        /// The mail's number (see `mails --state unknown`).
        #[arg(required_unless_present = "relay_log", conflicts_with = "relay_log", requires = "said")]
        mail: Option<i64>,
        /// The relay took it.
        #[arg(long, group = "said")]
        taken: bool,
        /// The relay never had it: it is sent again.
        #[arg(long, group = "said")]
        never_taken: bool,
        /// The relay's own log: every unknown mail whose Message-ID stands in it was taken.
        #[arg(long, value_name = "FILE")]
        relay_log: Option<PathBuf>,
        #[command(flatten)]
        because: BecauseArgs,
    },
}
