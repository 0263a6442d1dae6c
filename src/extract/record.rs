//! Rule and document ─▶ lines of JSON.
//!
//! One [`Extractor`] per thread: it holds the compiled expressions, which may not cross threads.

use std::io::Write;
use std::time::SystemTime;

use super::xpath::sxd::{Index, Nodes, Page, Place, Program, Store, Value};
use super::{ExtractError, ExtractLimits, Rule};
use crate::html::Document;
use crate::model::Records;

/// What is known of a page beside its document; written into each record if asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    /// Where it was found.
    pub url: &'a str,
    /// The page number it was made from.
    pub page: Option<i64>,
    /// When the response had arrived.
    pub fetched_at: Option<SystemTime>,
}

/// A rule made ready for many pages.
pub struct Extractor {
    program: Program,
    each: Option<Index>,
    fields: Vec<Column>,
    with_meta: bool,
    limits: ExtractLimits,
}

/// A field with its key as JSON.
struct Column {
    name: String,
    key: Vec<u8>,
    many: bool,
    raw: bool,
    index: Index,
}

const EACH: &str = "each";

impl Extractor {
    /// Compiles `rule`. With `with_meta`, records end with `_url`, `_page` and `_fetched_at`.
    ///
    /// # Errors
    ///
    /// An expression that the evaluator does not take; none that [`super::XPath::parse`] took is known.
    pub fn new(rule: &Rule, with_meta: bool, limits: ExtractLimits) -> Result<Extractor, ExtractError> {
        let expressions = rule.each.iter().chain(rule.fields.iter().map(|field| &field.xpath));
        let before_fields = usize::from(rule.each.is_some());
        let program = Program::new(expressions).map_err(|(Index(index), reason)| {
            let field = index.checked_sub(before_fields).and_then(|index| rule.fields.get(index));
            ExtractError { name: field.map_or(EACH, |field| &field.name).to_owned(), reason }
        })?;
        let fields = rule.fields.iter().enumerate().map(|(index, field)| Column {
            name: field.name.clone(),
            key: json_string(&field.name),
            many: field.many,
            raw: field.raw,
            index: Index(before_fields + index),
        });
        let each = rule.each.as_ref().map(|_| Index(0));
        Ok(Extractor { fields: fields.collect(), program, each, with_meta, limits })
    }

    /// The records of a page.
    ///
    /// # Errors
    ///
    /// An expression failed on this page: it took too long, or the evaluator broke down.
    pub fn extract(&self, document: &Document, facts: &PageFacts<'_>) -> Result<Records, ExtractError> {
        let store = Store::new();
        let page = Page::new(&store, &self.program, document, self.limits.time);
        let places = match self.each {
            None => vec![page.root()],
            Some(each) => match evaluate(&page, each, page.root(), EACH)? {
                Value::Nodes(nodes) => page.sorted(&nodes),
                _ => return Err(failed(EACH, "is not a set of nodes".to_owned())),
            },
        };
        let meta = if self.with_meta { meta(facts, self.fields.is_empty()) } else { Vec::new() };
        let mut records = Records { count: places.len() as u64, ..Records::default() };
        for place in places {
            self.record(&page, place, &mut records.lines)?;
            records.lines.extend_from_slice(&meta);
            records.lines.extend_from_slice(b"}\n");
            if records.lines.len() > self.limits.bytes {
                let limit = crate::model::human_bytes(self.limits.bytes as u64);
                return Err(failed(EACH, format!("the records of this page are larger than {limit}")));
            }
        }
        Ok(records)
    }

    /// One object, without its end.
    fn record(&self, page: &Page<'_>, place: Place<'_>, line: &mut Vec<u8>) -> Result<(), ExtractError> {
        line.push(b'{');
        for (position, column) in self.fields.iter().enumerate() {
            if position > 0 {
                line.push(b',');
            }
            line.extend_from_slice(&column.key);
            line.push(b':');
            let value = evaluate(page, column.index, place, &column.name)?;
            if column.many {
                column.write_all(page, value, line);
            } else {
                column.write_one(page, value, line);
            }
        }
        Ok(())
    }
}

impl Column {
    /// The first match; `null` if there is none, and for NaN and the infinities, which JSON does not have.
    fn write_one(&self, page: &Page<'_>, value: Value<'_>, line: &mut Vec<u8>) {
        match value {
            Value::Nodes(nodes) => match page.first(&nodes) {
                Some(place) => self.write_text(page.string_value(place), line),
                None => line.extend_from_slice(b"null"),
            },
            Value::String(text) => self.write_text(&text, line),
            Value::Number(number) => match json_number(number) {
                Some(number) => line.extend_from_slice(number.as_bytes()),
                None => line.extend_from_slice(b"null"),
            },
            Value::Boolean(truth) => write_boolean(truth, line),
        }
    }

