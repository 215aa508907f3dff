//! Faults and errors as a person reads them: place, the line itself, what is wrong, what to do.

use std::io::IsTerminal;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use parsurvey_desk::DeskError;
use parsurvey_rehearsal::demo::DemoError;
use parsurvey_survey::fault::Fault;

/// Why a command ended.
pub(crate) enum Failure {
    Desk(DeskError),
    /// A message of its own with its exit code: 1, 2 or 3.
    Told(u8, String),
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        Failure::Desk(error)
    }
}

impl From<parsurvey_ledger::LedgerError> for Failure {
    fn from(error: parsurvey_ledger::LedgerError) -> Self {
        Failure::Desk(error.into())
    }
}

impl From<parsurvey_report::ReportError> for Failure {
    fn from(error: parsurvey_report::ReportError) -> Self {
        Failure::Told(3, error.to_string())
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::Desk(error) => Failure::Desk(error),
            other => Failure::Told(3, other.to_string()),
        }
    }
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Failure::Told(2, text.into())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Failure::Desk(error) => error.exit_code(),
            Failure::Told(code, _) => *code,
        }
    }

    pub(crate) fn print(&self) {
        match self {
            Failure::Desk(DeskError::Faults { what, faults }) => {
                print_faults(faults, "error");
                eprintln!("error: {what} has {} fault(s); nothing was changed", faults.len());
            }
            Failure::Desk(DeskError::Refused { reason, remedy } | DeskError::Unfinished { reason, remedy }) => {
                eprintln!("error: {reason}\n  help: {remedy}");
            }
            Failure::Told(_, text) => eprintln!("error: {text}"),
        }
    }
}

/// Prints faults in the order of file and line, each with its source line where it is text.
pub(crate) fn print_faults(faults: &[Fault], word: &str) {
    let mut sorted: Vec<&Fault> = faults.iter().collect();
    sorted.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    for fault in sorted {
        match source_of(fault) {
            Some(source) => eprintln!("{}", snippet(fault, &source, word)),
            None => eprintln!("{word}: {fault}"),
        }
    }
}

/// The text a fault points into, when its place is known and the file can still be read.
fn source_of(fault: &Fault) -> Option<String> {
    let span = fault.span.as_ref()?;
    let source = std::fs::read_to_string(&fault.file).ok()?;
    (span.end <= source.len() && source.is_char_boundary(span.start) && source.is_char_boundary(span.end))
        .then_some(source)
}

fn snippet(fault: &Fault, source: &str, word: &str) -> String {
    let span = fault.span.clone().unwrap_or(0..0);
    let title =
        if fault.field.is_empty() { fault.reason.clone() } else { format!("{}: {}", fault.field, fault.reason) };
    let level = if word == "warning" { Level::WARNING } else { Level::ERROR };
    let group = level
        .primary_title(title)
        .id(fault.code)
        .element(Snippet::source(source).path(fault.file.as_str()).annotation(AnnotationKind::Primary.span(span)))
        .element(Level::HELP.message(fault.remedy.as_str()));
    let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}
