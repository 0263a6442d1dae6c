//! A page under trial: what it is, what expressions find on it, which records it gives; as lines for people.
//!
//! Knows no terminal and no exit code. The lines hold what the page holds; whoever prints them makes them printable.

use super::matches::{self, Expression, Found};
use super::saved::STDIN_URL;
use super::{lines, plural};
use crate::extract::xpath::engine::EngineChoice;
use crate::html::dom::NodeKind;
use crate::html::{self, Document, Limits, NodeId, Place};
use crate::job::Job;
use crate::model::{Page, PageError, display_url};

/// How many matches, and how many records, are shown.
const SHOWN_MATCHES: usize = 3;
const SHOWN_RECORDS: usize = 3;

/// A page and its document.
pub(super) struct Trial {
    page: Page,
    document: Document,
    charset: Option<html::Charset>,
}

/// Lines, and whether something that was looked for is missing.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    pub(super) is_missing: bool,
}

/// How expressions are shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) engine: EngineChoice,
    /// Tell which engine runs them.
    pub(super) tells_engine: bool,
}

impl Trial {
    /// Reads the page as the job would.
    ///
    /// # Errors
    /// It is not markup, or too much of it.
    pub(super) fn read(page: Page, job: &Job) -> Result<Trial, PageError> {
        let content_type = page.content_type.as_deref();
        let document = html::read(&page.body, content_type, job.charset, &Limits::default())?;
        let charset = html::charset_of(&page.body, content_type, job.charset);
        Ok(Trial { page, document, charset })
    }

    /// Where the page was found and what it is.
    pub(super) fn describe(&self) -> Vec<String> {
        let page = &self.page;
        let from = display_url(&page.final_url);
        let first = match page.final_url.as_str() {
            STDIN_URL => "standard input".to_owned(),
            _ if page.final_url != page.request.url => format!("{from} (redirected)"),
            _ => from,
        };
        let mut facts = Vec::new();
        if page.final_url.scheme() != "file" {
            facts.push(format!("status {}", page.status));
            facts.push(page.content_type.clone().unwrap_or_else(|| "no content type".to_owned()));
        }
        facts.push(format!("{} bytes", page.body.len()));
        facts.push(if self.document.is_html() { "HTML" } else { "XML" }.to_owned());
        facts.extend(self.charset.map(|charset| charset.name().to_owned()));
        let ids = 0..u32::try_from(self.document.len()).unwrap_or(u32::MAX);
        let elements = ids.filter(|&id| self.document.kind(NodeId(id)) == NodeKind::Element).count();
        facts.push(plural(elements, "element"));
        vec![first, facts.join(", ")]
    }

    /// What all expressions of the job find, and its first records.
    pub(super) fn examine(&self, job: &Job, tells_engine: bool) -> Report {
        let mut report = Report::default();
        let manner = Manner { engine: job.xpath_engine, tells_engine };
        let parts = matches::parts(&job.rule);
        if let Some(each) = &parts.each {
            self.look(&mut report, "each", each, &[Place::ROOT], manner);
        }
        let (records, of_all) = self.records_of(parts.each.as_ref());
        if records.is_empty() {
            if !parts.fields.is_empty() {
                report.lines.push("there is no record to look for the fields in".to_owned());
            }
            return report;
        }
        for (name, expression) in &parts.fields {
            self.look(&mut report, name, expression, &records, manner);
        }
        if !parts.fields.is_empty() {
            self.show_records(&mut report, job, of_all);
        }
        report
    }

    /// What one more expression finds: inside the first records of the job, or on the page.
    pub(super) fn look_for(&self, job: &Job, expression: &Expression, tells_engine: bool) -> Report {
        let mut report = Report::default();
        let (records, _) = self.records_of(matches::parts(&job.rule).each.as_ref());
        let contexts = if records.is_empty() { vec![Place::ROOT] } else { records };
        let manner = Manner { engine: job.xpath_engine, tells_engine };
        self.look(&mut report, "", expression, &contexts, manner);
        report
    }

