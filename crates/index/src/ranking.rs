//! Ranks on exact values: descending, ties share a place (1, 2, 2, 4), what has no value is listed unranked.
//!
//! Imported official ranks are not made here and never replaced by these.

use crate::exact::{Exact, Quantity};

/// One ranked entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked<K> {
    /// What is ranked.
    pub key: K,
    /// Its exact value, or why there is none.
    pub value: Quantity,
    /// The place, from 1; `None` without a value.
    pub rank: Option<u64>,
    /// Whether another entry prints the same value and yet has another rank.
    pub same_print_other_rank: bool,
}

/// Ranks `entries`, best first; equal values and entries without a value keep the order they came in.
///
/// `places` is the number of decimals that will be printed: it decides only what is marked, never a rank.
#[must_use]
pub fn rank<K: Clone>(entries: &[(K, Quantity)], places: usize) -> Vec<Ranked<K>> {
    let mut valued: Vec<(&K, &Exact)> = entries.iter().filter_map(|(key, value)| Some((key, value.value()?))).collect();
    valued.sort_by(|(_, a), (_, b)| b.cmp(a));
    let prints: Vec<String> = valued.iter().map(|(_, value)| value.rounded(places)).collect();
    let mut ranked: Vec<Ranked<K>> = Vec::with_capacity(entries.len());
    let mut place = 0;
    for (position, (key, value)) in valued.iter().enumerate() {
        if position == 0 || valued[position - 1].1 != *value {
            place = position as u64 + 1;
        }
        let twin = |(other, print): (usize, &String)| *print == prints[position] && valued[other].1 != *value;
        ranked.push(Ranked {
            key: (*key).clone(),
            value: Quantity::Value((*value).clone()),
            rank: Some(place),
            same_print_other_rank: prints.iter().enumerate().any(twin),
        });
    }
    let without = entries.iter().filter(|(_, value)| value.value().is_none());
    ranked.extend(without.map(|(key, value)| Ranked {
        key: key.clone(),
        value: value.clone(),
        rank: None,
        same_print_other_rank: false,
    }));
    ranked
}
