//! Bytes ─▶ characters, in the character set that a browser would take.
//!
//! The order is that of WHATWG HTML 13.2.3.2: byte order mark, what the user demands, the header, what the page says
//! of itself, a guess. Knows nothing of trees.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::kind::Kind;
use super::{charset_named, prescan};

/// The body as text without its byte order mark. Malformed bytes become U+FFFD. Nothing is copied if it is UTF-8.
pub(super) fn decode<'a>(
    body: &'a [u8],
    header: Option<&'static Encoding>,
    forced: Option<&'static Encoding>,
    kind: Kind,
) -> Cow<'a, str> {
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return decode_as(encoding, &body[length..]);
    }
    match named(body, header, forced, kind) {
        Some(encoding) => decode_as(encoding, body),
        None => decode_by_guess(body),
    }
}

/// The character set that a byte order mark, the user, the header or the page names; `None` for a page to guess.
pub(super) fn named(
    body: &[u8],
    header: Option<&'static Encoding>,
    forced: Option<&'static Encoding>,
    kind: Kind,
) -> Option<&'static Encoding> {
    let marked = Encoding::for_bom(body).map(|(encoding, _)| encoding);
    let declared = || match kind {
        Kind::Html => prescan::charset_of_meta(body),
        Kind::Xml => charset_of_xml(body),
    };
    marked.or(forced).or(header).or_else(declared)
}

fn decode_as<'a>(encoding: &'static Encoding, body: &'a [u8]) -> Cow<'a, str> {
    encoding.decode_without_bom_handling(body).0
}

fn decode_by_guess(body: &[u8]) -> Cow<'_, str> {
    // What is valid UTF-8 is UTF-8 (WHATWG HTML 13.2.3.2 step 8), with one exception: ISO-2022-JP is ASCII with
    // escape sequences. This spares most pages the detector, which is slower than the parser.
    if !body.contains(&0x1b)
        && let Ok(text) = std::str::from_utf8(body)
    {
        return Cow::Borrowed(text);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(body, true);
    decode_as(detector.guess(None, Utf8Detection::Allow), body)
}

/// The `charset` of a `Content-Type`; `None` if there is none or its label is unknown.
pub(super) fn charset_of_header(content_type: Option<&str>) -> Option<&'static Encoding> {
    content_type?.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let label = value.trim().trim_matches(|c| c == '"' || c == '\'');
        if name.trim().eq_ignore_ascii_case("charset") { charset_named(label) } else { None }
    })
}

/// The `encoding` of an XML declaration, or UTF-16 if its first character is (XML 1.0 appendix F.1).
fn charset_of_xml(body: &[u8]) -> Option<&'static Encoding> {
    if body.starts_with(b"<\0?\0") {
        return Some(UTF_16LE);
    }
    if body.starts_with(b"\0<\0?") {
        return Some(UTF_16BE);
    }
    // Feeds often have blanks or lines in front of it, which XML forbids and readers forgive.
    let start = body.iter().position(|b| !b.is_ascii_whitespace())?;
    let rest = body[start..].strip_prefix(b"<?xml")?;
    let declaration = &rest[..rest.iter().take(1024).position(|&b| b == b'>')?];
    let declaration = std::str::from_utf8(declaration).ok()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let label = value.strip_prefix(['"', '\''])?.split(['"', '\'']).next()?;
    // It was readable as ASCII, so it cannot be UTF-16.
    charset_named(label).map(|encoding| if encoding.is_ascii_compatible() { encoding } else { UTF_8 })
}

