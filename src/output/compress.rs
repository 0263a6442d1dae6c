//! Compressed output: which files are, and how lines become a piece of one.
//!
//! A compressed file is a sequence of whole pieces, gzip members (RFC 1952 2.2) or Zstandard frames (RFC 8878 3.1), that
//! every reader takes for one stream: so a file that is cut behind a piece is a whole file, and one that is appended to
//! as well. Knows bytes, not files.

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// Lines wait until there are so many bytes of them. Pieces four times as large come out 2 to 3 % smaller, but what waits
/// is part of each position that is kept.
pub(super) const PIECE: usize = 64 << 10;

/// How output is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

impl Compression {
    /// What the ending of the name says; `None` for a file that is not compressed.
    pub fn of(path: &Path) -> Option<Compression> {
        let ending = path.extension()?.to_str()?;
        let is = |name: &str| ending.eq_ignore_ascii_case(name);
        if is("gz") {
            Some(Compression::Gzip)
        } else if is("zst") || is("zstd") {
            Some(Compression::Zstd)
        } else {
            None
        }
    }

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }

    /// One piece, at the level that the tool of the format takes if not told otherwise.
    pub(super) fn pack(self, lines: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Compression::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(lines)?;
                encoder.finish()
            }
            Compression::Zstd => {
                let mut encoder = zstd::bulk::Compressor::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
                // As the command-line tool does.
                encoder.include_checksum(true)?;
                encoder.compress(lines)
            }
        }
    }

    /// Whether `file` is a sequence of whole pieces, from first to last byte.
    pub(super) fn is_whole(self, file: impl Read) -> bool {
        let mut file = BufReader::with_capacity(PIECE, file);
        let sink = &mut io::sink();
        match self {
            Compression::Gzip => io::copy(&mut flate2::bufread::MultiGzDecoder::new(file), sink).is_ok(),
            Compression::Zstd => zstd::Decoder::with_buffer(&mut file)
                .and_then(|mut decoder| io::copy(&mut decoder, sink))
                .is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

    #[test]
    fn the_ending_of_the_name_decides() {
        let of = |name| Compression::of(Path::new(name));
        assert_eq!(of("a.jsonl.gz"), Some(Compression::Gzip));
        assert_eq!(of("a.ZST"), Some(Compression::Zstd));
        assert_eq!(["a.jsonl", "gz", "a.gz/b"].map(of), [None; 3]);
    }

    #[test]
    fn pieces_are_whole_one_after_the_other_and_not_when_cut() {
        for compression in BOTH {
            let mut file = compression.pack(b"one\n").unwrap();
            let end = file.len();
            file.extend(compression.pack(b"two\n").unwrap());
            assert!(compression.is_whole(&file[..end]) && compression.is_whole(&file[..]));
            assert!(
                !compression.is_whole(&file[..end + 6]) && !compression.is_whole(&file[..file.len() - 1])
            );
            assert!(!compression.is_whole(&b"{\"a\": 1}\n"[..]));
        }
    }
}
