//! Sitemaps (sitemaps.org, protocol 0.9): bytes in, pages and further sitemaps out.
//!
//! Takes files of URLs, index files, lists of plain text and feeds, each of them perhaps packed with gzip. Knows nothing
//! of fetching, of robots.txt, or of which entries are wanted.

use jiff::Timestamp;
use url::Url;

use super::feed;
use super::markup::{elements, is, local_name, read_xml, resolve, root, text, unpacked};
use super::moment::latest;
use crate::html::{self, Document};

/// Entries that are read of one file: ten times what the protocol allows, since many do not keep to it.
const MOST_ENTRIES: usize = 500_000;

/// Something that a sitemap or a feed names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SitemapEntry {
    /// Where it is: absolute, http or https, without a fragment.
    pub url: Url,
    /// The last moment at which it may have changed, if it is told: of a day its end.
    pub lastmod: Option<Timestamp>,
}

/// What stands in a sitemap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages.
    pub pages: Vec<SitemapEntry>,
    /// Further sitemaps; `lastmod` is when the file itself changed.
    pub sitemaps: Vec<SitemapEntry>,
    /// Entries without a URL that can be fetched.
    pub unusable: u64,
    /// Whether not all of it was read: it is larger than 50 MB or 500,000 entries, the packing is broken, or its end is
    /// missing.
    pub is_cut: bool,
}

/// Why a file is no sitemap, or no feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SitemapError {
    /// It is XML, or HTML, of another kind.
    #[error("neither sitemap nor feed but a document of `{0}`")]
    OtherRoot(
        /// The name of its root element.
        String,
    ),
    /// It has no element and no line with a URL.
    #[error("neither XML nor a list of URLs")]
    NoUrls,
    /// No document can be made of it.
    #[error("neither sitemap nor feed: {0}")]
    Unreadable(String),
}

/// Reads the sitemap that was found at `base`.
///
/// # Errors
/// When it is something else. A sitemap that is broken gives what can be had of it.
pub fn parse_sitemap(body: &[u8], base: &Url) -> Result<Sitemap, SitemapError> {
    let (bytes, is_cut) = unpacked(body);
    let is_markup = looks_like_markup(&bytes);
    let mut sitemap = match is_markup {
        true => read_markup(&bytes, base)?,
        false => read_lines(&html::decode(&bytes, None, None), base)?,
    };
    sitemap.is_cut |= is_cut || (is_markup && !is_closed(&bytes));
    Ok(sitemap)
}

/// Whether the last tag closes the whole. In an encoding of two bytes nobody looks.
fn is_closed(bytes: &[u8]) -> bool {
    let end = &bytes[bytes.len().saturating_sub(1024)..];
    if end.contains(&0) {
        return true;
    }
    let end = String::from_utf8_lossy(end).to_ascii_lowercase();
    end.rfind("</").is_some_and(|last| {
        let last = &end[last..];
        last.contains("urlset") || last.contains("sitemapindex") || last.contains("html")
    })
}

/// Whether the first character is a `<`, in an encoding of one or two bytes.
fn looks_like_markup(bytes: &[u8]) -> bool {
    let mark = [0xef, 0xbb, 0xbf, 0xfe, 0xff, 0];
    bytes.iter().find(|byte| !mark.contains(byte) && !byte.is_ascii_whitespace()) == Some(&b'<')
}

fn read_markup(bytes: &[u8], base: &Url) -> Result<Sitemap, SitemapError> {
    let document = read_xml(bytes).map_err(SitemapError::Unreadable)?;
    let root = root(&document).ok_or(SitemapError::NoUrls)?;
    if is(&document, root, "urlset") || is(&document, root, "sitemapindex") {
        return Ok(read_entries(&document, base));
    }
    match feed::read_document(&document, base) {
        Some(feed) => Ok(Sitemap { pages: feed.entries, unusable: feed.unusable, ..Sitemap::default() }),
        None => Err(SitemapError::OtherRoot(local_name(&document, root).chars().take(40).collect())),
    }
}

