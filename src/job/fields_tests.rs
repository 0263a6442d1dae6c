//! Facts about the fields of job files.

use super::fields::{FieldReader, parse_flag};
use super::layers::Layers;
use crate::config;
use crate::extract::{Expression, Field, Namespaces, Reads, Shape};
use crate::written::{Place, Written};

fn read(text: &str) -> (Vec<Field>, Vec<String>) {
    let (file, found) = config::parse("j", &format!("[extract.a]\n{text}\n"));
    let mut layers = Layers::new(Vec::new(), found);
    let namespaces = Namespaces::new();
    let mut fields = Vec::new();
    for rule in &file.rules {
        let each = rule.each.as_ref().map(|each| Expression::parse(&each.text, &namespaces).unwrap());
        let mut reads = each.as_ref().map(Expression::reads);
        fields = FieldReader { layers: &mut layers, namespaces: &namespaces, raw: false }
            .read_all(&rule.fields, &mut reads);
    }
    (fields, layers.mistakes.iter().map(ToString::to_string).collect())
}

/// The place and the first line of the only mistake, and its hint.
fn mistake(text: &str) -> (String, String) {
    let (_, mut found) = read(text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let found = found.remove(0);
    let first = found.lines().next().unwrap_or_default().to_owned();
    let hint = found.split_once("hint: ").map(|(_, hint)| hint.to_owned()).unwrap_or_default();
    (first, hint)
}

#[test]
fn every_kind_of_field_is_understood() {
    let (fields, mistakes) = read(
        r#"
each = "//li"
fields.title = "./h3"
fields.'tags[]' = { xpath = "./b", raw = true }
fields.price = { xpath = "./p", type = "float", locale = "de", regex = '([\d.,]+)', replace = [["a", "b"]], default = 0, required = true, all = true }
fields.date = { xpath = "./time", type = "date", format = "%d. %B %Y", locale = "de" }
fields.offer = { from = '//script', json = "$.offers.price", type = "float" }
fields.part = { from = './div', xpath = "./b" }
fields.author = { xpath = "./div", fields = { name = "./a", link = { xpath = "./a/@href", type = "url" } } }
fields.group = { fields = { a = "./a" } }
fields.reviews = { each = ".//li", fields = { stars = "./@data-stars" } }
fields.graph = { from = '//script', each = "json:$.graph[*]", fields = { id = "json:$.id" } }
fields.source = { const = "shop" }
fields.where = { meta = "url" }
"#,
    );
    assert_eq!(mistakes, [""; 0]);
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "title", "tags", "price", "date", "offer", "part", "author", "group", "reviews", "graph",
            "source", "where"
        ]
    );
    let Shape::Value(tags) = &fields[1].shape else { panic!("tags is a value") };
    assert!(tags.many && tags.recipe.raw && !fields[1].required);
    let Shape::Value(price) = &fields[2].shape else { panic!("price is a value") };
    assert!(price.many && fields[2].required && price.default == Some(0.into()));
    assert!(matches!(&fields[6].shape, Shape::Object { at: Some(_), fields } if fields.len() == 2));
    assert!(matches!(&fields[7].shape, Shape::Object { at: None, .. }));
    assert!(matches!(&fields[8].shape, Shape::List { .. }));
}

