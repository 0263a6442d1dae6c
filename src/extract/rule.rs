//! What one kind of page yields: which nodes are records, and the fields of each.

use super::field::Field;
use super::xpath::XPath;
use super::xpath::ast::Kind;
use crate::mistake::Slip;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name in the job.
    pub name: String,
    /// The nodes that are records, a set of nodes (see [`Rule::check_each`]). `None`: one record per page, seen from
    /// the document.
    pub each: Option<XPath>,
    /// The fields, in the order they are written.
    pub fields: Vec<Field>,
}

impl Rule {
    /// Whether `each` can say what the records are.
    ///
    /// # Errors
    ///
    /// It evaluates to something that is not a set of nodes.
    pub fn check_each(each: &XPath) -> Result<(), Slip> {
        match each.kind() {
            Kind::NodeSet => Ok(()),
            other => Err(Slip::new(0, format!("`each` must be a set of nodes, not {other}"))
                .with_hint("a path such as `//li[@class=\"item\"]` gives one record for each node")),
        }
    }

    /// What is allowed and rarely meant.
    pub fn warnings(&self) -> Vec<String> {
        let fields = self.fields.iter().map(|field| (format!("field `{}`", field.name), &field.xpath));
        match &self.each {
            Some(each) => {
                let lost = std::iter::once(("`each`".to_owned(), each)).filter_map(finds_nothing);
                lost.chain(fields.filter_map(sees_the_page)).collect()
            }
            None => fields.filter_map(finds_nothing).collect(),
        }
    }
}

/// A field that is the same for all records of a page.
fn sees_the_page((name, xpath): (String, &XPath)) -> Option<String> {
    let source = xpath.source();
    let inside = "for the part inside each record";
    xpath
        .is_absolute()
        .then(|| format!("{name}: `{source}` looks at the whole page, write `.{source}` {inside}"))
}

/// A path from the document to an element that never stands at its top.
fn finds_nothing((name, xpath): (String, &XPath)) -> Option<String> {
    let source = xpath.source();
    xpath.begins_with_html_child().then(|| {
        format!("{name}: `{source}` looks at the top of the page only, write `//{source}` for any depth")
    })
}

#[cfg(test)]
mod tests {
    use super::super::xpath::Namespaces;
    use super::*;

    fn xpath(text: &str) -> XPath {
        XPath::parse(text, &Namespaces::new()).unwrap()
    }

    fn field(name: &str, text: &str) -> Field {
        Field { name: name.to_owned(), many: false, raw: false, xpath: xpath(text) }
    }

    #[test]
    fn an_absolute_field_under_each_is_warned_about() {
        let fields =
            vec![field("a", "//a"), field("b", ".//b"), field("c", "/html/body"), field("d", "count(//d)")];
        let mut rule = Rule { name: "list".into(), each: Some(xpath("//li")), fields };
        let warnings = rule.warnings();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("`//a` looks at the whole page, write `.//a`"));
        rule.each = None;
        assert!(rule.warnings().is_empty());
    }

    #[test]
    fn a_child_of_the_document_is_warned_about() {
        let mut rule =
            Rule { name: "one".into(), each: None, fields: vec![field("a", "h1"), field("b", "html")] };
        assert_eq!(
            rule.warnings(),
            ["field `a`: `h1` looks at the top of the page only, write `//h1` for any depth"]
        );
        rule.each = Some(xpath("li"));
        assert_eq!(rule.warnings().len(), 1);
        assert!(rule.warnings()[0].starts_with("`each`: `li` looks at the top"));
    }

    #[test]
    fn each_is_a_set_of_nodes() {
        assert!(Rule::check_each(&xpath("//li | //dd")).is_ok());
        assert!(Rule::check_each(&xpath("count(//li)")).unwrap_err().message.contains("a number"));
    }
}