/// An entry that is being read.
#[derive(Default)]
struct Half {
    is_sitemap: bool,
    loc: Option<String>,
    lastmod: Option<Timestamp>,
}

/// The entries, in whatever way they are nested: where end tags are missing, one lies in the other.
fn read_entries(document: &Document, base: &Url) -> Sitemap {
    let mut sitemap = Sitemap::default();
    let mut current: Option<(html::NodeId, Half)> = None;
    for node in elements(document) {
        let Some(parent) = document.parent(node) else { continue };
        let is_sitemap = is(document, parent, "sitemap");
        // Images and videos of a page have a `loc`, too, one level further down.
        if !is_sitemap && !is(document, parent, "url") {
            continue;
        }
        if current.as_ref().is_none_or(|(of, _)| *of != parent) {
            finish(&mut sitemap, current.take(), base);
            current = Some((parent, Half { is_sitemap, ..Half::default() }));
        }
        let Some((_, half)) = &mut current else { continue };
        if is(document, node, "loc") {
            half.loc.get_or_insert_with(|| text(document, node));
        } else if is(document, node, "lastmod") {
            half.lastmod = half.lastmod.or_else(|| latest(&text(document, node)));
        }
        if sitemap.pages.len() + sitemap.sitemaps.len() >= MOST_ENTRIES {
            sitemap.is_cut = true;
            return sitemap;
        }
    }
    finish(&mut sitemap, current, base);
    sitemap
}

fn finish(sitemap: &mut Sitemap, entry: Option<(html::NodeId, Half)>, base: &Url) {
    let Some((_, half)) = entry else { return };
    match half.loc.and_then(|loc| resolve(base, &loc)) {
        Some(url) => {
            let entries = if half.is_sitemap { &mut sitemap.sitemaps } else { &mut sitemap.pages };
            entries.push(SitemapEntry { url, lastmod: half.lastmod });
        }
        None => sitemap.unusable += 1,
    }
}

