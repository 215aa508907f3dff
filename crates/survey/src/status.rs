//! The response status: counts of seats, never of answers. Every number is cumulative and derived from [`Seat`]s.

use serde::Serialize;

/// Counts of seats under one key (a group, a unit, or a day).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The group's, unit's or target's code, or the day as `YYYY-MM-DD`.
    pub key: String,
    /// Seats in the frame.
    pub listed: u64,
    /// Seats with at least one mail carrying a link that a relay accepted.
    pub invited: u64,
    /// Seats whose last outcome is permanent and that no relay accepted since.
    pub rejected: u64,
    /// Seats with a mail claimed and without an outcome.
    pub unknown: u64,
    /// Seats of which the server received a chosen option.
    pub started: u64,
    /// Seats submitted.
    pub completed: u64,
    /// Seats excused.
    pub excused: u64,
    /// listed − completed − excused. It includes those who declined, so that no unit can tell them apart.
    pub outstanding: u64,
}

/// `completed` of `forms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Seats submitted.
    pub completed: u64,
    /// Seats in the denominator.
    pub forms: u64,
}

/// The headline and its two companions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// Seats of counted groups: 816/819.
    pub counted: Share,
    /// The same without the excused: 816/816, an administrative rate of our own.
    pub able: Share,
    /// Seats of every group: 848/851.
    pub all: Share,
}

/// What `status` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The campaign's id.
    pub campaign: String,
    /// The moment it speaks of, in the campaign's zone, RFC 3339.
    pub as_of: String,
    /// The headline.
    pub headline: Headline,
    /// Rows in the campaign's order; days ascending.
    pub rows: Vec<StatusRow>,
}
