//! `bounces …` as typed: what came back, from where it is read, and what is asked about it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::BecauseArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum BouncesCommand {
    /// Say of each mail whether it is a bounce, and of whom and why. Needs no campaign and changes nothing.
    Classify {
        /// Mails, mbox files, Maildirs, folders of mails; `-` is stdin.
        #[arg(required = true, value_name = "FILE|-|DIR")]
        inputs: Vec<PathBuf>,
    },
    /// Take what came back into the ledger. Nothing is deleted, and what was read before changes nothing.
    Read(ReadArgs),
    /// What came back, and what it proves.
    List {
        /// Only bounces, complaints and automatic replies that prove nothing: a person should look at them.
        #[arg(long)]
        unmatched: bool,
    },
    /// The seats to which no mail goes: refused and dead addresses, for which the unit is asked for another, and complaints.
    Addresses,
    /// Let mails go to a seat's holder again, although an address was dead or a mail was called unwanted.
    Resume {
        /// The form's number.
        form: i64,
        #[command(flatten)]
        because: BecauseArgs,
    },
}

#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("place").required(true).multiple(true))]
pub(crate) struct ReadArgs {
    /// Mails, mbox files, Maildirs, folders of mails; `-` is stdin.
    #[arg(group = "place", value_name = "FILE|-|DIR")]
    pub(crate) inputs: Vec<PathBuf>,
    /// A mailbox: imaps:// or imap+starttls://, then USER@HOST:PORT/FOLDER, of which the port may be left out.
    #[arg(long, env = "PARSURVEY_IMAP", group = "place", value_name = "URL")]
    pub(crate) imap: Option<String>,
    /// The password of the mailbox's user; without it, the environment's PARSURVEY_IMAP_PASSWORD is used.
    #[arg(long, env = "PARSURVEY_IMAP_PASSWORD_FILE", value_name = "FILE")]
    pub(crate) imap_password_file: Option<PathBuf>,
    /// Believe only servers certified by the authorities in this PEM file, instead of those the system trusts.
    #[arg(long, env = "PARSURVEY_IMAP_CA", value_name = "FILE")]
    pub(crate) imap_ca: Option<PathBuf>,
    /// Mark what was read with this keyword, such as parsurvey-read. Without it the folder is opened read-only.
    #[arg(long, value_name = "KEYWORD", requires = "imap")]
    pub(crate) imap_mark: Option<String>,
}