/// A sitemap of plain text has a full URL on each line.
fn read_lines(text: &str, base: &Url) -> Result<Sitemap, SitemapError> {
    let mut sitemap = Sitemap::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match resolve(base, line).filter(|_| line.contains("://")) {
            Some(url) => sitemap.pages.push(SitemapEntry { url, lastmod: None }),
            None => sitemap.unusable += 1,
        }
        if sitemap.pages.len() >= MOST_ENTRIES {
            sitemap.is_cut = true;
            break;
        }
    }
    if sitemap.pages.is_empty() { Err(SitemapError::NoUrls) } else { Ok(sitemap) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn base() -> Url {
        Url::parse("https://h.example/maps/sitemap.xml").unwrap()
    }

    fn read(text: &str) -> Sitemap {
        parse_sitemap(text.as_bytes(), &base()).expect(text)
    }

    fn urls(entries: &[SitemapEntry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.url.as_str()).collect()
    }

    #[test]
    fn pages_come_with_when_they_changed() {
        let sitemap = read(
            "<?xml version='1.0' encoding='UTF-8'?>\n\
             <urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\n\
             <url><loc>https://h.example/a?x=1&amp;y=2</loc><lastmod>2024-05-01</lastmod></url>\n\
             <url><lastmod>2024-05-01T10:00:00+02:00</lastmod><loc> <![CDATA[/b&c]]> </loc></url>\n\
             <url><loc>https://h.example/c</loc><lastmod>soon</lastmod></url></urlset>",
        );
        assert_eq!(
            urls(&sitemap.pages),
            ["https://h.example/a?x=1&y=2", "https://h.example/b&c", "https://h.example/c"]
        );
        let changed: Vec<_> =
            sitemap.pages.iter().map(|page| page.lastmod.map(|at| at.to_string())).collect();
        assert_eq!(
            changed,
            [Some("2024-05-01T23:59:59Z".to_owned()), Some("2024-05-01T08:00:00Z".to_owned()), None]
        );
        assert!(sitemap.sitemaps.is_empty() && !sitemap.is_cut);
    }

    #[test]
    fn an_index_names_further_sitemaps() {
        let sitemap = read(
            "<sitemapindex><sitemap><loc>a.xml.gz</loc><lastmod>2024</lastmod></sitemap>\
             <sitemap><loc>https://h.example/b.xml</loc></sitemap></sitemapindex>",
        );
        assert_eq!(urls(&sitemap.sitemaps), ["https://h.example/maps/a.xml.gz", "https://h.example/b.xml"]);
        assert!(sitemap.pages.is_empty());
    }

    #[test]
    fn any_prefix_will_do_and_images_are_no_pages() {
        let sitemap = read(
            "<sm:urlset xmlns:sm='x'><sm:url><sm:loc>/a</sm:loc><image:image><image:loc>/a.png</image:loc>\
             </image:image><xhtml:link href='/de'/></sm:url></sm:urlset>",
        );
        assert_eq!(urls(&sitemap.pages), ["https://h.example/a"]);
    }

    #[test]
    fn a_broken_file_gives_what_can_be_had_of_it() {
        let cut = read("<urlset><url><loc>/a</loc></url><url><loc>/b</loc><lastmod>2024-0");
        assert_eq!(urls(&cut.pages), ["https://h.example/a", "https://h.example/b"]);
        let unclosed = read("<urlset><url><loc>/a<url><loc>/b</loc></urlset>");
        assert_eq!(urls(&unclosed.pages), ["https://h.example/a", "https://h.example/b"]);
        let bare = read("<urlset><url><loc>/a?x&y=1</loc></url></urlset>");
        assert_eq!(urls(&bare.pages), ["https://h.example/a?x&y=1"]);
        let other = read("<urlset><url><loc>javascript:x</loc></url><url/><url><loc></loc></url></urlset>");
        assert_eq!((other.pages.len(), other.unusable), (0, 2));
    }

    #[test]
    fn gzip_and_utf_16_are_read() {
        let text = "<urlset><url><loc>/a</loc></url></urlset>";
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(urls(&parse_sitemap(&packed, &base()).unwrap().pages), ["https://h.example/a"]);
        let wide: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(urls(&parse_sitemap(&wide, &base()).unwrap().pages), ["https://h.example/a"]);
    }

    #[test]
    fn a_list_of_plain_text_and_a_feed_are_sitemaps_too() {
        let list = read("\u{feff}https://h.example/a\r\n\nnot a url\nhttp://i.example/b\n");
        assert_eq!(urls(&list.pages), ["https://h.example/a", "http://i.example/b"]);
        assert_eq!(list.unusable, 1);
        let feed = read("<rss><channel><item><link>/x</link></item></channel></rss>");
        assert_eq!(urls(&feed.pages), ["https://h.example/x"]);
    }

    #[test]
    fn what_is_no_sitemap_says_what_it_is() {
        let told = |text: &str| parse_sitemap(text.as_bytes(), &base()).unwrap_err().to_string();
        assert_eq!(
            told("<!DOCTYPE html><html><body>404</body></html>"),
            "neither sitemap nor feed but a document of `html`"
        );
        assert_eq!(told("Not found"), "neither XML nor a list of URLs");
        assert_eq!(told(""), "neither XML nor a list of URLs");
    }

    #[test]
    fn entities_that_a_file_declares_do_not_grow() {
        let bomb = "<!DOCTYPE u [<!ENTITY a 'xxxxxxxxxx'><!ENTITY b '&a;&a;&a;'>]>\
                    <urlset><url><loc>/&b;</loc></url></urlset>";
        assert_eq!(urls(&read(bomb).pages), ["https://h.example/&b;"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(text in "(<(/?)(urlset|url|loc|sitemap|lastmod|x:y)>|[a/:&; ]|\\PC){0,40}") {
            if let Ok(sitemap) = parse_sitemap(text.as_bytes(), &base()) {
                prop_assert!(sitemap.pages.iter().all(|page| page.url.has_host()));
            }
        }
    }
}
