//! Rule and page ─▶ lines of JSON.
//!
//! One [`Extractor`] per thread: it holds the compiled expressions, which may not cross threads.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::budget::Budget;
use super::convert::{escape_controls, write_json};
use super::embedded::Embedded;
use super::field::Meta;
use super::follow::{Links, Trail};
use super::mark::Marker;
use super::markup::Markup;
use super::plan::{Column, Planner, Probe};
use super::sheet::{Context, Sheet};
use super::xpath::engine::{EngineChoice, Index, Programs, Store};
use super::{ExtractError, ExtractLimits, Rule};
use crate::html::{Document, Place};
use crate::model::{Carried, FieldTally, Records};

/// What is known of a page beside its document; written into each record if asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    /// Where it was found.
    pub url: &'a str,
    /// The page number it was made from.
    pub page: Option<i64>,
    /// When the response had arrived.
    pub fetched_at: Option<SystemTime>,
    /// What earlier pages handed down, or what stood beside the address in a list.
    pub carried: Option<&'a Arc<Carried>>,
    /// How many links led to it.
    pub depth: u32,
    /// Whether the page lets its links be followed.
    pub may_follow: bool,
}

impl<'a> PageFacts<'a> {
    /// A page of which nothing is known but where it was found.
    pub const fn of(url: &'a str) -> PageFacts<'a> {
        PageFacts { url, page: None, fetched_at: None, carried: None, depth: 0, may_follow: true }
    }
}

/// What a page holds.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// HTML or XML.
    Markup(&'a Document),
    /// JSON.
    Json(&'a serde_json::Value),
}

/// A rule made ready for many pages.
pub struct Extractor {
    programs: Programs,
    each: Option<Probe>,
    columns: Vec<Column>,
    slots: usize,
    trails: Vec<Trail>,
    /// With those of what links hand down.
    all_slots: usize,
    yields_records: bool,
    with_meta: bool,
    limits: ExtractLimits,
    /// `None` if nobody wants to know what tells records from each other.
    marker: Option<Marker>,
    /// Whether lines will say what they are to who keeps earlier ones.
    with_op: bool,
}

const EACH: &str = "each";

impl Extractor {
    /// Compiles `rule`. With `with_meta`, records end with `_url`, `_page` and `_fetched_at`.
    ///
    /// # Errors
    ///
    /// An expression that the evaluator does not take; none that [`super::XPath::parse`] took is known.
    pub fn new(rule: &Rule, with_meta: bool, limits: ExtractLimits) -> Result<Extractor, ExtractError> {
        Extractor::with_engine(rule, with_meta, limits, EngineChoice::default())
    }

    /// As [`Extractor::new`], with a say in what evaluates.
    ///
    /// # Errors
    ///
    /// As [`Extractor::new`].
    pub fn with_engine(
        rule: &Rule,
        with_meta: bool,
        limits: ExtractLimits,
        choice: EngineChoice,
    ) -> Result<Extractor, ExtractError> {
        let mut planner = Planner::default();
        let each = rule.each.as_ref().map(|each| planner.probe(each, EACH));
        let columns = planner.columns(&rule.fields, "");
        let slots = planner.slots();
        let trails = rule.follow.iter().map(|follow| Trail::plan(follow, &mut planner)).collect();
        let all_slots = planner.slots();
        let expressions = planner.xpaths.iter().map(|(xpath, _)| *xpath);
        let programs = Programs::new(expressions, choice).map_err(|(Index(index), reason)| {
            let name = planner.xpaths.get(index).map_or(EACH, |(_, name)| name);
            ExtractError { name: name.to_owned(), reason }
        })?;
        Ok(Extractor {
            programs,
            each,
            columns,
            slots,
            trails,
            all_slots,
            yields_records: rule.yields_records(),
            with_meta,
            limits,
            marker: None,
            with_op: false,
        })
    }

    /// Marks the records, which are those of `rule`: see [`Mark`](crate::model::Mark). With `with_op`, leaves the member
    /// `_op` to whoever judges them by it.
    #[must_use]
    pub fn marking(self, rule: &Rule, with_op: bool) -> Extractor {
        Extractor { marker: Some(Marker::new(rule, self.with_meta)), with_op, ..self }
    }

    /// The records of a page, and where it leads.
    ///
    /// # Errors
    ///
    /// An expression failed on this page: it took too long, the evaluator broke down, or it reads JSON and the page is
    /// markup, or the other way round.
    pub fn extract(&self, content: Content<'_>, facts: &PageFacts<'_>) -> Result<Records, ExtractError> {
        let store = Store::new();
        let markup = match content {
            Content::Markup(document) => Some(Markup::new(&store, &self.programs, document, self.limits)),
            Content::Json(_) => None,
        };
        let sheet = Sheet {
            markup,
            facts,
            facts_json: FactsJson::new(facts),
            limits: self.limits,
            deadline: Instant::now() + self.limits.time,
            base: OnceCell::new(),
            embedded: Embedded::default(),
            budget: Budget::new(self.limits.steps),
        };
        let root = match (&sheet.markup, content) {
            (_, Content::Json(json)) => Some(Context::Json(json)),
            (Some(_), Content::Markup(_)) => Some(Context::Markup(Place::ROOT)),
            (None, Content::Markup(_)) => None,
        };
        let mut records = Records::default();
        let Some(root) = root else { return Ok(records) };
        if self.yields_records {
            let more = self.beside_the_address(facts);
            for context in sheet.places(self.each.as_ref(), root, EACH)? {
                self.add_record(&sheet, context, &more, &mut records)?;
            }
        }
        self.add_links(&sheet, root, facts, &mut records)?;
        Ok(records)
    }

    /// What stood beside the address in a list, as the members of an object, if the rule does not say otherwise: all
    /// but what has a field, or the name of one.
    fn beside_the_address(&self, facts: &PageFacts<'_>) -> Vec<u8> {
        let mut members = Vec::new();
        let Some(carried) = facts.carried.filter(|_| facts.depth == 0) else { return members };
        let is_meta = |name: &str| {
            self.with_meta && Meta::ALL.iter().any(|meta| name.strip_prefix('_') == Some(meta.name()))
        };
        for (name, value) in carried.iter() {
            if is_meta(name)
                || (self.with_op && name == "_op")
                || self.columns.iter().any(|column| column.name == *name || column.carries(name))
            {
                continue;
            }
            if !members.is_empty() {
                members.push(b',');
            }
            write_json(name, &mut members);
            members.push(b':');
            serde_json::to_writer(&mut members, value).expect("JSON is written to memory");
        }
        members
    }

    fn add_links<'d>(
        &self,
        sheet: &Sheet<'d>,
        root: Context<'_>,
        facts: &PageFacts<'_>,
        records: &mut Records,
    ) -> Result<(), ExtractError> {
        let mut links = Links::default();
        let mut tallies =
            vec![FieldTally::default(); if self.trails.is_empty() { 0 } else { self.all_slots }];
        for trail in &self.trails {
            sheet.follow(trail, root, &mut tallies, &mut links)?;
        }
        if facts.may_follow {
            records.links = links.found;
        } else {
            records.links_forbidden = links.found.len() as u64;
        }
        records.links_left_out = links.left_out;
        Ok(())
    }

    fn add_record<'d>(
        &self,
        sheet: &Sheet<'d>,
        context: Context<'_>,
        more: &[u8],
        records: &mut Records,
    ) -> Result<(), ExtractError> {
        let lines = &mut records.lines;
        let start = lines.len();
        records.fields.resize(self.slots, FieldTally::default());
        if !sheet.write_object(&self.columns, context, lines, &mut records.fields)? {
            lines.truncate(start);
            records.dropped += 1;
            return Ok(());
        }
        if !more.is_empty() {
            if !self.columns.is_empty() {
                lines.push(b',');
            }
            lines.extend_from_slice(more);
        }
        if self.with_meta {
            sheet.facts_json.write_members(self.columns.is_empty() && more.is_empty(), lines);
        }
        lines.extend_from_slice(b"}\n");
        // Records may well go to a terminal.
        escape_controls(lines, start);
        records.count += 1;
        records.marks.extend(self.marker.as_ref().map(|marker| marker.mark(&lines[start..])));
        if lines.len() > self.limits.bytes {
            return Err(ExtractError { name: EACH.to_owned(), reason: too_large(self.limits.bytes) });
        }
        Ok(())
    }
}

