//! Reading one page after the other: what outlives a page is kept here, one [`Reader`] per thread.
//!
//! Sequences `kind`, `encoding` and the two parsers; knows none of their rules.

use encoding_rs::Encoding;
use html5ever::tendril::StrTendril;

use super::kind::{self, Kind};
use super::vocabulary::Vocabulary;
use super::{Document, Limits, ReadError, encoding, parse, xml};

/// Makes documents of bodies. Each page is read as if it were the first; only the names met are kept. (The lists of
/// former documents were kept, too: that saved nothing, since the allocator hands the same memory out again.)
pub struct Reader {
    limits: Limits,
    vocabulary: Vocabulary,
}

impl Reader {
    /// A reader that has seen nothing.
    pub fn new(limits: Limits) -> Reader {
        Reader { limits, vocabulary: Vocabulary::new() }
    }

    /// Makes a document of `body`. An empty body is an empty document.
    ///
    /// `content_type` is the header as sent; `forced` is the character set that the user demands. A byte order mark
    /// is stronger than both (WHATWG Encoding 6.1).
    ///
    /// # Errors
    /// The body is not markup, or has more nodes than the limits allow. Malformed markup is never an error.
    pub fn read(
        &mut self,
        body: &[u8],
        content_type: Option<&str>,
        forced: Option<&'static Encoding>,
    ) -> Result<Document, ReadError> {
        let kind = kind::kind_of(body, content_type).map_err(ReadError::NotMarkup)?;
        let text = encoding::decode(body, encoding::charset_of_header(content_type), forced, kind);
        if u32::try_from(text.len()).is_err() {
            return Err(ReadError::TooComplex("more than 4 GB of text".into()));
        }
        // Every text and attribute value of the document is a window on this one buffer.
        let text = StrTendril::from_slice(&text);
        match kind {
            Kind::Html => parse::parse(&text, &self.limits, &mut self.vocabulary),
            Kind::Xml => xml::parse(&text, &self.limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::sketch;
    use super::*;

    #[test]
    fn a_page_does_not_show_in_the_next() {
        let mut reader = Reader::new(Limits::default());
        let pages = ["<p class=x>one<b data-a=1>two", "<a/>", "", "<table>x<tr><td>y", "<p>z"];
        for content_type in [Some("text/html"), Some("text/xml")] {
            for page in pages {
                let document = reader.read(page.as_bytes(), content_type, None).unwrap();
                let first = Reader::new(Limits::default()).read(page.as_bytes(), content_type, None).unwrap();
                assert_eq!(sketch(&document), sketch(&first), "{page}");
            }
        }
    }
}
