//! Prints the roster of the Hanoi sample, to renew `sample-data/hanoi-2023/roster.csv` when units or groups change.
//!
//! It writes no file: redirect its output.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/hanoi-2023");
    let mut files = BTreeMap::new();
    let mut open = vec![folder.clone()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&folder)?.to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read(&path)?);
            }
        }
    }
    let loaded = parsurvey_survey::campaign::load(&files)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let text = parsurvey_rehearsal::sample::roster(&loaded.campaign, parsurvey_rehearsal::sample::ROSTER_SEED)?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
