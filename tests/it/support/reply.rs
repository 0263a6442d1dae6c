//! What the scripted server answers, and how badly.
//!
//! A [`Reply`] is bytes and a manner of sending them; the [`server`](super::server) obeys it.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Holds replies back until the test opens it. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub(crate) fn new() -> Gate {
        Gate::default()
    }

    /// Lets all through, from now on.
    pub(crate) fn open(&self) {
        *self.0.0.lock().expect("a gate is not poisoned") = true;
        self.0.1.notify_all();
    }

    /// Waits a moment; whether the gate is open.
    pub(super) fn is_open_within(&self, moment: Duration) -> bool {
        let open = self.0.0.lock().expect("a gate is not poisoned");
        *self.0.1.wait_timeout_while(open, moment, |open| !*open).expect("a gate is not poisoned").0
    }
}

/// What happens to the connection after the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    KeepAlive,
    Close,
    Reset,
    Stall,
}

/// One answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    chunk: Option<usize>,
    verbatim: Option<Vec<u8>>,
    cut: Option<usize>,
    pub(super) ending: Ending,
    pub(super) pace: Option<(usize, Duration)>,
    pub(super) gate: Option<Gate>,
}

impl Reply {
    /// Status 200 and this HTML, on a connection that stays open.
    pub(crate) fn page(body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status: 200,
            headers: vec![("Content-Type".into(), "text/html; charset=utf-8".into())],
            body: body.into(),
            chunk: None,
            verbatim: None,
            cut: None,
            ending: Ending::KeepAlive,
            pace: None,
            gate: None,
        }
    }

    /// A status with a short page.
    pub(crate) fn status(status: u16) -> Reply {
        Reply { status, ..Reply::page(format!("<p>status {status}")) }
    }

    /// A redirect.
    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Reply {
        Reply::status(status).header("Location", location)
    }

    /// These bytes as the whole response, verbatim; then the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { verbatim: Some(bytes.into()), ending: Ending::Close, ..Reply::page("") }
    }

    /// Closes without a byte.
    pub(crate) fn hang_up() -> Reply {
        Reply::raw("")
    }

    /// Says nothing until the client goes.
    pub(crate) fn silence() -> Reply {
        Reply::raw("").then_stall()
    }

    /// One more header.
    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The headers without that of this name.
    pub(crate) fn without_header(mut self, name: &str) -> Reply {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self
    }

    /// Packs the body and says so.
    pub(crate) fn gzip(mut self) -> Reply {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.body).expect("memory can be written");
        self.body = encoder.finish().expect("memory can be written");
        self.header("Content-Encoding", "gzip")
    }

    /// Packs the body in the zlib format, which HTTP calls deflate, and says so.
    pub(crate) fn deflate(mut self) -> Reply {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&self.body).expect("memory can be written");
        self.body = encoder.finish().expect("memory can be written");
        self.header("Content-Encoding", "deflate")
    }

    /// Wraps a body of at most 65,536 bytes in one stored Brotli block (RFC 7932 9.2), and says so.
    pub(crate) fn brotli(mut self) -> Reply {
        let length = u32::try_from(self.body.len()).expect("a body for a test is small");
        let head = (length - 1) << 4 | 1 << 20;
        self.body = [&head.to_le_bytes()[..3], &self.body, &[0x03]].concat();
        self.header("Content-Encoding", "br")
    }

    /// Wraps a body of at most 100,000 bytes in a zstd frame with one raw block (RFC 8878 3.1.1), and says so.
    pub(crate) fn zstd(mut self) -> Reply {
        let length = u32::try_from(self.body.len()).expect("a body for a test is small");
        // A window of 128 KB, no content size, no checksum; the last block, raw.
        let block = length << 3 | 1;
        let head = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 0x38][..], &block.to_le_bytes()[..3]].concat();
        self.body = [&head[..], &self.body].concat();
        self.header("Content-Encoding", "zstd")
    }

    /// Sends the body in chunks of `size` bytes instead of with a length.
    pub(crate) fn chunked(self, size: usize) -> Reply {
        Reply { chunk: Some(size), ..self }
    }

    /// Sends only the first `bytes` of head and body.
    pub(crate) fn cut_at(self, bytes: usize) -> Reply {
        Reply { cut: Some(bytes), ..self }
    }

    /// Sends all but the last `bytes`.
    pub(crate) fn cut_before_end(self, bytes: usize) -> Reply {
        let whole = self.bytes().len();
        self.cut_at(whole - bytes)
    }

    /// The same reply with another status.
    pub(crate) fn with_status(self, status: u16) -> Reply {
        Reply { status, ..self }
    }

    /// Keeps the connection open for the next request after the bytes, even if they are verbatim.
    pub(crate) fn then_keep(self) -> Reply {
        Reply { ending: Ending::KeepAlive, ..self }
    }

    /// Closes the connection after the bytes.
    pub(crate) fn then_close(self) -> Reply {
        Reply { ending: Ending::Close, ..self }
    }

    /// Resets the connection after the bytes.
    pub(crate) fn then_reset(self) -> Reply {
        Reply { ending: Ending::Reset, ..self }
    }

    /// After the bytes, keeps the connection open and silent until the client goes.
    pub(crate) fn then_stall(self) -> Reply {
        Reply { ending: Ending::Stall, ..self }
    }

    /// Sends `bytes` at a time with a pause between.
    pub(crate) fn drip(self, bytes: usize, pause: Duration) -> Reply {
        Reply { pace: Some((bytes, pause)), ..self }
    }

    /// Sends nothing before `gate` is open.
    pub(crate) fn behind(self, gate: &Gate) -> Reply {
        Reply { gate: Some(gate.clone()), ..self }
    }

    /// What goes over the wire.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.verbatim.clone().unwrap_or_else(|| self.framed());
        bytes.truncate(self.cut.unwrap_or(usize::MAX));
        bytes
    }

    fn framed(&self) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Scripted\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        if let Some(size) = self.chunk {
            bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in self.body.chunks(size) {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).bytes());
            bytes.extend(&self.body);
        }
        bytes
    }
}
