//! XPath 1.0: text ─▶ tokens ─▶ tree, checked when the job is read; and its evaluation.
//!
//! [`XPath`] is a checked expression and nothing else: it may cross threads. [`engine`] evaluates it; [`sxd`] is the only
//! place that knows sxd-xpath and sxd-document.

#[cfg(test)]
mod agreement;
pub mod ast;
mod chars;
#[cfg(test)]
mod conformance;
pub mod engine;
pub mod function;
mod hint;
mod lexer;
mod lower;
mod native;
mod number;
mod parser;
mod patterns;
mod print;
#[cfg(test)]
pub(crate) mod proptests;
mod simplify;
pub mod sxd;

use std::fmt;
use std::sync::Arc;

use crate::mistake::Slip;
use ast::{Axis, Expr, Kind, NodeTest, Start};

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub struct XPath {
    source: Arc<str>,
    tree: Arc<Expr>,
}

impl XPath {
    /// Checks `text`; its prefixes are those of `namespaces`.
    ///
    /// # Errors
    ///
    /// What is wrong at which byte: grammar, unknown functions, axes and prefixes, wrong arguments, a value where a
    /// set of nodes must be, more than 4096 bytes, or more than 64 levels of nesting.
    pub fn parse(text: &str, namespaces: &Namespaces) -> Result<XPath, Slip> {
        let tree = parser::parse(text, namespaces)?;
        Ok(XPath { source: text.into(), tree: Arc::new(tree) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The syntax tree.
    pub fn tree(&self) -> &Expr {
        &self.tree
    }

    /// What it evaluates to.
    pub fn kind(&self) -> Kind {
        self.tree.kind()
    }

    /// The engine that it runs on unless another is demanded, and why if it is not our own.
    pub fn engine(&self) -> (engine::Engine, Option<&'static str>) {
        match native::compile(&self.tree) {
            Ok(_) => (engine::Engine::Native, None),
            Err(native::Declined(reason)) => (engine::Engine::Sxd, Some(reason)),
        }
    }

    /// Whether it is a path from the root, which looks at the whole page wherever it is evaluated.
    pub fn is_absolute(&self) -> bool {
        matches!(&*self.tree, Expr::Path { start: Start::Root, .. })
    }

    /// Whether it is a path that begins with children of the context node, of an element that stands in the body of
    /// an HTML page: seen from the document, it finds nothing there.
    pub fn begins_with_html_child(&self) -> bool {
        let Expr::Path { start: Start::Context, steps } = &*self.tree else { return false };
        steps.first().is_some_and(|step| match &step.test {
            NodeTest::Name(None, name) => step.axis == Axis::Child && hint::is_html_name(name),
            _ => false,
        })
    }
}

impl fmt::Display for XPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// A number as `string()` writes it: no exponent, no sign of zero, no point in an integer.
pub fn number_text(number: f64) -> String {
    number::format(number)
}

/// The namespace of the prefix `xml` (Namespaces in XML, 3).
const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Which prefix stands for which namespace, in the order of declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespaces(Vec<(String, String)>);

impl Namespaces {
    /// Only `xml`.
    pub fn new() -> Namespaces {
        Namespaces(vec![("xml".to_owned(), XML_NAMESPACE.to_owned())])
    }

    /// Lets `prefix` stand for `namespace`; a later declaration replaces an earlier one.
    ///
    /// # Errors
    ///
    /// `prefix` is no XML name without a colon, or one of the reserved `xml` and `xmlns`; `namespace` is empty.
    pub fn declare(&mut self, prefix: &str, namespace: &str) -> Result<(), Slip> {
        if !prefix.starts_with(lexer::is_name_start) {
            return Err(Slip::new(0, format!("`{prefix}` cannot be a prefix"))
                .with_hint("a prefix begins with a letter: `--namespace atom=http://www.w3.org/2005/Atom`"));
        }
        if let Some(at) = prefix.find(|c| !lexer::is_name_char(c)) {
            return Err(Slip::new(at, format!("`{prefix}` cannot be a prefix"))
                .with_hint("a prefix has letters, digits, `-`, `_` and `.`"));
        }
        if prefix == "xmlns" || (prefix == "xml" && namespace != XML_NAMESPACE) {
            return Err(Slip::new(0, format!("the prefix `{prefix}` is reserved")));
        }
        if namespace.is_empty() {
            return Err(Slip::new(0, format!("the namespace of `{prefix}` is empty"))
                .with_hint("elements without a namespace are matched without a prefix"));
        }
        self.0.retain(|(declared, _)| declared != prefix);
        self.0.push((prefix.to_owned(), namespace.to_owned()));
        Ok(())
    }

    /// What `prefix` stands for.
    pub fn get(&self, prefix: &str) -> Option<&str> {
        self.0.iter().find(|(declared, _)| declared == prefix).map(|(_, namespace)| namespace.as_str())
    }

    /// What `prefix` stands for before the name of a function: `re` needs no declaration.
    pub(super) fn of_function(&self, prefix: &str) -> Option<&str> {
        self.get(prefix).or((prefix == "re").then_some(function::REGULAR_EXPRESSIONS))
    }

    /// All declarations.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(prefix, namespace)| (prefix.as_str(), namespace.as_str()))
    }
}

impl Default for Namespaces {
    fn default() -> Namespaces {
        Namespaces::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_may_cross_threads() {
        fn is_send_and_sync<T: Send + Sync + Clone>() {}
        is_send_and_sync::<XPath>();
    }

    #[test]
    fn prefixes_are_names_and_the_reserved_ones_stay() {
        let mut namespaces = Namespaces::new();
        assert_eq!(namespaces.get("xml"), Some(XML_NAMESPACE));
        assert!(namespaces.declare("a", "urn:a").is_ok());
        assert!(namespaces.declare("a", "urn:b").is_ok());
        assert_eq!(namespaces.get("a"), Some("urn:b"));
        for (prefix, namespace) in
            [("", "u"), ("1", "u"), ("a b", "u"), ("xmlns", "u"), ("xml", "u"), ("b", "")]
        {
            assert!(namespaces.declare(prefix, namespace).is_err(), "{prefix}={namespace}");
        }
    }
}
