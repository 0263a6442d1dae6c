//! Undoes `Content-Encoding`, counting what comes out.
//!
//! The only user of flate2, brotli-decompressor and ruzstd. Knows nothing of connections or headers: bytes and the header's
//! text go in, bytes come out. A page that unpacks to more than the limit is stopped at the limit, on every layer, so
//! a decompression bomb costs no more memory than an honest page of that size.

use std::io::{self, Read};

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::bufread::GzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

/// Encodings laid over each other that are undone; the same bound as curl's.
const MAX_LAYERS: usize = 5;

/// A page may unpack to this many bytes whatever its size.
const MODEST: u64 = 1 << 20;

/// How many times its size a larger page may unpack to. Pages of repeated rows reach 100; a bomb wants 1000.
const MAX_RATIO: u64 = 200;

/// The largest window that HTTP allows zstd to need (RFC 9659 3).
const ZSTD_WINDOW: u64 = 8 << 20;

/// How the room for the decoded body grows at first; it doubles from there.
const FIRST_ROOM: usize = 16 << 10;

/// What one read may fill. The room in front of a read is zeroed, so that with all of the room for each of many small
/// reads (Brotli gives a few KB at a time) a large body would be zeroed over and over.
const PIECE: usize = 64 << 10;

/// Why a body could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// An encoding that was not offered in `Accept-Encoding`.
    #[error("unknown encoding `{0}`")]
    Unknown(String),
    /// More encodings over each other than any honest server sends.
    #[error("more than {MAX_LAYERS} encodings over each other")]
    TooManyLayers,
    /// The bytes are cut off, damaged, or not in this encoding at all.
    #[error("{encoding}: {reason}")]
    Corrupt {
        /// The layer that failed.
        encoding: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Many times as many bytes came out as went in.
    #[error("more than {MAX_RATIO} times as large after decoding")]
    Bomb,
    /// More bytes than the limit came out of a layer.
    #[error("more than {0} bytes after decoding")]
    TooLarge(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The body as it was before the server applied `content_encoding` (RFC 9110 8.4): the last named encoding is the
/// outermost. An empty body stays empty, since servers name an encoding for those too. No encoding, no copy.
///
/// # Errors
///
/// [`DecodeError`]: an unknown encoding, too many of them, damaged bytes, more than `limit` bytes, or far more than
/// were sent.
pub fn decode(body: Vec<u8>, content_encoding: &str, limit: u64) -> Result<Vec<u8>, DecodeError> {
    let layers = layers(content_encoding)?;
    if layers.is_empty() {
        return within(body, limit);
    }
    let honest = MODEST.max((body.len() as u64).saturating_mul(MAX_RATIO));
    undo(layers, body, limit.min(honest)).map_err(|err| match err {
        DecodeError::TooLarge(_) if honest < limit => DecodeError::Bomb,
        err => err,
    })
}

/// The beginning of a body as it was before the server applied `content_encoding`: at most one byte more than `limit`.
/// `body` may be a beginning itself, if `is_cut`.
///
/// # Errors
///
/// [`DecodeError`]: an unknown encoding, too many of them, or bytes that are damaged and not only cut off.
pub fn decode_beginning(
    body: Vec<u8>,
    is_cut: bool,
    content_encoding: &str,
    limit: u64,
) -> Result<Vec<u8>, DecodeError> {
    let mut is_cut = is_cut;
    let mut body = body;
    for layer in layers(content_encoding)?.into_iter().rev() {
        if body.is_empty() {
            break;
        }
        let mut out = Vec::new();
        match layer.undo(&body, limit, &mut out) {
            Ok(()) => {}
            Err(DecodeError::TooLarge(_)) => is_cut = true,
            // Whatever is wrong with it is most likely that its end is not there.
            Err(DecodeError::Corrupt { .. }) if is_cut && !out.is_empty() => {}
            Err(err) => return Err(err),
        }
        body = out;
    }
    body.truncate(usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX));
    Ok(body)
}

fn undo(layers: Vec<Encoding>, mut body: Vec<u8>, limit: u64) -> Result<Vec<u8>, DecodeError> {
    for layer in layers.into_iter().rev() {
        if body.is_empty() {
            break;
        }
        let mut out = Vec::new();
        layer.undo(&body, limit, &mut out)?;
        body = out;
    }
    within(body, limit)
}

impl Encoding {
    /// Appends what was packed to `out`, which after an error has what came before it.
    fn undo(self, packed: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match self {
            Encoding::Gzip => gunzip(packed, limit, out),
            Encoding::Deflate => inflate(packed, limit, out),
            Encoding::Brotli => unbrotli(packed, limit, out),
            Encoding::Zstd => unzstd(packed, limit, out),
        }
    }
}

/// The encodings in the order they were applied, without `identity`.
fn layers(content_encoding: &str) -> Result<Vec<Encoding>, DecodeError> {
    let mut layers = Vec::new();
    for name in content_encoding.split(',').map(str::trim) {
        layers.push(match name.to_ascii_lowercase().as_str() {
            "" | "identity" => continue,
            "gzip" | "x-gzip" => Encoding::Gzip,
            "deflate" => Encoding::Deflate,
            "br" => Encoding::Brotli,
            "zstd" => Encoding::Zstd,
            _ => return Err(DecodeError::Unknown(name.to_owned())),
        });
    }
    if layers.len() > MAX_LAYERS { Err(DecodeError::TooManyLayers) } else { Ok(layers) }
}

/// All members of a gzip file one after another (RFC 1952 2.2). What follows the last member and is not a member is
/// dropped: browsers do the same, and servers pad with zeros.
fn gunzip(packed: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut rest = packed;
    loop {
        let mut member = GzDecoder::new(rest);
        read_within(&mut member, out, limit, "gzip")?;
        rest = member.into_inner();
        if !rest.starts_with(&[0x1f, 0x8b]) {
            return Ok(());
        }
    }
}

/// HTTP's `deflate` is the zlib format (RFC 9110 8.4.1.2), but some servers send the bare deflate stream; the two
/// bytes of a zlib header tell them apart (RFC 1950 2.2: method 8, window at most 7, multiple of 31).
fn inflate(packed: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let has_zlib_header = matches!(packed, [cmf, flags, ..]
        if cmf & 0x0f == 8 && cmf >> 4 <= 7 && (u16::from(*cmf) << 8 | u16::from(*flags)) % 31 == 0);
    // Driven by hand: flate2's readers take the end of the input for the end of the stream, so that a cut-off body
    // would look whole.
    let mut stream = Decompress::new(has_zlib_header);
    loop {
        make_room(out, limit)?;
        let read = usize::try_from(stream.total_in()).expect("bytes in memory are counted by usize");
        let room = out.capacity() - out.len();
        let status = stream.decompress_vec(&packed[read..], out, FlushDecompress::None);
        match status {
            Ok(Status::StreamEnd) if out.len() as u64 > limit => return Err(DecodeError::TooLarge(limit)),
            Ok(Status::StreamEnd) => return Ok(()),
            // Room was left, so it is the input that ran out.
            Ok(_) if out.capacity() > out.len() && room > 0 => return Err(corrupt("deflate", "cut off")),
            Ok(_) => {}
            Err(err) => return Err(corrupt("deflate", &err)),
        }
    }
}

fn unbrotli(packed: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut stream = Decompressor::new(packed, 4096);
    // An extension that no header announces, and whose window of 1 GB only a bomb needs.
    stream.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    read_within(&mut stream, out, limit, "br")?;
    Ok(())
}

/// All frames one after another (RFC 8878 3.1); those that are to be skipped are. The checksum is checked if there is
/// one.
fn unzstd(packed: &[u8], limit: u64, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut rest = packed;
    while !rest.is_empty() {
        let before = rest;
        match StreamingDecoder::new_with_max_window_size(rest, ZSTD_WINDOW) {
            Ok(mut frame) => {
                read_within(&mut frame, out, limit, "zstd")?;
                let told = frame.decoder.get_checksum_from_data();
                if told.is_some() && told != frame.decoder.get_calculated_checksum() {
                    return Err(corrupt("zstd", "wrong checksum"));
                }
                rest = frame.into_inner();
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                // The magic number and the length itself come before.
                let end = usize::try_from(length).ok().and_then(|length| length.checked_add(8));
                rest = end.and_then(|end| before.get(end..)).ok_or_else(|| corrupt("zstd", "cut off"))?;
            }
            Err(err) => return Err(corrupt("zstd", &err)),
        }
    }
    Ok(())
}

/// Appends all of `from` to `out`.
fn read_within(
    from: &mut impl Read,
    out: &mut Vec<u8>,
    limit: u64,
    encoding: &'static str,
) -> Result<(), DecodeError> {
    loop {
        make_room(out, limit)?;
        let filled = out.len();
        out.resize(out.capacity().min(filled + PIECE), 0);
        let read = from.read(&mut out[filled..]);
        out.truncate(filled + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) if err.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(corrupt(encoding, "cut off"));
            }
            Err(err) => return Err(corrupt(encoding, &err)),
        }
    }
}

