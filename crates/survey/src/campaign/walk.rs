//! A walk through a TOML file that knows where everything stands and which keys were asked for.
//!
//! Every getter records its fault and goes on with a harmless stand-in, so one pass finds all faults of a file.
//! Nothing read through here may be used once a fault is recorded: stand-ins are not answers.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::str::FromStr;

use parsurvey_index::code::CodeError;
use parsurvey_index::exact::Exact;
use parsurvey_index::tree::Text;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use unicode_normalization::UnicodeNormalization;

use super::place::{Document, Place, Placed, bad_code};
use crate::fault::Fault;

struct Entry<'d> {
    key: Range<usize>,
    value: &'d Spanned<DeValue<'d>>,
}

/// One table of a file, which remembers the keys that were asked for.
pub(super) struct Table<'d> {
    pub(super) document: &'d Document<'d>,
    path: String,
    span: Range<usize>,
    /// In file order.
    entries: Vec<(&'d str, Entry<'d>)>,
    taken: RefCell<BTreeSet<String>>,
}

fn nfc(text: &str) -> String {
    text.trim().nfc().collect()
}

/// How a value's type is called in a fault.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

impl<'d> Table<'d> {
    /// The table that a file is.
    pub(super) fn root(document: &'d Document<'d>, table: &'d Spanned<DeTable<'d>>) -> Self {
        Self::new(document, table.get_ref(), 0..0, String::new())
    }

    fn new(document: &'d Document<'d>, table: &'d DeTable<'d>, span: Range<usize>, path: String) -> Self {
        let mut entries: Vec<_> =
            table.iter().map(|(key, value)| (&**key.get_ref(), Entry { key: key.span(), value })).collect();
        entries.sort_by_key(|(_, entry)| entry.key.start);
        Self { document, path, span, entries, taken: RefCell::default() }
    }

    pub(super) fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> Place {
        self.document.place(self.span.clone(), &self.path)
    }

