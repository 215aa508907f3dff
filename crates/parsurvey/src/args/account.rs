//! The arguments of `account`.

use clap::Subcommand;
use parsurvey_survey::account::{AccountName, Role};

use super::BecauseArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account. Its set-up secret and its authenticator's address are printed once, to be handed to the person.
    Add {
        /// The name to log in with.
        name: AccountName,
        /// What it is for: operator, coordinator, analyst, data_entry, auditor, administrator or key_holder.
        #[arg(long)]
        role: Role,
        /// A coordinator's unit; once for each.
        #[arg(long = "unit", value_name = "CODE")]
        units: Vec<String>,
        /// The one target whose seats it sees; every target when not named.
        #[arg(long, value_name = "CODE")]
        target: Option<String>,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// The accounts, revoked ones too.
    List,
    /// End an account and all its sessions for good.
    Revoke {
        /// Its name.
        name: AccountName,
        #[command(flatten)]
        because: BecauseArgs,
    },
    /// Let the person set the account up anew, as after a lost telephone; password and sessions end at once.
    Reset {
        /// Its name.
        name: AccountName,
        #[command(flatten)]
        because: BecauseArgs,
    },
}
