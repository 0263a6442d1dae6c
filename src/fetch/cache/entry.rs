//! One kept answer as the bytes of a file, and back.
//!
//! A line that says what it is and in which version, a checksum of all that follows, then times, lengths and bytes. What
//! is not exactly so, torn, foreign or of another version, is nothing; no file can be an error.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::Crc;
use ureq::http::header::{HeaderMap, HeaderName, HeaderValue};

/// A change of the format changes the number: files of other versions are misses, and get overwritten.
pub(super) const MAGIC: &[u8] = b"pagemill cached answer 1\n";

/// An answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::fetch) struct Stored {
    /// HTTP status.
    pub(in crate::fetch) status: u16,
    /// The headers, without those of the connection and `Set-Cookie`.
    pub(in crate::fetch) headers: HeaderMap,
    /// When it arrived or was last confirmed.
    pub(in crate::fetch) received: SystemTime,
    /// Those headers of its request that answers vary by.
    pub(super) asked: HeaderMap,
    /// The body as it came over the wire.
    pub(in crate::fetch) body: Vec<u8>,
}

/// The bytes of a file. The body stands apart, since it may be large and in use elsewhere.
pub(super) fn encode(method: &str, url: &str, head: &Stored, body: &[u8]) -> Vec<u8> {
    let mut file = Vec::with_capacity(body.len() + 2048);
    file.extend(MAGIC);
    file.extend([0; 4]);
    put(&mut file, method.as_bytes());
    put(&mut file, url.as_bytes());
    let since_1970 = head.received.duration_since(UNIX_EPOCH).unwrap_or_default();
    file.extend(u64::try_from(since_1970.as_millis()).unwrap_or(0).to_le_bytes());
    file.extend(head.status.to_le_bytes());
    for headers in [&head.asked, &head.headers] {
        file.extend(length(headers.len()));
        for (name, value) in headers {
            put(&mut file, name.as_str().as_bytes());
            put(&mut file, value.as_bytes());
        }
    }
    file.extend(body);
    let sum = checksum(&file[MAGIC.len() + 4..]);
    file[MAGIC.len()..MAGIC.len() + 4].copy_from_slice(&sum);
    file
}

/// The answer in a file, if it is whole and that to this request.
pub(super) fn decode(file: &[u8], method: &str, url: &str) -> Option<Stored> {
    let mut rest = file.strip_prefix(MAGIC)?;
    let sum: [u8; 4] = take(&mut rest)?;
    // Names of files are hashes, and those of two URLs may be the same.
    if checksum(rest) != sum || taken(&mut rest)? != method.as_bytes() || taken(&mut rest)? != url.as_bytes()
    {
        return None;
    }
    let millis = u64::from_le_bytes(take(&mut rest)?);
    let received = UNIX_EPOCH.checked_add(Duration::from_millis(millis))?;
    let status = u16::from_le_bytes(take(&mut rest)?);
    let asked = taken_headers(&mut rest)?;
    let headers = taken_headers(&mut rest)?;
    Some(Stored { status, headers, received, asked, body: rest.to_vec() })
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("URLs and heads are far below 4 GB").to_le_bytes()
}

fn put(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend(length(bytes.len()));
    file.extend(bytes);
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, more) = rest.split_first_chunk()?;
    *rest = more;
    Some(*first)
}

fn taken<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u32::from_le_bytes(take(rest)?);
    let (first, more) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = more;
    Some(first)
}

fn taken_headers(rest: &mut &[u8]) -> Option<HeaderMap> {
    let count = u32::from_le_bytes(take(rest)?);
    let mut headers = HeaderMap::new();
    for _ in 0..count {
        let name = HeaderName::from_bytes(taken(rest)?).ok()?;
        let value = HeaderValue::from_bytes(taken(rest)?).ok()?;
        headers.try_append(name, value).ok()?;
    }
    Some(headers)
}
