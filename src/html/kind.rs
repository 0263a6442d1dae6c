//! What a body is: HTML, XML, or nothing for us.
//!
//! Knows media types and first bytes, no character sets.

/// Which parser reads the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Xml,
}

/// First bytes of what servers like to call text/html (WHATWG MIME Sniffing 6), and what people call it.
const SIGNATURES: &[(&[u8], &str)] = &[
    (b"%PDF-", "PDF"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b\x08", "gzip data"),
];

/// Roots of feeds and sitemaps.
const XML_ROOTS: &[&[u8]] = &[b"<?xml", b"<rss", b"<feed", b"<urlset", b"<sitemapindex"];

/// The kind of `body`, by the `Content-Type` header as sent and by its first bytes.
///
/// # Errors
/// What it looks like, if that is not markup.
pub(super) fn kind_of(body: &[u8], content_type: Option<&str>) -> Result<Kind, String> {
    if let Some((_, name)) = SIGNATURES.iter().find(|(signature, _)| body.starts_with(signature)) {
        return Err((*name).to_owned());
    }
    let media_type =
        content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match &*media_type {
        "text/html" | "application/xhtml+xml" => Ok(Kind::Html),
        "application/xml" | "text/xml" => Ok(Kind::Xml),
        "application/json" | "text/json" => Err("JSON".to_owned()),
        "application/pdf" => Err("PDF".to_owned()),
        "application/zip" | "application/gzip" | "application/x-gzip" => Err(media_type),
        // SVG is XML, and an image by its type.
        other if other.ends_with("+xml") => Ok(Kind::Xml),
        other if other.ends_with("+json") => Err("JSON".to_owned()),
        other if ["image/", "audio/", "video/", "font/"].iter().any(|family| other.starts_with(family)) => {
            Err(media_type)
        }
        // Missing, text/plain, application/octet-stream, or a type nobody knows: many feeds are served so.
        _ => Ok(sniff(body)),
    }
}

fn sniff(body: &[u8]) -> Kind {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Enough of UTF-16 to see an XML declaration: every other byte is NUL.
    let narrow: Vec<u8> = body
        .iter()
        .copied()
        .filter(|&b| !matches!(b, 0 | 0xfe | 0xff))
        .skip_while(u8::is_ascii_whitespace)
        .take(16)
        .collect();
    let is_xml = XML_ROOTS.iter().any(|root| {
        narrow.starts_with(root) && !narrow.get(root.len()).is_some_and(u8::is_ascii_alphanumeric)
    });
    if is_xml { Kind::Xml } else { Kind::Html }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_decides() {
        assert_eq!(kind_of(b"<?xml?>", Some("text/html; charset=utf-8")), Ok(Kind::Html));
        assert_eq!(kind_of(b"<p>", Some("Application/RSS+XML")), Ok(Kind::Xml));
        assert_eq!(kind_of(b"<p>", Some("text/xml;charset=x")), Ok(Kind::Xml));
        assert_eq!(kind_of(b"<svg/>", Some("image/svg+xml")), Ok(Kind::Xml));
    }

    #[test]
    fn xhtml_is_read_as_html() {
        assert_eq!(kind_of(b"<?xml version='1.0'?><html>", Some("application/xhtml+xml")), Ok(Kind::Html));
    }

    #[test]
    fn without_a_telling_header_the_first_bytes_decide() {
        for content_type in [None, Some(""), Some("text/plain"), Some("application/octet-stream")] {
            assert_eq!(kind_of(b" \n<?xml version='1.0'?><rss>", content_type), Ok(Kind::Xml));
            assert_eq!(kind_of(b"\xef\xbb\xbf<urlset xmlns='x'>", content_type), Ok(Kind::Xml));
            assert_eq!(kind_of(b"<feeding>", content_type), Ok(Kind::Html));
            assert_eq!(kind_of(b"<!doctype html>", content_type), Ok(Kind::Html));
        }
        assert_eq!(kind_of(b"\xff\xfe<\0?\0x\0m\0l\0 \0", None), Ok(Kind::Xml));
    }

    #[test]
    fn what_is_not_markup_is_named() {
        assert_eq!(kind_of(b"", Some("image/png")), Err("image/png".into()));
        assert_eq!(kind_of(b"{}", Some("application/json; charset=utf-8")), Err("JSON".into()));
        assert_eq!(kind_of(b"{}", Some("application/ld+json")), Err("JSON".into()));
        assert_eq!(kind_of(b"", Some("video/mp4")), Err("video/mp4".into()));
    }

    #[test]
    fn a_binary_body_called_html_is_not_believed() {
        let bodies: [(&[u8], &str); 5] = [
            (b"%PDF-1.7\n", "PDF"),
            (b"\x89PNG\r\n\x1a\n\0", "a PNG image"),
            (b"\xff\xd8\xff\xe0", "a JPEG image"),
            (b"PK\x03\x04rest", "a ZIP archive"),
            (b"\x1f\x8b\x08\0", "gzip data"),
        ];
        for (body, name) in bodies {
            assert_eq!(kind_of(body, Some("text/html")), Err(name.into()));
        }
    }

    #[test]
    fn an_empty_body_is_html() {
        assert_eq!(kind_of(b"", None), Ok(Kind::Html));
        assert_eq!(kind_of(b"", Some("text/html")), Ok(Kind::Html));
    }
}
