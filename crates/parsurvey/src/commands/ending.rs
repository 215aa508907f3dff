//! `close`, `open`, `tally import`: the end of a survey.

use std::path::{Path, PathBuf};

use parsurvey_desk::opening::{OpenOptions, Opened, look_at_box, open_box_file};
use parsurvey_index::tree::Text;
use parsurvey_report::table::{Cell, Column, Table};
use parsurvey_survey::ballot_box::BallotCounts;
use parsurvey_survey::key::{KeyRole, PublicKey};

use super::{Done, because, desk, now, plain};
use crate::args::{BecauseArgs, Global};
use crate::faults::Failure;
use crate::output::{Output, write};

pub(crate) async fn close(global: &Global) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let closed = desk.close(&plain(global, "close"), now).await?;
    eprintln!("closed; the box for the key holder: {}", closed.file.display());
    eprintln!("  SHA-256 {}", closed.sha256);
    if !closed.untold.is_empty() {
        let forms: Vec<String> = closed.untold.iter().map(ToString::to_string).collect();
        let what = "the address that was given up was not told so, or perhaps was not";
        eprintln!("warning: {what} (form {})", forms.join(", "));
        eprintln!("  help: no mail tells it any more; tell whoever held the form by another way");
    }
    Output::of(global).table(&ballots(&closed.ballots))?;
    Ok(0)
}

fn ballots(counts: &BallotCounts) -> Table {
    let text = |vi: &str, en: &str| Text { vi: vi.into(), en: en.into() };
    let mut table = Table::new(
        "ballots",
        text("Phiếu trong hòm", "Ballots in the box"),
        vec![
            Column::left("target", text("Đối tượng đánh giá", "Target")),
            Column::left("group", text("Nhóm", "Group")),
            Column::right("ballots", text("Số phiếu", "Ballots")),
        ],
    );
    for (target, groups) in counts {
        for (group, n) in groups {
            table.push(vec![Cell::Text(target.to_string()), Cell::Text(group.to_string()), Cell::Count(Some(*n))]);
        }
    }
    table
}

pub(crate) async fn open_here(global: &Global, keys: &[PathBuf], options: &OpenOptions) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let opened = desk.open_here(keys, options, &plain(global, "open"), now).await?;
    eprintln!("{} ballots opened and destroyed; results: `parsurvey score`", opened.ballots);
    eprintln!("  the archive for its holder: {}", opened.archive.display());
    tell_pressure(&opened);
    eprintln!("  destroy the key only when tally and archive are verified and stand in a newer backup");
    write(&format!("{}\n{}\n", opened.tally.display(), opened.archive.display()))?;
    Ok(0)
}

pub(crate) fn open_away(file: &Path, keys: &[PathBuf], archive: &Path, options: &OpenOptions, out: &Path) -> Done {
    let text =
        std::fs::read_to_string(archive).map_err(|error| parsurvey_desk::DeskError::io("reading", archive, &error))?;
    let wrong = |why: String| Failure::Told(1, format!("{}: {why}", archive.display()));
    let key = PublicKey::from_file(&text).map_err(|error| wrong(error.to_string()))?;
    if key.role != KeyRole::Archive {
        return Err(wrong(
            "this is not the archive's key; name archive.pub, which closing wrote beside the box".into(),
        ));
    }
    let (header, sha256) = look_at_box(file)?;
    eprintln!("campaign {}, key {}, archive {}", header.campaign, header.key_fingerprint, header.archive_fingerprint);
    eprintln!("SHA-256 {sha256}, smallest group shown: {}", header.codebook.k);
    for (target, groups) in &header.ballots {
        for (group, n) in groups {
            eprintln!("  {target} / {group}: {n} ballots");
        }
    }
    let opened = open_box_file(file, keys, &key, options, out)?;
    eprintln!(
        "{} ballots opened; on the server: `parsurvey tally import tally.json --archive archive.sealed`",
        opened.ballots
    );
    tell_pressure(&opened);
    write(&format!("{}\n{}\n", opened.tally.display(), opened.archive.display()))?;
    Ok(0)
}

/// What was answered to the question on pressure, for the holder's eyes.
fn tell_pressure(opened: &Opened) {
    let Some((file, counts)) = &opened.pressure else { return };
    eprintln!("what was answered to the question on pressure, for the key holder alone: {}", file.display());
    for (target, counts) in &counts.targets {
        match counts {
            Some(counts) => {
                let chosen: Vec<String> = counts.chosen.iter().map(|(option, n)| format!("{option} {n}")).collect();
                eprintln!("  {target}: {} ballots, {}, blank {}", counts.ballots, chosen.join(", "), counts.blank);
            }
            None => eprintln!("  {target}: too few ballots to tell"),
        }
    }
}

pub(crate) async fn tally_import(
    global: &Global,
    file: &Path,
    archive: &Path,
    restored: bool,
    args: &BecauseArgs,
) -> Done {
    let desk = desk(global).await?;
    let now = now(global, desk.campaign())?;
    let mut because = because(global, args);
    if because.reason.is_empty() && !restored {
        because.reason = "tally import".into();
    }
    desk.import_tally(file, archive, restored, &because, now).await?;
    eprintln!("the tally is stored and the ballots are destroyed; results: `parsurvey score`");
    Ok(0)
}
