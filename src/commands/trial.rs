//! A page under trial: what it is, what expressions find on it, which records it gives; as lines for people.
//!
//! Knows no terminal and no exit code. The lines hold what the page holds; whoever prints them makes them printable.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::matches::{self, Content, Context, Expression, Found};
use super::saved::STDIN_URL;
use super::{lines, plural};
use crate::extract::json::parse_page;
use crate::extract::{Field, Finding, Follow, Reads};
use crate::html::dom::NodeKind;
use crate::html::{self, NodeId};
use crate::job::Job;
use crate::message;
use crate::model::{Page, PageError, display_url};
use crate::pipeline::threads::panic_message;
use crate::progress::printable_json;

/// How many matches, and how many records, are shown.
const SHOWN_MATCHES: usize = 3;
const SHOWN_RECORDS: usize = 3;

const RECORD: &str = "record";

/// A page and what it holds.
pub(super) struct Trial {
    page: Page,
    content: Content,
    charset: Option<html::Charset>,
}

/// Lines, and whether something that was looked for is missing.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) lines: Vec<String>,
    pub(super) is_missing: bool,
}

/// What expressions are seen from.
struct View<'c> {
    contexts: Vec<Context<'c>>,
    /// What each of them is; empty for the page.
    noun: &'static str,
    /// Whether there are more.
    is_cut: bool,
}

impl<'c> View<'c> {
    fn page(content: &'c Content) -> View<'c> {
        View { contexts: vec![content.root()], noun: "", is_cut: false }
    }

    /// The first of `contexts`.
    fn first(mut contexts: Vec<Context<'c>>, noun: &'static str) -> View<'c> {
        let is_cut = contexts.len() > SHOWN_RECORDS;
        contexts.truncate(SHOWN_RECORDS);
        View { contexts, noun, is_cut }
    }

    /// All that `from` found: what is looked for is often in one of many scripts.
    fn all(contexts: Vec<Context<'c>>) -> View<'c> {
        View { contexts, noun: "place", is_cut: false }
    }

    /// `the first 3 records`, `2 places`.
    fn name(&self) -> String {
        let first = if self.is_cut || self.noun == RECORD { "the first " } else { "" };
        format!("{first}{}", plural(self.contexts.len(), self.noun))
    }
}

impl Trial {
    /// Reads the page as the job would, and as JSON what is called so or looks like it.
    ///
    /// # Errors
    /// It is neither markup nor JSON, not what the rule reads, or too much of it.
    pub(super) fn read(page: Page, job: &Job, reader: &mut html::Reader) -> Result<Trial, PageError> {
        let content_type = page.content_type.as_deref();
        let content = if reads_json(job) || is_called_json(content_type) {
            let text = html::decode(&page.body, content_type, job.charset);
            Content::Json(parse_page(&text).map_err(|error| PageError::NotJson(error.to_string()))?)
        } else if let Some(json) = untold_json(&page, job) {
            Content::Json(json)
        } else {
            Content::Markup(reader.read(&page.body, content_type, job.charset)?)
        };
        let charset = match content {
            Content::Markup(_) => html::charset_of(&page.body, content_type, job.charset),
            Content::Json(_) => None,
        };
        Ok(Trial { page, content, charset })
    }

    /// Reads the page again if the job, as it is now, reads JSON and the page was not read so; says whether it did.
    ///
    /// # Errors
    /// It is no JSON.
    pub(super) fn suit(&mut self, job: &Job) -> Result<bool, PageError> {
        if !reads_json(job) || matches!(self.content, Content::Json(_)) {
            return Ok(false);
        }
        let text = html::decode(&self.page.body, self.page.content_type.as_deref(), job.charset);
        let json = parse_page(&text).map_err(|error| PageError::NotJson(error.to_string()))?;
        self.content = Content::Json(json);
        self.charset = None;
        Ok(true)
    }

