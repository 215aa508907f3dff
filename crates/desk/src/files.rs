//! Files on disk: the campaign folder read whole, the data folder's paths, and writing that is whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::DeskError;

/// A campaign folder's file larger than this is not a campaign file.
const CAMPAIGN_FILE_BYTES: u64 = 8 * 1024 * 1024;
/// A campaign folder holds a handful of files; more than this is another folder.
const CAMPAIGN_FILES: usize = 500;

/// The data folder: one campaign's ledger, secrets and results.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    /// The folder at `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The SQLite ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.sqlite")
    }

    /// The link secret. It belongs in no backup of the ledger.
    #[must_use]
    pub fn link_key(&self) -> PathBuf {
        self.root.join("link.key")
    }

    /// The secret that return paths are made with. It belongs in no backup of the ledger.
    #[must_use]
    pub fn return_path_key(&self) -> PathBuf {
        self.root.join("return-path.key")
    }

    /// The secret that drafts are sealed with, until closing destroys it. It belongs in no backup of the ledger.
    #[must_use]
    pub fn draft_key(&self) -> PathBuf {
        self.root.join("draft.key")
    }

    /// The secret that the console's accounts are sealed under. It belongs in no backup of the ledger.
    #[must_use]
    pub fn console_key(&self) -> PathBuf {
        self.root.join("console.key")
    }

    /// Results: box, tally, archive, reports.
    #[must_use]
    pub fn out(&self) -> PathBuf {
        self.root.join("out")
    }

    /// The box that closing writes.
    #[must_use]
    pub fn sealed_box(&self) -> PathBuf {
        self.out().join("box.sealed")
    }

    /// The tally that opening writes.
    #[must_use]
    pub fn tally(&self) -> PathBuf {
        self.out().join("tally.json")
    }

    /// The archive that opening writes.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.out().join("archive.sealed")
    }

    /// The signs of life of the dispatchers that send from here.
    #[must_use]
    pub fn dispatchers(&self) -> PathBuf {
        self.root.join("dispatchers")
    }

    /// The ledger's URL when no database was named.
    #[must_use]
    pub fn ledger_url(&self) -> String {
        format!("sqlite://{}", self.ledger().display())
    }

    /// Keeps others from closing or opening the same survey at the same time, until the value is dropped.
    ///
    /// # Errors
    /// Somebody else is at it, or the file system refuses.
    pub fn lock(&self) -> Result<fs::File, DeskError> {
        let path = self.root.join("lock");
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| DeskError::io("opening", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(fs::TryLockError::WouldBlock) => Err(DeskError::unfinished(
                "another command is closing or opening this survey",
                "wait until it has ended and run this one again",
            )),
            Err(fs::TryLockError::Error(error)) => Err(DeskError::io("locking", &path, &error)),
        }
    }

    /// Makes the folder and `out/`, readable by their owner alone.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn create(&self) -> Result<(), DeskError> {
        for path in [self.root.clone(), self.out()] {
            private_folder(&path)?;
        }
        Ok(())
    }
}

/// Makes a folder, and those above it, readable by its owner alone.
pub(crate) fn private_folder(path: &Path) -> Result<(), DeskError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| DeskError::io("making the folder", path, &error))
}

/// Reads every file of a campaign folder, by path within it with `/` between the parts.
///
/// # Errors
/// The folder is missing, cannot be read, or holds what no campaign folder holds.
pub fn read_campaign(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, DeskError> {
    if !folder.join("campaign.toml").is_file() {
        return Err(DeskError::refused(
            format!("{} holds no campaign.toml", folder.display()),
            "name the campaign's folder with --campaign",
        ));
    }
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        let entries = fs::read_dir(&current).map_err(|error| DeskError::io("reading the folder", &current, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| DeskError::io("reading the folder", &current, &error))?.path();
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .expect("the entry was found below the folder")
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/");
            files.insert(name, read_bounded(&path, CAMPAIGN_FILE_BYTES)?);
            if files.len() > CAMPAIGN_FILES {
                return Err(DeskError::refused(
                    format!("{} holds more than {CAMPAIGN_FILES} files", folder.display()),
                    "name the campaign's own folder, without data and results in it",
                ));
            }
        }
    }
    Ok(files)
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// It is missing, larger, or cannot be read.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, DeskError> {
    let size = fs::metadata(path).map_err(|error| DeskError::io("reading", path, &error))?.len();
    if size > limit {
        return Err(DeskError::refused(
            format!("{} has {} MB; at most {} MB are read", path.display(), size / 1_000_000, limit / 1_000_000),
            "hand in the list alone, without pictures, other sheets or empty rows",
        ));
    }
    fs::read(path).map_err(|error| DeskError::io("reading", path, &error))
}

/// Writes a file whole or not at all: under another name, flushed to disk, then renamed.
///
/// # Errors
/// The file system refuses; an older file of the name is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), DeskError> {
    let mut name = path.file_name().expect("a file to write has a name").to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    if part.exists() {
        // Left by a killed process of the same number, as in a container that was started again.
        fs::remove_file(&part).map_err(|error| DeskError::io("removing", &part, &error))?;
    }
    let written = write_private(&part, bytes).and_then(|()| {
        fs::rename(&part, path)?;
        // The rename itself must survive a power cut: the folder's entry is flushed too.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    });
    if let Err(error) = written {
        if part.exists() {
            fs::remove_file(&part).map_err(|error| DeskError::io("removing", &part, &error))?;
        }
        return Err(DeskError::io("writing", path, &error));
    }
    Ok(())
}

/// Removes a file and whatever halves of it a killed command left, and flushes the folder.
///
/// # Errors
/// The file system refuses.
pub fn remove_with_parts(path: &Path) -> Result<(), DeskError> {
    let Some(folder) = path.parent().filter(|folder| folder.is_dir()) else { return Ok(()) };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let refused = |path: &Path, error| DeskError::io("removing", path, &error);
    for entry in fs::read_dir(folder).map_err(|error| refused(folder, error))? {
        let found = entry.map_err(|error| refused(folder, error))?.path();
        let other = found.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let half = other.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(".part"));
        if other == name || half {
            fs::remove_file(&found).map_err(|error| refused(&found, error))?;
        }
    }
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| refused(folder, error))
}

/// Writes a secret that must not exist yet, readable by its owner alone.
///
/// # Errors
/// It exists, or the file system refuses.
pub fn write_secret(path: &Path, text: &str) -> Result<(), DeskError> {
    if path.exists() {
        return Err(DeskError::refused(
            format!("{} exists already and is not overwritten", path.display()),
            "keep it, or name another place",
        ));
    }
    write_whole(path, text.as_bytes())
}

/// Writes a secret unless one stands there: of two who do it at once, one does.
///
/// # Errors
/// The file system refuses.
pub(crate) fn write_once(path: &Path, text: &str) -> Result<(), DeskError> {
    let mut name = path.file_name().expect("a file to write has a name").to_os_string();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let written = write_private(&part, text.as_bytes())
        // A rename would replace what another process wrote a moment ago and has used already.
        .and_then(|()| fs::hard_link(&part, path));
    if part.exists() {
        fs::remove_file(&part).map_err(|error| DeskError::io("removing", &part, &error))?;
    }
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(DeskError::io("writing", path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
