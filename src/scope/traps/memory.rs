//! What was counted, as entries that outlive the process.
//!
//! One entry for the key of the hash, one for each count, one for each shape that was cut. Whoever keeps them writes
//! no more than was counted since the last time: what the tallies forget is told as gone.

use std::collections::BTreeMap;

use siphasher::sip::SipHasher13;

use super::{NAMED, Traps};
use crate::memory::Change;
use crate::scope::ScopePolicy;
use crate::scope::tally::Tally;
use crate::wire::{Bytes, put_bytes, put_number};

/// The form of the entries.
const VERSION: u8 = 1;

// What the key of an entry begins with.
const KEY: u8 = b'k';
const SHAPE: u8 = b's';
const QUERY: u8 = b'q';
const CUT: u8 = b'c';

/// What has changed beside the counts.
#[derive(Debug)]
pub(super) struct Changes {
    /// The key of the hash has not been told.
    is_new: bool,
    /// Places in `cut` and the hashes of the shapes there.
    cut: BTreeMap<usize, u64>,
}

impl Changes {
    pub(super) fn note_cut(&mut self, at: usize, hash: u64) {
        self.cut.insert(at, hash);
    }
}

impl Traps {
    /// From now on, what changes is noted for [`Traps::take_changes`]. To be called before the first URL, unless the
    /// entries were [restored](Traps::restore).
    pub fn note_changes(&mut self) {
        self.shapes.note_changes();
        self.queries.note_changes();
        self.changes.get_or_insert(Changes { is_new: true, cut: BTreeMap::new() });
    }

    /// What has changed since the last time. As much as was [admitted](Traps::admit) since then, at most.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let Some(noted) = &mut self.changes else { return Vec::new() };
        let mut changes = Vec::new();
        if std::mem::take(&mut noted.is_new) {
            let mut value = vec![VERSION];
            value.extend(self.hash.key());
            changes.push(Change { key: vec![KEY], value: Some(value) });
        }
        put_counts(SHAPE, &mut self.shapes, &mut changes);
        put_counts(QUERY, &mut self.queries, &mut changes);
        for (at, hash) in std::mem::take(&mut noted.cut) {
            let (shape, count) = &self.cut[at];
            let place = u32::try_from(at).expect("there is room for 1,000");
            let mut value = vec![VERSION];
            value.extend(hash.to_le_bytes());
            put_number(*count, &mut value);
            put_bytes(shape.as_bytes(), &mut value);
            changes.push(Change { key: key(CUT, &place.to_be_bytes()), value: Some(value) });
        }
        changes
    }

    /// Goes on where [`Traps::take_changes`] has told of, with what was kept of it, in any order; changes are noted
    /// from here on. Without any entry nothing has been counted. `None` if the entries are not what was told.
    pub fn restore<K, V>(policy: &ScopePolicy, entries: impl IntoIterator<Item = (K, V)>) -> Option<Traps>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut traps = Traps::new(policy);
        let mut hash = None;
        let mut cut = BTreeMap::new();
        let mut is_empty = true;
        for (key, value) in entries {
            is_empty = false;
            let (&kind, rest) = key.as_ref().split_first()?;
            let value = value.as_ref().strip_prefix(&[VERSION])?;
            match kind {
                KEY => hash = Some(SipHasher13::new_with_key(value.try_into().ok()?)),
                SHAPE => take_count(rest, value, &mut traps.shapes)?,
                QUERY => take_count(rest, value, &mut traps.queries)?,
                CUT => {
                    let at = usize::try_from(u32::from_be_bytes(rest.try_into().ok()?)).ok()?;
                    cut.insert(at, take_cut(value)?);
                }
                _ => return None,
            }
        }
        let is_whole = cut.len() <= NAMED && cut.keys().copied().eq(0..cut.len());
        if !is_whole || hash.is_none() && !is_empty {
            return None;
        }
        traps.hash = hash.unwrap_or(traps.hash);
        for (at, (hash, shape, count)) in cut {
            traps.full.insert(hash, at);
            traps.cut.push((shape, count));
        }
        traps.note_changes();
        if let Some(changes) = &mut traps.changes {
            changes.is_new = is_empty;
        }
        Some(traps)
    }
}

fn put_counts(kind: u8, tally: &mut Tally, changes: &mut Vec<Change>) {
    changes.extend(tally.take_changes().map(|(hash, count)| Change {
        key: key(kind, &hash.to_be_bytes()),
        value: count.map(|count| {
            let mut value = vec![VERSION];
            put_number(count, &mut value);
            value
        }),
    }));
}

fn take_count(key: &[u8], value: &[u8], tally: &mut Tally) -> Option<()> {
    let hash = u64::from_be_bytes(key.try_into().ok()?);
    let mut value = Bytes(value);
    let count = value.number()?;
    (value.0.is_empty() && tally.restore(hash, count)).then_some(())
}

