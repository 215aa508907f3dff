//! Days and civil times in a TOML file, with or without quotes.
//!
//! They belong to the campaign's one time zone: a time that carries its own zone is a fault.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use toml::Spanned;
use toml::de::DeValue;

use super::place::Placed;
use super::walk::Table;

impl<'d> Table<'d> {
    /// A day: `2023-12-01`, with or without quotes.
    pub(super) fn date(&self, key: &str) -> Option<Placed<Date>> {
        self.required(key, "a day such as 2023-12-01").and_then(|value| self.as_moment(key, value, "2023-12-01"))
    }

    /// A civil time in the campaign's zone: `2023-12-18T08:00:00`.
    pub(super) fn datetime(&self, key: &str) -> Option<Placed<DateTime>> {
        self.required(key, "a time such as 2023-12-18T08:00:00")
            .and_then(|value| self.as_moment(key, value, "2023-12-18T08:00:00"))
    }

    fn as_moment<T: FromStr>(&self, key: &str, value: &'d Spanned<DeValue<'d>>, example: &str) -> Option<Placed<T>> {
        let place = self.document.place(value.span(), &self.field(key));
        let text = match value.get_ref() {
            DeValue::Datetime(datetime) => datetime.to_string(),
            DeValue::String(text) => text.trim().to_owned(),
            other @ (DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_)) => {
                self.wrong_type(key, other, &format!("a date such as {example}"));
                return None;
            }
        };
        // A time with a zone of its own would contradict the campaign's, and a day is not a time.
        let shaped = text.len() >= example.len().min(16)
            && text.contains('T') == example.contains('T')
            && !text.ends_with('Z')
            && !text.contains('+')
            && text.matches('-').count() == 2;
        match text.parse().ok().filter(|_| shaped) {
            Some(value) => Some(Placed { value, place }),
            None => {
                self.add(place.fault(
                    "bad-date",
                    format!("'{text}' is not a date as it belongs here"),
                    format!("write it as {example}, in the campaign's time zone"),
                ));
                None
            }
        }
    }

    /// A list of days that may be left out.
    pub(super) fn dates(&self, key: &str) -> Vec<Date> {
        let items = self.list(key);
        items
            .into_iter()
            .filter_map(|(name, value)| self.as_moment::<Date>(&name, value, "2024-01-01"))
            .map(|placed| placed.value)
            .collect()
    }
}
