//! The folder of a demonstration: a copy of the sample campaign, the sample roster, and room for the data.
//!
//! A folder without our marker is never touched: somebody's work may lie in it.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use parsurvey_desk::DeskError;

/// The file that says a folder was made by a demonstration.
pub const MARKER: &str = ".parsurvey-demo";

static HANOI: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines/hanoi-2023");
static SMALL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../pipelines/example-small");
const HANOI_ROSTER: &str = include_str!("../../../../sample-data/hanoi-2023/roster.csv");
const SMALL_ROSTER: &str = include_str!("../../../../sample-data/example-small/roster.csv");

/// Where things are.
pub(crate) struct Folder {
    /// All of it.
    pub(crate) root: PathBuf,
    /// The campaign's folder.
    pub(crate) campaign: PathBuf,
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The roster.
    pub(crate) roster: PathBuf,
}

/// Makes the folder anew.
pub(crate) fn make(root: &Path) -> Result<Folder, DeskError> {
    if root.exists() {
        let ours = root.join(MARKER).is_file();
        let empty = fs::read_dir(root).map_err(|e| DeskError::io("reading", root, &e))?.next().is_none();
        if !ours && !empty {
            return Err(DeskError::refused(
                format!("{} exists and was not made by a demonstration", root.display()),
                "name another folder with --out; nothing was touched",
            ));
        }
        if ours {
            fs::remove_dir_all(root).map_err(|e| DeskError::io("removing", root, &e))?;
        }
    }
    // The marker comes first, so that a demonstration killed half-way can be replaced by the next.
    write(&root.join(MARKER), b"This folder was made by `parsurvey demo` and is replaced by the next one.\n")?;
    unpack(root, "", &HANOI, HANOI_ROSTER)
}

/// Adds the small survey beside the large one.
pub(crate) fn add_small(root: &Path) -> Result<Folder, DeskError> {
    unpack(root, "small-", &SMALL, SMALL_ROSTER)
}

fn unpack(root: &Path, prefix: &str, campaign: &Dir<'_>, roster: &str) -> Result<Folder, DeskError> {
    let folder = Folder {
        root: root.to_path_buf(),
        campaign: root.join(format!("{prefix}campaign")),
        data: root.join(format!("{prefix}data")),
        roster: root.join(format!("{prefix}roster.csv")),
    };
    copy(campaign, &folder.campaign)?;
    write(&folder.roster, roster.as_bytes())?;
    Ok(folder)
}

fn copy(from: &Dir<'_>, to: &Path) -> Result<(), DeskError> {
    for file in from.files() {
        write(&to.join(file.path()), file.contents())?;
    }
    from.dirs().try_for_each(|dir| copy(dir, to))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), DeskError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|e| DeskError::io("making the folder", parent, &e))?;
    }
    fs::write(path, bytes).map_err(|e| DeskError::io("writing", path, &e))
}
