//! Which requests have been found before: an exact set of fingerprints.
//!
//! Knows nothing of what a fingerprint is made of; only that each bit of it is as good as random.

/// So many tables grow one after the other, so that at no time the whole set is in memory twice. A power of two.
const SHARDS: usize = 256;

/// A table is filled to 4/5: beyond it, looking something up takes ever longer.
const FULL: (usize, usize) = (4, 5);

/// So many fingerprints are looked up together: their places fit into the fastest cache.
pub(super) const TOUCHED: usize = 128;

/// The first table of a shard: the empty set takes 32 KB.
const SMALLEST: usize = 8;

/// A set of 128-bit fingerprints, 20 to 30 bytes each.
///
/// There is no hashing, since fingerprints are hashes: the high bits choose the shard, those after them the place.
pub struct Seen {
    shards: Vec<Shard>,
    len: u64,
    /// In the tables, 0 is a free place.
    has_zero: bool,
}

#[derive(Clone)]
struct Shard {
    /// Open addressing: a fingerprint is at its place, or at one of those after it that are taken without a gap.
    places: Vec<u128>,
    taken: usize,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen::new()
    }
}

impl Seen {
    /// The empty set.
    pub fn new() -> Seen {
        let shard = Shard { places: vec![0; SMALLEST], taken: 0 };
        Seen { shards: vec![shard; SHARDS], len: 0, has_zero: false }
    }

    /// Makes room for so many more, so that taking them in does not grow one table after the other.
    pub fn reserve(&mut self, more: u64) {
        let each = usize::try_from(more).unwrap_or(usize::MAX) / SHARDS;
        for shard in &mut self.shards {
            shard.reserve(each);
        }
    }

    /// Adds a fingerprint, which must be uniformly random in all its bits; gives whether it is new.
    pub fn insert(&mut self, fingerprint: u128) -> bool {
        let is_new = if fingerprint == 0 {
            !std::mem::replace(&mut self.has_zero, true)
        } else {
            self.shards[shard_of(fingerprint)].insert(fingerprint)
        };
        self.len += u64::from(is_new);
        is_new
    }

    /// Adds many fingerprints.
    pub fn insert_all(&mut self, fingerprints: &[u128]) {
        for some in fingerprints.chunks(TOUCHED) {
            self.touch(some.iter().copied());
            for &fingerprint in some {
                self.insert(fingerprint);
            }
        }
    }

    /// Looks at the places of several fingerprints that will be inserted next. A large set lies outside of the
    /// processor's caches; so it waits for all of these places at once, and not for one after the other.
    pub fn touch(&self, fingerprints: impl Iterator<Item = u128>) {
        let looked_at = fingerprints.fold(0, |sum, fingerprint| {
            let shard = &self.shards[shard_of(fingerprint)];
            sum ^ shard.places[shard.home(fingerprint)]
        });
        std::hint::black_box(looked_at);
    }

    /// How many fingerprints it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

fn shard_of(fingerprint: u128) -> usize {
    (fingerprint >> (u128::BITS - SHARDS.trailing_zeros())) as usize
}

impl Shard {
    fn insert(&mut self, fingerprint: u128) -> bool {
        let at = self.find(fingerprint);
        if self.places[at] == fingerprint {
            return false;
        }
        self.places[at] = fingerprint;
        self.taken += 1;
        if self.taken * FULL.1 >= self.places.len() * FULL.0 {
            self.grow();
        }
        true
    }

    /// Where it belongs if nothing else does.
    fn home(&self, fingerprint: u128) -> usize {
        // Scaled to the size of the table, which therefore need not be a power of two.
        let bits = ((fingerprint << SHARDS.trailing_zeros()) >> 64) as u64;
        ((u128::from(bits) * self.places.len() as u128) >> 64) as usize
    }

    /// Where it is, or else the free place that it belongs to. There is always one free.
    fn find(&self, fingerprint: u128) -> usize {
        let mut at = self.home(fingerprint);
        while self.places[at] != 0 && self.places[at] != fingerprint {
            at += 1;
            if at == self.places.len() {
                at = 0;
            }
        }
        at
    }

    fn reserve(&mut self, more: usize) {
        // A quarter more than is filled at most, and some since no shard gets just its share.
        let wanted = (self.taken + more) * FULL.1 / FULL.0;
        let wanted = wanted + wanted / 32;
        if wanted > self.places.len() {
            self.grow_to(wanted);
        }
    }

    /// By half, not to the double: that takes more time in all, but less room.
    fn grow(&mut self) {
        self.grow_to(self.places.len() + self.places.len() / 2);
    }

    fn grow_to(&mut self, places: usize) {
        let larger = vec![0; places];
        for fingerprint in std::mem::replace(&mut self.places, larger) {
            if fingerprint != 0 {
                let at = self.find(fingerprint);
                self.places[at] = fingerprint;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_fingerprint_is_new_once() {
        let mut seen = Seen::new();
        assert!(seen.is_empty());
        let mut random = fastrand::Rng::with_seed(7);
        let all: Vec<u128> = (0..100_000).map(|_| random.u128(..)).collect();
        for (before, fingerprint) in all.iter().enumerate() {
            assert_eq!(seen.len(), before as u64);
            assert!(seen.insert(*fingerprint));
        }
        assert!(!all.iter().any(|fingerprint| seen.insert(*fingerprint)));
        // A bit more or less is another one.
        assert!(all.iter().all(|fingerprint| seen.insert(fingerprint ^ 1)));
        assert_eq!(seen.len(), 200_000);
    }

    #[test]
    fn tables_stay_within_their_bounds() {
        let mut seen = Seen::new();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            seen.insert(random.u128(..));
        }
        for shard in &seen.shards {
            let bytes = shard.places.len() * size_of::<u128>() / shard.taken;
            assert!((20..=30).contains(&bytes), "{bytes}");
        }
    }

    #[test]
    fn zero_and_the_last_are_fingerprints_like_others() {
        let mut seen = Seen::new();
        for fingerprint in [0, u128::MAX, 1, u128::MAX - 1] {
            assert!(seen.insert(fingerprint));
            assert!(!seen.insert(fingerprint));
        }
        assert_eq!(seen.len(), 4);
    }

    proptest! {
        #[test]
        fn it_is_a_set_even_where_all_want_the_same_place(
            fingerprints in prop::collection::vec(prop_oneof![0..50_u128, (0..50_u128).prop_map(|n| u128::MAX - n), any::<u128>()], 0..300)
        ) {
            let (mut seen, mut model) = (Seen::new(), HashSet::new());
            for fingerprint in fingerprints {
                prop_assert_eq!(seen.insert(fingerprint), model.insert(fingerprint));
                prop_assert_eq!(seen.len(), model.len() as u64);
            }
        }
    }
}
