//! Calling back: which completed forms an outside body asks about, and what the calls prove.
//!
//! Asked is whether a person answered, and freely; never what. The draw follows from a seed that the auditor chooses
//! and from the list of completed forms, so that anybody who has both draws the same, and nobody can choose whom.

use std::collections::BTreeMap;
use std::str::FromStr;

use parsurvey_index::code::GroupCode;
use parsurvey_index::finite_sample::upper_bound;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::hex;
use crate::seat::FormId;

/// A completed form, as the draw sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedForm {
    /// The form.
    pub form: FormId,
    /// Counts its holders, from 1.
    pub holder: u32,
    /// The respondent group.
    pub group: GroupCode,
}

/// What a call gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The person answered the survey, themselves and freely.
    Confirmed,
    /// The person did not answer it, or not themselves, or not freely.
    Denied,
    /// The person could not be reached.
    NotReached,
    /// The person would not say.
    Refused,
}

impl CallOutcome {
    /// The word stored and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Denied => "denied",
            Self::NotReached => "not_reached",
            Self::Refused => "refused",
        }
    }
}

impl FromStr for CallOutcome {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        [Self::Confirmed, Self::Denied, Self::NotReached, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
            .ok_or_else(|| format!("'{word}' is not an outcome of a call"))
    }
}

/// The hash (SHA-256, hex) of the list that is drawn from: forms and holders, in the order of the forms.
#[must_use]
pub fn list_sha256(completed: &[CompletedForm]) -> String {
    let mut hash = Sha256::new();
    for one in completed {
        hash.update(format!("{} {}\n", one.form, one.holder));
    }
    hex(&hash.finalize())
}

/// Draws `n` of the completed forms, each as likely as any other, without putting one back; by form. With `by_group`
/// each group gives its share of `n` (by largest remainders), and the draw is made within it.
#[must_use]
pub fn draw(completed: &[CompletedForm], n: usize, seed: &str, by_group: bool) -> Vec<FormId> {
    let mut key = Sha256::new();
    key.update(b"parsurvey callback 1\n");
    key.update(list_sha256(completed));
    key.update(b"\n");
    key.update(seed);
    let mut rng = ChaCha20Rng::from_seed(key.finalize().into());
    let mut groups: BTreeMap<Option<&GroupCode>, Vec<FormId>> = BTreeMap::new();
    for one in completed {
        groups.entry(by_group.then_some(&one.group)).or_default().push(one.form);
    }
    let sizes: Vec<usize> = groups.values().map(Vec::len).collect();
    let mut drawn = Vec::new();
    for (forms, share) in groups.values_mut().zip(shares(&sizes, n)) {
        for place in 0..share {
            let other = place + below(&mut rng, forms.len() - place);
            forms.swap(place, other);
        }
        drawn.extend(&forms[..share]);
    }
    drawn.sort_unstable();
    drawn
}

/// How many each part gives, in proportion to its size, `n` together and no part more than it has.
fn shares(sizes: &[usize], n: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let n = n.min(all);
    let mut shares: Vec<usize> = sizes.iter().map(|size| size * n / all.max(1)).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|part| (std::cmp::Reverse(sizes[*part] * n % all.max(1)), *part));
    let left = n - shares.iter().sum::<usize>();
    for part in order.into_iter().take(left) {
        shares[part] += 1;
    }
    shares
}

/// A number below `bound`, exactly uniform: what would favour small numbers is thrown again.
fn below(rng: &mut ChaCha20Rng, bound: usize) -> usize {
    let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
    let fair = u64::MAX - u64::MAX % bound;
    loop {
        // Only the generator's raw output is used: how a library maps it to ranges may change between versions.
        let thrown = rng.next_u64();
        if thrown < fair {
            return usize::try_from(thrown % bound).unwrap_or(0);
        }
    }
}

/// What the calls of a draw gave, over all of it or within a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CallCounts {
    /// Completed forms that were drawn from.
    pub population: u64,
    /// Forms drawn.
    pub drawn: u64,
    /// Answered themselves and freely.
    pub confirmed: u64,
    /// Did not.
    pub denied: u64,
    /// Not reached.
    pub not_reached: u64,
    /// Would not say.
    pub refused: u64,
    /// Not called yet.
    pub open: u64,
}

