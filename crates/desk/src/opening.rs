//! The key holder's side: a box file and a private key become a tally and a sealed archive, without any ledger.
//!
//! The holder cannot see where a box came from, so whatever could single out a person is refused: a box that is not the
//! one whose hash was told, a threshold below five, a ballot that stands in it twice, a second box for the same key.
//! Ballots that an insider invents to fill a group up cannot be told from others; the threat model says so.

use std::path::{Path, PathBuf};

use parsurvey_index::counts::Tally;
use parsurvey_survey::ballot::{Ballot, Codebook};
use parsurvey_survey::ballot_box::{self, BoxError, BoxHeader};
use parsurvey_survey::hex;
use parsurvey_survey::key::PublicKey;
use parsurvey_tally::counter::{CountError, Counter, Response};
use parsurvey_tally::pressure::{PressureCounts, count_pressure};
use sha2::{Digest, Sha256};

use crate::files::{private_folder, read_bounded, write_whole};
use crate::keys::read_private;
use crate::results::frame_of_box;
use crate::{DeskError, random};

/// A box of ten million ballots has about a gigabyte and a half; larger ones are cut by target.
pub(crate) const BOX_BYTES: u64 = 4_000_000_000;
/// Below this a group's counts can point at persons, whatever a campaign says.
const SMALLEST_K: u64 = 5;

/// What the holder agrees to.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// The box's SHA-256, as told by another way than the file came.
    pub box_sha256: String,
    /// Exactly so many ballots may be unreadable.
    pub accept_unreadable: u64,
    /// The key may open a second box: the first was lost and written anew.
    pub another_box: bool,
}

/// What opening made.
#[derive(Debug)]
pub struct Opened {
    /// The tally's file.
    pub tally: PathBuf,
    /// The archive's file.
    pub archive: PathBuf,
    /// Ballots opened.
    pub ballots: u64,
    /// Ballots that could not be read and were accepted as lost.
    pub unreadable: u64,
    /// What was answered to the question on pressure, where it was asked, and the file beside the key that holds it.
    pub pressure: Option<(PathBuf, PressureCounts)>,
}

/// Reads a box's header and SHA-256, for the holder to compare before opening it.
///
/// # Errors
/// It is not a box.
pub fn look_at_box(file: &Path) -> Result<(BoxHeader, String), DeskError> {
    let bytes = read_bounded(file, BOX_BYTES)?;
    let (header, _) = ballot_box::read_box(&bytes).map_err(|error| box_refused(file, &error))?;
    Ok((header, hex(&Sha256::digest(&bytes))))
}

/// Opens a box file with the private key and writes tally and archive into `out`.
///
/// # Errors
/// Another box than the one told, another key, another archive key, repeated or unreadable ballots, a threshold below
/// five, a key that opened another box before, or files that cannot be written.
pub fn open_box_file(
    file: &Path,
    keys: &[PathBuf],
    archive_key: &PublicKey,
    options: &OpenOptions,
    out: &Path,
) -> Result<Opened, DeskError> {
    let key = read_private(keys)?;
    let bytes = read_bounded(file, BOX_BYTES)?;
    let (header, sealed) = ballot_box::read_box(&bytes).map_err(|error| box_refused(file, &error))?;
    let sha256 = hex(&Sha256::digest(&bytes));
    if sha256 != options.box_sha256.trim().to_lowercase() {
        return Err(DeskError::refused(
            format!("{} is not the box that was announced: its SHA-256 is {sha256}", file.display()),
            "ask the department for the SHA-256 that closing printed, by phone or letter, and give it with --sha256",
        ));
    }
    if header.codebook.k < SMALLEST_K {
        return Err(DeskError::refused(
            format!("{} would show groups of {} people", file.display(), header.codebook.k),
            "a box with a threshold below 5 is not opened: set k to 5 or more before the first invitation",
        ));
    }
    ballot_box::check_archive(&header, archive_key).map_err(|error| box_refused(file, &error))?;
    // Which box the key has opened.
    let note = beside(keys, "opened");
    refuse_second_box(&note, &sha256, options.another_box)?;
    let mut rng = random()?;
    let ballots = ballot_box::open_box(&header, &sealed, &key, options.accept_unreadable, &mut rng)
        .map_err(|error| box_refused(file, &error))?;
    let codebook = &header.codebook;
    let mut tally = count(codebook, &ballots)
        .map_err(|error| DeskError::unfinished(format!("counting failed: {error}"), "run the command again"))?;
    tally.box_sha256 = Some(sha256.clone());
    tally.unreadable = options.accept_unreadable;
    let archive = ballot_box::write_archive(codebook, archive_key, &ballots, &mut rng);
    private_folder(out)?;
    let pressure = count_pressure(codebook, &sha256, &ballots).map(|counts| (beside(keys, "pressure.json"), counts));
    let opened = Opened {
        tally: out.join("tally.json"),
        archive: out.join("archive.sealed"),
        ballots: ballots.len() as u64,
        unreadable: options.accept_unreadable,
        pressure,
    };
    if let Some((file, counts)) = &opened.pressure {
        let text = serde_json::to_vec_pretty(counts).map_err(|error| {
            DeskError::unfinished(format!("writing counts failed: {error}"), "run the command again")
        })?;
        write_whole(file, &text)?;
    }
    write_whole(&note, format!("{sha256}\n").as_bytes())?;
    write_whole(&opened.archive, &archive)?;
    write_whole(&opened.tally, &parsurvey_tally::file::tally_bytes(&tally))?;
    Ok(opened)
}

/// Where the holder's machine keeps what is the holder's own: beside the key, under the key's name with an ending.
fn beside(keys: &[PathBuf], ending: &str) -> PathBuf {
    let first = keys.first().cloned().unwrap_or_default();
    let mut name = first.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ending);
    first.with_file_name(name)
}

fn refuse_second_box(note: &Path, sha256: &str, another_box: bool) -> Result<(), DeskError> {
    if !note.exists() || another_box {
        return Ok(());
    }
    let before = read_bounded(note, 1024)?;
    if before.trim_ascii() == sha256.as_bytes() {
        return Ok(());
    }
    Err(DeskError::refused(
        format!("this key has opened another box before ({})", String::from_utf8_lossy(before.trim_ascii())),
        "two boxes of one survey can be compared to single out a person; find out why there are two, and if the first was lost use --another-box",
    ))
}

fn count(codebook: &Codebook, ballots: &[Ballot]) -> Result<Tally, CountError> {
    let mut counter = Counter::new(frame_of_box(codebook))?;
    for ballot in ballots {
        let (target, group) = (ballot.target.clone(), ballot.group.clone());
        counter.push(&Response { target, group, answers: ballot.answers.clone() })?;
    }
    counter.finish()
}

pub(crate) fn box_refused(file: &Path, error: &BoxError) -> DeskError {
    let remedy = match error {
        BoxError::Malformed(_) | BoxError::Counts(_) => "name the box.sealed that closing wrote, unaltered",
        BoxError::OtherKey { .. } => "use the key with the fingerprint that the box names",
        BoxError::OtherArchive { .. } => {
            "use the archive.pub that closing wrote beside the box, and compare fingerprints"
        }
        BoxError::Repeated(_) => "do not open it: somebody has altered the box; report it",
        BoxError::Unreadable { .. } => {
            "find out why; if the loss is accepted, name the number with --accept-unreadable"
        }
    };
    DeskError::refused(format!("{}: {error}", file.display()), remedy)
}
