//! XML: text in, document out, with quick-xml in between. Feeds and sitemaps are often broken, and a crawler takes
//! what it can get, as libxml2 does in its recovering mode; so nothing here is an error but size.
//!
//! - An end tag closes up to the element it names, or nothing.
//! - A `<` or `&` that begins nothing is text; an entity that HTML knows is taken as there, others stay as written.
//! - A tag cut off by the next `<` is an empty element. Attributes may lack quotes; of two alike the first counts.
//! - What stands outside the root element is left out, but for comments and processing instructions.
//!
//! The DTD is skipped and its entities are never expanded: no outside file is read, nothing grows.

use html5ever::tendril::StrTendril;
use quick_xml::errors::{Error, SyntaxError};
use quick_xml::events::{BytesStart, Event};

use super::dom::{Attribute, Document, NodeData};
use super::names::Scope;
use super::recovery::{Recovering, end_before_markup};
use super::references::{self, resolve};
use super::{Limits, ReadError, too_many};

/// Makes a document of XML.
///
/// # Errors
/// [`ReadError::TooComplex`] only.
pub(super) fn parse(text: &StrTendril, limits: &Limits) -> Result<Document, ReadError> {
    let mut builder = Builder::new(text, limits);
    let mut reader = Recovering::new(text);
    loop {
        let start = reader.position();
        match reader.read() {
            Ok(Event::Eof) => break,
            Ok(event) => match builder.add(start, event) {
                Next::Event => {}
                Next::Restart(at) => reader.restart(at),
                Next::Stop => break,
            },
            Err(error) => {
                let Some(at) = reader.place_to_go_on(start, &error) else {
                    // A section that never ends holds all that follows.
                    let section = text[start..].strip_prefix("<![CDATA[");
                    // quick-xml says the same of `<![` alone, behind which any character may stand.
                    if let (Some(rest), Error::Syntax(SyntaxError::UnclosedCData)) = (section, &error) {
                        builder.add_text(rest);
                    }
                    break;
                };
                if text[start..at] == *"<" {
                    builder.add_text(&text[start..at]);
                }
                reader.restart(at);
            }
        }
        if builder.document.nodes.len() > limits.nodes {
            return Err(too_many("nodes", limits.nodes));
        }
        if builder.document.attributes.len() > limits.nodes {
            return Err(too_many("attributes", limits.nodes));
        }
    }
    Ok(builder.document)
}

/// What to read after an event.
enum Next {
    Event,
    /// Not all of the event was good; it goes on at this place.
    Restart(usize),
    Stop,
}

struct Builder<'a> {
    text: &'a StrTendril,
    limits: &'a Limits,
    document: Document,
    open: Vec<Open<'a>>,
    /// Names of open elements that were left out because they are too deep.
    dropped: Vec<&'a str>,
    scope: Scope,
}

struct Open<'a> {
    name: &'a str,
    node: u32,
    /// The mark of its namespace declarations.
    mark: usize,
}

