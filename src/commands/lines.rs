//! What was found, as short readable lines: elements as their start tag and the beginning of their text, attributes as
//! `name="value"`, texts in quotes, JSON without white space.
//!
//! The lines hold what the page holds; whoever prints them makes them printable.

use serde_json::Value as Json;

use super::matches::{Content, Found};
use crate::extract::xpath::number_text;
use crate::html::dom::{Attribute, NodeKind};
use crate::html::{Document, NodeId, Place};
use crate::progress::printable_json;

/// Characters of a text, of a start tag, and of JSON.
const MOST_TEXT: usize = 60;
const MOST_TAG: usize = 100;
const MOST_JSON: usize = 100;

/// The first things that were found at one place, a line each.
pub(super) fn first(content: &Content, found: &Found<'_>, most: usize) -> Vec<String> {
    match (found, content) {
        (Found::Places(places), Content::Markup(document)) => {
            places.iter().take(most).map(|&place| of_place(document, place)).collect()
        }
        // JSON has no places.
        (Found::Places(_), Content::Json(_)) => Vec::new(),
        (Found::Values(values), _) => values.iter().take(most).map(|json| compact(json)).collect(),
        (Found::String(text), _) => vec![quoted(text)],
        (Found::Number(number), _) => vec![number_text(*number)],
        (Found::Boolean(truth), _) => vec![truth.to_string()],
    }
}

/// The beginning of a value as JSON without white space. No more of it is written than is shown.
fn compact(json: &Json) -> String {
    let mut beginning = Beginning(Vec::new());
    // It fails where it is cut.
    let _ = serde_json::to_writer(&mut beginning, json);
    // The cut may go through a character, which the cut of the line then takes away.
    cut(&printable_json(&String::from_utf8_lossy(&beginning.0)), MOST_JSON)
}

/// Takes as many bytes as the characters of a line may have, and fails then.
struct Beginning(Vec<u8>);

impl std::io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = (MOST_JSON + 1) * 4 - self.0.len();
        self.0.extend_from_slice(&bytes[..bytes.len().min(room)]);
        // Zero means that there is no room left.
        Ok(bytes.len().min(room))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
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

    #[test]
    fn json_is_compact_and_cut() {
        assert_eq!(compact(&serde_json::json!({"a": [1, "ä", null]})), r#"{"a":[1,"ä",null]}"#);
        let long = compact(&Json::from("ä".repeat(5000)));
        assert_eq!(long, format!("\"{}…", "ä".repeat(MOST_JSON - 1)));
    }
}
