//! Feeding the tokenizer construct by construct, with tags cut that have too many attributes.
//!
//! Tags, comments and declarations are told apart as the tokenizer does (WHATWG HTML 13.2.5), and where that depends
//! on the tree (a `<title>` is raw text in HTML but not in SVG) the gate is asked, since it has seen all before. What
//! `scanner` leaves to the tokenizer comes here, and pages with NUL as a whole.

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::TokenSink;
use memchr::memchr;

use super::ReadError;
use super::parse::Feeder;

/// Feeds `text` with at most [`super::Limits::attributes`] attributes to a tag, the first ones. Takes time in
/// proportion to the text.
///
/// # Errors
/// As [`Feeder::feed`].
pub(super) fn feed_with_cut_tags(text: &StrTendril, feeder: &Feeder<'_>) -> Result<(), ReadError> {
    let bytes = str::as_bytes(text);
    // Everything before `fed` has gone to the tokenizer.
    let mut fed = 0;
    while let Some(start) = memchr(b'<', &bytes[fed..]).map(|i| fed + i) {
        feeder.feed(text, fed, start)?;
        fed = feed_markup(text, start, feeder)?;
    }
    feeder.feed(text, fed, bytes.len())
}

/// Feeds what begins with the `<` at `start`, up to its end or as far as it is known to belong to it; says how far
/// it came.
///
/// # Errors
/// As [`Feeder::feed`].
pub(super) fn feed_markup(text: &StrTendril, start: usize, feeder: &Feeder<'_>) -> Result<usize, ReadError> {
    let bytes = str::as_bytes(text);
    if begins_tag(&bytes[start..]) {
        return feed_tag(text, start, feeder);
    }
    let end = if feeder.gate().is_in_raw_text() { start + 1 } else { end_of_markup(bytes, start, feeder) };
    feeder.feed(text, start, end)?;
    Ok(end)
}

/// Feeds the tag that begins at `start`, or its name if it turns out to be text; says how far it came.
///
/// # Errors
/// As [`Feeder::feed`].
pub(super) fn feed_tag(text: &StrTendril, start: usize, feeder: &Feeder<'_>) -> Result<usize, ReadError> {
    let bytes = str::as_bytes(text);
    let after_name =
        find(bytes, start + 2, |b| is_space(b) || b == b'/' || b == b'>').map_or(bytes.len(), |i| i + 1);
    let tokens = feeder.gate().token_count();
    let may_be_tag = match &*feeder.gate().raw_text() {
        None => true,
        Some(open) => {
            let name = text[start..after_name].strip_prefix("</").unwrap_or_default();
            name.get(..open.len()).is_some_and(|name| name.eq_ignore_ascii_case(open))
                && name.len() == open.len() + 1
        }
    };
    feeder.feed(text, start, after_name)?;
    // A script may hold `</script>` in a comment. Then the name has come out as text by now; of a tag that is not
    // complete nothing has come out.
    let came_out_as_text = feeder.gate().is_in_raw_text() && feeder.gate().token_count() > tokens;
    if !may_be_tag || came_out_as_text || bytes[after_name - 1] == b'>' {
        return Ok(after_name);
    }
    let tag = scan_attributes(bytes, after_name, feeder.limits.attributes);
    feeder.feed(text, after_name, tag.cut.unwrap_or(tag.end))?;
    if tag.cut.is_some() && bytes[tag.end - 1] == b'>' {
        feeder.feed(text, tag.end - 1, tag.end)?;
    }
    Ok(tag.end)
}

struct Scanned {
    /// Behind the `>`, or the end of the text.
    end: usize,
    /// Where the first attribute beyond the limit begins.
    cut: Option<usize>,
}

/// The attributes of a tag from behind its name (13.2.5.32 to 13.2.5.40).
fn scan_attributes(bytes: &[u8], mut at: usize, limit: usize) -> Scanned {
    let end = bytes.len();
    let (mut count, mut cut) = (0, None);
    loop {
        at = find(bytes, at, |b| !is_space(b) && b != b'/').unwrap_or(end);
        if at == end {
            return Scanned { end, cut };
        }
        if bytes[at] == b'>' {
            return Scanned { end: at + 1, cut };
        }
        count += 1;
        if count > limit && cut.is_none() {
            cut = Some(at);
        }
        // A `=` in front belongs to the name.
        at = find(bytes, at + 1, |b| is_space(b) || matches!(b, b'/' | b'>' | b'=')).unwrap_or(end);
        let value = find(bytes, at, |b| !is_space(b)).unwrap_or(end);
        if bytes.get(value) == Some(&b'=') {
            let value = find(bytes, value + 1, |b| !is_space(b)).unwrap_or(end);
            at = match bytes.get(value) {
                Some(&quote @ (b'"' | b'\'')) => {
                    find(bytes, value + 1, |b| b == quote).map_or(end, |i| i + 1)
                }
                _ => find(bytes, value, |b| is_space(b) || b == b'>').unwrap_or(end),
            };
        }
    }
}

