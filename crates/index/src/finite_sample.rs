//! What a sample drawn without replacement proves of the whole: an exact upper bound, in whole numbers.
//!
//! Nothing is approximated, so no float is needed: the hypergeometric probabilities are compared as integers.

use num_bigint::BigInt;
use num_traits::{One, Zero};

/// One in so many: the chance that the bound is too low, 5 %.
const ONE_IN: u32 = 20;

/// With 95 % confidence at most so many of `population` have a property that `found` of `sample` drawn ones have: the
/// largest number for which as few as `found` would still be seen with a probability of 5 % or more.
///
/// The one-sided bound of Clopper and Pearson (Biometrika 26, 1934, 404–413) carried over to a finite population, as in
/// Buonaccorsi, "A note on confidence intervals for proportions in finite populations" (The American Statistician 41,
/// 1987, 215–218). `None` where no such sample can be drawn: none drawn, more than there are, or more found than drawn.
#[must_use]
pub fn upper_bound(population: u64, sample: u64, found: u64) -> Option<u64> {
    if sample == 0 || sample > population || found > sample {
        return None;
    }
    // The more have it, the less likely so few are found: what is still likely is found by halving.
    let (mut low, mut high) = (found, population - (sample - found));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if is_likely(population, sample, found, middle) { low = middle } else { high = middle - 1 }
    }
    Some(low)
}

/// Whether `found` or fewer of a sample are seen with a probability of 5 % or more where `marked` of all have it.
fn is_likely(population: u64, sample: u64, found: u64, marked: u64) -> bool {
    let unmarked = population - marked;
    let least = sample.saturating_sub(unmarked);
    let mut term = choose(marked, least) * choose(unmarked, sample - least);
    let mut sum = BigInt::zero();
    for i in least..=found.min(marked) {
        sum += &term;
        // From C(marked, i)·C(unmarked, sample − i) to the same with i + 1, dividing without a remainder.
        term = term * (marked - i) * (sample - i) / (BigInt::from(i + 1) * (unmarked + i + 1 - sample));
    }
    sum * ONE_IN >= choose(population, sample)
}

fn choose(n: u64, k: u64) -> BigInt {
    if k > n {
        return BigInt::zero();
    }
    (0..k.min(n - k)).fold(BigInt::one(), |product, i| product * (n - i) / (i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_case_can_be_checked_by_hand() {
        // C(10−K, 5)/252 is 126, 56, 21, 6 of 252 for K = 1, 2, 3, 4; the first below 5 % is the last.
        assert_eq!(upper_bound(10, 5, 0), Some(3));
        assert_eq!(upper_bound(10, 10, 4), Some(4), "who asks everybody knows");
        assert_eq!(upper_bound(10, 5, 5), Some(10));
        for impossible in [(10, 0, 0), (10, 11, 0), (10, 5, 6)] {
            assert_eq!(upper_bound(impossible.0, impossible.1, impossible.2), None);
        }
    }

    #[test]
    fn a_large_population_gives_the_published_sample_sizes() {
        // Drawn from very many, the smallest samples that show with 95 % confidence that fewer than 5 % have it, where
        // 0, 1, 2, 3, 4 are found (the 95/95 column of tables of one-sided tolerance limits after Wilks).
        let (population, five_percent) = (1_000_000_000, 50_000_000);
        for (found, size) in [(0, 59), (1, 93), (2, 124), (3, 153), (4, 181)] {
            assert!(upper_bound(population, size, found).expect("a sample") < five_percent, "{found} of {size}");
            assert!(
                upper_bound(population, size - 1, found).expect("a sample") >= five_percent,
                "{found} of {size} − 1"
            );
        }
    }

    #[test]
    fn a_small_population_is_known_better_than_a_large_one() {
        let of = |population| upper_bound(population, 60, 0).expect("a sample");
        // 1 − 0.05^(1/60) = 4.87 % of very many.
        assert_eq!(of(1_000_000) * 10_000 / 1_000_000, 487);
        assert!(of(816) * 10_000 / 816 < 487);
        assert_eq!(of(60), 0);
    }
}
