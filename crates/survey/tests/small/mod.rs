//! The small sample campaign in memory, to be broken by tests. Reads the disk, which the crate itself does not.

use std::collections::BTreeMap;
use std::path::Path;

use parsurvey_survey::campaign::load;
use parsurvey_survey::fault::Fault;

/// A campaign folder in memory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The files of `pipelines/example-small`.
pub(crate) fn small() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/example-small");
    let mut files = Files::new();
    for folder in ["", "templates"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_file() {
                let name = path.strip_prefix(&root).expect("below the root").to_string_lossy().replace('\\', "/");
                files.insert(name, std::fs::read(&path).expect("the file can be read"));
            }
        }
    }
    files
}

/// Replaces the first `from` of a file, which must be there.
pub(crate) fn replace(files: &mut Files, file: &str, from: &str, to: &str) {
    let text = String::from_utf8(files[file].clone()).expect("UTF-8");
    assert!(text.contains(from), "{file} has no '{from}'");
    files.insert(file.to_owned(), text.replacen(from, to, 1).into_bytes());
}

/// Every fault, or the warnings of a folder that passes.
pub(crate) fn faults(files: &Files) -> Vec<Fault> {
    load(files).map_or_else(|faults| faults, |loaded| loaded.warnings)
}
