//! Where pages lead: the entries of a rule's `follow`, as they are written and made ready.
//!
//! Knows which rule reads a link's page by its number only; whether and when a link is followed is not decided here.

use super::convert::Recipe;
use super::expression::{Expression, Reads};
use super::field::{Field, Finding};
use super::plan::{Column, Make, Planner, Probe, Value};
use crate::model::{Link, RuleId};

/// Longer URLs are left out, in bytes: servers take no more in a request line (RFC 9110 4.1 asks for 8000), and a page
/// could make its links as long as it likes.
pub const LONGEST_LINK: usize = 8 << 10;

/// So many links of one page are taken, and so many bytes of URLs and of what they carry. The longest listings have
/// thousands.
const MOST_LINKS: usize = 100_000;
const MOST_BYTES: usize = 32 << 20;

/// One way on from the pages of a rule.
#[derive(Debug, Clone)]
pub struct Follow {
    /// What the links are seen from, and what they carry; without it, links from the page and the rest from the link.
    pub each: Option<Expression>,
    /// Where the links are: attributes, texts, strings, or elements with `href` or `src`.
    pub at: Finding,
    /// The part of the text that is the link: `regex` and `replace`.
    pub recipe: Recipe,
    /// The rule that reads the pages there.
    pub to: RuleId,
    /// See [`Link::priority`].
    pub priority: i32,
    /// What is handed down beside all that was handed down to the page itself.
    pub carry: Vec<Field>,
}

impl Follow {
    /// What the page must be.
    pub fn reads(&self) -> Reads {
        self.each.as_ref().unwrap_or(self.at.first()).reads()
    }
}

/// One way on, made ready.
pub(super) struct Trail {
    pub(super) each: Option<Probe>,
    /// The expression, in the shape that a field has.
    pub(super) column: Column,
    pub(super) to: RuleId,
    pub(super) priority: i32,
    /// What is handed down and the same for all links of the page.
    pub(super) of_page: Vec<Column>,
    /// What is handed down and seen from the link.
    pub(super) of_link: Vec<Column>,
}

/// The name in messages.
pub(super) const FOLLOW: &str = "follow";

impl Trail {
    pub(super) fn plan<'r>(follow: &'r Follow, planner: &mut Planner<'r>) -> Trail {
        let each = follow.each.as_ref().map(|each| planner.probe(each, FOLLOW));
        let search = planner.search(&follow.at, FOLLOW);
        let value = Value { search, many: true, recipe: follow.recipe.clone(), default: None };
        let column = Column {
            name: FOLLOW.to_owned(),
            key: Vec::new(),
            required: false,
            slot: 0,
            make: Make::Value(value),
        };
        let parent = "follow.carry";
        let (of_page, of_link): (Vec<&Field>, Vec<&Field>) =
            follow.carry.iter().partition(|field| field.is_of_page());
        let of_page = of_page.into_iter().map(|field| planner.column(field, parent)).collect();
        let of_link = of_link.into_iter().map(|field| planner.column(field, parent)).collect();
        Trail { each, column, to: follow.to, priority: follow.priority, of_page, of_link }
    }
}

/// The links of a page.
#[derive(Default)]
pub(super) struct Links {
    pub(super) found: Vec<Link>,
    pub(super) left_out: u64,
    bytes: usize,
}

impl Links {
    /// Whether no more are taken.
    pub(super) fn are_full(&self) -> bool {
        self.found.len() >= MOST_LINKS || self.bytes > MOST_BYTES
    }

    /// Takes a link that carries so many bytes of its own.
    pub(super) fn add(&mut self, link: Link, carried_bytes: usize) {
        self.bytes += link.url.as_str().len() + carried_bytes;
        self.found.push(link);
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[test]
    fn a_page_cannot_fill_the_memory_with_links() {
        let link = |length: usize| Link {
            url: Url::parse(&format!("http://h/{}", "x".repeat(length))).unwrap(),
            rule: RuleId(0),
            priority: 0,
            carried: None,
            errand: crate::model::Errand::Page,
            fingerprint: 0,
        };
        let mut links = Links::default();
        while !links.are_full() {
            links.add(link(8_000), 56_000);
        }
        assert!((500..600).contains(&links.found.len()), "{}", links.found.len());
        let mut links = Links::default();
        while !links.are_full() {
            links.add(link(1), 0);
        }
        assert_eq!(links.found.len(), MOST_LINKS);
    }
}
