//! Where things stand in a campaign's files, and the faults found there.
//!
//! Knows text and bytes only; what a file means is the business of its reader.

use std::cell::RefCell;
use std::ops::Range;

use parsurvey_index::code::CodeError;
use toml::Spanned;
use toml::de::DeTable;

use crate::fault::Fault;

/// Faults of a whole folder, in the order found.
#[derive(Default)]
pub(super) struct Faults {
    faults: RefCell<Vec<Fault>>,
    warnings: RefCell<Vec<Fault>>,
}

impl Faults {
    pub(super) fn add(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    pub(super) fn warn(&self, fault: Fault) {
        self.warnings.borrow_mut().push(fault);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.faults.borrow().is_empty()
    }

    /// Faults and warnings.
    pub(super) fn into_parts(self) -> (Vec<Fault>, Vec<Fault>) {
        (self.faults.into_inner(), self.warnings.into_inner())
    }
}

/// Where something stands in the folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    file: String,
    line: usize,
    column: usize,
    span: Option<Range<usize>>,
    pub(super) field: String,
}

impl Place {
    /// A fault at this place.
    pub(super) fn fault(&self, code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Fault {
        Fault {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
            field: self.field.clone(),
            code,
            reason: reason.into(),
            remedy: remedy.into(),
            span: self.span.clone(),
        }
    }
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// The text of one file, able to say where a byte stands.
pub(super) struct Document<'d> {
    pub(super) file: &'d str,
    pub(super) text: &'d str,
    pub(super) faults: &'d Faults,
}

impl<'d> Document<'d> {
    /// The text of `bytes`; not being UTF-8 is a fault. A byte-order mark is passed over by the caller's parser.
    pub(super) fn new(file: &'d str, bytes: &'d [u8], faults: &'d Faults) -> Option<Self> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(Self { file, text, faults }),
            Err(error) => {
                let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                let mut fault =
                    Fault::of_file(file, "not-utf8", "the file is not UTF-8 text", "save it as UTF-8 in your editor");
                fault.line = line;
                faults.add(fault);
                None
            }
        }
    }

    /// The place of a byte range.
    pub(super) fn place(&self, span: Range<usize>, field: &str) -> Place {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        // Other people's parsers may point into the middle of a character.
        let end = (span.end.clamp(start, self.text.len())..=self.text.len()).find(|at| self.text.is_char_boundary(*at));
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: self.file.to_owned(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            span: Some(start..end.unwrap_or(start)),
            field: field.to_owned(),
        }
    }

    /// Parses the whole file; `None` after a syntax error, since what is left of the file would only mislead.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'d>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let broken = !errors.is_empty();
        for error in errors {
            let place = self.place(error.span().unwrap_or(0..0), "");
            self.faults.add(place.fault(
                "broken-toml",
                format!("this is not TOML: {}", error.message().replace('\n', ", ")),
                "correct the line; texts stand between double quotes, tables begin with [name] or [[name]]",
            ));
        }
        (!broken).then_some(table)
    }
}

/// The fault of a text that is not a code.
pub(super) fn bad_code(place: &Place, error: &CodeError) -> Fault {
    place.fault(
        "bad-code",
        format!("'{}' is not a {}", error.text, error.kind),
        "use 1 to 64 of the letters a–z A–Z, digits, '.', '_' and '-'",
    )
}