#[cfg(test)]
mod tests {
    use encoding_rs::{EUC_JP, GBK, KOI8_R, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    use super::*;

    fn html(body: &[u8], header: Option<&str>) -> String {
        decode(body, charset_of_header(header), None, Kind::Html).into_owned()
    }

    fn xml(body: &[u8]) -> String {
        decode(body, None, None, Kind::Xml).into_owned()
    }

    #[test]
    fn a_byte_order_mark_is_stronger_than_all_else() {
        assert_eq!(html(b"\xef\xbb\xbf\xc3\xa4", Some("text/html; charset=koi8-r")), "ä");
        assert_eq!(html(b"\xff\xfea\0", None), "a");
        assert_eq!(html(b"\xfe\xff\0a", None), "a");
        assert_eq!(decode(b"\xef\xbb\xbf\xc3\xa4", None, Some(KOI8_R), Kind::Html), "ä");
    }

    #[test]
    fn what_the_user_demands_is_stronger_than_the_header() {
        // 0xF2 is cyrillic te in windows-1251, o with grave in windows-1252.
        assert_eq!(decode(b"\xf2", Some(WINDOWS_1252), Some(WINDOWS_1251), Kind::Html), "т");
    }

    #[test]
    fn the_header_is_stronger_than_the_page() {
        let page = b"<meta charset=windows-1252>\xf2";
        assert!(html(page, Some("text/html; Charset = \"windows-1251\"")).ends_with('т'));
        assert!(html(page, Some("text/html; charset=no-such-set")).ends_with('ò'));
        assert!(html(page, Some("text/html")).ends_with('ò'));
    }

    #[test]
    fn legacy_character_sets_are_read() {
        // "日本" and "中文" in the byte values of their standards.
        assert_eq!(decode(b"\x93\xfa\x96\x7b", Some(SHIFT_JIS), None, Kind::Html), "日本");
        assert_eq!(decode(b"\xc6\xfc\xcb\xdc", Some(EUC_JP), None, Kind::Html), "日本");
        assert_eq!(html(b"\x1b$BF|K\\\x1b(B", Some("text/html;charset=iso-2022-jp")), "日本");
        assert_eq!(decode(b"\xd6\xd0\xce\xc4", Some(GBK), None, Kind::Html), "中文");
        assert_eq!(html(b"\xa4\xa4\xa4\xe5", Some("text/html;charset=big5")), "中文");
    }

    #[test]
    fn without_any_word_utf_8_is_seen() {
        assert_eq!(html("grün ist die Hoffnung – 中文".as_bytes(), None), "grün ist die Hoffnung – 中文");
    }

    #[test]
    fn without_any_word_a_legacy_text_is_guessed() {
        let russian = "Все счастливые семьи похожи друг на друга, каждая несчастлива по-своему.";
        let (bytes, _, _) = WINDOWS_1251.encode(russian);
        assert_eq!(html(&bytes, None), russian);
        let japanese = "国境の長いトンネルを抜けると雪国であった。夜の底が白くなった。";
        let (bytes, _, _) = SHIFT_JIS.encode(japanese);
        assert_eq!(html(&bytes, None), japanese);
    }

    #[test]
    fn malformed_bytes_are_replaced() {
        assert_eq!(html(b"a\xffb", Some("text/html;charset=utf-8")), "a\u{fffd}b");
        assert_eq!(html(b"a\xe4\xb8", Some("text/html;charset=utf-8")), "a\u{fffd}");
    }

    #[test]
    fn utf_8_is_not_copied() {
        assert!(matches!(decode("ä".as_bytes(), None, None, Kind::Html), Cow::Borrowed(_)));
        assert!(matches!(decode("ä".as_bytes(), Some(UTF_8), None, Kind::Html), Cow::Borrowed(_)));
    }

    #[test]
    fn an_xml_declaration_names_the_set() {
        assert!(xml(b"<?xml version='1.0' encoding='KOI8-R'?><a>\xc1").ends_with('а'));
        assert!(xml(b" \n<?xml version='1.0' encoding = \"gb2312\" ?><a>\xd6\xd0").ends_with('中'));
        assert!(xml("<?xml version='1.0' encoding='no-such'?><a>ä".as_bytes()).ends_with('ä'));
        assert!(xml("<?xml version='1.0' encoding='utf-16'?><a>ä".as_bytes()).ends_with('ä'));
        assert!(xml("<a>ä".as_bytes()).ends_with('ä'));
    }

    #[test]
    fn utf_16_xml_is_seen_without_a_mark() {
        assert_eq!(xml(b"<\0?\0x\0"), "<?x");
        assert_eq!(xml(b"\0<\0?\0x"), "<?x");
    }

    #[test]
    fn utf_7_and_the_replacement_set_are_unknown() {
        assert_eq!(charset_named("utf-7"), None);
        assert_eq!(charset_named("iso-2022-kr"), None);
        assert_eq!(charset_named(" GB2312 "), Some(GBK));
    }
}
