//! 128 bits that stand for some bytes: the same in every run and on every machine, so they can be written down.
//!
//! Whoever chooses the bytes cannot make two of them agree: that would take some 2^64 attempts. What the bytes are is
//! for others to say.
//! Who compares whole contents, be it an output or a list, uses the hash itself, in its full length.

/// Takes in bytes, piece by piece. Where one piece ends and the next begins is not told: who needs that says it in the
/// bytes.
#[derive(Debug, Clone, Default)]
pub struct Digest(blake3::Hasher);

impl Digest {
    /// One that has seen nothing.
    pub fn new() -> Digest {
        Digest::default()
    }

    /// Takes in more bytes.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Digest {
        self.0.update(bytes);
        self
    }

    /// Takes in a piece with its length before it, so that it cannot be mistaken for two others.
    pub fn piece(&mut self, bytes: &[u8]) -> &mut Digest {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.update(bytes)
    }

    /// What stands for all that was taken in.
    pub fn bits(&self) -> u128 {
        first_half(&self.0.finalize())
    }
}

/// What stands for these bytes.
pub fn digest(bytes: &[u8]) -> u128 {
    first_half(&blake3::hash(bytes))
}

fn first_half(hash: &blake3::Hash) -> u128 {
    let (half, _) = hash.as_bytes().split_first_chunk().expect("the hash has 32 bytes");
    u128::from_le_bytes(*half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_in_one_piece_or_in_many() {
        assert_eq!(digest(b"abc"), Digest::new().update(b"a").update(b"bc").bits());
        assert_ne!(digest(b"abc"), digest(b"abd"));
    }

    #[test]
    fn pieces_with_their_length_do_not_run_together() {
        let of = |a: &[u8], b: &[u8]| Digest::new().piece(a).piece(b).bits();
        assert_ne!(of(b"a", b"bc"), of(b"ab", b"c"));
    }
}
