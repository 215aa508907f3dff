//! Faults in what people hand in: where, what, and what to do about it.
//!
//! A reader collects every fault it can find before it gives up; nothing is stored while one is left.
//! A fault quotes campaign files and roster cells to the person who handed them in; it never goes to a log.

use std::fmt;

use serde::Serialize;

/// One fault or warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file as the person named it.
    pub file: String,
    /// Line, from 1; 0 where the fault is of the file as a whole.
    pub line: usize,
    /// Column in characters, from 1; 0 where unknown.
    pub column: usize,
    /// The field (TOML key path or roster column), or empty.
    pub field: String,
    /// A stable code in kebab-case, such as `unknown-unit`; `--accept` takes the codes of warnings.
    pub code: &'static str,
    /// What is wrong, as one sentence without its full stop.
    pub reason: String,
    /// What the person can do, as one sentence without its full stop.
    pub remedy: String,
    /// Byte range in the source text, where the file is text and the place is known.
    #[serde(skip)]
    pub span: Option<std::ops::Range<usize>>,
}

impl Fault {
    /// A fault of a file as a whole.
    #[must_use]
    pub fn of_file(
        file: impl Into<String>,
        code: &'static str,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            field: String::new(),
            code,
            reason: reason.into(),
            remedy: remedy.into(),
            span: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {} [{}]; {}", self.reason, self.code, self.remedy)
    }
}
