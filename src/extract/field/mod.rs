//! One field of a record: where its value is found and what is made of it.
//!
//! Plain data, checked when the job is read; `flag` reads the form of the command line.

mod flag;

use super::convert::Recipe;
use super::expression::{Expression, Reads};
use super::xpath::XPath;

pub use flag::{FieldText, check_name, parse_field};

/// Objects inside objects deeper than this are a slip, and cost stack.
pub const DEEPEST_FIELDS: usize = 8;

/// What one key of a record holds.
#[derive(Debug, Clone)]
pub struct Field {
    /// The key.
    pub name: String,
    /// Without a value the record is dropped. In a nested object that goes for the object: an item is left out of its
    /// list, an object is `null`.
    pub required: bool,
    /// What the value is made of.
    pub shape: Shape,
}

/// What the value of a field is made of.
#[derive(Debug, Clone)]
pub enum Shape {
    /// What an expression finds.
    Value(ValueSpec),
    /// An object seen from the first thing that is found, `null` without one; or from where the record is seen from.
    Object {
        /// Where it is.
        at: Option<Finding>,
        /// Its members.
        fields: Vec<Field>,
    },
    /// An object for each thing that is found.
    List {
        /// Where they are.
        each: Finding,
        /// The members of each.
        fields: Vec<Field>,
    },
    /// The same in all records: a string, a number, or a boolean.
    Constant(serde_json::Value),
    /// What is known of the page beside its content.
    Meta(Meta),
    /// A value that an earlier page handed down.
    Carried {
        /// The name that it was handed down by.
        name: String,
        /// What stands for a value that is not there.
        default: Option<serde_json::Value>,
    },
}

/// Where something is found, seen from the record.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Where to look first; the expression is evaluated on each thing that this finds. Text is read as JSON if the
    /// expression wants JSON.
    pub from: Option<Expression>,
    /// What to look for.
    pub expression: Expression,
}

/// A value that an expression finds.
#[derive(Debug, Clone)]
pub struct ValueSpec {
    /// Where it is.
    pub at: Finding,
    /// All matches as an array, not the first.
    pub many: bool,
    /// What is made of its text.
    pub recipe: Recipe,
    /// What stands for a value that is not there; in an array, for an item that has none.
    pub default: Option<serde_json::Value>,
}

/// A fact of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// Where it was found.
    Url,
    /// Its page number.
    Page,
    /// When it had arrived.
    FetchedAt,
}

impl Meta {
    /// All of them.
    pub const ALL: [Meta; 3] = [Meta::Url, Meta::Page, Meta::FetchedAt];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Meta::Url => "url",
            Meta::Page => "page",
            Meta::FetchedAt => "fetched_at",
        }
    }
}

impl Field {
    /// A field that is the text, or all texts, that an expression finds.
    pub fn text(name: &str, many: bool, expression: Expression) -> Field {
        let at = Finding { from: None, expression };
        let shape = Shape::Value(ValueSpec { at, many, recipe: Recipe::default(), default: None });
        Field { name: name.to_owned(), required: false, shape }
    }

    /// Keeps white space or not, in nested fields too.
    pub fn set_raw(&mut self, raw: bool) {
        match &mut self.shape {
            Shape::Value(value) => value.recipe.raw = raw,
            Shape::Object { fields, .. } | Shape::List { fields, .. } => {
                fields.iter_mut().for_each(|field| field.set_raw(raw));
            }
            Shape::Constant(_) | Shape::Meta(_) | Shape::Carried { .. } => {}
        }
    }

    /// The fields inside of it.
    pub fn nested(&self) -> &[Field] {
        match &self.shape {
            Shape::Object { fields, .. } | Shape::List { fields, .. } => fields,
            Shape::Value(_) | Shape::Constant(_) | Shape::Meta(_) | Shape::Carried { .. } => &[],
        }
    }

    /// Where it is found; `None` for what needs not be found.
    pub fn finding(&self) -> Option<&Finding> {
        match &self.shape {
            Shape::Value(value) => Some(&value.at),
            Shape::Object { at, .. } => at.as_ref(),
            Shape::List { each, .. } => Some(each),
            Shape::Constant(_) | Shape::Meta(_) | Shape::Carried { .. } => None,
        }
    }

    /// Whether it is the same wherever on the page it is seen from.
    pub(super) fn is_of_page(&self) -> bool {
        match (&self.shape, self.finding()) {
            (Shape::Object { at: None, fields }, _) => fields.iter().all(Field::is_of_page),
            (_, Some(finding)) => finding.first().as_xpath().is_some_and(XPath::is_absolute),
            (_, None) => true,
        }
    }

    /// What it must be seen from; `None` if that does not matter.
    pub fn reads(&self) -> Option<Reads> {
        match self.finding() {
            Some(finding) => Some(finding.first().reads()),
            None => self.nested().iter().find_map(Field::reads),
        }
    }
}

impl Finding {
    /// The expression that is evaluated first.
    pub fn first(&self) -> &Expression {
        self.from.as_ref().unwrap_or(&self.expression)
    }
}