#[test]
fn mistakes_in_values_are_told_at_their_place() {
    for (text, first, hint) in [
        (
            "fields.a = { xpath = 'p', type = 'flot' }",
            "j:2:34: extract.a.fields.a.type: there is no type `flot`",
            "`float`",
        ),
        (
            "fields.a = { xpath = 'p', type = 'int', locale = 'dee' }",
            "j:2:50: extract.a.fields.a.locale: unknown locale",
            "`de`",
        ),
        ("fields.a = { xpath = 'p', regex = 'a(b' }", "j:2:35: extract.a.fields.a.regex: unclosed group", ""),
        (
            "fields.a = { xpath = 'p', replace = [['(', '']] }",
            "j:2:39: extract.a.fields.a.replace: unclosed group",
            "",
        ),
        (
            "fields.a = { xpath = 'p', replace = [['(a)', '$1st']] }",
            "j:2:46: extract.a.fields.a.replace: the pattern has no group `1st`",
            "`${1}st`",
        ),
        (
            "fields.a = { xpath = 'p', type = 'date', format = '%d %Q!' }",
            "j:2:51: extract.a.fields.a.format: this",
            "like %d",
        ),
        ("fields.a = { xpath = 'p[' }", "j:2:22: extract.a.fields.a.xpath: ", ""),
        (
            "fields.a = { xpath = 'p', css = 'p' }",
            "j:2:33: extract.a.fields.a.css: `css` besides `xpath`",
            "",
        ),
        ("fields.a = { type = 'int' }", "j:2:8: extract.a.fields.a: this field has no expression", "xpath"),
        ("fields.a = { from = '//p' }", "j:2:8: extract.a.fields.a: `from` says where", "json ="),
        (
            "fields.a = { xpath = 'p', type = 'int', default = 'x' }",
            "j:2:51: extract.a.fields.a.default: \"x\" is no default for the type `int`",
            "whole number",
        ),
        (
            "fields.a = { xpath = 'p', type = 'int', default = 1.5 }",
            "j:2:51: extract.a.fields.a.default: 1.5 is no",
            "whole number",
        ),
        (
            "fields.a = { xpath = 'p', type = 'bool', default = 1 }",
            "j:2:52: extract.a.fields.a.default: 1 is no",
            "true or false",
        ),
        (
            "fields.a = { xpath = 'p', locale = 'de' }",
            "j:2:36: extract.a.fields.a.locale: `locale` does nothing",
            "\"float\"",
        ),
        (
            "fields.a = { xpath = 'p', type = 'int', format = '%F' }",
            "j:2:50: extract.a.fields.a.format: `format` does nothing",
            "\"date\"",
        ),
        ("fields._a = 'p'", "j:2:8: extract.a.fields._a: names that begin with `_`", "`a`"),
        (
            "fields.a = 'p'\nfields.'a[]' = 'p'",
            "j:3:8: extract.a.fields.a[]: this field stands here twice",
            "another name",
        ),
    ] {
        let (found, advice) = mistake(text);
        assert!(found.starts_with(first), "{text}: {found}");
        assert!(advice.contains(hint), "{text}: {advice}");
    }
}

#[test]
fn mistakes_in_shapes_are_told_at_their_place() {
    for (text, first, hint) in [
        (
            "fields.a = { const = 1, type = 'int' }",
            "j:2:32: extract.a.fields.a.type: `type` does not go with a constant",
            "const",
        ),
        ("fields.a = { meta = 'urll' }", "j:2:21: extract.a.fields.a.meta: there is no such fact", "`url`"),
        (
            "fields.a = { fields = { b = 'p' }, regex = 'x' }",
            "j:2:44: extract.a.fields.a.regex: `regex` does not go with an object",
            "fields, xpath",
        ),
        (
            "fields.a = { each = 'p', all = true, fields = { b = 'p' } }",
            "j:2:32: extract.a.fields.a.all: `all` does not go with a list",
            "each, fields",
        ),
        (
            "fields.a = { each = 'p' }",
            "j:2:8: extract.a.fields.a: this object has no `fields`",
            "like fields",
        ),
        (
            "fields.a = { each = 'count(p)', fields = { b = 'p' } }",
            "j:2:21: extract.a.fields.a.each: `each` must be a set of nodes",
            "",
        ),
        (
            "fields.a = { xpath = '1', fields = { b = 'p' } }",
            "j:2:22: extract.a.fields.a.xpath: `the place of an object` must be",
            "",
        ),
        (
            "fields.'a[]' = { xpath = 'p', fields = { b = 'p' } }",
            "j:2:8: extract.a.fields.a[]: `[]` does not go with an object",
            "`each`",
        ),
        (
            "fields.a = { from = '\"x\"', xpath = 'p' }",
            "j:2:21: extract.a.fields.a.from: `from` must be a set of nodes",
            "",
        ),
    ] {
        let (found, advice) = mistake(text);
        assert!(found.starts_with(first), "{text}: {found}");
        assert!(advice.contains(hint), "{text}: {advice}");
    }
}