impl CallCounts {
    /// Counts one drawn form.
    pub fn add(&mut self, outcome: Option<CallOutcome>) {
        self.drawn += 1;
        *match outcome {
            Some(CallOutcome::Confirmed) => &mut self.confirmed,
            Some(CallOutcome::Denied) => &mut self.denied,
            Some(CallOutcome::NotReached) => &mut self.not_reached,
            Some(CallOutcome::Refused) => &mut self.refused,
            None => &mut self.open,
        } += 1;
    }

    /// With 95 % confidence at most so many of the population would not confirm. Whoever was not reached, would not say
    /// or was not called yet counts as not confirming, so that leaving people out never makes the bound better.
    #[must_use]
    pub fn not_confirmed_at_most(&self) -> Option<u64> {
        upper_bound(self.population, self.drawn, self.drawn - self.confirmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(sizes: &[(&str, i64)]) -> Vec<CompletedForm> {
        let groups = sizes.iter().flat_map(|(group, n)| (0..*n).map(move |_| *group));
        groups
            .zip(1..)
            .map(|(group, form)| CompletedForm { form, holder: 1, group: group.parse().expect("a code") })
            .collect()
    }

    #[test]
    fn a_draw_follows_from_seed_and_list_alone() {
        let completed = list(&[("heads", 540), ("leaders", 80)]);
        let drawn = draw(&completed, 60, "17-04-92", false);
        assert_eq!(drawn, draw(&completed, 60, "17-04-92", false));
        assert_eq!(drawn.len(), 60);
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]), "none is drawn twice");
        assert_ne!(drawn, draw(&completed, 60, "17-04-93", false));
        assert_ne!(drawn, draw(&completed[1..], 60, "17-04-92", false), "another list is another draw");
        assert_eq!(&drawn[..5], PINNED, "the draw is the same for ever");
        assert_eq!(draw(&completed, 9999, "x", false).len(), 620);
        assert_eq!(draw(&[], 5, "x", true), Vec::<FormId>::new());
    }

    // Computed apart, by another implementation of SHA-256 and ChaCha20.
    const PINNED: &[FormId] = &[5, 14, 16, 45, 49];

    #[test]
    fn groups_give_their_shares() {
        let completed = list(&[("heads", 540), ("leaders", 80), ("small", 3)]);
        let drawn = draw(&completed, 60, "x", true);
        let of = |from, to| drawn.iter().filter(|form| (from..=to).contains(*form)).count();
        assert_eq!([of(1, 540), of(541, 620), of(621, 623)], [52, 8, 0]);
        assert_eq!(shares(&[3, 3, 3], 4), [2, 1, 1]);
        assert_eq!(shares(&[2, 1], 9), [2, 1]);
    }

    #[test]
    fn every_form_is_drawn_as_often_as_any_other() {
        let completed = list(&[("heads", 10)]);
        let mut times = [0_u32; 10];
        for seed in 0..4000 {
            for form in draw(&completed, 3, &seed.to_string(), false) {
                times[usize::try_from(form - 1).expect("small")] += 1;
            }
        }
        // 1,200 each on the mean; six standard deviations are about 174.
        assert!(times.iter().all(|n| n.abs_diff(1200) < 174), "{times:?}");
    }

    #[test]
    fn who_was_not_reached_does_not_make_the_bound_better() {
        let counts = |confirmed, denied, open| CallCounts {
            population: 816,
            drawn: 60,
            confirmed,
            denied,
            open,
            ..CallCounts::default()
        };
        let all = counts(60, 0, 0).not_confirmed_at_most();
        assert_eq!(all, upper_bound(816, 60, 0));
        assert!(counts(50, 0, 10).not_confirmed_at_most() > all);
        assert_eq!(counts(50, 0, 10).not_confirmed_at_most(), counts(50, 10, 0).not_confirmed_at_most());
        assert_eq!(CallCounts::default().not_confirmed_at_most(), None);
    }
}
