//! Where mails lie on disk: which files of a folder are mails, and what to call a place without naming anybody.
//!
//! It opens and changes nothing. Subfolders of a Maildir that are written with a dot in front are folders of their own
//! and must be named.

use std::io;
use std::path::{Path, PathBuf};

/// The files of an input in the order of their names: the file itself, a Maildir's `new` and `cur`, or a folder's files
/// and those of its subfolders. Hidden files are no mails; links to folders are not followed.
///
/// # Errors
/// The input is missing or cannot be listed.
pub fn mail_files(input: &Path) -> io::Result<Vec<PathBuf>> {
    if !input.metadata()?.is_dir() {
        return Ok(vec![input.to_owned()]);
    }
    let mut found = Vec::new();
    let mut open = vec![input.to_owned()];
    while let Some(folder) = open.pop() {
        let maildir: Vec<PathBuf> =
            ["new", "cur"].map(|name| folder.join(name)).into_iter().filter(|path| path.is_dir()).collect();
        if !maildir.is_empty() {
            for part in maildir {
                found.extend(listed(&part)?.into_iter().filter(|path| path.is_file()));
            }
            continue;
        }
        for path in listed(&folder)? {
            if path.is_file() {
                found.push(path);
            } else if path.symlink_metadata()?.is_dir() {
                open.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn listed(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let entries: io::Result<Vec<PathBuf>> = folder.read_dir()?.map(|entry| Ok(entry?.path())).collect();
    Ok(entries?.into_iter().filter(|path| !is_hidden(path)).collect())
}

/// Where a mail of a Maildir lies after a mail program has looked at it: from `new` it goes to `cur`, and there its flags
/// stand behind its name.
pub(super) fn moved(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let (unique, _) = name.split_once(":2,").unwrap_or((name, ""));
    let folder = path.parent().filter(|folder| folder.ends_with("new") || folder.ends_with("cur"))?;
    let files = listed(&folder.parent()?.join("cur")).ok()?;
    files.into_iter().find(|file| {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.split_once(":2,").map_or(name, |(unique, _)| unique) == unique
    })
}

/// What to call a file in a list. Files are named after people at times, so a name with an `@` is not kept.
pub(super) fn label(path: &Path) -> String {
    let is_of_maildir =
        path.parent().is_some_and(|folder| ["new", "cur", "tmp"].iter().any(|part| folder.ends_with(part)));
    if is_of_maildir {
        return "maildir".to_owned();
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.contains('@') { "file".to_owned() } else { format!("file {name}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::label;

    #[test]
    fn a_place_is_called_without_naming_anybody() {
        for (path, expected) in [
            ("/var/mail/khaosat", "file khaosat"),
            ("/srv/hoa@soyte.example/bounce.eml", "file bounce.eml"),
            ("/srv/hoa@soyte.example.eml", "file"),
            ("/srv/Maildir/new/1700000000.M1P2.host", "maildir"),
            ("/srv/Maildir/cur/1700000000.M1P2.host:2,S", "maildir"),
        ] {
            assert_eq!(label(Path::new(path)), expected);
        }
    }
}
