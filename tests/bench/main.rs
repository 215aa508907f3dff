//! How fast mails leave, beside what else sends mails on this machine, in the same run. `just bench-send` runs it.
//!
//! It is a measurement and no test: it asserts that every mail arrived, and prints the rest. Options are `key=number`:
//! `mails`, `connections`, `rounds` (medians of so many), `many` (mails of the run whose memory is taken: a
//! list has 99,999 people at most; 0 leaves it out).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that fails says so and ends")]

mod delay;
mod ours;
mod sink;

use std::collections::BTreeMap;
use std::time::Duration;

use ours::{Ours, Timed};
use sink::Sink;

/// Bytes of an invitation of the sample campaign as it leaves.
const BYTES: usize = 4400;

/// The round trip of the slow way.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// Connections of the slow way.
const SLOW_CONNECTIONS: usize = 10;

fn asked() -> BTreeMap<String, u64> {
    let usual = [("mails", 20_000), ("connections", 32), ("rounds", 5), ("many", 99_999)];
    let mut asked = BTreeMap::from(usual.map(|(key, value)| (key.to_owned(), value)));
    for word in std::env::args().skip(1) {
        let (key, value) = word.split_once('=').expect("key=number");
        *asked.get_mut(key).unwrap_or_else(|| panic!("'{key}' is no option")) = value.parse().expect("a number");
    }
    asked
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What was measured, each as often as there were rounds.
#[derive(Default)]
struct Measured {
    ceiling: Vec<f64>,
    nodemailer: Vec<f64>,
    smtplib: Vec<f64>,
    ours: Vec<Timed>,
    slow: Vec<Timed>,
}

#[tokio::main]
async fn main() {
    let asked = asked();
    let (mails, connections) = (asked["mails"], usize::try_from(asked["connections"]).unwrap());
    let sink = Sink::start();
    let far = delay::proxy(sink.port, ROUND_TRIP).await.unwrap();
    let (whole, few) = (Ours::of(mails).await, Ours::of((mails / 10).clamp(200, 2000)).await);
    let mut measured = Measured::default();
    // One of each in turn, so that whatever else this machine does falls on all of them alike.
    for _ in 0..asked["rounds"] {
        measured.ceiling.push(sink::smtp_source(&sink, mails, connections, BYTES));
        sink.arrived(mails);
        measured.nodemailer.push(sink::nodemailer(&sink, mails.min(5000), connections, BYTES));
        measured.smtplib.push(sink::smtplib(&sink, mails.min(1000), BYTES));
        measured.ours.push(whole.send(&sink, sink.port, connections));
        measured.slow.push(tokio::task::block_in_place(|| few.send(&sink, far.port(), SLOW_CONNECTIONS)));
    }
    measured.print(mails, connections);
    if asked["many"] > 0 {
        let many = Ours::of(asked["many"]).await.send(&sink, sink.port, connections);
        println!(
            "{} mails queued: {:.0} MB at most, {:.0} mails/s from start to end (wanted: under 150 MB)",
            asked["many"], many.megabytes, many.whole
        );
    }
}

impl Measured {
    fn print(self, mails: u64, connections: usize) {
        let of = |timed: &[Timed], what: fn(&Timed) -> f64| median(timed.iter().map(what).collect());
        let (ceiling, nodemailer) = (median(self.ceiling), median(self.nodemailer));
        let (whole, flow) = (of(&self.ours, |timed| timed.whole), of(&self.ours, |timed| timed.flow));
        println!("{mails} mails, {connections} connections, medians:");
        let rate = |what: &str, value: f64| {
            println!("  {what:<58} {value:>8.0} mails/s  {:>5.2} of the first", value / ceiling)
        };
        rate("smtp-source to smtp-sink, nothing kept", ceiling);
        rate("nodemailer's pool", nodemailer);
        rate("Python's smtplib, one connection", median(self.smtplib));
        rate("parsurvey invite, durable, from start to end", whole);
        rate("parsurvey invite, durable, from first mail to last", flow);
        println!(
            "  of smtp-source: {:.2} (wanted: 0.4); of nodemailer's pool: {:.1} (wanted: 4)",
            whole / ceiling,
            whole / nodemailer
        );
        println!("  memory: {:.0} MB at most", of(&self.ours, |timed| timed.megabytes));
        println!("  the first thousand had left after {:.2} s", of(&self.ours, |timed| timed.thousandth));
        println!(
            "  at {} ms round trip over {SLOW_CONNECTIONS} connections: {:.0} mails/s, from first mail to last {:.0} (wanted: 100)",
            ROUND_TRIP.as_millis(),
            of(&self.slow, |timed| timed.whole),
            of(&self.slow, |timed| timed.flow)
        );
    }
}
