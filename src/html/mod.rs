//! Bytes ─▶ characters ─▶ tree: a [`Reader`] makes a [`Document`] of a page's body.
//!
//! `kind` says whether it is HTML, XML or neither, `encoding` finds the character set as browsers do, `parse` (HTML)
//! and `xml` build the tree. The only user of html5ever, quick-xml, encoding_rs and chardetng. Knows nothing of
//! requests or fields.

mod attributes;
mod build;
mod characters;
mod depth;
pub mod dom;
mod dropped;
mod encoding;
mod kind;
mod names;
mod order;
mod parse;
mod prescan;
mod reader;
mod recovery;
mod references;
#[cfg(test)]
pub(crate) mod sample;
mod scanner;
mod serialize;
mod sink;
mod tags;
mod vocabulary;
mod xml;

use std::borrow::Cow;

use encoding_rs::Encoding;

pub use dom::{Document, NodeId, Place};
use kind::Kind;
pub use reader::Reader;
pub use serialize::outer_html;

/// A character set.
pub type Charset = &'static Encoding;

/// How large a document may become. A hostile page must not cost more than an ordinary one of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Elements open at once; deeper ones are left out, their text is kept. Browsers stop at 512 as well.
    pub depth: usize,
    /// Nodes of the document, and as many attributes.
    pub nodes: usize,
    /// Attributes of one element; the rest is left out.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 512, nodes: 1_000_000, attributes: 512 }
    }
}

/// Why no document was made of a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is something else than HTML or XML; says what it looks like (`PDF`, `image/png`).
    #[error("not HTML or XML but {0}")]
    NotMarkup(String),
    /// It is beyond [`Limits::nodes`].
    #[error("document too complex: {0}")]
    TooComplex(String),
}

/// Makes a document of `body`; for many pages, a [`Reader`] is faster.
///
/// # Errors
/// As [`Reader::read`].
pub fn read(
    body: &[u8],
    content_type: Option<&str>,
    forced: Option<&'static Encoding>,
    limits: &Limits,
) -> Result<Document, ReadError> {
    Reader::new(*limits).read(body, content_type, forced)
}

/// The characters of a body that is no markup but text: JSON. Its character set is found as that of XML: byte order
/// mark, `forced`, header, UTF-8 if it is valid, detection.
pub fn decode<'b>(body: &'b [u8], content_type: Option<&str>, forced: Option<Charset>) -> Cow<'b, str> {
    encoding::decode(body, encoding::charset_of_header(content_type), forced, Kind::Xml)
}

/// The character set that [`read`] takes for `body`; `None` if nothing names one and [`read`] has to guess.
pub fn charset_of(body: &[u8], content_type: Option<&str>, forced: Option<Charset>) -> Option<Charset> {
    let kind = kind::kind_of(body, content_type).ok()?;
    encoding::named(body, encoding::charset_of_header(content_type), forced, kind)
}

/// The character set of that label as the Encoding Standard knows it (4.2): `gb2312` is GBK, `latin1` is
/// windows-1252. `None` for an unknown label.
pub fn charset_named(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes())
}

fn too_many(what: &str, limit: usize) -> ReadError {
    ReadError::TooComplex(format!("more than {limit} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], content_type: Option<&str>) -> Result<Document, ReadError> {
        super::read(body, content_type, None, &Limits::default())
    }

    fn text(document: &Document) -> String {
        (0..document.len()).map(|id| document.text(NodeId(id as u32))).collect()
    }

    #[test]
    fn a_page_is_read_by_its_header() {
        let page = read(b"<p>\xd6\xd0", Some("text/html; charset=gb2312")).unwrap();
        assert!(page.is_html());
        assert_eq!(text(&page), "\u{4e2d}");
        let feed = read("<a>\u{e4}</a>".as_bytes(), Some("application/atom+xml")).unwrap();
        assert!(!feed.is_html());
        assert_eq!(text(&feed), "\u{e4}");
    }

    #[test]
    fn what_the_user_demands_wins() {
        let page =
            super::read(b"<meta charset=utf-8>\xf2", None, charset_named("cp1251"), &Limits::default())
                .unwrap();
        assert_eq!(text(&page), "\u{442}");
    }

    #[test]
    fn an_empty_body_is_an_empty_document() {
        for content_type in [None, Some("text/html"), Some("text/xml")] {
            assert_eq!(text(&read(b"", content_type).unwrap()), "");
            assert_eq!(text(&read(b"\xef\xbb\xbf", content_type).unwrap()), "");
        }
    }

    #[test]
    fn what_is_not_markup_is_an_error() {
        let error = read(b"%PDF-1.4", Some("text/html")).unwrap_err();
        assert_eq!(error.to_string(), "not HTML or XML but PDF");
    }

    #[test]
    fn any_bytes_make_a_document() {
        let all: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for content_type in
            ["text/html", "text/xml", "text/html;charset=shift_jis", "text/xml;charset=utf-16"]
        {
            for start in 0..40 {
                build::tests::check_links(&read(&all[start * 7..], Some(content_type)).unwrap());
            }
        }
    }
}
