//! Which tables there are, each made from the results alone.
//!
//! [`scores`] needs opened ballots, [`response`] never touches them, [`lists`] and [`mails`] are lists of acts and mails.
//! [`doctor`] shows what was found before the first mail.
//! Commands, HTML and XLSX all show these same tables; none of them has a private one.

pub mod audit;
pub mod chase;
pub mod doctor;
pub mod independence;
pub mod lists;
pub mod mails;
pub mod response;
pub mod scores;
mod sub_criteria;

pub use audit::{AnchorLine, AuditRow, anchor_table, audit_table};
pub use chase::{ToldRow, chase_group_table, chase_table, told_table};
pub use doctor::{CheckRow, SeedRow, check_table, checks_for_people, seed_table};
pub use independence::{UnitRow, independence_table, pair_table};
pub use lists::{
    EventRow, alternatives_table, below_goal_table, event_table, input_table, other_targets_table, weight_table,
};
pub use mails::{AttemptRow, MailRow, UnmailedRow, attempt_table, mail_table, unmailed_table};
pub use response::{completion_table, response_table, status_table};
pub use scores::{area_table, group_table, headline_table};
pub use sub_criteria::sub_criteria_table;

use parsurvey_index::exact::Quantity;
use parsurvey_index::tree::Text;

use crate::lang::text;
use crate::table::{Cell, Column, Style};

/// The column that stands beside a rounded one.
pub(crate) fn unrounded_column() -> Column {
    Column::right("exact", text("Chưa làm tròn", "Unrounded"))
}

pub(crate) fn percent_column() -> Column {
    Column::right("percent", text("Chỉ số (%)", "Index (%)"))
}

pub(crate) fn plain(value: &Quantity) -> Cell {
    Cell::Number(value.clone(), Style::Plain)
}

pub(crate) fn code(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

pub(crate) fn total_label() -> Text {
    text("Tổng cộng", "Total")
}
