//! Names with namespaces (Namespaces in XML 1.0), for the XML side.
//!
//! Knows prefixes and what they are bound to where; nothing of tags or trees.

use html5ever::{LocalName, Namespace, Prefix, ns};

use super::dom::Name;

/// Bindings in force at once. Resolving looks through them, so their number must not grow with the page.
const MOST_BINDINGS: usize = 256;

/// The bindings in force at one place of a document.
#[derive(Default)]
pub(super) struct Scope {
    /// Prefix (empty: the default namespace) and namespace, innermost last.
    bindings: Vec<(Prefix, Namespace)>,
}

impl Scope {
    /// A mark for [`Scope::leave`].
    pub(super) fn enter(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets what was declared since `mark`.
    pub(super) fn leave(&mut self, mark: usize) {
        self.bindings.truncate(mark);
    }

    /// Takes an attribute as a declaration (`xmlns`, `xmlns:p`); `false` if it is none.
    pub(super) fn declare(&mut self, attribute: &str, value: &str) -> bool {
        let prefix = match attribute.split_once(':') {
            None if attribute == "xmlns" => "",
            Some(("xmlns", prefix)) => prefix,
            _ => return false,
        };
        if self.bindings.len() < MOST_BINDINGS {
            self.bindings.push((Prefix::from(prefix), Namespace::from(value.trim())));
        }
        true
    }

    /// The name of an element written as `raw`.
    pub(super) fn element(&self, raw: &str) -> Name {
        self.qualified(raw).unwrap_or_else(|| Name {
            prefix: None,
            namespace: self.find("").unwrap_or_default(),
            local: LocalName::from(raw),
        })
    }

    /// The name of an attribute written as `raw`. The default namespace is not for attributes.
    pub(super) fn attribute(&self, raw: &str) -> Name {
        self.qualified(raw).unwrap_or_else(|| Name {
            prefix: None,
            namespace: ns!(),
            local: LocalName::from(raw),
        })
    }

    /// `None` without a prefix, and with one that nobody declared: then the colon is part of the name, as libxml2
    /// takes it.
    fn qualified(&self, raw: &str) -> Option<Name> {
        let (prefix, local) = raw.split_once(':')?;
        if prefix.is_empty() || local.is_empty() {
            return None;
        }
        let namespace = if prefix == "xml" { ns!(xml) } else { self.find(prefix)? };
        Some(Name { prefix: Some(Prefix::from(prefix)), namespace, local: LocalName::from(local) })
    }

    fn find(&self, prefix: &str) -> Option<Namespace> {
        self.bindings
            .iter()
            .rev()
            .find(|(bound, _)| **bound == *prefix)
            .map(|(_, namespace)| namespace.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(name: &Name) -> (Option<&str>, &str, &str) {
        (name.prefix.as_deref(), &name.namespace, &name.local)
    }

    #[test]
    fn the_default_namespace_is_for_elements_only() {
        let mut scope = Scope::default();
        assert!(scope.declare("xmlns", "urn:a"));
        assert_eq!(parts(&scope.element("x")), (None, "urn:a", "x"));
        assert_eq!(parts(&scope.attribute("x")), (None, "", "x"));
        assert!(scope.declare("xmlns", ""));
        assert_eq!(parts(&scope.element("x")), (None, "", "x"));
    }

    #[test]
    fn inner_declarations_win_until_they_are_left() {
        let mut scope = Scope::default();
        scope.declare("xmlns:p", "urn:outer");
        let mark = scope.enter();
        scope.declare("xmlns:p", "urn:inner");
        assert_eq!(parts(&scope.attribute("p:x")), (Some("p"), "urn:inner", "x"));
        scope.leave(mark);
        assert_eq!(parts(&scope.element("p:x")), (Some("p"), "urn:outer", "x"));
    }

    #[test]
    fn an_undeclared_prefix_is_part_of_the_name() {
        let scope = Scope::default();
        assert_eq!(parts(&scope.element("media:thumbnail")), (None, "", "media:thumbnail"));
        assert_eq!(parts(&scope.element(":x")), (None, "", ":x"));
        assert_eq!(parts(&scope.element("x:")), (None, "", "x:"));
    }

    #[test]
    fn the_prefix_xml_needs_no_declaration() {
        let name = Scope::default().attribute("xml:lang");
        assert_eq!(parts(&name), (Some("xml"), "http://www.w3.org/XML/1998/namespace", "lang"));
    }

    #[test]
    fn other_attributes_declare_nothing() {
        let mut scope = Scope::default();
        assert!(!scope.declare("xmlnsx", "a") && !scope.declare("x", "a") && !scope.declare("x:xmlns", "a"));
    }
}
