//! A disk that is soon full: a small file system of its own, mounted for one shell alone, that vanishes with it.
//!
//! Without the right to mount, what uses it fails and says so: a full disk cannot be tried otherwise.

use tokio::process::Command;

use crate::Survey;
use crate::program::{binary, root};

/// What a shell on a small file system said.
pub struct Told {
    /// stdout, by lines.
    pub lines: Vec<String>,
    /// stderr.
    pub stderr: String,
}

/// Runs a script with an 8 MB file system at `$SMALL`; `run` in it is the program with the survey's arguments, whose
/// data folder lies on that file system.
pub async fn on_a_small_disk(survey: &Survey, script: &str) -> Told {
    let small = survey.folder().join("small");
    std::fs::create_dir(&small).unwrap();
    let mut args = survey.arguments(&[]);
    let place = args.iter().position(|arg| arg == "--data").unwrap();
    args[place + 1] = small.join("data").to_str().unwrap().to_owned();
    let setup = format!(
        "mount -t tmpfs -o size=8m tmpfs \"$SMALL\" || {{ echo 'no right to mount'; exit 77; }}\n\
         fill() {{ cat /dev/zero > \"$SMALL/fill\" 2>/dev/null; truncate -s -$1 \"$SMALL/fill\"; }}\n\
         run() {{ \"$PROGRAM\" \"$@\" {}; }}\n",
        args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" ")
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &(setup + script)])
        .env("SMALL", &small)
        .env("PROGRAM", binary())
        .env("ROSTER", root().join("sample-data/hanoi-2023/roster.csv"))
        .output()
        .await
        .expect("`unshare` is missing: install util-linux");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_ne!(
        output.status.code(),
        Some(77),
        "these tests need the right to mount (root, or user namespaces): {stderr}"
    );
    assert!(!stdout.is_empty(), "the script did not run: {stderr}");
    Told { lines: stdout.lines().map(str::to_owned).collect(), stderr }
}
