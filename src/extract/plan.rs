//! A rule made ready: its fields with their keys as JSON, their places among the counts, and their XPaths as numbers
//! of one program.

use super::convert::{Recipe, write_json};
use super::css::Css;
use super::expression::Expression;
use super::field::{Field, Finding, Meta, Shape};
use super::json::JsonPath;
use super::xpath::XPath;
use super::xpath::engine::Index;

/// A field.
pub(super) struct Column {
    /// With the fields around it: `reviews.stars`.
    pub(super) name: String,
    /// The key as JSON, with its colon.
    pub(super) key: Vec<u8>,
    pub(super) required: bool,
    /// Its place among the counts.
    pub(super) slot: usize,
    pub(super) make: Make,
}

impl Column {
    /// Whether it is, or has inside of it, what was handed down by this name.
    pub(super) fn carries(&self, wanted: &str) -> bool {
        match &self.make {
            Make::Carried(name, _) => name == wanted,
            Make::Object(_, columns) | Make::List(_, columns) => {
                columns.iter().any(|column| column.carries(wanted))
            }
            Make::Value(_) | Make::Constant(_) | Make::Meta(_) => false,
        }
    }
}

/// What is done for a field.
pub(super) enum Make {
    Value(Value),
    Object(Option<Search>, Vec<Column>),
    List(Search, Vec<Column>),
    /// JSON.
    Constant(Vec<u8>),
    Meta(Meta),
    /// A value that was handed down, by its name, and what stands for one that was not, as JSON.
    Carried(String, Option<Vec<u8>>),
}

pub(super) struct Value {
    pub(super) search: Search,
    pub(super) many: bool,
    pub(super) recipe: Recipe,
    /// JSON.
    pub(super) default: Option<Vec<u8>>,
}

/// Where something is found.
pub(super) struct Search {
    pub(super) from: Option<Probe>,
    pub(super) probe: Probe,
}

/// One expression.
pub(super) enum Probe {
    XPath(Index),
    Css(Css),
    Json(JsonPath),
}

/// Numbers the XPaths and the counts of a rule while its columns are made.
#[derive(Default)]
pub(super) struct Planner<'r> {
    /// The XPaths in the order of their numbers, each with the name of its field.
    pub(super) xpaths: Vec<(&'r XPath, String)>,
    slots: usize,
}

impl<'r> Planner<'r> {
    pub(super) fn probe(&mut self, expression: &'r Expression, name: &str) -> Probe {
        match expression {
            Expression::XPath(xpath) => {
                self.xpaths.push((xpath, name.to_owned()));
                Probe::XPath(Index(self.xpaths.len() - 1))
            }
            Expression::Css(css) => Probe::Css(css.clone()),
            Expression::Json(path) => Probe::Json(path.clone()),
        }
    }

    pub(super) fn search(&mut self, finding: &'r Finding, name: &str) -> Search {
        let from = finding.from.as_ref().map(|from| self.probe(from, name));
        Search { from, probe: self.probe(&finding.expression, name) }
    }

    /// The columns of `fields`, which are inside of the field `parent`; its name is empty at the top.
    pub(super) fn columns(&mut self, fields: &'r [Field], parent: &str) -> Vec<Column> {
        fields.iter().map(|field| self.column(field, parent)).collect()
    }

    pub(super) fn column(&mut self, field: &'r Field, parent: &str) -> Column {
        let name = path_name(parent, &field.name);
        let slot = self.slots;
        self.slots += 1;
        let make = match &field.shape {
            Shape::Value(value) => Make::Value(Value {
                search: self.search(&value.at, &name),
                many: value.many,
                recipe: value.recipe.clone(),
                default: value.default.as_ref().map(|default| default.to_string().into_bytes()),
            }),
            Shape::Object { at, fields } => {
                let search = at.as_ref().map(|at| self.search(at, &name));
                Make::Object(search, self.columns(fields, &name))
            }
            Shape::List { each, fields } => {
                let search = self.search(each, &name);
                Make::List(search, self.columns(fields, &name))
            }
            Shape::Constant(value) => Make::Constant(value.to_string().into_bytes()),
            Shape::Meta(meta) => Make::Meta(*meta),
            Shape::Carried { name, default } => {
                Make::Carried(name.clone(), default.as_ref().map(|default| default.to_string().into_bytes()))
            }
        };
        let mut key = Vec::with_capacity(field.name.len() + 3);
        write_json(&field.name, &mut key);
        key.push(b':');
        Column { name, key, required: field.required, slot, make }
    }

    /// How many counts there are.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }
}

/// `reviews.stars`.
pub(super) fn path_name(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}
