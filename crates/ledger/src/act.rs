//! Who changes something, why, and on what authority; and the words in which states are stored.
//!
//! An act carries no names of respondents: what an operator types as reason stays in the append-only log for good.

use jiff::Timestamp;

use crate::error::{LedgerError, Result};

/// The who and why of a change. It goes into the event log as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When. Kept to the millisecond.
    pub at: Timestamp,
    /// Who: an operator's account or role.
    pub actor: String,
    /// Why, in a few words; empty where the act explains itself.
    pub reason: String,
    /// The number and date of the document that allows it; may be empty.
    pub document: String,
}

impl Act {
    /// An act that needs neither reason nor document.
    #[must_use]
    pub fn plain(at: Timestamp, actor: impl Into<String>) -> Self {
        Self { at, actor: actor.into(), reason: String::new(), document: String::new() }
    }

    /// What a respondent does through the link. The log names no person beyond the form.
    #[must_use]
    pub(crate) fn of_respondent(at: Timestamp) -> Self {
        Self::plain(at, "respondent")
    }
}

pub(crate) fn to_millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

pub(crate) fn from_millis(millis: i64, column: &'static str) -> Result<Timestamp> {
    Timestamp::from_millisecond(millis).map_err(|_| LedgerError::damaged(column))
}

pub(crate) fn from_millis_opt(millis: Option<i64>, column: &'static str) -> Result<Option<Timestamp>> {
    millis.map(|millis| from_millis(millis, column)).transpose()
}

pub(crate) fn code<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T> {
    text.parse().map_err(|_| LedgerError::damaged(column))
}

pub(crate) fn small<T: TryFrom<i64>>(number: i64, column: &'static str) -> Result<T> {
    T::try_from(number).map_err(|_| LedgerError::damaged(column))
}

/// Declares an enum whose variants are stored and printed as words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $meaning:literal, { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// The word stored and printed.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(word: &str) -> std::result::Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!("'{other}' is not a {}", $meaning)),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}
pub(crate) use words;