    /// All matches. What is no set of nodes is an array of one, or of none if it would be `null`.
    fn write_all(&self, page: &Page<'_>, value: Value<'_>, line: &mut Vec<u8>) {
        line.push(b'[');
        match value {
            Value::Nodes(nodes) => self.write_nodes(page, &nodes, line),
            Value::Number(number) => {
                line.extend_from_slice(json_number(number).unwrap_or_default().as_bytes());
            }
            one => self.write_one(page, one, line),
        }
        line.push(b']');
    }

    /// Text nodes of nothing but white space are left out unless the field is raw: they are the indentation between
    /// tags. Empty attributes and elements stay, so that arrays of the same nodes stay side by side.
    fn write_nodes(&self, page: &Page<'_>, nodes: &Nodes<'_>, line: &mut Vec<u8>) {
        let mut is_first = true;
        for place in page.sorted(nodes) {
            let text = page.string_value(place);
            if !self.raw && place.is_text() && text.trim().is_empty() {
                continue;
            }
            if !is_first {
                line.push(b',');
            }
            is_first = false;
            self.write_text(text, line);
        }
    }

    fn write_text(&self, text: &str, line: &mut Vec<u8>) {
        if self.raw { write_json(text, line) } else { write_json(&collapsed(text), line) }
    }
}

fn evaluate<'d>(
    page: &Page<'d>,
    index: Index,
    place: Place<'d>,
    name: &str,
) -> Result<Value<'d>, ExtractError> {
    page.evaluate(index, place).map_err(|reason| failed(name, reason))
}

fn failed(name: &str, reason: String) -> ExtractError {
    ExtractError { name: name.to_owned(), reason }
}

/// Stripped, and each run of white space one space. White space is Unicode's, so that a no-break space counts.
fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len().min(256));
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// The facts of the page as the last members of each object.
fn meta(facts: &PageFacts<'_>, is_alone: bool) -> Vec<u8> {
    let mut meta = Vec::new();
    if !is_alone {
        meta.push(b',');
    }
    meta.extend_from_slice(b"\"_url\":");
    write_json(facts.url, &mut meta);
    meta.extend_from_slice(b",\"_page\":");
    meta.extend_from_slice(facts.page.map_or("null".to_owned(), |page| page.to_string()).as_bytes());
    meta.extend_from_slice(b",\"_fetched_at\":");
    let fetched_at = facts.fetched_at.and_then(|at| jiff::Timestamp::try_from(at).ok());
    match fetched_at {
        // RFC 3339 in UTC, to the millisecond.
        Some(at) => write!(meta, "\"{at:.3}\"").expect("writing to memory does not fail"),
        None => meta.extend_from_slice(b"null"),
    }
    meta
}

fn write_boolean(truth: bool, line: &mut Vec<u8>) {
    line.extend_from_slice(if truth { b"true" } else { b"false" });
}

fn json_number(number: f64) -> Option<String> {
    number.is_finite().then(|| super::xpath::number_text(number))
}

fn json_string(text: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(text.len() + 2);
    write_json(text, &mut json);
    json
}

