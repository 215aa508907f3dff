//! Groups and units by every spelling the campaign knows, and the nearest when none fits.
//!
//! The nearest is only ever proposed: a cell that is not known stays a fault.

use std::collections::HashMap;

use super::fold::{bare, fold};

/// Codes by every spelling the campaign knows.
pub(super) struct Names<'a, C> {
    codes: HashMap<String, C>,
    /// Bare spelling, name and code, for finding what is near.
    spellings: Vec<(String, &'a str, C)>,
    /// What was found near, by what was written: lists repeat their mistakes.
    found: HashMap<String, Option<String>>,
}

/// After so many different unknown spellings nothing near is looked for: the file is no roster of this campaign.
const MAX_LOOKUPS: usize = 1000;

impl<'a, C: Clone + std::fmt::Display> Names<'a, C> {
    /// From each code, its name, and the other spellings.
    pub(super) fn of(entries: impl Iterator<Item = (&'a C, &'a str, Vec<&'a String>)>) -> Self
    where
        C: 'a,
    {
        let mut names = Self { codes: HashMap::new(), spellings: Vec::new(), found: HashMap::new() };
        for (code, name, aliases) in entries {
            let written = code.to_string();
            let others = aliases.into_iter().map(String::as_str);
            for spelling in [written.as_str(), name].into_iter().chain(others) {
                names.codes.entry(fold(spelling)).or_insert_with(|| code.clone());
                names.spellings.push((bare(spelling), name, code.clone()));
            }
        }
        names.codes.remove("");
        names
    }

    /// The code of a spelling, whatever its case, spaces and tone-mark style.
    pub(super) fn get(&self, text: &str) -> Option<C> {
        self.codes.get(&fold(text)).cloned()
    }

    /// Every name, for a remedy.
    pub(super) fn all(&self) -> String {
        let mut names: Vec<&str> = self.spellings.iter().map(|(_, name, _)| *name).collect();
        names.dedup();
        names.join(", ")
    }

    /// The nearest name with its code, if anything is near.
    pub(super) fn nearest(&mut self, text: &str) -> Option<String> {
        let key = bare(text);
        if key.is_empty() || key.len() > 200 {
            return None;
        }
        if let Some(found) = self.found.get(&key) {
            return found.clone();
        }
        if self.found.len() >= MAX_LOOKUPS {
            return None;
        }
        let mut best: Option<(f64, String)> = None;
        for (spelling, name, code) in &self.spellings {
            let near = strsim::normalized_damerau_levenshtein(&key, spelling);
            if near >= 0.6 && best.as_ref().is_none_or(|(known, _)| near > *known) {
                best = Some((near, format!("'{name}' ({code})")));
            }
        }
        let found = best.map(|(_, name)| name);
        self.found.insert(key, found.clone());
        found
    }
}
