//! A relay of its own process that fails on purpose and writes down what it witnessed: the truth that a sender is held to.
//!
//! Arguments are `key=value`: `journal=FILE` (needed), `port`, `seed`, `recipients` and `connections` (how many of a
//! thousand meet a fault), `by_name=yes` (faults told by addresses), `late_ms`, `mute_ms`, `drip_ms`, `latency_ms`, `tls=FILE`
//! (offers STARTTLS and writes its root certificate there).
//! It prints `listening ADDRESS:PORT` and then every line of the journal once it is written. The word `calm` on stdin ends
//! the faults; the end of stdin ends the relay. It relays nothing and listens on loopback only.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use parsurvey_rehearsal::catcher::{Catcher, Faults, Identity, Journal, Keep, Script};
use tokio::sync::mpsc;

type Fault = Box<dyn std::error::Error>;

/// What the arguments say.
struct Told(BTreeMap<String, String>);

impl Told {
    fn read() -> Result<Self, Fault> {
        let known = [
            "journal",
            "port",
            "seed",
            "recipients",
            "connections",
            "by_name",
            "late_ms",
            "mute_ms",
            "drip_ms",
            "latency_ms",
            "tls",
        ];
        let mut told = BTreeMap::new();
        for argument in std::env::args().skip(1) {
            let (key, value) = argument.split_once('=').ok_or_else(|| format!("'{argument}' is not key=value"))?;
            if !known.contains(&key) {
                return Err(format!("'{key}' is none of {}", known.join(", ")).into());
            }
            told.insert(key.to_owned(), value.to_owned());
        }
        Ok(Self(told))
    }

    fn number(&self, key: &str, usual: u64) -> Result<u64, Fault> {
        match self.0.get(key) {
            Some(value) => value.parse().map_err(|_| format!("{key}: '{value}' is no number").into()),
            None => Ok(usual),
        }
    }

    fn time(&self, key: &str, usual: u64) -> Result<Duration, Fault> {
        Ok(Duration::from_millis(self.number(key, usual)?))
    }

    fn faults(&self) -> Result<Faults, Fault> {
        Ok(Faults {
            seed: self.number("seed", 0)?,
            recipients: usize::try_from(self.number("recipients", 0)?)?,
            connections: usize::try_from(self.number("connections", 0)?)?,
            by_name: self.0.get("by_name").is_some_and(|value| value == "yes"),
            late: self.time("late_ms", 1000)?,
            mute: self.time("mute_ms", 2000)?,
            drip: self.time("drip_ms", 1000)?,
        })
    }

    /// What is done whether or not there are faults.
    fn script(&self) -> Result<Script, Fault> {
        let mut script = Script::new().latency(self.time("latency_ms", 0)?);
        if let Some(file) = self.0.get("tls") {
            let identity = Identity::of(&["localhost", "127.0.0.1"])?;
            std::fs::write(file, identity.root())?;
            script = script.starttls(&identity);
        }
        Ok(script)
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let told = Told::read()?;
    let path = told.0.get("journal").ok_or("journal=FILE is missing")?;
    let journal = Journal::open(Path::new(path), std::io::stdout())?;
    let port = u16::try_from(told.number("port", 0)?)?;
    let script = told.script()?;
    // Mails are counted, not kept: what matters of them stands in the journal.
    let keep = Keep { at_most: 0, links_only: true };
    let catcher = Catcher::start_with(port, script.clone().faults(told.faults()?), keep, Some(journal)).await?;
    let mut out = std::io::stdout();
    writeln!(out, "listening {}", catcher.address())?;
    out.flush()?;
    let mut words = words();
    while let Some(word) = words.recv().await {
        if word.trim() == "calm" {
            catcher.rescript(script.clone());
        }
    }
    Ok(())
}

/// The lines of stdin; a thread waits for them, because nothing else here may.
fn words() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