fn write_json(text: &str, line: &mut Vec<u8>) {
    serde_json::to_writer(line, text).expect("a string is written to memory");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{Field, Namespaces, XPath};
    use super::*;
    use crate::html::sample::{document, html_document};

    const FACTS: PageFacts<'static> = PageFacts { url: "http://h/", page: None, fetched_at: None };

    fn rule(each: Option<&str>, fields: &[&str]) -> Rule {
        let xpath = |text: &str| XPath::parse(text, &Namespaces::new()).unwrap();
        let field = |text: &&str| {
            let (raw, text) = (text.starts_with("raw "), text.trim_start_matches("raw "));
            let parsed = super::super::parse_field(text).unwrap();
            Field { name: parsed.name.to_owned(), many: parsed.many, raw, xpath: xpath(parsed.xpath) }
        };
        Rule { name: "r".into(), each: each.map(xpath), fields: fields.iter().map(field).collect() }
    }

    fn extract(document: &Document, each: Option<&str>, fields: &[&str]) -> String {
        let extractor = Extractor::new(&rule(each, fields), false, ExtractLimits::default()).unwrap();
        let records = extractor.extract(document, &FACTS).unwrap();
        assert_eq!(records.lines.iter().filter(|&&b| b == b'\n').count() as u64, records.count);
        String::from_utf8(records.lines).unwrap()
    }

    #[test]
    fn each_node_is_a_record_with_the_fields_in_their_order() {
        let list = html_document(
            "<ul><li><a href='/1'>One</a></li><li>none</li><li><a href='/2'>Two <b>and</b> more</a></li></ul>",
        );
        assert_eq!(
            extract(
                &list,
                Some("//li"),
                &["z=a", "a=a/@href", "n=count(a)", "b=boolean(a)", "c=string(a/@href)"]
            ),
            "{\"z\":\"One\",\"a\":\"/1\",\"n\":1,\"b\":true,\"c\":\"/1\"}\n\
             {\"z\":null,\"a\":null,\"n\":0,\"b\":false,\"c\":\"\"}\n\
             {\"z\":\"Two and more\",\"a\":\"/2\",\"n\":1,\"b\":true,\"c\":\"/2\"}\n"
        );
    }

    #[test]
    fn without_each_the_page_is_one_record() {
        let page = html_document("<p>a</p>");
        assert_eq!(extract(&page, None, &["p=//p", "all[]=//p/text()"]), "{\"p\":\"a\",\"all\":[\"a\"]}\n");
        assert_eq!(extract(&page, Some("//li"), &["p=."]), "");
        assert_eq!(extract(&page, Some("//p"), &[]), "{}\n");
    }

    #[test]
    fn white_space_is_collapsed_unless_raw() {
        let page = html_document("<p> a\n\t b&#xA0;&#x3000;c </p>");
        assert_eq!(
            extract(&page, None, &["t=//p", "raw r=//p", "raw m[]=//p"]),
            "{\"t\":\"a b c\",\"r\":\" a\\n\\t b\u{a0}\u{3000}c \",\"m\":[\" a\\n\\t b\u{a0}\u{3000}c \"]}\n"
        );
    }

    #[test]
    fn blank_text_nodes_are_left_out_of_arrays_but_empty_attributes_are_not() {
        let page = html_document("<p a=''> <b c='1'> x </b> <b a=''/>\n</p>");
        assert_eq!(
            extract(
                &page,
                None,
                &["t[]=//p//text()", "raw r[]=//p/text()", "a[]=//@a", "b[]=//b", "f=//p/text()"]
            ),
            "{\"t\":[\"x\"],\"r\":[\" \",\" \",\"\\n\"],\"a\":[\"\",\"\"],\"b\":[\"x\",\"\"],\"f\":\"\"}\n"
        );
    }

    #[test]
    fn numbers_are_json_numbers_and_what_json_lacks_is_null() {
        let page = document("<a>5</a>");
        assert_eq!(
            extract(
                &page,
                None,
                &[
                    "i=number(/a)",
                    "f=/a div 2",
                    "z=-0",
                    "n=number('x')",
                    "x=1 div 0",
                    "in[]=number(/a)",
                    "nn[]=number('x')",
                    "s[]='t'",
                    "b[]=true()",
                    "e[]=/b",
                ]
            ),
            "{\"i\":5,\"f\":2.5,\"z\":0,\"n\":null,\"x\":null,\"in\":[5],\"nn\":[],\"s\":[\"t\"],\"b\":[true],\"e\":[]}\n"
        );
    }

    #[test]
    fn text_is_utf8_and_only_what_json_requires_is_escaped() {
        let page = document("<a>书\"\\/é😀&#x7F;</a>");
        assert_eq!(extract(&page, None, &["书=/a"]), "{\"书\":\"书\\\"\\\\/é😀\u{7f}\"}\n");
    }

    #[test]
    fn the_facts_of_the_page_come_last() {
        let page = document("<a>x</a>");
        let extractor = Extractor::new(&rule(None, &["a=/a"]), true, ExtractLimits::default()).unwrap();
        let fetched_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
        let facts = PageFacts { url: "http://h/?q=\"", page: Some(-3), fetched_at: Some(fetched_at) };
        assert_eq!(
            String::from_utf8(extractor.extract(&page, &facts).unwrap().lines).unwrap(),
            "{\"a\":\"x\",\"_url\":\"http://h/?q=\\\"\",\"_page\":-3,\"_fetched_at\":\"2009-02-13T23:31:30.123Z\"}\n"
        );
        let extractor = Extractor::new(&rule(None, &[]), true, ExtractLimits::default()).unwrap();
        assert_eq!(
            String::from_utf8(extractor.extract(&page, &FACTS).unwrap().lines).unwrap(),
            "{\"_url\":\"http://h/\",\"_page\":null,\"_fetched_at\":null}\n"
        );
    }

    #[test]
    fn an_endless_expression_is_ended_and_named() {
        let page = document(&format!("<a>{}</a>", "<b><c/></b>".repeat(2000)));
        let limits = ExtractLimits { time: Duration::from_millis(50), ..ExtractLimits::default() };
        let rule = rule(None, &["quick=count(//b)", "slow=count(//*[//*[//*[. = 'x']]])"]);
        let error = Extractor::new(&rule, false, limits).unwrap().extract(&page, &FACTS).unwrap_err();
        assert_eq!(error.name, "slow");
        assert_eq!(error.reason, "took longer than 50ms on this page; make the expression narrower");
    }

    #[test]
    fn records_that_repeat_the_page_over_and_over_are_an_error() {
        let page = document(&format!("{}{}{}", "<a>".repeat(50), "x".repeat(1000), "</a>".repeat(50)));
        let limits = ExtractLimits { bytes: 10 << 10, ..ExtractLimits::default() };
        let extractor = Extractor::new(&rule(Some("//a"), &["t=."]), false, limits).unwrap();
        let error = extractor.extract(&page, &FACTS).unwrap_err();
        assert_eq!(error.to_string(), "each: the records of this page are larger than 10K");
    }
}
