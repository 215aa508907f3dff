//! The language of a document. Data (codes, JSON keys) has no language; only words that people read do.

use std::str::FromStr;

use parsurvey_index::tree::Text;

/// The language of words and of number formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    /// Vietnamese: `1.234,5`. The language of the official report, hence the default.
    #[default]
    Vi,
    /// English: `1,234.5`.
    En,
}

impl Lang {
    /// The language tag for HTML.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Lang::Vi => "vi",
            Lang::En => "en",
        }
    }

    /// The wording of `text` in this language.
    #[must_use]
    pub fn of(self, text: &Text) -> &str {
        match self {
            Lang::Vi => &text.vi,
            Lang::En => &text.en,
        }
    }
}

impl FromStr for Lang {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "vi" => Ok(Lang::Vi),
            "en" => Ok(Lang::En),
            other => Err(format!("'{other}' is not a language of the program: use vi or en")),
        }
    }
}

/// A text in both languages.
#[must_use]
pub fn text(vi: impl Into<String>, en: impl Into<String>) -> Text {
    Text { vi: vi.into(), en: en.into() }
}
