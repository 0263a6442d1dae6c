//! What was found, as short readable lines: elements as their start tag and the beginning of their text, attributes as
//! `name="value"`, texts in quotes.
//!
//! The lines hold what the page holds; whoever prints them makes them printable.

use super::matches::Found;
use crate::extract::xpath::number_text;
use crate::html::dom::{Attribute, NodeKind};
use crate::html::{Document, NodeId, Place};

/// Characters of a text, and of a start tag.
const MOST_TEXT: usize = 60;
const MOST_TAG: usize = 100;

/// What was found at one place, a line each.
pub(super) fn of(document: &Document, found: &Found) -> Vec<String> {
    match found {
        Found::Places(places) => places.iter().map(|&place| of_place(document, place)).collect(),
        Found::String(text) => vec![quoted(text)],
        Found::Number(number) => vec![number_text(*number)],
        Found::Boolean(truth) => vec![truth.to_string()],
    }
}

fn of_place(document: &Document, place: Place) -> String {
    if let Some(attribute) = document.attribute_at(place) {
        return cut(&written(attribute), MOST_TAG);
    }
    let node = place.node;
    match document.kind(node) {
        NodeKind::Document => "(the document)".to_owned(),
        NodeKind::Element => element(document, node),
        NodeKind::Text => quoted(document.text(node)),
        NodeKind::Comment => format!("<!-- {} -->", beginning([document.text(node)])),
        NodeKind::ProcessingInstruction => {
            format!("<?{} {}?>", document.target(node).unwrap_or_default(), beginning([document.text(node)]))
        }
    }
}

fn element(document: &Document, node: NodeId) -> String {
    let mut tag = document.name(node).map(|name| name.local.to_string()).unwrap_or_default();
    for attribute in document.attributes(node) {
        tag.push(' ');
        tag.push_str(&written(attribute));
    }
    let below = (node.0..document.subtree_end(node).0).map(NodeId);
    let texts = below.filter(|&node| document.kind(node) == NodeKind::Text).map(|node| document.text(node));
    let text = beginning(texts);
    let space = if text.is_empty() { "" } else { " " };
    format!("<{}>{space}{text}", cut(&tag, MOST_TAG))
}

fn written(attribute: &Attribute) -> String {
    let name = &attribute.name;
    let prefix = name.prefix.as_ref().map(|prefix| format!("{prefix}:")).unwrap_or_default();
    format!("{prefix}{}={}", name.local, quoted(&attribute.value))
}

fn quoted(text: &str) -> String {
    in_quotes(&beginning([text]))
}

/// In the quotes that it does not hold itself, if there are such.
fn in_quotes(text: &str) -> String {
    if text.contains('"') && !text.contains('\'') { format!("'{text}'") } else { format!("\"{text}\"") }
}

/// The first words of texts that stand one behind another, as a field would have them.
fn beginning<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut words = String::new();
    let mut is_apart = false;
    for text in texts {
        for (index, word) in text.split_whitespace().enumerate() {
            is_apart |= index > 0 || text.starts_with(char::is_whitespace);
            if is_apart && !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&cut(word, MOST_TEXT));
            is_apart = false;
            // In characters it is less; the cut will count them.
            if words.len() > MOST_TEXT * 4 {
                return cut(&words, MOST_TEXT);
            }
        }
        is_apart |= text.ends_with(char::is_whitespace);
    }
    cut(&words, MOST_TEXT)
}

/// A text of so many characters at most.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html::sample;

    fn line(xmlish: &str, place: Place) -> String {
        of_place(&sample::document(xmlish), place)
    }

    #[test]
    fn an_element_is_its_start_tag_and_the_beginning_of_its_text() {
        let page = "<li class='item new' id='a'> <b>One</b>two\n <i>three</i></li>";
        assert_eq!(line(page, Place::of(NodeId(1))), "<li class=\"item new\" id=\"a\"> Onetwo three");
        assert_eq!(line("<br/>", Place::of(NodeId(1))), "<br>");
        assert_eq!(line("<a/>", Place::ROOT), "(the document)");
    }

    #[test]
    fn attributes_and_texts_are_quoted_and_long_ones_cut() {
        let page = format!("<a href='/x'>{}</a>", "word ".repeat(50));
        assert_eq!(line(&page, Place { node: NodeId(1), attribute: 1 }), "href=\"/x\"");
        let text = line(&page, Place::of(NodeId(2)));
        assert!(text.starts_with("\"word word") && text.ends_with("…\""), "{text}");
        assert_eq!(text.chars().count(), MOST_TEXT + 3);
        assert_eq!(line("<a b='say \"x\"'/>", Place { node: NodeId(1), attribute: 1 }), "b='say \"x\"'");
        let long = line(&format!("<a b='{}'/>", "ä".repeat(500)), Place::of(NodeId(1)));
        assert_eq!(long, format!("<a b=\"{}…\">", "ä".repeat(MOST_TEXT)));
    }
}
