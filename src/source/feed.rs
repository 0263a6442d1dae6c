//! Feeds: RSS 0.9x, 1.0 and 2.0, Atom 1.0 and 0.3: bytes in, the pages that entries lead to out.
//!
//! Knows nothing of fetching. What an entry says beside its link and its date is not read.

use jiff::Timestamp;
use url::Url;

use super::markup::{elements, is, local_name, read_xml, resolve, root, text, unpacked};
use super::moment::latest;
use super::sitemap::{SitemapEntry, SitemapError};
use crate::html::{Document, NodeId};

/// What stands in a feed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Feed {
    /// The pages, with when their entry changed.
    pub entries: Vec<SitemapEntry>,
    /// Entries without a link that can be fetched.
    pub unusable: u64,
}

/// The elements that date an entry: the best first.
const DATES: [&str; 6] = ["updated", "modified", "pubDate", "date", "published", "issued"];

/// Reads the feed that was found at `base`.
///
/// # Errors
/// When it is something else. A feed that is broken gives what can be had of it.
pub fn parse_feed(body: &[u8], base: &Url) -> Result<Feed, SitemapError> {
    let (bytes, _) = unpacked(body);
    let document = read_xml(&bytes).map_err(SitemapError::Unreadable)?;
    let root = root(&document).ok_or(SitemapError::NoUrls)?;
    read_document(&document, base)
        .ok_or_else(|| SitemapError::OtherRoot(local_name(&document, root).chars().take(40).collect()))
}

/// The feed in a document; `None` if it is something else.
pub(super) fn read_document(document: &Document, base: &Url) -> Option<Feed> {
    let root = root(document)?;
    let entry = match local_name(document, root).to_ascii_lowercase().as_str() {
        "rss" | "rdf" => "item",
        "feed" => "entry",
        _ => return None,
    };
    let mut feed = Feed::default();
    for node in elements(document).filter(|&node| is(document, node, entry)) {
        match link(document, node, base) {
            Some(url) => feed.entries.push(SitemapEntry { url, lastmod: date(document, node) }),
            None => feed.unusable += 1,
        }
    }
    Some(feed)
}

/// The page that an entry is about: an HTML one, if it has several (RFC 4287 4.2.7.2).
fn link(document: &Document, entry: NodeId, base: &Url) -> Option<Url> {
    let (mut first, mut page) = (None, None);
    for child in document.children(entry).filter(|&child| is(document, child, "link")) {
        let at = |name| document.attribute(child, name).map(|value| value.trim().to_ascii_lowercase());
        // Without `rel` it is the page itself; an address with a prefix is its registered form.
        let rel = at("rel").unwrap_or_default();
        if !matches!(rel.rsplit('/').next(), Some("alternate" | "")) {
            continue;
        }
        let written = match document.attribute(child, "href") {
            Some(href) => href.trim().to_owned(),
            None => text(document, child),
        };
        let Some(url) = resolve(&base_of(document, child, base), &written) else { continue };
        let is_page = at("type").is_none_or(|kind| kind.contains("html"));
        if is_page && page.is_none() {
            page = Some(url);
        } else if first.is_none() {
            first = Some(url);
        }
    }
    page.or(first).or_else(|| permanent_link(document, entry, base))
}

/// What else may say where an entry is: an identifier of RSS that is a link (RSS 2.0, guid), or the resource that it
/// describes (RSS 1.0, `rdf:about`).
fn permanent_link(document: &Document, entry: NodeId, base: &Url) -> Option<Url> {
    let is_link = |node| {
        !document
            .attribute(node, "isPermaLink")
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("false"))
    };
    let guid = document.children(entry).find(|&child| is(document, child, "guid") && is_link(child));
    let about = || {
        let attributes = document.attributes(entry).iter();
        attributes
            .filter(|attribute| attribute.name.local.rsplit(':').next() == Some("about"))
            .map(|attribute| attribute.value.to_string())
            .next()
    };
    let written = guid.map(|guid| text(document, guid)).or_else(about)?;
    // An identifier may be any text; only a full URL is certainly an address.
    resolve(base, written.trim()).filter(|_| written.contains("://"))
}