    /// Where the page was found and what it is.
    pub(super) fn describe(&self) -> Vec<String> {
        let page = &self.page;
        let from = display_url(&page.final_url);
        let first = match page.final_url.as_str() {
            STDIN_URL => "standard input".to_owned(),
            _ if page.request.message.is_some() => {
                let message = page.request.message.as_deref().expect("there is one");
                let body = message.body.as_deref().map(|body| format!("\n  {}", message::shown(body)));
                format!("{} {from}{}", message.method, body.unwrap_or_default())
            }
            _ if page.final_url != page.request.url => format!("{from} (redirected)"),
            _ => from,
        };
        let mut facts = Vec::new();
        if page.final_url.scheme() != "file" {
            facts.push(format!("status {}", page.status));
            facts.push(page.content_type.clone().unwrap_or_else(|| "no content type".to_owned()));
        }
        facts.push(format!("{} bytes", page.body.len()));
        match &self.content {
            Content::Markup(document) => {
                facts.push(if document.is_html() { "HTML" } else { "XML" }.to_owned());
                facts.extend(self.charset.map(|charset| charset.name().to_owned()));
                let ids = 0..u32::try_from(document.len()).unwrap_or(u32::MAX);
                let elements = ids.filter(|&id| document.kind(NodeId(id)) == NodeKind::Element).count();
                facts.push(plural(elements, "element"));
            }
            Content::Json(json) => {
                facts.push("JSON".to_owned());
                facts.extend(match json {
                    serde_json::Value::Array(items) => {
                        Some(format!("an array of {}", plural(items.len(), "item")))
                    }
                    serde_json::Value::Object(members) => {
                        Some(format!("an object of {}", plural(members.len(), "member")))
                    }
                    _ => None,
                });
            }
        }
        vec![first, facts.join(", ")]
    }

    /// What all expressions of the job find, and its first records.
    pub(super) fn examine(&self, job: &Job) -> Report {
        guarded(|report| {
            if let Some(each) = &job.rule().each {
                self.look(report, job, "each", each, &View::page(&self.content));
            }
            let (view, of_all) = self.records_of(job);
            if view.contexts.is_empty() {
                if !job.rule().fields.is_empty() {
                    report.lines.push("there is no record to look for the fields in".to_owned());
                }
            } else {
                self.examine_fields(report, job, &job.rule().fields, "", &view);
                if !job.rule().fields.is_empty() {
                    self.show_records(report, job, of_all);
                }
            }
            for follow in &job.rule().follow {
                self.examine_follow(report, job, follow);
            }
        })
    }

    /// An entry of `follow`, and where its first links lead.
    fn examine_follow(&self, report: &mut Report, job: &Job, follow: &Follow) {
        let page = View::page(&self.content);
        let name = match follow.to == job.start {
            true => "follow".to_owned(),
            false => format!("follow to {}", job.rule_of(follow.to).rule.name),
        };
        let ignore = |_: &mut Report, _: &View<'_>| {};
        match &follow.each {
            None => self.look_for_field(report, job, &name, &follow.at, &page, &ignore),
            Some(each) => {
                let found = self.look(report, job, &format!("{name} each"), each, &page);
                let view = View::first(matches::contexts(found), "place");
                if !view.contexts.is_empty() {
                    self.look_for_field(report, job, &name, &follow.at, &view, &ignore);
                }
            }
        }
        let links = match matches::links(job, follow, &self.content, &display_url(&self.page.final_url)) {
            Ok(links) => links,
            Err(reason) => {
                report.is_missing = true;
                return report.lines.push(format!("no links: {reason}"));
            }
        };
        for link in links.iter().take(SHOWN_MATCHES) {
            let carried = link.carried.as_deref().and_then(|carried| serde_json::to_string(carried).ok());
            let carried = carried.map(|carried| printable_json(&carried).into_owned());
            let carried = carried.map(|carried| format!("  with {carried}")).unwrap_or_default();
            report.lines.push(format!("  leads to {}{carried}", link.url));
        }
        match links.len().saturating_sub(SHOWN_MATCHES) {
            0 if links.is_empty() => report.lines.push("  leads nowhere".to_owned()),
            0 => {}
            more => report.lines.push(format!("  and to {more} more")),
        }
    }

    fn examine_fields(
        &self,
        report: &mut Report,
        job: &Job,
        fields: &[Field],
        parent: &str,
        view: &View<'_>,
    ) {
        for field in fields {
            let name = format!("{parent}{}", matches::shown_name(field));
            let below = format!("{parent}{}.", field.name);
            match field.finding() {
                Some(finding) => self.look_for_field(report, job, &name, finding, view, &|report, inside| {
                    if !inside.contexts.is_empty() {
                        self.examine_fields(report, job, field.nested(), &below, inside);
                    }
                }),
                None => self.examine_fields(report, job, field.nested(), &below, view),
            }
        }
    }

