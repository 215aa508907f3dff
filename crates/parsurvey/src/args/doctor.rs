//! The arguments of `doctor` and `seed`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::SmtpArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) smtp: SmtpArgs,
    /// Leave the relay alone and check DNS only.
    #[arg(long)]
    pub(crate) no_relay: bool,
    /// An address from which the relay sends to the world; the relay's own where it is public and none is named.
    #[arg(long, value_name = "IP")]
    pub(crate) sends_from: Vec<IpAddr>,
    /// The name under which the relay signs with the sender's domain, where this program does not sign.
    #[arg(long, value_name = "SELECTOR", conflicts_with = "dkim_key")]
    pub(crate) relay_selector: Option<String>,
    /// The domain where bounces go; the sender's when not named.
    #[arg(long, value_name = "DOMAIN")]
    pub(crate) return_path: Option<String>,
    /// Read a zone file instead of asking DNS; with --resolver too, what the file does not know is asked there.
    #[arg(long, value_name = "FILE")]
    pub(crate) zone: Vec<PathBuf>,
    /// Ask this DNS server instead of the system's.
    #[arg(long, value_name = "IP[:PORT]", value_parser = server)]
    pub(crate) resolver: Option<SocketAddr>,
    /// Seconds that an answer of DNS or relay may take.
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(1..=60))]
    pub(crate) patience: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SeedCommand {
    /// Record where a trial mail to one's own mailbox at this domain was found.
    Record {
        /// The domain.
        domain: String,
        /// Where it was.
        #[arg(value_enum)]
        result: Landed,
    },
    /// The mailboxes of seeds.csv, and what was last recorded of their domains.
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Landed {
    Inbox,
    Spam,
    Missing,
}

/// `IP:PORT`, or `IP` for port 53.
fn server(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.trim_matches(['[', ']']).parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
    text.parse().or_else(|_| alone()).map_err(|_| "give IP or IP:PORT, such as 127.0.0.1:5353".to_owned())
}
