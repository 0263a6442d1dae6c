//! How far the output has come, as a value that can be kept: what a run that goes on later cuts its file back to.
//!
//! Knows no files: [`super::sink`] makes positions, [`super::resume`] holds them against what is on disk.

use crate::wire::{Bytes, put_bytes, put_number};

/// So many bytes in front of a position are hashed: whoever changes a file changes its end, or its length.
pub(super) const TAIL: usize = 64 << 10;

/// The first byte of a position; other shapes get another one.
const VERSION: u8 = 1;

/// Where a file ends that counts for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct End {
    /// The part, from 1; 0 for an output that has no parts.
    pub part: u64,
    /// Bytes of the part's file.
    pub length: u64,
}

/// How far the output has come: all lines handed over before [`super::JsonLines::mark`] are in the file up to here, or
/// held by this value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// What is in the file.
    pub end: End,
    /// BLAKE3 of the last 64 KiB before it, or of all there is.
    pub tail: [u8; 32],
    /// Lines that are not in the file yet: compressed output waits for enough of them.
    pub held: Vec<u8>,
    /// Where the run began, counted from its first start.
    pub began: End,
}

impl Position {
    /// Whether the output is a file; not so for standard output, devices and FIFOs, which have no position.
    pub fn is_in_file(&self) -> bool {
        // No bytes have such a hash, as far as anybody knows.
        self.tail != [0; 32]
    }

    /// Appends the position.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        for number in [self.end.part, self.end.length, self.began.part, self.began.length] {
            put_number(number, out);
        }
        put_bytes(&self.tail, out);
        put_bytes(&self.held, out);
    }

    /// What [`Position::to_bytes`] wrote; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != VERSION {
            return None;
        }
        let mut end = || Some(End { part: bytes.number()?, length: bytes.number()? });
        let (end, began) = (end()?, end()?);
        let tail = bytes.bytes()?.try_into().ok()?;
        let held = bytes.bytes()?.to_vec();
        bytes.0.is_empty().then_some(Position { end, tail, held, began })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn positions_read_back_and_cut_ones_are_none(
            numbers in any::<[u64; 4]>(), tail in any::<[u8; 32]>(), held in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let position = Position {
                end: End { part: numbers[0], length: numbers[1] },
                began: End { part: numbers[2], length: numbers[3] },
                tail,
                held,
            };
            let mut bytes = vec![];
            position.to_bytes(&mut bytes);
            prop_assert_eq!(Position::from_bytes(&bytes), Some(position));
            for cut in 0..bytes.len() {
                prop_assert_eq!(Position::from_bytes(&bytes[..cut]), None);
            }
            bytes.push(0);
            prop_assert_eq!(Position::from_bytes(&bytes), None);
        }

        #[test]
        fn any_bytes_can_be_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Position::from_bytes(&bytes);
        }
    }
}
