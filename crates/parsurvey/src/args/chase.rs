//! The arguments of `chase` and `digest`.

use clap::{Args, Subcommand};

use super::{BecauseArgs, SmtpArgs};

#[derive(Debug, Subcommand)]
pub(crate) enum ChaseCommand {
    /// Write one letter per unit coordinator, ready to sign (DOCX), and a table over all units.
    Letters(NamesArgs),
    /// Send one letter per unit coordinator by mail, at most one a day. Run again, it sends only what was not sent.
    Send {
        #[command(flatten)]
        names: NamesArgs,
        #[command(flatten)]
        smtp: SmtpArgs,
    },
    /// Record the organiser's order that people may be named in the last wave.
    Order(BecauseArgs),
    /// Who was told what and when.
    Told,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct NamesArgs {
    /// Name the people of whom nothing came back: only on a recorded order, and once the last reminder is due.
    #[arg(long)]
    pub(crate) names: bool,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DigestArgs {
    /// Mail it to the operator, once a day.
    #[arg(long)]
    pub(crate) send: bool,
    #[command(flatten)]
    pub(crate) smtp: SmtpArgs,
}