    /// Where the value of `key` stands, or the table's place without one.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.entry(key).map_or_else(
            || self.document.place(self.span.clone(), &self.field(key)),
            |entry| self.document.place(entry.value.span(), &self.field(key)),
        )
    }

    pub(super) fn add(&self, fault: Fault) {
        self.document.faults.add(fault);
    }

    fn entry(&self, key: &str) -> Option<&Entry<'d>> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, entry)| entry)
    }

    /// Whether the key is there; does not count as reading it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    fn optional(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.taken.borrow_mut().insert(key.to_owned());
        self.entry(key).map(|entry| entry.value)
    }

    pub(super) fn required(&self, key: &str, expected: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        let found = self.optional(key);
        if found.is_none() {
            self.add(self.place_of(key).fault(
                "missing-field",
                format!("'{key}' is missing"),
                format!("add '{key}', {expected}"),
            ));
        }
        found
    }

    pub(super) fn wrong_type(&self, key: &str, value: &DeValue<'_>, expected: &str) {
        self.add(self.place_of(key).fault(
            "wrong-type",
            format!("'{key}' is {} where {expected} belongs", kind(value)),
            format!("write {expected}"),
        ));
    }

    /// Every key not asked for is a fault, with the nearest known key as its remedy.
    pub(super) fn finish(self) {
        let taken = self.taken.borrow();
        for (key, entry) in &self.entries {
            if taken.contains(*key) {
                continue;
            }
            let nearest = taken
                .iter()
                .filter(|known| !self.has(known))
                .map(|known| (strsim::damerau_levenshtein(known, key), known))
                .min()
                .filter(|(distance, _)| *distance <= 3);
            let remedy = nearest.map_or_else(
                || "remove it; the fields that belong here are in the sample campaigns".to_owned(),
                |(_, known)| format!("remove it, or did you mean '{known}'?"),
            );
            self.add(self.document.place(entry.key.clone(), &self.field(key)).fault(
                "unknown-field",
                format!("'{key}' means nothing here"),
                remedy,
            ));
        }
    }

    fn as_text(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<String> {
        if let DeValue::String(text) = value.get_ref() {
            let text = nfc(text);
            if text.is_empty() {
                self.add(self.place_of(key).fault(
                    "empty-text",
                    format!("'{key}' is empty"),
                    "write the text, or remove the field if it may be left out",
                ));
            }
            return Some(text);
        }
        self.wrong_type(key, value.get_ref(), "a text between double quotes");
        None
    }

    /// A text that must be there and not be empty, in NFC.
    pub(super) fn text(&self, key: &str) -> String {
        self.required(key, "a text").and_then(|value| self.as_text(key, value)).unwrap_or_default()
    }

    /// A text that may be left out.
    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        self.optional(key).and_then(|value| self.as_text(key, value))
    }

    /// A text in both languages: `{ vi = "…", en = "…" }`.
    pub(super) fn bilingual(&self, key: &str) -> Text {
        match self.required(key, "as { vi = \"…\", en = \"…\" }") {
            Some(value) => self.as_bilingual(key, value),
            None => Text { vi: String::new(), en: String::new() },
        }
    }

    /// A text in both languages that may be left out.
    pub(super) fn optional_bilingual(&self, key: &str) -> Option<Text> {
        self.optional(key).map(|value| self.as_bilingual(key, value))
    }

    fn as_bilingual(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Text {
        if let DeValue::Table(table) = value.get_ref() {
            let table = Table::new(self.document, table, value.span(), self.field(key));
            let text = Text { vi: table.text("vi"), en: table.text("en") };
            table.finish();
            return text;
        }
        self.wrong_type(key, value.get_ref(), "{ vi = \"…\", en = \"…\" }");
        Text { vi: String::new(), en: String::new() }
    }

    /// A code that must be there.
    pub(super) fn code<T: FromStr<Err = CodeError>>(&self, key: &str) -> Option<T> {
        let text = self.text(key);
        if text.is_empty() { None } else { self.parse_code(key, &text) }
    }

    /// A code that may be left out.
    pub(super) fn optional_code<T: FromStr<Err = CodeError>>(&self, key: &str) -> Option<T> {
        self.optional_text(key).and_then(|text| self.parse_code(key, &text))
    }

    fn parse_code<T: FromStr<Err = CodeError>>(&self, key: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(code) => Some(code),
            Err(error) => {
                self.add(bad_code(&self.place_of(key), &error));
                None
            }
        }
    }

    /// A percent, weight or number of points: a decimal written as a text.
    pub(super) fn exact(&self, key: &str) -> Option<Placed<Exact>> {
        let value = self.required(key, "a decimal between double quotes, such as \"0.75\"")?;
        self.as_exact(key, value)
    }

    /// The same, where it may be left out.
    pub(super) fn optional_exact(&self, key: &str) -> Option<Placed<Exact>> {
        self.optional(key).and_then(|value| self.as_exact(key, value))
    }

    fn as_exact(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<Placed<Exact>> {
        let place = self.place_of(key);
        match value.get_ref() {
            DeValue::String(text) => match rust_decimal::Decimal::from_str_exact(text.trim()) {
                Ok(decimal) => return Some(Placed { value: decimal.into(), place }),
                Err(_) => self.add(place.fault(
                    "bad-decimal",
                    format!("'{text}' is not a decimal"),
                    "write digits with a point, such as \"0.75\"",
                )),
            },
            DeValue::Float(float) => self.add(place.fault(
                "points-as-float",
                format!("'{key}' is a floating-point number, which cannot hold points exactly"),
                format!("put it between double quotes: \"{float}\""),
            )),
            DeValue::Integer(integer) => self.add(place.fault(
                "wrong-type",
                format!("'{key}' is a whole number where a decimal in quotes belongs"),
                format!("put it between double quotes: \"{integer}\""),
            )),
            other @ (DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_)) => {
                self.wrong_type(key, other, "a decimal between double quotes, such as \"0.75\"");
            }
        }
        None
    }

    /// A whole number that must be there and fit its type.
    pub(super) fn whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.required(key, "a whole number").and_then(|value| self.as_whole(key, value))
    }

    /// A whole number that may be left out.
    pub(super) fn optional_whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.optional(key).and_then(|value| self.as_whole(key, value))
    }

    /// A list of whole numbers that may be left out.
    pub(super) fn wholes<T: TryFrom<i64>>(&self, key: &str) -> Vec<T> {
        self.list(key).into_iter().filter_map(|(_, value)| self.as_whole(key, value)).collect()
    }

    fn as_whole<T: TryFrom<i64>>(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<T> {
        let DeValue::Integer(integer) = value.get_ref() else {
            self.wrong_type(key, value.get_ref(), "a whole number");
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.and_then(|number| T::try_from(number).ok());
        if number.is_none() {
            self.add(self.place_of(key).fault(
                "out-of-range",
                format!("'{key}' cannot be {integer}"),
                "write a number that is possible here",
            ));
        }
        number
    }

    /// `true` or `false`; `otherwise` where it is left out, and a fault without an `otherwise`.
    pub(super) fn boolean(&self, key: &str, otherwise: Option<bool>) -> bool {
        let value = match otherwise {
            Some(_) => self.optional(key),
            None => self.required(key, "true or false"),
        };
        match value.map(|value| value.get_ref()) {
            Some(DeValue::Boolean(value)) => *value,
            Some(other) => {
                self.wrong_type(key, other, "true or false");
                false
            }
            None => otherwise.unwrap_or_default(),
        }
    }

    /// A list of texts that may be left out.
    pub(super) fn texts(&self, key: &str) -> Vec<Placed<String>> {
        let mut texts = Vec::new();
        for (name, value) in self.list(key) {
            let place = self.document.place(value.span(), &self.field(&name));
            match value.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => texts.push(Placed { value: nfc(text), place }),
                other => self.add(place.fault(
                    "wrong-type",
                    format!("an entry of '{key}' is {} where a text belongs", kind(other)),
                    "write texts between double quotes",
                )),
            }
        }
        texts
    }

    pub(super) fn list(&self, key: &str) -> Vec<(String, &'d Spanned<DeValue<'d>>)> {
        match self.optional(key).map(|value| value.get_ref()) {
            Some(DeValue::Array(items)) => {
                items.iter().enumerate().map(|(at, item)| (format!("{key}[{at}]"), item)).collect()
            }
            Some(other) => {
                self.wrong_type(key, other, "a list between square brackets");
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// A table that must be there.
    pub(super) fn table(&self, key: &str) -> Option<Table<'d>> {
        self.required(key, &format!("as [{}]", self.field(key)))?;
        self.optional_table(key)
    }

    /// A table that may be left out.
    pub(super) fn optional_table(&self, key: &str) -> Option<Table<'d>> {
        let value = self.optional(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Table::new(self.document, table, value.span(), self.field(key)));
        }
        self.wrong_type(key, value.get_ref(), &format!("a table [{}]", self.field(key)));
        None
    }

    /// The tables of `[[key]]`, in file order; may be left out.
    pub(super) fn tables(&self, key: &str) -> Vec<Table<'d>> {
        let mut tables = Vec::new();
        for (name, value) in self.list(key) {
            match value.get_ref() {
                DeValue::Table(table) => {
                    tables.push(Table::new(self.document, table, value.span(), self.field(&name)));
                }
                other => self.add(self.document.place(value.span(), &self.field(&name)).fault(
                    "wrong-type",
                    format!("an entry of '{key}' is {} where a table belongs", kind(other)),
                    format!("write [[{}]] and its fields below", self.field(key)),
                )),
            }
        }
        tables
    }

    /// Every key of a table whose keys are data, in file order; all count as read.
    pub(super) fn keys(&self) -> Vec<Placed<&'d str>> {
        let mut keys = Vec::new();
        for (key, entry) in &self.entries {
            self.taken.borrow_mut().insert((*key).to_owned());
            keys.push(Placed { value: *key, place: self.document.place(entry.key.clone(), &self.field(key)) });
        }
        keys
    }
}
