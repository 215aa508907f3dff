//! Documents out: terminal tables, CSV, JSON, the HTML report, the XLSX workbook, official letters as DOCX.
//!
//! Everything here is a function from results to text or bytes: no disk, no clock, no database, and no points are made here.
//! Start with [`results::Results`] (what comes in), [`tables`] (what is shown) and [`table::Table`] (how a table leaves).
//! Numbers are rounded in [`number`] and nowhere else.

pub mod anchor;
pub mod chart;
pub mod digest;
pub mod docx;
pub mod html;
pub mod lang;
pub mod notice;
pub mod number;
pub mod results;
pub mod score_json;
pub mod table;
pub mod tables;
pub mod walk;
pub mod xlsx;

pub use lang::Lang;
pub use results::Results;

/// Why a document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The HTML template failed.
    #[error("the HTML report could not be written: {0}")]
    Html(#[from] askama::Error),
    /// The workbook could not be written.
    #[error("the workbook could not be written: {0}")]
    Xlsx(#[from] rust_xlsxwriter::XlsxError),
    /// The official letter could not be written.
    #[error("the official letter could not be written: {0}")]
    Docx(String),
    /// The CSV text could not be written.
    #[error("the CSV text could not be written: {0}")]
    Csv(String),
    /// The moment the document was asked for is not RFC 3339.
    #[error("'{0}' is not a moment: give it as RFC 3339, such as 2024-01-15T10:00:00+07:00")]
    Moment(String),
}