fn take_cut(value: &[u8]) -> Option<(u64, String, u64)> {
    let (hash, rest) = value.split_first_chunk()?;
    let mut rest = Bytes(rest);
    let (count, shape) = (rest.number()?, rest.text()?);
    rest.0.is_empty().then(|| (u64::from_le_bytes(*hash), shape.to_owned(), count))
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    [&[kind], rest].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;
    use crate::memory::{self, tests::Kept};
    use crate::scope::LeftOut;

    fn policy(max_per_shape: u64) -> ScopePolicy {
        ScopePolicy { max_per_shape, ..ScopePolicy::default() }
    }

    fn keep(traps: &mut Traps, kept: &mut Kept) -> usize {
        memory::tests::keep(traps.take_changes(), kept)
    }

    fn admit(traps: &mut Traps, url: &str) -> Result<(), LeftOut> {
        traps.admit(&Url::parse(url).unwrap())
    }

    #[test]
    fn counts_go_on_where_they_were() {
        let mut kept = Kept::new();
        let mut traps = Traps::restore(&policy(3), &kept).unwrap();
        for day in 1..=4 {
            let _ = admit(&mut traps, &format!("http://h/cal/{day}"));
        }
        for query in ["a=1&b=2&c", "b=2&a=1&c", "c&a=1&b=2"] {
            assert_eq!(admit(&mut traps, &format!("http://h/x?{query}")), Ok(()));
        }
        keep(&mut traps, &mut kept);

        let mut traps = Traps::restore(&policy(3), &kept).unwrap();
        assert_eq!(admit(&mut traps, "http://h/cal/5"), Err(LeftOut::TooManyOfShape));
        assert_eq!(admit(&mut traps, "http://h/x?c&b=2&a=1"), Err(LeftOut::QueryPermutation));
        assert_eq!(admit(&mut traps, "http://h/y"), Ok(()));
        assert_eq!(traps.shapes_cut().collect::<Vec<_>>(), [("http://h/cal/N", 2)]);
        keep(&mut traps, &mut kept);
        let traps = Traps::restore(&policy(3), &kept).unwrap();
        assert_eq!(traps.shapes_cut().collect::<Vec<_>>(), [("http://h/cal/N", 2)]);
    }

    #[test]
    fn only_what_was_counted_since_is_told() {
        let mut kept = Kept::new();
        let mut traps = Traps::restore(&policy(1_000_000), &kept).unwrap();
        for word in 0..10_000 {
            let word: String =
                format!("{word}").bytes().map(|digit| char::from(digit + b'a' - b'0')).collect();
            assert_eq!(admit(&mut traps, &format!("http://h/{word}")), Ok(()));
        }
        assert_eq!(keep(&mut traps, &mut kept), 10_001, "and the key");
        assert_eq!(keep(&mut traps, &mut kept), 0);
        for page in 0..50 {
            assert_eq!(admit(&mut traps, &format!("http://h/{page}")), Ok(()));
        }
        assert_eq!(keep(&mut traps, &mut kept), 1);
        let mut traps = Traps::restore(&policy(1_000_000), &kept).unwrap();
        assert_eq!(keep(&mut traps, &mut kept), 0);
    }

    #[test]
    fn entries_that_were_not_told_are_none() {
        let mut kept = Kept::new();
        let mut traps = Traps::restore(&policy(0), &kept).unwrap();
        let _ = admit(&mut traps, "http://h/1?a&b");
        keep(&mut traps, &mut kept);
        assert!(Traps::restore(&policy(0), &kept).is_some());
        for key in kept.keys() {
            for damage in 0..3 {
                let mut damaged = kept.clone();
                let value = damaged.get_mut(key).unwrap();
                match damage {
                    0 => value[0] += 1,
                    1 => value.push(0),
                    _ => value.truncate(1),
                }
                assert!(Traps::restore(&policy(0), &damaged).is_none(), "{key:?}");
            }
        }
        kept.remove(&vec![KEY]);
        assert!(Traps::restore(&policy(0), &kept).is_none(), "counts mean nothing without their key");
    }

    proptest! {
        #[test]
        fn a_run_that_is_cut_into_pieces_admits_what_a_whole_one_does(
            visits in proptest::collection::vec(("/[ab1]{1,2}(\\?[ab&]{0,5})?", 0..4_u8), 0..120),
        ) {
            let mut whole = Traps::new(&policy(4));
            let mut kept = Kept::new();
            let mut pieces = Traps::restore(&policy(4), &kept).unwrap();
            for (path, then) in visits {
                let url = format!("http://h{path}");
                prop_assert_eq!(admit(&mut whole, &url), admit(&mut pieces, &url), "{}", url);
                if then < 2 {
                    keep(&mut pieces, &mut kept);
                }
                if then == 0 {
                    pieces = Traps::restore(&policy(4), &kept).unwrap();
                }
            }
            prop_assert!(whole.shapes_cut().eq(pieces.shapes_cut()));
        }
    }
}
