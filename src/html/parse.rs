//! HTML: text in, document out, with html5ever in between.
//!
//! The text goes through `scanner`, which makes the tokens of ordinary markup itself and leaves the rest to html5ever's
//! tokenizer, construct by construct, in windows on one buffer. So a document beyond its limits is noticed while it
//! grows. html5ever compares each attribute of a tag with all before it, so that a tag of 100,000 would take it
//! minutes: both ways cut such tags first.

use html5ever::TokenizerResult;
use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::TreeSink;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use memchr::memchr;

use super::depth::Gate;
use super::dom::Document;
use super::sink::Sink;
use super::vocabulary::Vocabulary;
use super::{Limits, ReadError, attributes, scanner, too_many};

/// Makes a document of HTML.
///
/// # Errors
/// [`ReadError::TooComplex`] only.
pub(super) fn parse(
    text: &StrTendril,
    limits: &Limits,
    vocabulary: &mut Vocabulary,
) -> Result<Document, ReadError> {
    let text = &with_plain_newlines(text);
    let feeder = Feeder::new(text, limits);
    // NUL means something else in each state of the tokenizer, and no sound page has any.
    if memchr(0, text.as_bytes()).is_some() {
        attributes::feed_with_cut_tags(text, &feeder)?;
    } else {
        scanner::scan(text, &feeder, vocabulary)?;
    }
    feeder.finish()
}

/// The text with a newline for each carriage return and for each pair of the two (WHATWG HTML 13.2.3.5).
fn with_plain_newlines(text: &StrTendril) -> StrTendril {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text.clone();
    }
    let mut plain = StrTendril::with_capacity(text.len() as u32);
    let mut rest: &str = text;
    while let Some(at) = memchr(b'\r', rest.as_bytes()) {
        plain.push_slice(&rest[..at]);
        plain.push_slice("\n");
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    plain.push_slice(rest);
    plain
}

/// The tokenizer with its input, under the limits.
pub(super) struct Feeder<'a> {
    tokenizer: Tokenizer<Gate>,
    queue: BufferQueue,
    pub(super) limits: &'a Limits,
}

impl<'a> Feeder<'a> {
    fn new(text: &StrTendril, limits: &'a Limits) -> Feeder<'a> {
        let gate = Gate::new(Sink::new(text.len(), limits), limits);
        // The byte order mark is `encoding`'s; another one behind it is text.
        let options = TokenizerOpts { discard_bom: false, ..TokenizerOpts::default() };
        Feeder { tokenizer: Tokenizer::new(gate, options), queue: BufferQueue::default(), limits }
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.tokenizer.sink
    }

    /// Feeds `text[start..end]` without copying it.
    ///
    /// # Errors
    /// The document has become larger than the limits allow.
    pub(super) fn feed(&self, text: &StrTendril, start: usize, end: usize) -> Result<(), ReadError> {
        self.queue.push_back(text.subtendril(start as u32, (end - start) as u32));
        // It stops at the end of each script, for browsers to run it, and at each <meta charset>.
        while !matches!(self.tokenizer.feed(&self.queue), TokenizerResult::Done) {}
        self.check()
    }

    /// Whether the document is within its limits.
    ///
    /// # Errors
    /// It has become larger than they allow.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        let sink = &self.gate().builder.sink;
        let limit = self.limits.nodes;
        if sink.node_count() > limit {
            return Err(too_many("nodes", limit));
        }
        if sink.attribute_count() > limit {
            return Err(too_many("attributes", limit));
        }
        Ok(())
    }