    /// What one more expression finds: inside the first records of the job, or on the page.
    pub(super) fn look_for(&self, job: &Job, expression: &Expression) -> Report {
        guarded(|report| {
            let (view, _) = self.records_of(job);
            let view = if view.contexts.is_empty() { View::page(&self.content) } else { view };
            self.look(report, job, "", expression, &view);
        })
    }

    /// What an expression finds on the page, whatever the records are.
    pub(super) fn look_on_page(&self, job: &Job, expression: &Expression) -> Report {
        guarded(|report| {
            self.look(report, job, "", expression, &View::page(&self.content));
        })
    }

    /// The first records as a run would write them.
    pub(super) fn records(&self, job: &Job) -> Report {
        guarded(|report| self.show_records(report, job, self.records_of(job).1))
    }

    fn show_records(&self, report: &mut Report, job: &Job, of_all: usize) {
        let url = display_url(&self.page.final_url);
        match matches::records(job, &self.content, &url, self.page.request.page, self.page.fetched_at) {
            Ok(records) => {
                let records = String::from_utf8_lossy(&records.lines);
                let count = records.lines().count();
                let dropped = of_all.saturating_sub(count);
                let mut head = match count {
                    0..=SHOWN_RECORDS => plural(count, "record"),
                    _ => format!("{count} records, the first {SHOWN_RECORDS}"),
                };
                if dropped > 0 {
                    head.push_str(&format!(" ({dropped} without a required value left out)"));
                }
                report.lines.push(format!("{head}:"));
                report.lines.extend(
                    records.lines().take(SHOWN_RECORDS).map(|line| printable_json(line).into_owned()),
                );
            }
            Err(reason) => {
                report.is_missing = true;
                report.lines.push(format!("no records: {reason}"));
            }
        }
    }

    /// How many records the page has, those without a required value included.
    pub(super) fn count_records(&self, job: &Job) -> usize {
        catch_unwind(AssertUnwindSafe(|| self.records_of(job).1)).unwrap_or(0)
    }

    /// Where the first records are, and how many there are in all.
    fn records_of(&self, job: &Job) -> (View<'_>, usize) {
        let Some(each) = &job.rule().each else { return (View::page(&self.content), 1) };
        let found = matches::find(&self.content, each, &[self.content.root()], job.start_rule().xpath_engine);
        let contexts = matches::contexts(found.unwrap_or_default());
        let count = contexts.len();
        (View::first(contexts, RECORD), count)
    }

    /// One expression, after what it looks in if it is a chain. What it finds is handed on.
    fn look_for_field(
        &self,
        report: &mut Report,
        job: &Job,
        name: &str,
        finding: &Finding,
        view: &View<'_>,
        inside: &dyn Fn(&mut Report, &View<'_>),
    ) {
        let hand_on = |report: &mut Report, found: Vec<Found<'_>>| {
            inside(report, &View::first(matches::contexts(found), "object"));
        };
        let Some(from) = &finding.from else {
            let found = self.look(report, job, name, &finding.expression, view);
            return hand_on(report, found);
        };
        let found = self.look(report, job, &format!("{name} from"), from, view);
        if found.iter().all(Found::is_nothing) {
            return;
        }
        let is_text = from.reads() == Reads::Markup && finding.expression.reads() == Reads::Json;
        if !is_text {
            let view = View::all(matches::contexts(found));
            let found = self.look(report, job, name, &finding.expression, &view);
            return hand_on(report, found);
        }
        let texts = matches::parsed(&self.content, &found);
        let all = texts.len();
        let values: Vec<serde_json::Value> = texts.into_iter().flatten().collect();
        if values.len() < all {
            report.lines.push(format!("  {} of {all} not JSON", all - values.len()));
        }
        if values.is_empty() {
            report.is_missing = true;
            return;
        }
        let view = View::all(values.iter().map(Context::Json).collect());
        let found = self.look(report, job, name, &finding.expression, &view);
        hand_on(report, found);
    }

