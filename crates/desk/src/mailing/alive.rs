//! Which dispatchers of this data folder are certainly dead: a lock that the system lets go of when a process ends.
//!
//! A lease on the database's clock alone would make a restarted command wait until it is over. A process that sleeps keeps
//! its lock, so that this only ever shortens the wait for one that is gone. Of dispatchers on other machines nothing is
//! known here, and their leases decide.

use std::fs;
use std::path::PathBuf;

use crate::files::private_folder;
use crate::{DataFolder, DeskError};

/// The sign of life of one dispatcher; it ends with the process at the latest.
#[derive(Debug)]
pub(super) struct Alive {
    path: PathBuf,
    /// Held, not read: dropping it lets go of the lock.
    _file: fs::File,
}

impl Alive {
    /// Gives a dispatcher its sign of life, before it enters the ledger.
    pub(super) fn begin(data: &DataFolder, name: &str) -> Result<Self, DeskError> {
        let folder = data.dispatchers();
        private_folder(&folder)?;
        // Locked under another name first: a file that stands under its own name without a lock is of a dead process.
        let (path, part) = (folder.join(name), folder.join(format!(".{name}")));
        let refused = |error: &std::io::Error| DeskError::io("locking", &part, error);
        let file = fs::File::create(&part).map_err(|error| refused(&error))?;
        file.lock().map_err(|error| refused(&error))?;
        fs::rename(&part, &path).map_err(|error| refused(&error))?;
        Ok(Self { path, _file: file })
    }

    /// Takes the sign away, after the dispatcher left the ledger.
    pub(super) fn end(self) -> Result<(), DeskError> {
        fs::remove_file(&self.path).map_err(|error| DeskError::io("removing", &self.path, &error))
    }
}

/// The names of the dispatchers that are dead. Each has to be ended in the ledger, and then [`forgotten`](forget).
pub(super) fn dead(data: &DataFolder) -> Result<Vec<String>, DeskError> {
    let folder = data.dispatchers();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DeskError::io("reading the folder", &folder, &error)),
    };
    let mut dead = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| DeskError::io("reading the folder", &folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            // It left meanwhile, in good order.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(DeskError::io("opening", &path, &error)),
        };
        if file.try_lock().is_ok() {
            dead.push(name);
        }
    }
    Ok(dead)
}

/// Removes the sign of a dead dispatcher; two commands may do so at once.
pub(super) fn forget(data: &DataFolder, name: &str) -> Result<(), DeskError> {
    let path = data.dispatchers().join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DeskError::io("removing", &path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_is_gone_counts_as_dead() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = DataFolder::new(folder.path());
        assert_eq!(dead(&data).expect("no folder yet"), Vec::<String>::new());
        let living = Alive::begin(&data, "living").expect("begun");
        let gone = Alive::begin(&data, "gone").expect("begun");
        assert_eq!(dead(&data).expect("read"), Vec::<String>::new());
        // What the system does when a process is killed.
        drop(gone);
        assert_eq!(dead(&data).expect("read"), ["gone"]);
        forget(&data, "gone").expect("forgotten");
        forget(&data, "gone").expect("by another command too");
        living.end().expect("ended");
        assert_eq!(dead(&data).expect("read"), Vec::<String>::new());
    }
}
