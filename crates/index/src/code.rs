//! The codes by which everything is keyed: areas, criteria, sub-criteria, questions, options, groups, targets.
//!
//! A code is what a table, a file and a log name; printed row numbers repeat and are never keys.
//! A code is parsed once, at the door; no other constructor exists, so a value of these types is well-formed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a {kind}: use 1 to 64 of the letters a–z A–Z, digits, '.', '_' and '-'")]
pub struct CodeError {
    /// The text that was refused.
    pub text: String,
    /// What it should have been.
    pub kind: &'static str,
}

fn well_formed(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

macro_rules! code {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The code as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = CodeError;
            fn from_str(text: &str) -> Result<Self, CodeError> {
                let text = text.trim();
                if well_formed(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(CodeError { text: text.to_owned(), kind: $kind })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = CodeError;
            fn try_from(text: String) -> Result<Self, CodeError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

code!(
    /// One of the areas (lĩnh vực) of the index, such as `5`.
    AreaCode,
    "area code"
);
code!(
    /// A sub-criterion (tiêu chí thành phần), such as `5.7.4`; `7.x` where the source prints no code.
    SubCriterionCode,
    "sub-criterion code"
);
code!(
    /// A question (câu hỏi) of a questionnaire.
    QuestionCode,
    "question code"
);
code!(
    /// An option (phương án) of a question, such as `5`.
    OptionCode,
    "option code"
);
code!(
    /// A respondent group (nhóm đối tượng), such as `division_heads`.
    GroupCode,
    "respondent group code"
);
code!(
    /// A target: the body that is rated, such as `hanoi` or `sbv`.
    TargetCode,
    "target code"
);
code!(
    /// A questionnaire (phiếu).
    QuestionnaireCode,
    "questionnaire code"
);
code!(
    /// A unit (cơ quan, đơn vị).
    UnitCode,
    "unit code"
);
