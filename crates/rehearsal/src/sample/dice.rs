//! Seeded chance that gives the same numbers for ever.
//!
//! Only the raw output of ChaCha is used: how a library maps it to ranges may change between versions. Not for secrets.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A sequence of draws.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The sequence of a seed and a purpose; sequences of different purposes have nothing in common.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a: a fixed way from a text to a number.
        let stream = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&stream.to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// A number below `bound`, which is not zero. The bias of the remainder is far below what a sample shows.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0.next_u64() % bound).unwrap_or(0)
    }

    /// One of the items, each as likely as its weight.
    pub(crate) fn weighted<'a, T>(&mut self, items: &'a [(T, usize)]) -> &'a T {
        let mut rest = self.below(items.iter().map(|(_, weight)| weight).sum());
        for (item, weight) in items {
            if rest < *weight {
                return item;
            }
            rest -= weight;
        }
        &items[0].0
    }
}
