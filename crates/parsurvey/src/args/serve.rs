//! The arguments of `serve`.

use std::path::PathBuf;

use clap::Args;
use parsurvey_web::{IpNet, network};

use super::SmtpArgs;

#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// Address and port.
    #[arg(long, env = "PARSURVEY_LISTEN", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Also do whatever is due, as `run` does, every minute.
    #[arg(long)]
    pub(crate) send: bool,
    /// Let operators send from the console what is due, over the relay that is named here; `--send` lets them too.
    #[arg(long)]
    pub(crate) console_sends: bool,
    /// Show `/status` and `/chase`, counts of forms by group and unit, to everybody who can reach the server; without it
    /// they are in the console.
    #[arg(long)]
    pub(crate) open_counts: bool,
    /// A proxy, by address or network, whose X-Forwarded-For and X-Forwarded-Proto are believed; may be repeated.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(crate) trusted_proxy: Vec<IpNet>,
    /// A network whose clients no limit by address counts, such as a department behind one address; may be repeated.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub(crate) exempt_network: Vec<IpNet>,
    /// Serve encrypted with this certificate: a PEM file, the server's own certificate first.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key: a PEM file. Both files are read again on SIGHUP.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) smtp: SmtpArgs,
}