/// Room for at least one more byte, but for no more than one byte over the limit: that byte tells "too large" from
/// "just fits".
fn make_room(out: &mut Vec<u8>, limit: u64) -> Result<(), DecodeError> {
    let limit_in_memory = usize::try_from(limit).unwrap_or(usize::MAX);
    if out.len() > limit_in_memory {
        return Err(DecodeError::TooLarge(limit));
    }
    if out.len() == out.capacity() {
        let left = limit_in_memory.saturating_sub(out.len()).saturating_add(1);
        out.reserve_exact(out.capacity().max(FIRST_ROOM).min(left));
    }
    Ok(())
}

fn within(out: Vec<u8>, limit: u64) -> Result<Vec<u8>, DecodeError> {
    if out.len() as u64 > limit { Err(DecodeError::TooLarge(limit)) } else { Ok(out) }
}

fn corrupt(encoding: &'static str, reason: &(impl ToString + ?Sized)) -> DecodeError {
    DecodeError::Corrupt { encoding, reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"<p>a page, a page, a page</p>";

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(plain: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn raw_deflate(plain: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    /// One stored meta-block and the empty last one (RFC 7932 9.2), written by hand for at most 65,536 bytes.
    fn brotli(plain: &[u8]) -> Vec<u8> {
        let header = (u32::try_from(plain.len()).unwrap() - 1) << 4 | 1 << 20;
        [&header.to_le_bytes()[..3], plain, &[0x03]].concat()
    }

    fn zstd(plain: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn is_corrupt(result: &Result<Vec<u8>, DecodeError>) -> bool {
        matches!(result, Err(DecodeError::Corrupt { .. }))
    }

    #[test]
    fn the_beginning_of_a_large_body_is_its_first_bytes_in_every_encoding() {
        let plain: Vec<u8> = (0..100_000u32).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        assert_eq!(decode_beginning(plain.clone(), false, "", 999), Ok(plain[..1000].to_vec()));
        for (encoding, packed) in
            [("gzip", gzip(&plain)), ("deflate", zlib(&plain)), ("gzip, gzip", gzip(&gzip(&plain)))]
        {
            let begin = |packed: &[u8], is_cut| decode_beginning(packed.to_vec(), is_cut, encoding, 999);
            assert_eq!(begin(&packed, false).as_deref(), Ok(&plain[..1000]), "{encoding}");
            let half = &packed[..packed.len() / 2];
            assert_eq!(begin(half, true).as_deref(), Ok(&plain[..1000]), "{encoding}");
        }
        // What is whole and damaged is damaged.
        assert!(decode_beginning(gzip(TEXT)[..20].to_vec(), false, "gzip", 999).is_err());
        assert!(decode_beginning(b"no gzip".to_vec(), true, "gzip", 999).is_err());
        assert_eq!(decode_beginning(gzip(TEXT), false, "gzip", 999).as_deref(), Ok(TEXT));
    }

    #[test]
    fn every_offered_encoding_decodes() {
        for (packed, name) in [
            (gzip(TEXT), "gzip"),
            (gzip(TEXT), "x-gzip"),
            (gzip(TEXT), " GZip "),
            (zlib(TEXT), "deflate"),
            (raw_deflate(TEXT), "deflate"),
            (brotli(TEXT), "br"),
            (zstd(TEXT), "zstd"),
            (TEXT.to_vec(), "identity"),
            (TEXT.to_vec(), ""),
        ] {
            assert_eq!(decode(packed, name, 1000).as_deref(), Ok(TEXT), "{name}");
        }
    }

    #[test]
    fn without_an_encoding_the_body_is_not_copied() {
        let body = TEXT.to_vec();
        let place = body.as_ptr();
        let decoded = decode(body, "", 1000).unwrap();
        assert_eq!(decoded.as_ptr(), place);
    }

    #[test]
    fn layers_come_off_in_reverse_order() {
        assert_eq!(decode(gzip(&zlib(TEXT)), "deflate, gzip", 1000).as_deref(), Ok(TEXT));
        assert!(is_corrupt(&decode(gzip(&zlib(TEXT)), "gzip, deflate", 1000)));
    }

    #[test]
    fn five_layers_are_undone_and_six_refused() {
        let packed = |n| (0..n).fold(TEXT.to_vec(), |body, _| gzip(&body));
        assert_eq!(decode(packed(5), "gzip,gzip,gzip,gzip,gzip", 1000).as_deref(), Ok(TEXT));
        assert_eq!(decode(packed(6), "gzip,gzip,gzip,gzip,gzip,gzip", 1000), Err(DecodeError::TooManyLayers));
    }

    #[test]
    fn all_members_of_a_gzip_body_are_read() {
        let packed = [gzip(b"one "), gzip(b"two "), gzip(b"three")].concat();
        assert_eq!(decode(packed, "gzip", 1000).as_deref(), Ok(&b"one two three"[..]));
    }

    #[test]
    fn garbage_after_the_last_gzip_member_is_dropped() {
        for garbage in [&b"\0\0\0\0"[..], b"<!-- served in 3 ms -->", b"\x1f"] {
            let packed = [&gzip(TEXT)[..], garbage].concat();
            assert_eq!(decode(packed, "gzip", 1000).as_deref(), Ok(TEXT));
        }
    }

    #[test]
    fn a_body_cut_off_at_any_byte_is_an_error() {
        for (packed, name) in [
            (gzip(TEXT), "gzip"),
            (zlib(TEXT), "deflate"),
            (raw_deflate(TEXT), "deflate"),
            (brotli(TEXT), "br"),
            (zstd(TEXT), "zstd"),
        ] {
            for length in 1..packed.len() {
                let result = decode(packed[..length].to_vec(), name, 1000);
                assert!(is_corrupt(&result), "{name} cut to {length}: {result:?}");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut packed = gzip(TEXT);
        let crc = packed.len() - 8;
        packed[crc] ^= 1;
        assert!(is_corrupt(&decode(packed, "gzip", 1000)));
        let mut packed = zlib(TEXT);
        *packed.last_mut().unwrap() ^= 1;
        assert!(is_corrupt(&decode(packed, "deflate", 1000)));
    }

    #[test]
    fn plain_text_sent_as_an_encoding_is_an_error() {
        for name in ["gzip", "deflate", "br", "zstd"] {
            assert!(is_corrupt(&decode(TEXT.to_vec(), name, 1000)), "{name}");
        }
    }

    #[test]
    fn all_frames_of_a_zstd_body_are_read_and_some_skipped() {
        let skipped = [&0x184D_2A5Fu32.to_le_bytes()[..], &3u32.to_le_bytes(), b"xyz"].concat();
        let packed = [&skipped[..], &zstd(b"one "), &skipped, &zstd(b"two")].concat();
        assert_eq!(decode(packed.clone(), "zstd", 1000).as_deref(), Ok(&b"one two"[..]));
        assert!(is_corrupt(&decode(skipped[..10].to_vec(), "zstd", 1000)));
        assert!(is_corrupt(&decode([&packed[..], b"garbage"].concat(), "zstd", 1000)));
    }

    #[test]
    fn a_zstd_checksum_is_checked() {
        // A frame with a checksum and one raw block (RFC 8878 3.1.1): single segment, content size in one byte.
        let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0x24, 3, 0x19, 0, 0, b'a', b'b', b'c'];
        // The low half of XXH64("abc"), 0x44bc2cf5ad770999.
        packed.extend(0xad77_0999u32.to_le_bytes());
        assert_eq!(decode(packed.clone(), "zstd", 1000).as_deref(), Ok(&b"abc"[..]));
        packed[9] = b'A';
        assert!(is_corrupt(&decode(packed, "zstd", 1000)));
    }

    #[test]
    fn a_zstd_window_larger_than_http_allows_is_an_error() {
        // A window descriptor of exponent e and mantissa 0 means 2^(10+e) bytes (RFC 8878 3.1.1.1.2); one raw block.
        let frame = |exponent: u8| vec![0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 0x09, 0, 0, b'x'];
        assert_eq!(decode(frame(13), "zstd", 1000).as_deref(), Ok(&b"x"[..]));
        assert!(is_corrupt(&decode(frame(14), "zstd", 1000)));
    }

    #[test]
    fn what_unpacks_to_far_more_than_was_sent_is_a_bomb_above_a_modest_size() {
        let zeros = |size: usize| vec![0; size];
        for (pack, name) in [(gzip as fn(&[u8]) -> Vec<u8>, "gzip"), (zlib, "deflate"), (zstd, "zstd")] {
            assert_eq!(
                decode(pack(&zeros(1 << 20)), name, 1 << 30).map(|body| body.len()),
                Ok(1 << 20),
                "{name}"
            );
            assert_eq!(decode(pack(&zeros(8 << 20)), name, 1 << 30), Err(DecodeError::Bomb), "{name}");
        }
        // Text packs to a hundredth at best.
        let rows: String = (0..60_000).map(|row| format!("<tr><td>{row}</td></tr>\n")).collect();
        assert_eq!(decode(gzip(rows.as_bytes()), "gzip", 1 << 30).map(|body| body.len()), Ok(rows.len()));
    }

    #[test]
    fn a_brotli_window_larger_than_the_standard_has_is_an_error() {
        // The mark of a large window in 8 bits, a window of 30 bits in 6; then one stored block as in `brotli`.
        let length = TEXT.len() as u64 - 1;
        let header = 0x11 | 30 << 8 | length << 17 | 1 << 33;
        let packed = [&header.to_le_bytes()[..5], TEXT, &[0x03]].concat();
        assert!(is_corrupt(&decode(packed, "br", 1000)));
    }

    #[test]
    fn unknown_encodings_are_errors_and_named() {
        assert_eq!(decode(vec![1], "gzip, dcb", 9), Err(DecodeError::Unknown("dcb".into())));
    }

    #[test]
    fn an_empty_body_is_empty_in_every_encoding() {
        assert_eq!(decode(Vec::new(), "gzip", 9), Ok(Vec::new()));
    }

    #[test]
    fn a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        let plain = vec![b'x'; 60_000];
        for (packed, name) in [
            (gzip(&plain), "gzip"),
            (zlib(&plain), "deflate"),
            (raw_deflate(&plain), "deflate"),
            (brotli(&plain), "br"),
            (zstd(&plain), "zstd"),
            (plain.clone(), ""),
        ] {
            assert_eq!(decode(packed.clone(), name, 60_000).as_deref(), Ok(&plain[..]), "{name}");
            assert_eq!(decode(packed, name, 59_999), Err(DecodeError::TooLarge(59_999)), "{name}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_even_in_an_inner_layer() {
        let bomb = gzip(&vec![0; 20 << 20]);
        assert!(bomb.len() < 30_000, "a thousandfold");
        assert_eq!(decode(bomb.clone(), "gzip", 1 << 20), Err(DecodeError::TooLarge(1 << 20)));
        assert_eq!(decode(gzip(&bomb), "gzip, gzip", 1 << 20), Err(DecodeError::TooLarge(1 << 20)));
    }

    #[test]
    fn the_room_for_a_bomb_does_not_outgrow_the_limit() {
        let mut out = Vec::new();
        let bomb = gzip(&vec![0; 4 << 20]);
        let result = read_within(&mut GzDecoder::new(&bomb[..]), &mut out, 1_000_000, "gzip");
        assert_eq!(result, Err(DecodeError::TooLarge(1_000_000)));
        assert!(out.capacity() <= 1_000_001, "{}", out.capacity());
    }
}