    /// What an expression finds on the page, whatever the records are.
    pub(super) fn look_on_page(&self, job: &Job, expression: &Expression) -> Report {
        let mut report = Report::default();
        let manner = Manner { engine: job.xpath_engine, tells_engine: job.talk.verbose };
        self.look(&mut report, "", expression, &[Place::ROOT], manner);
        report
    }

    /// The first records as a run would write them.
    pub(super) fn show_records(&self, report: &mut Report, job: &Job, of_all: usize) {
        let url = display_url(&self.page.final_url);
        match matches::records(job, &self.document, &url, self.page.request.page, self.page.fetched_at) {
            Ok(records) => {
                report.lines.push(match of_all {
                    0..=SHOWN_RECORDS => format!("{}:", plural(of_all, "record")),
                    _ => format!("{of_all} records, the first {SHOWN_RECORDS}:"),
                });
                report.lines.extend(records.lines().take(SHOWN_RECORDS).map(str::to_owned));
            }
            Err(reason) => {
                report.is_missing = true;
                report.lines.push(format!("no records: {reason}"));
            }
        }
    }

    /// How many records the page has.
    pub(super) fn count_records(&self, job: &Job) -> usize {
        self.records_of(matches::parts(&job.rule).each.as_ref()).1
    }

    /// Where the first records are, and how many there are in all.
    fn records_of(&self, each: Option<&Expression>) -> (Vec<Place>, usize) {
        let Some(each) = each else { return (vec![Place::ROOT], 1) };
        let mut records = matches::places(&self.document, each, &[Place::ROOT]);
        let count = records.len();
        records.truncate(SHOWN_RECORDS);
        (records, count)
    }

    /// One expression: how much it finds and the first of it, or what nearly matches.
    fn look(
        &self,
        report: &mut Report,
        name: &str,
        expression: &Expression,
        contexts: &[Place],
        manner: Manner,
    ) {
        let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
        let engine = match manner.tells_engine {
            true => format!(" [{}]", matches::engine(expression, manner.engine)),
            false => String::new(),
        };
        let head = |what: &str| format!("{name}{}{engine}  ─ {what}", expression.text());
        let found = match matches::find(&self.document, expression, contexts) {
            Ok(found) => found,
            Err(reason) => {
                report.is_missing = true;
                report.lines.push(head(&reason));
                return;
            }
        };
        let inside = contexts != [Place::ROOT];
        if found.iter().all(Found::is_nothing) {
            report.is_missing = true;
            let whole = if inside {
                format!(" in the first {}", plural(contexts.len(), "record"))
            } else {
                String::new()
            };
            report.lines.push(head(&format!("nothing{whole}")));
            let nearly = matches::nearly(&self.document, expression, contexts);
            report.lines.extend(nearly.iter().map(|nearly| format!("  nearly: {nearly}")));
            return;
        }
        let shown: Vec<Vec<String>> = found.iter().map(|found| lines::of(&self.document, found)).collect();
        let count = shown.iter().map(Vec::len).sum::<usize>();
        if inside {
            let filled = found.iter().filter(|found| !found.is_nothing()).count();
            let records = plural(contexts.len(), "record");
            report
                .lines
                .push(head(&format!("{} in {filled} of the first {records}", plural(count, "match"))));
            for (number, lines) in (1..).zip(&shown) {
                let (first, more) = match lines.split_first() {
                    Some((first, rest)) => (first.as_str(), rest.len()),
                    None => ("nothing", 0),
                };
                let more = if more > 0 { format!("  and {more} more") } else { String::new() };
                report.lines.push(format!("  {number}: {first}{more}"));
            }
        } else {
            report.lines.push(head(&plural(count, "match")));
            let lines = shown.iter().flatten();
            report.lines.extend(lines.take(SHOWN_MATCHES).map(|line| format!("  {line}")));
            if count > SHOWN_MATCHES {
                report.lines.push(format!("  and {} more", count - SHOWN_MATCHES));
            }
        }
    }
}