/// The address that links in an element are relative to (XML Base): the innermost of its own and its ancestors'.
fn base_of(document: &Document, node: NodeId, feed: &Url) -> Url {
    let ancestors: Vec<NodeId> = std::iter::successors(Some(node), |&node| document.parent(node)).collect();
    ancestors.into_iter().rev().fold(feed.clone(), |base, node| {
        let written = document.attributes(node).iter().find(|attribute| {
            &*attribute.name.local == "base"
                && &*attribute.name.namespace == "http://www.w3.org/XML/1998/namespace"
        });
        written.and_then(|written| resolve(&base, written.value.trim())).unwrap_or(base)
    })
}

fn date(document: &Document, entry: NodeId) -> Option<Timestamp> {
    DATES.iter().find_map(|name| {
        let node = document.children(entry).find(|&child| is(document, child, name))?;
        latest(&text(document, node))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base() -> Url {
        Url::parse("https://h.example/blog/feed").unwrap()
    }

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let feed = parse_feed(text.as_bytes(), &base()).expect(text);
        feed.entries.iter().map(|e| (e.url.to_string(), e.lastmod.map(|at| at.to_string()))).collect()
    }

    fn links(text: &str) -> Vec<String> {
        read(text).into_iter().map(|(url, _)| url).collect()
    }

    #[test]
    fn items_of_rss_lead_to_their_link_and_have_a_date() {
        let feed = "<rss version='2.0'><channel><link>https://h.example/</link>\
            <item><title>One</title><link>https://h.example/1?a&amp;b</link>\
            <pubDate>Wed, 01 May 2024 10:30:00 GMT</pubDate></item>\
            <item><link><![CDATA[/2#top]]></link></item></channel></rss>";
        assert_eq!(
            read(feed),
            [
                ("https://h.example/1?a&b".to_owned(), Some("2024-05-01T10:30:00Z".to_owned())),
                ("https://h.example/2".to_owned(), None)
            ]
        );
    }

    #[test]
    fn items_of_rss_without_a_link_may_have_one_as_their_identifier() {
        let feed = "<rss><channel><item><guid>https://h.example/1</guid></item>\
            <item><guid isPermaLink='false'>https://h.example/2</guid></item>\
            <item><guid>tag:3</guid></item></channel></rss>";
        assert_eq!(links(feed), ["https://h.example/1"]);
        assert_eq!(parse_feed(feed.as_bytes(), &base()).unwrap().unusable, 2);
    }

    #[test]
    fn items_of_rss_1_stand_beside_the_channel() {
        let feed = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' \
            xmlns='http://purl.org/rss/1.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\
            <channel rdf:about='https://h.example/'><link>https://h.example/</link></channel>\
            <item rdf:about='https://h.example/1'><link>https://h.example/1</link><dc:date>2024-05-01</dc:date></item>\
            <item rdf:about='https://h.example/2'/></rdf:RDF>";
        assert_eq!(
            read(feed),
            [
                ("https://h.example/1".to_owned(), Some("2024-05-01T23:59:59Z".to_owned())),
                ("https://h.example/2".to_owned(), None)
            ]
        );
    }

    #[test]
    fn entries_of_atom_lead_to_their_alternate_a_page_if_there_is_one() {
        let feed = "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='/posts/'><link href='/'/>\
            <entry><link rel='self' href='1.atom'/><link rel='alternate' type='application/pdf' href='1.pdf'/>\
            <link rel='alternate' type='text/html' href='1'/><published>2024-01-01T00:00:00Z</published>\
            <updated>2024-05-01T00:00:00Z</updated></entry>\
            <entry xml:base='https://i.example/'><link href='2'/></entry>\
            <entry><link rel='enclosure' href='3.mp3'/></entry></feed>";
        assert_eq!(
            read(feed),
            [
                ("https://h.example/posts/1".to_owned(), Some("2024-05-01T00:00:00Z".to_owned())),
                ("https://i.example/2".to_owned(), None)
            ]
        );
    }

    #[test]
    fn a_feed_that_is_cut_off_gives_what_came_and_another_document_is_refused() {
        // Half a link is another link.
        let feed = "<rss><channel><item><link>/1</link></item><item><link>/2";
        assert_eq!(links(feed), ["https://h.example/1"]);
        assert_eq!(links(&format!("{feed}</li")), ["https://h.example/1"]);
        let told = parse_feed(b"<html><p>x</p></html>", &base()).unwrap_err().to_string();
        assert_eq!(told, "neither sitemap nor feed but a document of `html`");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "<(rss|feed)>(<(/?)(item|entry|link|guid|updated)>|[a/:&; ]|\\PC){0,40}") {
            let _ = parse_feed(text.as_bytes(), &base());
        }
    }
}
