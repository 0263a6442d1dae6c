//! What one kind of page yields: which nodes are records, and the fields of each.

use super::expression::{Expression, Reads};
use super::field::{Field, Shape};
use super::follow::Follow;
use super::plan::path_name;

/// A rule.
#[derive(Debug, Clone, Default)]
pub struct Rule {
    /// Its name in the job.
    pub name: String,
    /// What the records are, nodes or JSON values (see [`Expression::check_places`]). `None`: one record per page,
    /// seen from the document.
    pub each: Option<Expression>,
    /// The fields, in the order they are written.
    pub fields: Vec<Field>,
    /// Where pages lead.
    pub follow: Vec<Follow>,
    /// What records are known by from run to run: the names down to each field of the key, of which those before the last
    /// are objects. Empty: by all that they say.
    pub key: Vec<Vec<String>>,
}

impl Rule {
    /// The names of all fields, each before those inside of it: `author`, `author.name`. The counts of
    /// [`Records`](crate::model::Records) have this order.
    pub fn field_names(&self) -> Vec<String> {
        fn collect(fields: &[Field], parent: &str, names: &mut Vec<String>) {
            for field in fields {
                let name = path_name(parent, &field.name);
                names.push(name.clone());
                collect(field.nested(), &name, names);
            }
        }
        let mut names = Vec::new();
        collect(&self.fields, "", &mut names);
        names
    }

    /// What pages must be for this rule; `None` if it looks at nothing in them.
    pub fn reads(&self) -> Option<Reads> {
        match &self.each {
            Some(each) => Some(each.reads()),
            None => {
                let of_fields = self.fields.iter().find_map(Field::reads);
                of_fields.or_else(|| self.follow.first().map(Follow::reads))
            }
        }
    }

    /// Whether pages give records, and not only links.
    pub fn yields_records(&self) -> bool {
        self.each.is_some() || !self.fields.is_empty() || self.follow.is_empty()
    }

    /// What is allowed and rarely meant.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let Some(each) = &self.each {
            warnings.extend(finds_nothing("`each`", each));
        }
        warn_of_fields(&self.fields, "", self.each.is_some(), &mut warnings);
        for follow in &self.follow {
            match (&follow.each, follow.at.first()) {
                (Some(each), first) => {
                    warnings.extend(finds_nothing("`follow`", each));
                    warnings.extend(sees_the_page("`follow`", first));
                }
                (None, first) => warnings.extend(finds_nothing("`follow`", first)),
            }
        }
        warnings
    }
}

/// The warnings of fields that are seen from something inside of the page, or from the whole of it.
fn warn_of_fields(fields: &[Field], parent: &str, is_inside: bool, warnings: &mut Vec<String>) {
    for field in fields {
        let path = path_name(parent, &field.name);
        let mut inside_of_it = is_inside;
        if let Some(finding) = field.finding() {
            let name = format!("field `{path}`");
            match &finding.from {
                // What `from` looks for is often one script for all records of the page.
                Some(from) if !is_inside => warnings.extend(finds_nothing(&name, from)),
                Some(_) => warnings.extend(sees_the_page(&name, &finding.expression)),
                None if is_inside => warnings.extend(sees_the_page(&name, &finding.expression)),
                None => warnings.extend(finds_nothing(&name, &finding.expression)),
            }
            inside_of_it |= !matches!(field.shape, Shape::Value(_));
        }
        warn_of_fields(field.nested(), &path, inside_of_it, warnings);
    }
}

/// A field that is the same for all records of a page.
fn sees_the_page(name: &str, expression: &Expression) -> Option<String> {
    let xpath = expression.as_xpath()?;
    let source = xpath.source();
    let inside = "for the part inside each record";
    xpath
        .is_absolute()
        .then(|| format!("{name}: `{source}` looks at the whole page, write `.{source}` {inside}"))
}

/// A path from the document to an element that never stands at its top.
fn finds_nothing(name: &str, expression: &Expression) -> Option<String> {
    let xpath = expression.as_xpath()?;
    let source = xpath.source();
    xpath.begins_with_html_child().then(|| {
        format!("{name}: `{source}` looks at the top of the page only, write `//{source}` for any depth")
    })
}

#[cfg(test)]
mod tests {
    use super::super::field::Finding;
    use super::super::xpath::Namespaces;
    use super::*;

    fn expression(text: &str) -> Expression {
        Expression::parse(text, &Namespaces::new()).unwrap()
    }

    fn field(name: &str, text: &str) -> Field {
        Field::text(name, false, expression(text))
    }

    #[test]
    fn an_absolute_field_under_each_is_warned_about() {
        let fields =
            vec![field("a", "//a"), field("b", ".//b"), field("c", "/html/body"), field("d", "count(//d)")];
        let mut rule =
            Rule { name: "list".into(), each: Some(expression("//li")), fields, ..Rule::default() };
        let warnings = rule.warnings();
        assert_eq!(warnings.len(), 2);
        assert!(warnings[0].contains("`//a` looks at the whole page, write `.//a`"));
        rule.each = None;
        assert!(rule.warnings().is_empty());
    }

    #[test]
    fn a_child_of_the_document_is_warned_about() {
        let mut rule = Rule {
            name: "one".into(),
            fields: vec![field("a", "h1"), field("b", "html")],
            ..Rule::default()
        };
        assert_eq!(
            rule.warnings(),
            ["field `a`: `h1` looks at the top of the page only, write `//h1` for any depth"]
        );
        rule.each = Some(expression("li"));
        assert_eq!(rule.warnings().len(), 1);
        assert!(rule.warnings()[0].starts_with("`each`: `li` looks at the top"));
    }

    #[test]
    fn nested_fields_have_names_with_their_path_and_are_warned_about() {
        let inner = vec![field("name", "//b"), field("link", "./a")];
        let at = Some(Finding { from: None, expression: expression("//div") });
        let author =
            Field { name: "author".into(), required: false, shape: Shape::Object { at, fields: inner } };
        let rule =
            Rule { name: "one".into(), fields: vec![field("title", "//h1"), author], ..Rule::default() };
        assert_eq!(rule.field_names(), ["title", "author", "author.name", "author.link"]);
        let warnings = rule.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("field `author.name`: `//b` looks at the whole page"));
    }

    #[test]
    fn the_first_expression_says_what_pages_must_be() {
        let rule = |each: Option<&str>, text| Rule {
            name: "r".into(),
            each: each.map(expression),
            fields: vec![field("a", text)],
            ..Rule::default()
        };
        assert_eq!(rule(None, "//a").reads(), Some(Reads::Markup));
        assert_eq!(rule(None, "json:$.a").reads(), Some(Reads::Json));
        assert_eq!(rule(Some("json:$[*]"), "json:$.a").reads(), Some(Reads::Json));
    }
}
