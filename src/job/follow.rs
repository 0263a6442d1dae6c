//! The entries of `follow`, of the job file and of the command line: from what is written to what it means.

use super::fields::{FieldReader, language_key};
use super::rules::rule_id;
use crate::config::{WrittenField, WrittenTable, WrittenValue};
use crate::extract::convert::{Recipe, parse_pattern};
use crate::extract::xpath::ast::Kind;
use crate::extract::{Expression, Finding, Follow, Reads, XPath};
use crate::mistake::Slip;
use crate::model::RuleId;
use crate::spelling;
use crate::written::Written;

impl FieldReader<'_> {
    /// The entries of the rule `own`; `names` are those of all rules in their order, and `reads` is what its pages are,
    /// as far as that is known.
    pub(super) fn follows(
        &mut self,
        written: &[WrittenField],
        names: &[String],
        own: RuleId,
        reads: &mut Option<Reads>,
    ) -> Vec<Follow> {
        written.iter().filter_map(|entry| self.follow(entry, names, own, reads)).collect()
    }

    /// `XPATH`, or `NAME=XPATH` for pages of another rule.
    pub(super) fn follow_flag(
        &mut self,
        written: &Written,
        names: &[String],
        own: RuleId,
        reads: &mut Option<Reads>,
    ) -> Option<Follow> {
        let text = &written.text;
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        let named = text.split_once('=').filter(|(name, _)| {
            let name = name.trim();
            names.iter().any(|known| known == name) || (!name.is_empty() && name.chars().all(is_name))
        });
        let Some((name, rest)) = named else { return self.links(written, own, reads) };
        let to = find_rule(name.trim(), names).map_err(|slip| self.report(written, slip));
        let expression = rest.trim_start();
        let behind = text.len() - expression.len();
        if expression.is_empty() {
            let slip = Slip::new(behind, "the XPath of the links is missing");
            self.report(written, slip.with_hint("like book=//h3/a"));
            return None;
        }
        let parsed = Expression::parse(expression, self.namespaces)
            .and_then(|expression| check_links(&expression).map(|()| expression));
        match parsed {
            Ok(expression) => Some(plain(expression, to.ok()?)),
            Err(slip) => {
                self.report(written, Slip { at: slip.at + behind, ..slip });
                None
            }
        }
    }

    /// An entry that is an expression and nothing else.
    fn links(&mut self, text: &Written, to: RuleId, reads: &mut Option<Reads>) -> Option<Follow> {
        let expression = self.expression(text, None, reads)?;
        check_links(&expression).map_err(|slip| self.report(text, slip)).ok()?;
        Some(plain(expression, to))
    }

    fn follow(
        &mut self,
        written: &WrittenField,
        names: &[String],
        own: RuleId,
        reads: &mut Option<Reads>,
    ) -> Option<Follow> {
        let table = match &written.value {
            WrittenValue::Expression(text) => return self.links(text, own, reads),
            WrittenValue::Table(table) => table,
        };
        // Everything is looked at before anything is given up, so that all mistakes are told at once.
        let each = table.get("each").map(|each| {
            let expression = self.expression(each, None, reads)?;
            self.check_places(&expression, "each", each).then_some(expression)
        });
        let mut seen_from = match &each {
            Some(each) => each.as_ref().map(Expression::reads),
            None => *reads,
        };
        let at = self.links_at(written, table, &mut seen_from);
        if each.is_none() {
            *reads = seen_from;
        }
        let regex = self.key(table, "regex", parse_pattern);
        let replace = self.replace(table);
        let to = match self.key(table, "to", |to| find_rule(to, names)) {
            Ok(to) => Some(to.unwrap_or(own)),
            Err(()) => None,
        };
        let priority = self.key(table, "priority", parse_priority);
        let mut reads = match (&each, &at) {
            (Some(each), _) => each.as_ref().map(Expression::reads),
            (None, Some(at)) => Some(at.expression.reads()),
            (None, None) => None,
        };
        let carry = self.read_all(&table.fields, &mut reads);
        let each = match each {
            Some(None) => return None,
            Some(each) => each,
            None => None,
        };
        let recipe = Recipe { regex: regex.ok()?, replace, ..Recipe::default() };
        Some(Follow { each, at: at?, recipe, to: to?, priority: priority.ok()?.unwrap_or(0), carry })
    }

    fn links_at(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<Finding> {
        let Some((_, text)) = language_key(table) else {
            let hint = "like { xpath = '//h3/a', to = \"book\" }; or css, json";
            let slip = Slip::new(0, "this does not say where the links are").with_hint(hint);
            self.report_missing(written, table, slip);
            return None;
        };
        let at = self.finding(written, table, reads)?;
        check_links(&at.expression).map_err(|slip| self.report(text, slip)).ok()?;
        Some(at)
    }
}

fn plain(expression: Expression, to: RuleId) -> Follow {
    let at = Finding { from: None, expression };
    Follow { each: None, at, recipe: Recipe::default(), to, priority: 0, carry: Vec::new() }
}

/// Numbers and booleans are no links.
fn check_links(expression: &Expression) -> Result<(), Slip> {
    match expression.as_xpath().map(XPath::kind) {
        Some(kind @ (Kind::Number | Kind::Boolean)) => {
            Err(Slip::new(0, format!("links are nodes or strings, and this is {kind}"))
                .with_hint("like //h3/a, or //h3/a/@href"))
        }
        _ => Ok(()),
    }
}

fn find_rule(name: &str, names: &[String]) -> Result<RuleId, Slip> {
    if let Some(index) = names.iter().position(|known| known == name) {
        return Ok(rule_id(index));
    }
    let hint = match spelling::nearest(name, names.iter().map(String::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the job has {}", names.join(", ")),
    };
    Err(Slip::new(0, "there is no rule of this name").with_hint(hint))
}

fn parse_priority(text: &str) -> Result<i32, Slip> {
    let hint = "a whole number; links of a higher one go first, 0 is usual";
    text.trim().parse().map_err(|_| Slip::new(0, "this is no priority").with_hint(hint))
}