#[test]
fn json_is_not_looked_for_in_markup_nor_markup_in_json() {
    for (text, first, hint) in [
        (
            "each = '//li'\nfields.a = 'json:$.a'",
            "j:3:12: extract.a.fields.a: this reads JSON, and the record is markup",
            "from =",
        ),
        (
            "fields.a = '//a'\nfields.b = { json = '$.a' }",
            "j:3:21: extract.a.fields.b.json: this reads JSON",
            "from =",
        ),
        ("each = 'json:$[*]'\nfields.a = './a'", "j:3:12: extract.a.fields.a: this reads markup", "json:$"),
        (
            "each = 'json:$[*]'\nfields.a = { from = 'json:$.a', xpath = './a' }",
            "j:3:41: extract.a.fields.a.xpath: this reads markup, and `from` finds JSON",
            "json =",
        ),
        (
            "fields.a = { xpath = '//a', fields = { b = 'json:$.a' } }",
            "j:2:44: extract.a.fields.a.fields.b: this reads JSON",
            "from =",
        ),
        (
            "fields.a = { from = '//s', json = '$', fields = { b = './b' } }",
            "j:2:55: extract.a.fields.a.fields.b: this reads markup",
            "json:$",
        ),
    ] {
        let (found, advice) = mistake(text);
        assert!(found.starts_with(first), "{text}: {found}");
        assert!(advice.contains(hint), "{text}: {advice}");
    }
    assert_eq!(read("each = 'json:$[*]'\nfields.a = 'json:$.a'\nfields.b = { json = '$.b' }").1, [""; 0]);
    assert_eq!(read("fields.a = { from = '//s', json = '$.a' }\nfields.b = '//b'").1, [""; 0]);
}

#[test]
fn all_mistakes_of_a_field_are_told_at_once() {
    let (fields, found) = read(
        "fields.a = { xpath = 'p[', type = 'x', regex = '(', locale = 'y' }\nfields.b = { const = 1, all = true }",
    );
    assert_eq!((fields.len(), found.len()), (0, 5), "{found:?}");
    // A misspelt key hides no other mistake, and what it may have been is not missed.
    let (_, found) = read("fields.a = { xpat = 'p', type = 'x' }");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("unknown key") && found[1].contains("no type `x`"), "{found:?}");
}

#[test]
fn fields_of_the_command_line_have_types_and_languages() {
    let flag = |text: &str, mut reads: Option<Reads>| {
        let mut layers = Layers::new(Vec::new(), Vec::new());
        let written = Written { text: text.to_owned(), place: Place::Flag("field") };
        let field = parse_flag(&mut layers, &written, &Namespaces::new(), &mut reads);
        (field, layers.mistakes.iter().map(ToString::to_string).collect::<String>())
    };
    let (field, mistakes) = flag("links[]:url=.//a/@href", None);
    let Some(Field { shape: Shape::Value(value), .. }) = field else { panic!("{mistakes}") };
    assert!(value.many && value.recipe.kind.is_some_and(|kind| kind.name() == "url"));
    assert!(flag("a=json:$.a", Some(Reads::Json)).0.is_some());
    let (_, told) = flag("a=json:$.a", Some(Reads::Markup));
    assert!(
        told.starts_with("--field: this reads JSON") && told.contains("    a=json:$.a\n      ^"),
        "{told}"
    );
    let (_, told) = flag("a:float=json:$x", None);
    assert!(told.contains("\n    a:float=json:$x\n                  ^"), "{told}");
}