pub(super) fn too_large(limit: usize) -> String {
    let limit = crate::model::human_bytes(limit as u64);
    format!("the records of this page are larger than {limit}")
}

/// The facts of a page as JSON, written once for all its records.
pub(super) struct FactsJson {
    url: Vec<u8>,
    page: Vec<u8>,
    fetched_at: Vec<u8>,
}

impl FactsJson {
    fn new(facts: &PageFacts<'_>) -> FactsJson {
        let mut url = Vec::with_capacity(facts.url.len() + 2);
        write_json(facts.url, &mut url);
        let page = facts.page.map_or("null".to_owned(), |page| page.to_string());
        let fetched_at = facts.fetched_at.and_then(|at| jiff::Timestamp::try_from(at).ok());
        // RFC 3339 in UTC, to the millisecond.
        let fetched_at = fetched_at.map_or("null".to_owned(), |at| format!("\"{at:.3}\""));
        FactsJson { url, page: page.into_bytes(), fetched_at: fetched_at.into_bytes() }
    }

    pub(super) fn of(&self, meta: Meta) -> &[u8] {
        match meta {
            Meta::Url => &self.url,
            Meta::Page => &self.page,
            Meta::FetchedAt => &self.fetched_at,
        }
    }

    /// All of them as the last members of an object, which has none before if `is_alone`.
    fn write_members(&self, is_alone: bool, line: &mut Vec<u8>) {
        for (position, meta) in Meta::ALL.into_iter().enumerate() {
            if position > 0 || !is_alone {
                line.push(b',');
            }
            line.extend_from_slice(b"\"_");
            line.extend_from_slice(meta.name().as_bytes());
            line.extend_from_slice(b"\":");
            line.extend_from_slice(self.of(meta));
        }
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