    /// One expression: how much it finds and the first of it, or what nearly matches.
    fn look<'c>(
        &self,
        report: &mut Report,
        job: &Job,
        name: &str,
        expression: &Expression,
        view: &View<'c>,
    ) -> Vec<Found<'c>> {
        let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
        let engine = match job.talk.verbose {
            true => matches::engine(expression, job.start_rule().xpath_engine),
            false => None,
        };
        let engine = engine.map(|engine| format!(" [{engine}]")).unwrap_or_default();
        let head = |what: &str| format!("{name}{}{engine}  ─ {what}", expression.text());
        let found =
            match matches::find(&self.content, expression, &view.contexts, job.start_rule().xpath_engine) {
                Ok(found) => found,
                Err(reason) => {
                    report.is_missing = true;
                    report.lines.push(head(&reason));
                    return Vec::new();
                }
            };
        let is_inside = !view.noun.is_empty();
        if found.iter().all(Found::is_nothing) {
            report.is_missing = true;
            let whole = if is_inside { format!(" in {}", view.name()) } else { String::new() };
            report.lines.push(head(&format!("nothing{whole}")));
            let nearly = matches::nearly(&self.content, expression, &view.contexts);
            report.lines.extend(nearly.iter().map(|nearly| format!("  nearly: {nearly}")));
            return found;
        }
        let count = found.iter().map(count).sum::<usize>();
        if is_inside {
            let filled = found.iter().filter(|found| !found.is_nothing()).count();
            report.lines.push(head(&format!("{} in {filled} of {}", plural(count, "match"), view.name())));
            // Of many places only those count that something is found in.
            let is_shown = |found: &Found<'_>| view.contexts.len() <= SHOWN_RECORDS || !found.is_nothing();
            let shown = (1..).zip(&found).filter(|(_, found)| is_shown(found));
            for (number, found) in shown.take(SHOWN_RECORDS) {
                let first = lines::first(&self.content, found, 1).pop();
                let more = self::count(found).saturating_sub(1);
                let more = if more > 0 { format!("  and {more} more") } else { String::new() };
                let first = first.unwrap_or_else(|| "nothing".to_owned());
                report.lines.push(format!("  {number}: {first}{more}"));
            }
        } else {
            report.lines.push(head(&plural(count, "match")));
            let lines = found.iter().flat_map(|found| lines::first(&self.content, found, SHOWN_MATCHES));
            report.lines.extend(lines.take(SHOWN_MATCHES).map(|line| format!("  {line}")));
            if count > SHOWN_MATCHES {
                report.lines.push(format!("  and {} more", count - SHOWN_MATCHES));
            }
        }
        found
    }
}

/// How many things were found.
fn count(found: &Found<'_>) -> usize {
    match found {
        Found::Places(places) => places.len(),
        Found::Values(values) => values.len(),
        Found::String(_) | Found::Number(_) | Found::Boolean(_) => 1,
    }
}

/// Lets a report be written; a panic in an evaluator ends that report and nothing else.
fn guarded(write: impl FnOnce(&mut Report)) -> Report {
    let mut report = Report::default();
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| write(&mut report))) {
        report.is_missing = true;
        let message = panic_message(&*payload);
        report.lines.push(format!("the evaluation broke down, which is a mistake of pagemill: {message}"));
    }
    report
}

fn reads_json(job: &Job) -> bool {
    job.rule().reads() == Some(Reads::Json)
}

fn media_type(content_type: Option<&str>) -> String {
    content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `application/json`, `application/ld+json`.
fn is_called_json(content_type: Option<&str>) -> bool {
    let media_type = media_type(content_type);
    matches!(&*media_type, "application/json" | "text/json") || media_type.ends_with("+json")
}

/// The array or object that a page is of which nobody says what it is, such as a file.
fn untold_json(page: &Page, job: &Job) -> Option<serde_json::Value> {
    let content_type = page.content_type.as_deref();
    if !matches!(&*media_type(content_type), "" | "text/plain" | "application/octet-stream") {
        return None;
    }
    let text = html::decode(&page.body, content_type, job.charset);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(['{', '[']) { serde_json::from_str(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_the_report_and_nothing_else() {
        let report = guarded(|report| {
            report.lines.push("before".into());
            panic!("out of order");
        });
        assert!(report.is_missing);
        assert_eq!(report.lines[0], "before");
        assert!(report.lines[1].ends_with("out of order"), "{:?}", report.lines);
    }

    #[test]
    fn media_types_of_json_are_known() {
        for (content_type, is_json) in
            [("application/json; charset=utf-8", true), ("Application/LD+JSON", true), ("text/html", false)]
        {
            assert_eq!(is_called_json(Some(content_type)), is_json, "{content_type}");
        }
    }
}
