//! The binary: reads arguments, calls one function of the desk, prints what it answers, and ends with the right code.
//!
//! Exit codes: 0 done, 1 a person must act, 2 wrong usage, 3 not or partly done (run it again).
//! stdout is data, stderr is for people. A rule that can be tested without a process belongs below.

mod args;
mod commands;
mod faults;
mod output;
mod relay;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    init_log();
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("no other provider is installed before the first line of main");
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the system gives no threads ({error}); try again with fewer programs running");
            return ExitCode::from(3);
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Logs go to stderr when PARSURVEY_LOG asks for them; they carry numbers and hashes, never a person.
fn init_log() {
    if let Ok(filter) = std::env::var("PARSURVEY_LOG") {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
            .with_writer(std::io::stderr)
            .init();
    }
}