    fn finish(self) -> Result<Document, ReadError> {
        self.tokenizer.end();
        let document = self.tokenizer.sink.builder.sink.finish();
        // The end opens at most the elements that a page must have.
        debug_assert!(document.len() <= self.limits.nodes + 8);
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::{check_links, sketch};
    use super::*;

    fn read(html: &str) -> Document {
        parse(&StrTendril::from_slice(html), &Limits::default(), &mut Vocabulary::new()).unwrap()
    }

    /// What is in `<body>`.
    fn body(html: &str) -> String {
        let line = sketch(&read(&format!("<!doctype html><body>{html}")));
        line.strip_prefix("html(head body(").and_then(|l| l.strip_suffix("))")).unwrap_or(&line).to_owned()
    }

    #[test]
    fn a_page_becomes_a_tree() {
        let page = "<!DOCTYPE html><title>T</title><p class=x id=y>a<br>b&amp;c<!--d-->";
        assert_eq!(
            sketch(&read(page)),
            r#"html(head(title("T")) body(p[class=x id=y]("a" br "b&c" <!--d-->)))"#
        );
    }

    #[test]
    fn an_empty_page_is_an_empty_body() {
        assert_eq!(sketch(&read("")), "html(head body)");
        assert_eq!(sketch(&read(" \n ")), "html(head body)");
    }

    #[test]
    fn pieces_do_not_show() {
        // Texts, values and references across the ends of many pieces, with characters of two and four bytes.
        for shift in 0..5 {
            let text = format!("{}{}", "x".repeat(shift), "ä𝄞&lt;".repeat(20_000));
            let html = format!("<p title='{text}'>{text}</p>");
            let document = read(&html);
            let p = document.first_child(document.last_child(super::super::NodeId(1)).unwrap()).unwrap();
            let expected = text.replace("&lt;", "<");
            assert_eq!(document.attribute(p, "title"), Some(&*expected));
            assert_eq!(document.text(document.first_child(p).unwrap()), expected);
        }
    }

    #[test]
    fn moved_nodes_are_in_document_order() {
        // The text is foster-parented in front of the table; the formatting is split by the adoption agency.
        assert_eq!(body("<table><tr>x<td>y</table>z"), r#""x" table(tbody(tr(td("y")))) "z""#);
        assert_eq!(body("<b>1<p>2</b>3"), r#"b("1") p(b("2") "3")"#);
        assert_eq!(body("a<table>b<table>c"), r#""ab" table "c" table"#);
        check_links(&read("</head> <p><script></script></html><meta><frameset><a><table><a><td></a><p></a>"));
    }

    /// The tree by html5ever's tokenizer alone.
    fn by_the_tokenizer(html: &str) -> String {
        let (text, limits) = (StrTendril::from_slice(html), Limits::default());
        let feeder = Feeder::new(&text, &limits);
        feeder.feed(&text, 0, text.len()).unwrap();
        sketch(&feeder.finish().unwrap())
    }

    #[test]
    fn odd_markup_is_read_as_the_tokenizer_reads_it() {
        for html in [
            "<!--->x<!-->y<!----->z<!--a--b-->c<!--d--!>e<!--<!--f-->-->g<!--",
            "<!---->a<!-- --><!DOCTYPE x \">\">b<![CDATA[c]]>d<?e>f</>g</ h>i</3>",
            "<svg><![CDATA[<p>]]>x</svg><![CDATA[<p>]]>",
            "a<b/ >c<br/>d<i/e=f/>g<a h=i/>j<a k='l'm=n>o<a =p =q>",
            "<A HREF=X Href=y hReF>z</A a='>'>w<p\nclass\n=\n'c'\n>",
            "<a b=>c<a d= >e<a f='g\"h' i=\"j'k\">l<a m=`n>o<a\u{e4}\u{c4} \u{c4}=\u{c4}>",
            "&amp&lt;&ampx &notit; &#38&#x26;&#xZ;&#;&; & &&amp;amp;",
            "<a b='&amp&ampx&amp=&lt;&notin;&#38&#x26y' c=&gt;&gt=>",
            "<title>a&amp;b<p></title x>c</title><textarea>\n\n<b></textarea><pre>\n\nd</pre>",
            "<script><!--<script>a</script>b--></script>c<script>d<!--</script>e-->f",
            "<script>a<!--b</script>c<script>d<!--<SCRIPT >e</script>--></script>f<script><!--<script",
            "<script>a</scriptx></script/>b<style></STYLE\t>c<xmp></xm></xmp>d<plaintext>e</plaintext>",
            "<noscript><p>a</noscript><iframe><p></iframe><noembed><p></noembed><noframes><p></noframes>",
            "a\r\nb\rc\n\r<pre>\r\nd</pre><p title='\r\n\r'>\r",
            "a\0b<p\0c \0d=\0e>\0<svg>\0</svg><!--\0-->",
            "x < y <3 <= << <",
            "<p",
            "<p a='b",
            "<title>a</title",
            "</",
        ] {
            assert_eq!(sketch(&read(html)), by_the_tokenizer(html), "{html}");
        }
    }

    #[test]
    fn frames_replace_the_body() {
        assert_eq!(sketch(&read("<p></p><frameset><frame src=x>")), "html(head frameset(frame[src=x]))");
    }

    #[test]
    fn a_template_holds_its_contents() {
        assert_eq!(body("<template><tr><td>x</template>y"), r#"template(tr(td("x"))) "y""#);
        assert_eq!(
            body("<div><template shadowrootmode=open><p>x</template></div>"),
            r#"div(template[shadowrootmode=open](p("x")))"#
        );
    }

    #[test]
    fn what_is_in_noscript_are_elements() {
        assert_eq!(body("<noscript><img src=x></noscript>"), "noscript(img[src=x])");
    }

    #[test]
    fn svg_and_mathml_have_plain_names() {
        assert_eq!(
            body("<svg viewbox=0 xml:lang=de><a xlink:href=x href=y /><foreignobject><p>z</svg>"),
            r#"svg[viewBox=0 xml:lang=de](a[xlink:href=x href=y] foreignObject(p("z")))"#
        );
        let document = read("<svg xmlns:xlink=u><use xlink:href=x>");
        let svg = document.first_child(document.last_child(super::super::NodeId(1)).unwrap()).unwrap();
        let use_ = document.first_child(svg).unwrap();
        assert_eq!(document.attribute(use_, "href"), None);
        assert_eq!(document.attribute(use_, "xlink:href"), Some("x"));
        assert!(document.name(svg).unwrap().namespace.is_empty());
        assert_eq!(
            body("<math><annotation-xml encoding=text/html><div><b>x</math>"),
            r#"math(annotation-xml[encoding=text/html](div(b("x"))))"#
        );
    }

    #[test]
    fn odd_attribute_names_are_kept() {
        assert_eq!(body("<p @click=a a:b=c \"=d :x v-on:y.z='1'>"), "p[@click=a a:b=c \"=d :x= v-on:y.z=1]");
    }

    #[test]
    fn nuls_and_lone_surrogates_do_no_harm() {
        assert_eq!(body("a\0b&#xD800;c&#0;d\u{1}"), "\"ab\u{fffd}c\u{fffd}d\\u{1}\"");
        check_links(&read("\0<\0p\0 \0=\0>\0</\0><svg>\0<![CDATA[\0"));
    }

    #[test]
    fn a_second_body_adds_what_is_missing() {
        assert_eq!(
            sketch(&read("<body a=1><p b=2></p><body a=3 c=4><html d=5>x")),
            r#"html[d=5](head body[a=1 c=4](p[b=2] "x"))"#
        );
    }

    #[test]
    fn ten_thousand_bodies_with_new_attributes_are_capped() {
        let html: String = (0..10_000).map(|i| format!("<body a{i}=1>")).collect();
        let document = read(&format!("{html}end"));
        let body = document.last_child(super::super::NodeId(1)).unwrap();
        assert!((2..=600).contains(&document.attributes(body).len()));
        assert_eq!(document.text(document.first_child(body).unwrap()), "end");
    }

    #[test]
    fn a_document_beyond_its_limit_is_refused() {
        let limits = Limits { nodes: 1000, ..Limits::default() };
        let read = |html: &str| parse(&StrTendril::from_slice(html), &limits, &mut Vocabulary::new());
        assert!(read(&"<p>".repeat(900)).is_ok());
        assert_eq!(
            read(&"<p>".repeat(1100)).unwrap_err().to_string(),
            "document too complex: more than 1000 nodes"
        );
        assert!(matches!(read(&"<p a b c>".repeat(400)), Err(ReadError::TooComplex(_))));
    }

    #[test]
    fn a_large_inline_image_survives() {
        let data = format!("data:image/png;base64,{}", "iVBORw0KGgo/AAAA".repeat(300_000));
        let document = read(&format!("<img src=\"{data}\" alt=x><p>end"));
        let img = document.first_child(document.last_child(super::super::NodeId(1)).unwrap()).unwrap();
        assert_eq!(document.attribute(img, "src"), Some(&*data));
        assert_eq!(document.attribute(img, "alt"), Some("x"));
    }

    /// What misnests, moves, hides and breaks.
    const FRAGMENTS: &[&str] = &[
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<a href='x>'>",
        "</a>",
        "<i a=1 b c=\">\">",
        "</i>",
        "<table>",
        "</table>",
        "<tr>",
        "<td>",
        "</td>",
        "<caption>",
        "<col>",
        "<select>",
        "<option>",
        "</select>",
        "<svg>",
        "</svg>",
        "<title>",
        "</title>",
        "<style>",
        "</style>",
        "<script>",
        "</script>",
        "</script x='y'>",
        "<!--",
        "-->",
        "--!>",
        "<![CDATA[",
        "]]>",
        "<math>",
        "<mi>",
        "</math>",
        "<annotation-xml encoding=text/html>",
        "<foreignObject>",
        "<template>",
        "</template>",
        "<form>",
        "</form>",
        "<button>",
        "<li>",
        "<ul>",
        "</ul>",
        "<h1>",
        "</h2>",
        "<textarea>",
        "</textarea>",
        "<noscript>",
        "</noscript>",
        "<frameset>",
        "<frame>",
        "<body c=d>",
        "<html e=f>",
        "<head>",
        "</head>",
        "</body>",
        "</html>",
        "<br/>",
        "</br>",
        "<image>",
        "<input type=hidden>",
        "<hr>",
        "<dd>",
        "<plaintext>",
        "<iframe>",
        "</iframe>",
        "<object>",
        "</object>",
        "<nobr>",
        "<ruby><rt>",
        "<div/a/b=/>",
        "</div>",
        "&amp",
        "&lt;",
        "&#x",
        "\0",
        "\r\n",
        "<",
        "</",
        "<!",
        "<?",
        "'",
        "\"",
        "=",
        ">",
        " ",
        "text",
        "\u{e4}",
        "\r",
        "\n",
        "&copy=x",
        "&notin;",
        "&#128;",
        "&#0",
        ";",
        "!",
        "-",
        "--",
        "<!--x-->",
        "<!--[if lt]><p><![endif]-->",
        "<DIV Class=\"a&amp;b\" ID='&lt' class=c>",
        "<a href=?a=1&copy=2&amp;x>",
        "<br />",
        "<g x=y/>",
        "<pre>",
        "</title >",
        "</SCRIPT\n>",
        "<!DOCTYPE html>",
        "<!doctype x '>",
        "<xmp>",
        "</xmp>",
    ];

    use proptest::collection::vec;
    use proptest::sample::select;

    proptest::proptest! {
        #[test]
        fn the_scanner_and_the_tokenizer_make_the_same_tree(parts in vec(select(FRAGMENTS), 0..40)) {
            let limits = Limits::default();
            let text = StrTendril::from_slice(&parts.concat());
            let expected = by_the_tokenizer(&text);
            let tag_by_tag = Feeder::new(&text, &limits);
            attributes::feed_with_cut_tags(&text, &tag_by_tag).unwrap();
            assert_eq!(sketch(&tag_by_tag.finish().unwrap()), expected);
            assert_eq!(sketch(&read(&text)), expected);
        }

        #[test]
        fn no_soup_breaks_the_tree_at_any_depth(parts in vec(select(FRAGMENTS), 0..60), depth in 1_usize..12) {
            let limits = Limits { depth, ..Limits::default() };
            let text = StrTendril::from_slice(&parts.concat());
            check_links(&parse(&text, &limits, &mut Vocabulary::new()).unwrap());
        }
    }
}
