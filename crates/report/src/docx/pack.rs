//! From the library's parts to a file: what the library cannot say is written in here, and what changes from run to run is
//! taken out.
//!
//! The archive's own times are the format's first moment, because the library's zip is built without a clock.

use std::io::Cursor;

use docx_rs::Docx;

use super::form::GRID;
use crate::ReportError;

/// How the library says that a row may not be cut.
const WHOLE_ROW: &str = "<w:cantSplit />";
/// The same with the property that repeats the row on every page (ECMA-376, 17.4.78), which the library does not know.
const REPEATED_ROW: &str = "<w:cantSplit /><w:tblHeader />";

/// The document's bytes.
pub(super) fn pack(docx: Docx) -> Result<Vec<u8>, ReportError> {
    let mut parts = docx.build();
    parts.document = normal(&parts.document, repeat_headings)?;
    for part in parts.headers.iter_mut().chain(&mut parts.footers) {
        *part = normal(part, str::to_owned)?;
    }
    let mut bytes = Cursor::new(Vec::new());
    parts.pack(&mut bytes).map_err(|error| ReportError::Docx(error.to_string()))?;
    Ok(bytes.into_inner())
}

/// Lets the first row of each table of counts or names stand on every page.
fn repeat_headings(document: &str) -> String {
    let of_grid = |table: &str| table.split("<w:tr>").next().is_some_and(|head| head.contains(GRID));
    let tables = document.split_inclusive("</w:tbl>").map(|piece| match piece.find("<w:tbl>") {
        Some(at) if of_grid(&piece[at..]) => piece.replacen(WHOLE_ROW, REPEATED_ROW, 1),
        Some(_) | None => piece.to_owned(),
    });
    tables.collect()
}

/// A part without the ids of its paragraphs: they are optional, and count on from document to document.
fn normal(part: &[u8], change: impl FnOnce(&str) -> String) -> Result<Vec<u8>, ReportError> {
    let text = std::str::from_utf8(part).map_err(|error| ReportError::Docx(error.to_string()))?;
    let mut rest = change(text);
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find(PARAGRAPH_ID) {
        out.push_str(&rest[..at]);
        let value = &rest[at + PARAGRAPH_ID.len()..];
        let end = value.find('"').map_or(value.len(), |end| end + 1);
        rest = value[end..].to_owned();
    }
    out.push_str(&rest);
    Ok(out.into_bytes())
}

const PARAGRAPH_ID: &str = " w14:paraId=\"";
