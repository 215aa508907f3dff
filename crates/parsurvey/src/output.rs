//! Data on stdout: a table for people, CSV or JSON for programs. Nothing else is ever written there.

use std::io::{IsTerminal, Write};

use parsurvey_report::Lang;
use parsurvey_report::table::{Table, to_csv, to_json, to_terminal};
use serde_json::Value;

use crate::args::{Format, Global, Language};
use crate::faults::Failure;

/// How a command answers.
#[derive(Clone, Copy)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) lang: Lang,
}

impl Output {
    pub(crate) fn of(global: &Global) -> Self {
        Self { format: global.format, lang: lang(global.lang) }
    }

    /// Prints tables; `json` is what the contract says instead, where it says something.
    pub(crate) fn tables(self, tables: &[Table], json: impl FnOnce() -> Value) -> Result<(), Failure> {
        match self.format {
            Format::Table => {
                for table in tables {
                    write(&format!("{}\n", to_terminal(table, self.lang, width())))?;
                }
                Ok(())
            }
            Format::Csv => tables.iter().try_for_each(|table| write(&to_csv(table, self.lang)?)),
            Format::Json => self.json(&json()),
        }
    }

    /// Prints one table; as JSON, its rows.
    pub(crate) fn table(self, table: &Table) -> Result<(), Failure> {
        self.tables(std::slice::from_ref(table), || to_json(table, self.lang))
    }

    /// Prints JSON.
    pub(crate) fn json(self, value: &Value) -> Result<(), Failure> {
        write(&format!("{value:#}\n"))
    }
}

/// Writes text to stdout. A reader that went away (`| head`) ends the command quietly.
pub(crate) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Failure::Told(3, format!("stdout cannot be written ({error})"))),
        Ok(()) => Ok(()),
    }
}

/// Terminals are as wide as they are; files and pipes get whole lines.
fn width() -> Option<u16> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.or_else(|| terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0))
}

pub(crate) fn lang(language: Language) -> Lang {
    match language {
        Language::Vi => Lang::Vi,
        Language::En => Lang::En,
    }
}
