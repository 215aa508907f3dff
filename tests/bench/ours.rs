//! The program itself, timed: a campaign of made-up people whose invitations are sent in one run.
//!
//! The ledger is made once and copied for each run, so that every run finds the same.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use parsurvey_tests::{Survey, binary, copy_folder, moments};

use crate::sink::Sink;

/// A campaign, ready to be sent again and again.
pub(crate) struct Ours {
    survey: Survey,
    fresh: PathBuf,
    mails: u64,
}

/// One run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    /// Mails a second from the start of the process to its end.
    pub(crate) whole: f64,
    /// Mails a second from the first mail to the last.
    pub(crate) flow: f64,
    /// Seconds from the start to the thousandth mail.
    pub(crate) thousandth: f64,
    /// The largest resident set in megabytes.
    pub(crate) megabytes: f64,
}

impl Ours {
    /// A campaign of so many people.
    pub(crate) async fn of(mails: u64) -> Self {
        let mut survey = Survey::small().await;
        survey.with_people(usize::try_from(mails).unwrap());
        survey.set_up().await;
        survey.at(moments::INVITATION);
        let fresh = survey.folder().join("fresh");
        copy_folder(&survey.data, &fresh);
        Self { survey, fresh, mails }
    }

    /// Sends everything over so many connections to a port, behind which the sink is.
    pub(crate) fn send(&self, sink: &Sink, port: u16, connections: usize) -> Timed {
        std::fs::remove_dir_all(&self.survey.data).unwrap();
        copy_folder(&self.fresh, &self.survey.data);
        sink.begin();
        let told = self.survey.folder().join("time");
        let (relay, connections) = (format!("127.0.0.1:{port}"), connections.to_string());
        let words = ["invite", "--smtp", &relay, "--connections", &connections];
        let began = Instant::now();
        let output = Command::new("/usr/bin/time")
            .args(["-v", "-o"])
            .arg(&told)
            .arg(binary())
            .args(self.survey.arguments(&words))
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .expect("`time` is missing: install it (Debian: time)");
        let seconds = began.elapsed().as_secs_f64();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let arrivals = sink.arrived(self.mails);
        assert_eq!(arrivals.mails, self.mails, "every mail arrived once");
        let (first, last) = (arrivals.first.unwrap(), arrivals.last.unwrap());
        let thousandth = arrivals.thousandth.unwrap_or(last).duration_since(began).as_secs_f64();
        let told = std::fs::read_to_string(told).unwrap();
        let size = told.lines().find_map(|line| line.trim().strip_prefix("Maximum resident set size (kbytes): "));
        Timed {
            whole: self.mails as f64 / seconds,
            flow: self.mails as f64 / last.duration_since(first).as_secs_f64(),
            thousandth,
            megabytes: size.unwrap().parse::<f64>().unwrap() / 1024.0,
        }
    }
}
