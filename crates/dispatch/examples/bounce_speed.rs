//! How many bounces a second one core reads: every mail of `tests/bounces/`, again and again for some seconds.
//!
//! Run with `cargo run --release -p parsurvey-dispatch --example bounce_speed -- [SECONDS]`. Files are read once before
//! the clock starts, so disk and directory are not measured; the mails are a few kilobytes each, as bounces are.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use parsurvey_dispatch::bounce::classify;

fn main() -> std::io::Result<()> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bounces"))? {
        mails.push(std::fs::read(entry?.path())?);
    }
    let bytes: usize = mails.iter().map(Vec::len).sum();
    let mut rates: Vec<u64> = Vec::new();
    for _ in 0..5 {
        let (mut count, start) = (0u64, Instant::now());
        let mut longest = Duration::ZERO;
        while start.elapsed() < Duration::from_secs(seconds) / 5 {
            for mail in &mails {
                let began = Instant::now();
                std::hint::black_box(classify(std::hint::black_box(mail)));
                longest = longest.max(began.elapsed());
                count += 1;
            }
        }
        let rate = count * 1_000_000 / u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        writeln!(std::io::stdout(), "{rate} mails/s, the slowest {longest:?}")?;
        rates.push(rate);
    }
    rates.sort_unstable();
    let (median, mean) = (rates[rates.len() / 2], bytes / mails.len());
    writeln!(std::io::stdout(), "median of {}: {median} mails/s on one core, {mean} bytes each on average", rates.len())
}