/// Where the comment, CDATA section, declaration or lone `<` at `start` ends.
fn end_of_markup(bytes: &[u8], start: usize, feeder: &Feeder<'_>) -> usize {
    let rest = &bytes[start..];
    let length = if rest.starts_with(b"<!--") {
        end_of_comment(rest)
    } else if rest.starts_with(b"<![CDATA[")
        && feeder.gate().adjusted_current_node_present_but_not_in_html_namespace()
    {
        rest.windows(3).position(|three| three == b"]]>").map(|i| i + 3)
    } else if matches!(rest.get(1), Some(b'!' | b'?' | b'/')) {
        find(rest, 2, |b| b == b'>').map(|i| i + 1)
    } else {
        Some(1)
    };
    length.map_or(bytes.len(), |length| start + length)
}

/// `<!-->` and `<!--->` are whole comments; `--!>` ends one as well as `-->` does (13.2.5.43 to 13.2.5.52).
fn end_of_comment(comment: &[u8]) -> Option<usize> {
    (2..comment.len()).find_map(|at| {
        let rest = &comment[at..];
        if rest.starts_with(b"-->") {
            Some(at + 3)
        } else if at >= 4 && rest.starts_with(b"--!>") {
            Some(at + 4)
        } else {
            None
        }
    })
}

