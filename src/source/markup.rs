//! What sitemaps and feeds have in common: bytes that may be packed, elements found by their local name, texts, links.
//!
//! Reads the document that `html` makes of XML, so that broken files give what can be had of them. Namespaces are not
//! looked at: files with wrong ones, and with prefixes that nobody declares, are common.

use std::borrow::Cow;
use std::io::Read;

use url::Url;

use super::address::parse_address;
use crate::html::{self, Document, Limits, NodeId};

/// What the sitemap protocol allows at most, unpacked: 50 MB.
pub(super) const LARGEST_BYTES: usize = 50 << 20;

/// Nodes of a file of that size with a lot beside the URLs, such as a link for each of 30 languages.
const MOST_NODES: usize = 8_000_000;

/// The bytes, unpacked if they are gzip by their first two, whatever a header said; and whether they are cut off, since
/// they are too large or broken.
pub(super) fn unpacked(body: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if !body.starts_with(&[0x1f, 0x8b]) {
        let is_cut = body.len() > LARGEST_BYTES;
        return (Cow::Borrowed(&body[..body.len().min(LARGEST_BYTES)]), is_cut);
    }
    let mut bytes = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(body).take(LARGEST_BYTES as u64 + 1);
    let is_broken = reader.read_to_end(&mut bytes).is_err();
    let is_cut = bytes.len() > LARGEST_BYTES;
    bytes.truncate(LARGEST_BYTES);
    (Cow::Owned(bytes), is_broken || is_cut)
}

/// The document of XML, be it called so or not.
///
/// # Errors
/// In words, why there is none.
pub(super) fn read_xml(bytes: &[u8]) -> Result<Document, String> {
    // What stands behind the last tag was cut off in its middle, and half a URL is another URL. (Not so in UTF-16, where
    // a byte is half a character.)
    let is_narrow = !bytes.iter().take(4).any(|byte| *byte == 0);
    let bytes = match memchr::memrchr(b'>', bytes).filter(|_| is_narrow) {
        Some(end) => &bytes[..=end],
        None => bytes,
    };
    let limits = Limits { nodes: MOST_NODES, ..Limits::default() };
    html::read(bytes, Some("text/xml"), None, &limits).map_err(|error| error.to_string())
}

/// The local name of an element, without a prefix that nobody declared; empty for other nodes.
pub(super) fn local_name(document: &Document, node: NodeId) -> &str {
    let name = document.name(node).map_or("", |name| &*name.local);
    name.rsplit(':').next().unwrap_or(name)
}

/// Whether this is an element of that name.
pub(super) fn is(document: &Document, node: NodeId, name: &str) -> bool {
    local_name(document, node).eq_ignore_ascii_case(name)
}

/// The root element.
pub(super) fn root(document: &Document) -> Option<NodeId> {
    document.children(NodeId(0)).find(|&child| document.name(child).is_some())
}

/// All elements, in document order.
pub(super) fn elements(document: &Document) -> impl Iterator<Item = NodeId> + '_ {
    let nodes = u32::try_from(document.len()).unwrap_or(u32::MAX);
    (0..nodes).map(NodeId).filter(|&node| document.name(node).is_some())
}

/// The text directly in an element, stripped. What is nested in it belongs to somebody else whose end tag is missing.
pub(super) fn text(document: &Document, node: NodeId) -> String {
    let whole: String = document
        .children(node)
        .filter(|&child| document.kind(child) == html::dom::NodeKind::Text)
        .map(|child| document.text(child))
        .collect();
    whole.trim().to_owned()
}

/// The page that a link on `base` leads to, if it can be fetched.
pub(super) fn resolve(base: &Url, link: &str) -> Option<Url> {
    if link.is_empty() {
        return None;
    }
    let mut url = parse_address(base.join(link).ok()?.as_str()).ok()?;
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_known_by_its_first_bytes_and_a_broken_end_keeps_what_came_before() {
        assert_eq!(unpacked(b"plain"), (Cow::Borrowed(&b"plain"[..]), false));
        let packed = gzip(b"some text");
        assert_eq!(unpacked(&packed).0, &b"some text"[..]);
        let (bytes, is_cut) = unpacked(&packed[..packed.len() - 4]);
        assert_eq!((&*bytes, is_cut), (&b"some text"[..], true));
    }

    #[test]
    fn what_unpacks_to_more_than_the_protocol_allows_is_cut_off() {
        let packed = gzip(&vec![b' '; LARGEST_BYTES + 1]);
        let (bytes, is_cut) = unpacked(&packed);
        assert_eq!((bytes.len(), is_cut), (LARGEST_BYTES, true));
    }

    #[test]
    fn links_are_resolved_and_only_pages_are_taken() {
        let base = Url::parse("https://h.example/a/b").unwrap();
        let resolved = |link: &str| resolve(&base, link).map(String::from);
        assert_eq!(resolved("c?x=1&y#z").as_deref(), Some("https://h.example/a/c?x=1&y"));
        assert_eq!(resolved("//i.example").as_deref(), Some("https://i.example/"));
        for link in ["", "javascript:x()", "mailto:a@h", "ftp://h/", "http://", "http://h:99999/"] {
            assert_eq!(resolved(link), None, "{link}");
        }
    }
}
