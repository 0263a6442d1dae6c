//! Document ─▶ markup: the outer HTML of a node (WHATWG HTML 13.3, serialising HTML fragments).
//!
//! Documents that were parsed as XML come out as XML: nothing is raw text, elements without content end themselves.

use html5ever::{LocalName, local_name};

use super::dom::{Document, Name, NodeId, NodeKind, Place};
use super::tags::is_void;

/// Appends the markup of what stands at `place` to `out`: an element with all it holds, a text escaped, the value of
/// an attribute as it is, the whole document for the document node.
pub fn outer_html(document: &Document, place: Place, out: &mut String) {
    if let Some(attribute) = document.attribute_at(place) {
        out.push_str(&attribute.value);
        return;
    }
    let mut open: Vec<(NodeId, NodeId)> = Vec::new();
    let end = document.subtree_end(place.node);
    // A subtree is a range of ids, so no recursion is needed.
    for id in (place.node.0..end.0).map(NodeId) {
        while let Some(&(element, after)) = open.last()
            && after <= id
        {
            close(document, element, out);
            open.pop();
        }
        match document.kind(id) {
            NodeKind::Document => {}
            NodeKind::Element => {
                if open_tag(document, id, out) {
                    open.push((id, document.subtree_end(id)));
                }
            }
            NodeKind::Text => {
                let parent = document.parent(id).and_then(|parent| document.name(parent));
                if document.is_html() && parent.is_some_and(|name| is_raw_text(&name.local)) {
                    out.push_str(document.text(id));
                } else {
                    escape(document.text(id), false, document.is_html(), out);
                }
            }
            NodeKind::Comment => {
                out.push_str("<!--");
                out.push_str(document.text(id));
                out.push_str("-->");
            }
            NodeKind::ProcessingInstruction => {
                out.push_str("<?");
                out.push_str(document.target(id).unwrap_or_default());
                out.push(' ');
                out.push_str(document.text(id));
                out.push_str(if document.is_html() { ">" } else { "?>" });
            }
        }
    }
    for (element, _) in open.into_iter().rev() {
        close(document, element, out);
    }
}

/// Writes a start tag; whether an end tag must follow.
fn open_tag(document: &Document, id: NodeId, out: &mut String) -> bool {
    let name = document.name(id).expect("an element has a name");
    out.push('<');
    push_name(name, out);
    for attribute in document.attributes(id) {
        out.push(' ');
        push_name(&attribute.name, out);
        out.push_str("=\"");
        escape(&attribute.value, true, document.is_html(), out);
        out.push('"');
    }
    if !document.is_html() && document.first_child(id).is_none() {
        out.push_str("/>");
        return false;
    }
    out.push('>');
    !(document.is_html() && is_void(&name.local))
}

fn close(document: &Document, id: NodeId, out: &mut String) {
    out.push_str("</");
    push_name(document.name(id).expect("an element has a name"), out);
    out.push('>');
}

fn push_name(name: &Name, out: &mut String) {
    if let Some(prefix) = &name.prefix {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(&name.local);
}

/// "Escaping a string" (13.3). XML does not know `&nbsp;`.
fn escape(text: &str, is_attribute: bool, is_html: bool, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '\u{a0}', '<', '>', '"']) {
        let c = rest[at..].chars().next().unwrap_or_default();
        out.push_str(&rest[..at]);
        match c {
            '&' => out.push_str("&amp;"),
            '\u{a0}' if is_html => out.push_str("&nbsp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if is_attribute => out.push_str("&quot;"),
            other => out.push(other),
        }
        rest = &rest[at + c.len_utf8()..];
    }
    out.push_str(rest);
}

/// Elements whose text is not escaped (13.3). `noscript` is not one here: without scripts its content is markup.
fn is_raw_text(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("style")
            | local_name!("script")
            | local_name!("xmp")
            | local_name!("iframe")
            | local_name!("noembed")
            | local_name!("noframes")
            | local_name!("plaintext")
    )
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, read};
    use super::*;

    fn page(html: &str) -> Document {
        read(html.as_bytes(), Some("text/html; charset=utf-8"), None, &Limits::default()).unwrap()
    }

    fn first(document: &Document, name: &str) -> NodeId {
        let mut ids = (0..document.len() as u32).map(NodeId);
        ids.find(|&id| document.name(id).is_some_and(|found| &*found.local == name)).unwrap()
    }

    fn outer(document: &Document, name: &str) -> String {
        let mut out = String::new();
        outer_html(document, Place::of(first(document, name)), &mut out);
        out
    }

    #[test]
    fn elements_come_with_all_they_hold_and_nothing_of_their_neighbours() {
        let document = page("<p>a</p><div id=x><p>b<br>c</p><i></i></div><p>d</p>");
        assert_eq!(outer(&document, "div"), "<div id=\"x\"><p>b<br>c</p><i></i></div>");
        assert_eq!(outer(&document, "br"), "<br>");
        assert_eq!(outer(&document, "i"), "<i></i>");
    }

    #[test]
    fn text_and_attributes_are_escaped_as_the_standard_says() {
        let document = page("<p title='\"a\" &amp; <b>&nbsp;'>1 &lt; 2 &amp; \"3\"&nbsp;&gt;</p>");
        assert_eq!(
            outer(&document, "p"),
            "<p title=\"&quot;a&quot; &amp; &lt;b&gt;&nbsp;\">1 &lt; 2 &amp; \"3\"&nbsp;&gt;</p>"
        );
    }

    #[test]
    fn raw_text_and_comments_stay_as_they_are() {
        let document = page("<div><script>a < b && c</script><!-- <x> --><style>p > a {}</style></div>");
        assert_eq!(
            outer(&document, "div"),
            "<div><script>a < b && c</script><!-- <x> --><style>p > a {}</style></div>"
        );
    }

    #[test]
    fn what_is_serialised_and_read_again_is_the_same() {
        let html =
            "<table><tbody><tr><td>1<td>2</table><pre>x\ny</pre><ul><li>a<li>b</ul><svg><path d=M0 /></svg>";
        let once = outer(&page(html), "body");
        assert_eq!(outer(&page(&once), "body"), once);
    }

    #[test]
    fn a_text_is_escaped_an_attribute_is_its_value_and_the_document_is_all() {
        let document = page("<p title='a&amp;b'>x &amp; y</p>");
        let p = first(&document, "p");
        let of = |place| {
            let mut out = String::new();
            outer_html(&document, place, &mut out);
            out
        };
        assert_eq!(of(Place { node: p, attribute: 1 }), "a&b");
        assert_eq!(of(Place::of(NodeId(p.0 + 1))), "x &amp; y");
        assert_eq!(
            of(Place::ROOT),
            "<html><head></head><body><p title=\"a&amp;b\">x &amp; y</p></body></html>"
        );
    }

    #[test]
    fn xml_stays_xml() {
        let document = super::super::sample::document(
            "<r xmlns:x='urn:x'><x:a b='1'/><script>a &lt; b</script><br>t</br><?p d?></r>",
        );
        assert_eq!(outer(&document, "r"), "<r><x:a b=\"1\"/><script>a &lt; b</script><br>t</br><?p d?></r>");
    }

    #[test]
    fn deep_documents_need_no_stack() {
        let document = page(&"<div>".repeat(100_000));
        assert!(outer(&document, "body").ends_with("</div></body>"));
    }
}