pub(super) fn begins_tag(rest: &[u8]) -> bool {
    match rest {
        [_, b'/', c, ..] | [_, c, ..] => c.is_ascii_alphabetic(),
        _ => false,
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')
}

pub(super) fn find(bytes: &[u8], from: usize, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    bytes.get(from..)?.iter().position(|&b| is_wanted(b)).map(|i| from + i)
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::{check_links, sketch};
    use super::super::dom::Document;
    use super::super::vocabulary::Vocabulary;
    use super::super::{Limits, NodeId, parse};
    use super::*;

    const LIMITS: Limits = Limits { depth: 512, nodes: 1_000_000, attributes: 4 };

    fn read(html: &str) -> Document {
        let document = parse::parse(&StrTendril::from_slice(html), &LIMITS, &mut Vocabulary::new()).unwrap();
        check_links(&document);
        document
    }

    fn parse_whole(html: &str) -> Result<Document, ReadError> {
        parse::parse(&StrTendril::from_slice(html), &Limits::default(), &mut Vocabulary::new())
    }

    /// What is in `<body>` when a tag in front has too many attributes, so that all goes through here.
    fn cut(html: &str) -> String {
        let line = sketch(&read(&format!("<!doctype html><body><i 1 2 3 4 5 6></i>{html}")));
        let start = "html(head body(i[1= 2= 3= 4=] ";
        line.strip_prefix(start).and_then(|l| l.strip_suffix("))")).expect("cut after the fourth").to_owned()
    }

    #[test]
    fn the_first_attributes_are_kept() {
        assert_eq!(cut("<p a=1 b='2' c=\"3\" d = 4 e='>' f>x</p>"), r#"p[a=1 b=2 c=3 d=4]("x")"#);
        assert_eq!(cut("<p a='1'b='2'c='3'd='4'e='5'>x"), r#"p[a=1 b=2 c=3 d=4]("x")"#);
        assert_eq!(cut("<p/a/b/c/d/e/f/>x"), r#"p[a= b= c= d=]("x")"#);
        assert_eq!(cut("<p =a =b= c=> d e f>x"), r#"p[=a=b= c=](" d e f>x")"#);
    }

    #[test]
    fn a_cut_tag_still_closes_itself() {
        assert_eq!(cut("<svg><g a b c d e/><g a b c d e=/></svg>"), "svg(g[a= b= c= d=] g[a= b= c= d=])");
        assert_eq!(cut("<svg><g a b c d=/></svg>"), "svg(g[a= b= c= d=/])");
    }

    #[test]
    fn tags_within_the_limit_stay_as_they_are() {
        assert_eq!(cut("<p a b=1 c='<b>' d=\">\">x</p><br/>y"), r#"p[a= b=1 c=<b> d=>]("x") br "y""#);
        assert_eq!(cut("a < b <3 <> </> </3> <é>"), r#""a < b <3 <>  " <!--3--> " <é>""#);
    }

    #[test]
    fn end_tags_are_cut_too() {
        assert_eq!(cut("<p>x</p a b c d e='>' f>y"), r#"p("x") "y""#);
    }

    #[test]
    fn comments_are_no_tags() {
        assert_eq!(cut("<!--<p a b c d e>-->x"), r#"<!--<p a b c d e>--> "x""#);
        assert_eq!(cut("<!--><p a b c d e>"), "<!----> p[a= b= c= d=]");
        assert_eq!(cut("<!---><p a b c d e>"), "<!----> p[a= b= c= d=]");
        assert_eq!(cut("<!--x--!><p a b c d e>"), "<!--x--> p[a= b= c= d=]");
        assert_eq!(cut("<!x '><p a b c d e>"), "<!--x '--> p[a= b= c= d=]");
        assert_eq!(cut("<?x a b c d e><p>"), "<!--?x a b c d e--> p");
    }

    #[test]
    fn raw_text_is_no_tag() {
        assert_eq!(cut("<style><p a b c d e></style >x"), r#"style("<p a b c d e>") "x""#);
        assert_eq!(
            cut("<textarea></p a b c d e>&lt</textarea a b c d e>x"),
            r#"textarea("</p a b c d e><") "x""#
        );
        assert_eq!(cut("<title>a</titles b c d e f></TITLE>x"), r#"title("a</titles b c d e f>") "x""#);
        assert_eq!(
            cut("<script>a<!--<script>b</script x y z u v>--></script a b c d e f>x"),
            r#"script("a<!--<script>b</script x y z u v>-->") "x""#
        );
        assert_eq!(cut("<plaintext></plaintext><p a b c>"), r#"plaintext("</plaintext><p a b c>")"#);
    }

    #[test]
    fn in_svg_titles_and_styles_are_not_raw_and_cdata_is_text() {
        assert_eq!(cut("<svg><style><g a b c d e></svg>"), "svg(style(g[a= b= c= d=]))");
        assert_eq!(cut("<svg><![CDATA[<g a b c d e>]]><g/></svg>"), r#"svg("<g a b c d e>" g)"#);
        assert_eq!(cut("<![CDATA[<g a b c d e>]]>"), r#"<!--[CDATA[<g a b c d e--> "]]>""#);
    }

    #[test]
    fn a_tag_that_never_ends_is_dropped_like_any_other() {
        for tail in ["<p a b c d e", "<p a b c d e='", "<p", "<p ", "</p a b c d e f=", "<!--", "<!", "<"] {
            cut_tail(tail);
        }
    }

    fn cut_tail(tail: &str) {
        assert!(cut(&format!("x{tail}")).starts_with("\"x"), "{tail}");
    }

    #[test]
    fn references_across_a_tag_stay_whole() {
        assert_eq!(cut("&amp<p a b c d e>&lt"), r#""&" p[a= b= c= d=]("<")"#);
    }

    #[test]
    fn a_million_attributes_on_one_tag() {
        for end in ["'>end", " >end"] {
            let attributes: String = (0..1_000_000).map(|i| format!(" a{i}")).collect();
            let html = format!("<p title='x'{attributes} z='{end}'>end");
            let document = parse_whole(&html).unwrap();
            let last = NodeId(document.len() as u32 - 1);
            assert!(document.text(last).ends_with("end"));
            let p = document.parent(last).unwrap();
            assert_eq!(document.attributes(p).len(), 512);
            assert_eq!(document.attribute(p, "a510"), Some(""));
        }
    }

    #[test]
    fn attributes_hidden_from_a_simpler_reader_are_cut() {
        let attributes: String = (0..150_000).map(|i| format!(" a{i}")).collect();
        for hide in
            ["<svg><title><style><g ", "<svg><style><g ", "<script><!--<script></script x'>--></script "]
        {
            let html = format!("{hide}{attributes}>end");
            let document = parse_whole(&html).unwrap();
            check_links(&document);
        }
    }
}