impl<'a> Builder<'a> {
    fn new(text: &'a StrTendril, limits: &'a Limits) -> Builder<'a> {
        Builder {
            text,
            limits,
            document: Document::empty(false, text.len()),
            open: Vec::new(),
            dropped: Vec::new(),
            scope: Scope::default(),
        }
    }

    fn add(&mut self, start: usize, event: Event<'_>) -> Next {
        match event {
            Event::Start(tag) => return self.add_tag(start, &tag, true),
            Event::Empty(tag) => return self.add_tag(start, &tag, false),
            Event::End(tag) => self.close(tag.name().0),
            Event::Text(text) => self.add_text(&text),
            Event::CData(text) => self.add_text(&text),
            Event::GeneralRef(name) => match resolve(&name) {
                Some(characters) => self.add_text(&characters),
                None => self.add_text(&self.text[start..start + name.len() + 2]),
            },
            Event::Comment(text) => {
                let text = self.window(&text);
                self.add_node(NodeData::Comment(text));
            }
            Event::PI(instruction) => {
                let (target, data) = (instruction.target(), instruction.content().trim());
                let (target, data) = (self.window(target), self.window(data));
                self.add_node(NodeData::ProcessingInstruction { target, data });
            }
            Event::Decl(_) | Event::DocType(_) | Event::Eof => {}
        }
        Next::Event
    }

    fn add_node(&mut self, data: NodeData) -> u32 {
        let node = self.document.make(data);
        self.document.append(self.parent(), node);
        node
    }

    fn parent(&self) -> u32 {
        self.open.last().map_or(0, |open| open.node)
    }

    /// Characters; without those of a root element around them they are nothing.
    fn add_text(&mut self, characters: &str) {
        if !self.open.is_empty() {
            let text = self.window(characters);
            self.document.append_text(self.parent(), text);
        }
    }

    fn add_tag(&mut self, start: usize, tag: &BytesStart<'_>, has_content: bool) -> Next {
        let written = tag.name().0;
        if !written.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':') {
            self.add_text("<");
            return Next::Restart(start + 1);
        }
        if self.open.is_empty()
            && self.document.children(Document::ROOT).any(|id| self.document.name(id).is_some())
        {
            // A second root: the document has ended.
            return Next::Stop;
        }
        // The tag without its `<`; a `<` in it means that its `>` is another's.
        let cut = end_before_markup(tag);
        let tag = BytesStart::from_content(
            &tag[..cut.unwrap_or(tag.len())],
            written.len().min(cut.unwrap_or(usize::MAX)),
        );
        let is_open = has_content && cut.is_none();
        let name_start = start + 1;
        let name = &self.text[name_start..name_start + tag.name().0.len()];
        if self.open.len() < self.limits.depth {
            self.add_element(name, &tag, is_open);
        } else if is_open {
            self.dropped.push(name);
        }
        cut.map_or(Next::Event, |length| Next::Restart(name_start + length))
    }

    fn add_element(&mut self, name: &'a str, tag: &BytesStart<'_>, is_open: bool) {
        let mark = self.scope.enter();
        let from = self.document.attributes.len();
        let mut written = Vec::new();
        for attribute in tag.html_attributes().with_checks(false).flatten().take(self.limits.attributes) {
            let value = self.value(&attribute.value);
            if !self.scope.declare(attribute.key.0, &value) {
                written.push((attribute.key.0, value));
            }
        }
        for (key, value) in written {
            let name = self.scope.attribute(key);
            if !self.document.attributes[from..].iter().any(|known| known.name == name) {
                self.document.attributes.push(Attribute { name, value });
            }
        }
        let attributes = (from as u32, self.document.attributes.len() as u32);
        let node = self.add_node(NodeData::Element { name: self.scope.element(name), attributes });
        if is_open {
            self.open.push(Open { name, node, mark });
        } else {
            self.scope.leave(mark);
        }
    }

    fn close(&mut self, name: &str) {
        // The dropped ones may be many; a bounded look keeps hostile end tags cheap.
        let near = self.dropped.len().saturating_sub(self.limits.depth);
        if let Some(found) = self.dropped[near..].iter().rposition(|&dropped| dropped == name) {
            self.dropped.truncate(near + found);
        } else if let Some(found) = self.open.iter().rposition(|open| open.name == name) {
            self.dropped.clear();
            self.scope.leave(self.open[found].mark);
            self.open.truncate(found);
        }
    }

    /// An attribute's value: references resolved, white space made blanks (XML 1.0 3.3.3).
    fn value(&self, written: &str) -> StrTendril {
        if !written.contains(['&', '\n', '\t', '\r']) {
            return self.window(written);
        }
        let unified = written.replace("\r\n", " ").replace(['\n', '\t', '\r'], " ");
        StrTendril::from_slice(&references::resolve_all(&unified))
    }

    /// `part` as a window on the text it is a part of, or else as a copy. Line ends become line feeds (2.11).
    fn window(&self, part: &str) -> StrTendril {
        if part.contains('\r') {
            return StrTendril::from(part.replace("\r\n", "\n").replace('\r', "\n"));
        }
        let offset = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        if offset.checked_add(part.len()).is_some_and(|end| end <= self.text.len()) {
            self.text.subtendril(offset as u32, part.len() as u32)
        } else {
            StrTendril::from_slice(part)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::{check_links, sketch};
    use super::*;
    use crate::html::NodeId;

    fn read(xml: &str) -> Document {
        parse(&StrTendril::from_slice(xml), &Limits::default()).unwrap()
    }

    fn line(xml: &str) -> String {
        sketch(&read(xml))
    }

    #[test]
    fn a_feed_becomes_a_tree() {
        let feed = "<?xml version='1.0'?>\n<!DOCTYPE rss>\n<?style a b?><rss a='1' b=\"2\">\r\n<item>x &amp; y<br/><![CDATA[<z>]]> &#228;&#xE4;</item><!--c--></rss>\n";
        assert_eq!(line(feed), r#"<?style a b?> rss[a=1 b=2]("\n" item("x & y" br "<z> ää") <!--c-->)"#);
    }

    #[test]
    fn names_have_their_namespaces() {
        let document =
            read("<a xmlns='u:d' xmlns:p='u:p' p:x='1' x='2'><p:b/><c xmlns=''/><q:d xml:lang='de'/></a>");
        let name = |id: u32| {
            document.name(NodeId(id)).map(|n| (n.prefix.as_deref(), &*n.namespace, &*n.local)).unwrap()
        };
        assert_eq!(name(1), (None, "u:d", "a"));
        assert_eq!(name(2), (Some("p"), "u:p", "b"));
        assert_eq!(name(3), (None, "", "c"));
        assert_eq!(name(4), (None, "u:d", "q:d"));
        let attributes = document.attributes(NodeId(1));
        assert_eq!(attributes.len(), 2, "declarations are no attributes");
        assert_eq!((&*attributes[0].name.namespace, &*attributes[0].value), ("u:p", "1"));
        assert_eq!((&*attributes[1].name.namespace, &*attributes[1].value), ("", "2"));
    }

    #[test]
    fn end_tags_close_what_they_name() {
        assert_eq!(line("<a><b><c>1</b>2</x>3</a>"), r#"a(b(c("1")) "23")"#);
        assert_eq!(line("<a><b>1"), r#"a(b("1"))"#);
        assert_eq!(line("<a>1</ a >2</a >3"), r#"a("12")"#);
    }

    #[test]
    fn lone_markup_characters_are_text() {
        assert_eq!(
            line("<a>AT&T < 3 & <b>x</b> &nbsp;&unknown;&;</a>"),
            "a(\"AT&T < 3 & \" b(\"x\") \" \\u{a0}&unknown;&;\")"
        );
        assert_eq!(line("<a>1 <2</a>"), r#"a("1 <2")"#);
        assert_eq!(line("<a x='1 & 2 &lt; &x;\n3'/>"), "a[x=1 & 2 < &x; 3]");
    }

    #[test]
    fn tags_that_are_cut_off_do_not_take_the_rest_along() {
        assert_eq!(line("<a><b x='1' <c>2</c></a>"), r#"a(b[x=1] c("2"))"#);
        assert_eq!(line("<a><b/><c>1</c><d x='"), r#"a(b c("1") "<d x='")"#);
        assert_eq!(line("<a>1<"), r#"a("1<")"#);
        assert_eq!(line("<a>1<!x>2<!-- 3"), r#"a("12")"#);
        assert_eq!(line("<a>1<![CDATA[2</a>"), r#"a("12</a>")"#);
        // Something else that never ends, with a long character where a section's text would begin.
        assert_eq!(line("<a>1<![A\u{fffd}\u{fffd}"), r#"a("1")"#);
        assert_eq!(line("<a>1<?x"), r#"a("1")"#);
    }

    #[test]
    fn sloppy_attributes_are_taken() {
        assert_eq!(line("<a b=c d e='1'f='2' e='3'/>"), "a[b=c d= e=1 f=2]");
    }

    #[test]
    fn what_is_outside_the_root_is_left_out() {
        assert_eq!(line("junk <!--1--><a>x</a> junk <!--2-->&amp;<b/>"), r#"<!--1--> a("x") <!--2-->"#);
        assert_eq!(line(""), "");
        assert_eq!(line("no markup at all"), "");
    }

    #[test]
    fn entities_of_the_dtd_are_not_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>]><x>&b;&f;</x>";
        assert_eq!(line(bomb), r#"x("&b;&f;")"#);
    }

    #[test]
    fn depth_is_cut_and_the_text_stays() {
        let limits = Limits { depth: 2, ..Limits::default() };
        let document = parse(&StrTendril::from_slice("<a><b>1<c>2<d>3</c>4</b>5</a>"), &limits).unwrap();
        assert_eq!(sketch(&document), r#"a(b("1234") "5")"#);
        let deep = format!("<r>{}x{}</r>", "<a>".repeat(100_000), "</a>".repeat(100_000));
        check_links(&read(&deep));
        check_links(&read(&format!("<r>{}{}", "<a>".repeat(20_000), "</b>".repeat(20_000))));
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { nodes: 100, attributes: 3, ..Limits::default() };
        let parse = |xml: &str| parse(&StrTendril::from_slice(xml), &limits);
        assert_eq!(sketch(&parse("<a b='1' c='2' d='3' e='4'/>").unwrap()), "a[b=1 c=2 d=3]");
        assert_eq!(parse(&format!("<a>{}</a>", "<b/>".repeat(200))).unwrap_err(), too_many("nodes", 100));
    }

    #[test]
    fn broken_markup_takes_no_more_time_for_its_length() {
        for part in
            ["<a b='", "<", "<![CDATA[", "<!", "&", "<a <b", "<a b=\"<", "</", "<?", "<a xmlns:x='", "<!--"]
        {
            check_links(&read(&format!("<r>{}", part.repeat(50_000))));
        }
        let declarations: String = (0..20_000).map(|i| format!("<a xmlns:p{i}='u'><q:b/>")).collect();
        check_links(&read(&declarations));
    }

    /// What breaks, closes wrongly and hides.
    const FRAGMENTS: &[&str] = &[
        "<a>",
        "</a>",
        "<b x='1'>",
        "</b>",
        "<p:c xmlns:p='u'>",
        "</p:c>",
        "<d/>",
        "<e x=\"",
        "'",
        "\"",
        "<",
        ">",
        "/>",
        "</",
        "<!",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a [",
        "]>",
        "&",
        ";",
        "&amp;",
        "&#0;",
        "=",
        " ",
        "text",
        "\r\n",
        "\u{e4}",
        "\0",
    ];

    proptest::proptest! {
        #[test]
        fn no_soup_breaks_the_tree(
            parts in proptest::collection::vec(proptest::sample::select(FRAGMENTS), 0..40),
            depth in 1_usize..6,
        ) {
            let limits = Limits { depth, ..Limits::default() };
            check_links(&parse(&StrTendril::from_slice(&format!("<a>{}", parts.concat())), &limits).unwrap());
        }
    }
}
