//! The fields of a rule as written: an expression, or a table that says more.

use serde_json::Value;
use toml::Spanned;
use toml::de::DeValue;

use super::{Entry, Reader, article};
use crate::extract::DEEPEST_FIELDS;
use crate::written::Written;

/// The keys of a field that is a table.
pub const FIELD_KEYS: [&str; 18] = [
    "xpath", "css", "json", "from", "each", "all", "type", "locale", "format", "regex", "replace", "default",
    "required", "raw", "fields", "const", "meta", "carry",
];

/// The keys of an entry of `follow` that is a table.
pub const FOLLOW_KEYS: [&str; 10] =
    ["xpath", "css", "json", "from", "each", "regex", "replace", "to", "priority", "carry"];

/// One field of a rule.
#[derive(Debug)]
pub struct WrittenField {
    /// Its name without `[]`, and where it stands.
    pub name: Written,
    /// Whether `[]` stood behind its name.
    pub all: bool,
    /// What it is.
    pub value: WrittenValue,
}

/// What stands behind the name of a field.
#[derive(Debug)]
pub enum WrittenValue {
    /// An expression.
    Expression(Written),
    /// More than that.
    Table(WrittenTable),
}

/// A field that is a table. Which keys go together is not decided here.
#[derive(Debug, Default)]
pub struct WrittenTable {
    /// The keys that are there, in their order, each with its place.
    pub keys: Vec<(&'static str, Written)>,
    /// `default`.
    pub default: Option<Literal>,
    /// `const`.
    pub constant: Option<Literal>,
    /// `replace`: patterns and what stands for them.
    pub replace: Vec<(Written, Written)>,
    /// `fields`, or what an entry of `follow` has under `carry`, in their order.
    pub fields: Vec<WrittenField>,
    /// Some of it could not be read: what seems to be missing may be there, misspelt.
    pub is_incomplete: bool,
}

/// A value that goes into records as it is: a string, a number or a boolean.
#[derive(Debug, Clone, PartialEq)]
pub struct Literal(pub Value);

impl WrittenTable {
    /// What is written under a key; of tables and lists only the place means something.
    pub fn get(&self, key: &str) -> Option<&Written> {
        self.keys.iter().find(|(known, _)| *known == key).map(|(_, written)| written)
    }

    /// Whether a key that is `true` or `false` is true.
    pub fn is_on(&self, key: &str) -> Option<bool> {
        self.get(key).map(|written| written.text == "true")
    }
}

impl Reader<'_> {
    /// The fields in a table of names; `depth` is 1 for those of a rule.
    pub(super) fn fields(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        depth: usize,
    ) -> Vec<WrittenField> {
        if depth > DEEPEST_FIELDS {
            let message = format!("more than {DEEPEST_FIELDS} objects inside each other");
            self.mistake_at(value.span().start, key, message, None);
            return Vec::new();
        }
        let entries = self.entries(key, "fields.title = './h3/text()'", value);
        entries.into_iter().filter_map(|entry| self.field(key, entry, depth)).collect()
    }

    /// `title = "XPATH"`, `"tags[]" = "XPATH"` or `title = { xpath = "..", all = true }`.
    fn field(&mut self, key: &str, (name, value): Entry<'_>, depth: usize) -> Option<WrittenField> {
        let key = format!("{key}.{}", name.get_ref());
        let at = name.span().start;
        let (name, all) = match name.get_ref().strip_suffix("[]") {
            Some(name) => (name, true),
            None => (&**name.get_ref(), false),
        };
        let name = Written { text: name.to_owned(), place: self.place(at, &key) };
        let Some(table) = value.get_ref().as_table() else {
            let value = WrittenValue::Expression(self.scalar(&key, value)?);
            return Some(WrittenField { name, all, value });
        };
        let mut written = WrittenTable::default();
        let before = self.mistakes.len();
        for entry in table {
            self.field_key(&key, entry, depth, &mut written);
        }
        written.is_incomplete = self.mistakes.len() > before;
        Some(WrittenField { name, all, value: WrittenValue::Table(written) })
    }

    /// `follow = ["XPATH", { xpath = "..", to = "book" }]`; a single entry stands for itself. They come as fields that
    /// are all called `follow`.
    pub(super) fn follow(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<WrittenField> {
        let items: Vec<_> = match value.get_ref().as_array() {
            Some(items) => items.iter().collect(),
            None => vec![value],
        };
        items.into_iter().filter_map(|item| self.follow_entry(key, item)).collect()
    }

    fn follow_entry(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<WrittenField> {
        let name = Written { text: "follow".to_owned(), place: self.place(value.span().start, key) };
        let Some(table) = value.get_ref().as_table() else {
            let value = WrittenValue::Expression(self.string(key, value)?);
            return Some(WrittenField { name, all: true, value });
        };
        let mut written = WrittenTable::default();
        let before = self.mistakes.len();
        for (name, value) in table {
            match FOLLOW_KEYS.into_iter().find(|known| known == name.get_ref()) {
                None => {
                    self.unknown_key(name.span().start, &format!("{key}.{}", name.get_ref()), FOLLOW_KEYS);
                }
                Some(known @ "carry") => {
                    let key = format!("{key}.{known}");
                    let place = self.place(value.span().start, &key);
                    written.keys.push((known, Written { text: String::new(), place }));
                    written.fields = self.fields(&key, value, 1);
                }
                Some(known @ "priority") => {
                    let priority = self.scalar(&format!("{key}.{known}"), value);
                    written.keys.extend(priority.map(|priority| (known, priority)));
                }
                Some(known @ "to") => {
                    let to = self.string(&format!("{key}.{known}"), value);
                    written.keys.extend(to.map(|to| (known, to)));
                }
                Some(_) => self.field_key(key, (name, value), 1, &mut written),
            }
        }
        written.is_incomplete = self.mistakes.len() > before;
        Some(WrittenField { name, all: true, value: WrittenValue::Table(written) })
    }

    fn string(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Written> {
        match value.get_ref() {
            DeValue::String(_) => self.scalar(key, value),
            other => {
                let message = format!("a string is wanted here, not {}", article(other.type_str()));
                self.mistake_at(value.span().start, key, message, None);
                None
            }
        }
    }

    fn field_key(&mut self, key: &str, (name, value): Entry<'_>, depth: usize, written: &mut WrittenTable) {
        let key = format!("{key}.{}", name.get_ref());
        let Some(known) = FIELD_KEYS.into_iter().find(|known| known == name.get_ref()) else {
            self.unknown_key(name.span().start, &key, FIELD_KEYS);
            return;
        };
        let at = value.span().start;
        let place = || Written { text: String::new(), place: self.place(at, &key) };
        let text = match known {
            "all" | "required" | "raw" => match value.get_ref().as_bool() {
                Some(truth) => Some(Written { text: truth.to_string(), place: self.place(at, &key) }),
                None => {
                    self.mistake_at(at, &key, "true or false is wanted here", None);
                    None
                }
            },
            "default" | "const" => {
                let found = Some(place());
                let literal = self.literal(&key, value);
                let slot = if known == "const" { &mut written.constant } else { &mut written.default };
                *slot = literal;
                found
            }
            "replace" => {
                let found = Some(place());
                written.replace = self.pairs(&key, value);
                found
            }
            "fields" => {
                let found = Some(place());
                written.fields = self.fields(&key, value, depth + 1);
                found
            }
            _ => self.string(&key, value),
        };
        written.keys.extend(text.map(|text| (known, text)));
    }

    fn literal(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Literal> {
        let literal = match value.get_ref() {
            DeValue::String(text) => Some(Value::from(text.to_string())),
            DeValue::Boolean(truth) => Some(Value::from(*truth)),
            DeValue::Integer(number) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
            }
            DeValue::Float(number) => {
                number.as_str().parse().ok().and_then(serde_json::Number::from_f64).map(Value::Number)
            }
            _ => None,
        };
        if literal.is_none() {
            let kind = article(value.get_ref().type_str());
            let message =
                format!("a string, a number or a boolean is wanted here, not this {}", &kind[2..].trim());
            self.mistake_at(value.span().start, key, message, None);
        }
        literal.map(Literal)
    }

    /// `[["pattern", "replacement"], ..]`; a single pair stands for itself.
    fn pairs(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Vec<(Written, Written)> {
        let items = value.get_ref().as_array();
        let is_pair = items.is_some_and(|items| items.iter().any(|item| item.get_ref().as_str().is_some()));
        let pairs: Vec<&Spanned<DeValue<'_>>> = match items {
            Some(items) if !is_pair => items.iter().collect(),
            _ => vec![value],
        };
        let mut read = Vec::new();
        for pair in pairs {
            let texts = pair.get_ref().as_array().map(|texts| texts.iter().collect::<Vec<_>>());
            match texts.as_deref() {
                Some(&[from, to]) if from.get_ref().as_str().is_some() && to.get_ref().as_str().is_some() => {
                    read.extend(self.scalar(key, from).zip(self.scalar(key, to)));
                }
                _ => {
                    let hint = "like replace = [[',', '.'], ['EUR', '']]".to_owned();
                    let message = "a pair of a pattern and what stands for it is wanted here";
                    self.mistake_at(pair.span().start, key, message, Some(hint));
                }
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::super::{JobFile, parse};
    use super::*;

    fn read(fields: &str) -> (JobFile, Vec<String>) {
        let (file, mistakes) = parse("job.toml", &format!("[extract.a]\n{fields}\n"));
        (file, mistakes.iter().map(ToString::to_string).collect())
    }

    fn table(fields: &str) -> WrittenTable {
        let (mut file, mistakes) = read(fields);
        assert_eq!(mistakes, [""; 0]);
        match file.rules.remove(0).fields.remove(0).value {
            WrittenValue::Table(table) => table,
            WrittenValue::Expression(_) => panic!("not a table"),
        }
    }

    #[test]
    fn a_table_comes_key_by_key_with_its_places() {
        let table =
            table("fields.p = { css = 'p', all = true, replace = [['a', 'b'], ['c', '']], default = 0x10 }");
        assert_eq!(table.get("css").unwrap().place.to_string(), "job.toml:2:20: extract.a.fields.p.css");
        assert_eq!((table.is_on("all"), table.is_on("raw")), (Some(true), None));
        let pairs: Vec<_> = table.replace.iter().map(|(a, b)| (a.text.as_str(), b.text.as_str())).collect();
        assert_eq!(pairs, [("a", "b"), ("c", "")]);
        assert_eq!(table.default, Some(Literal(16.into())));
        assert!(table.get("default").is_some() && table.get("const").is_none());
    }

    #[test]
    fn entries_of_follow_come_one_by_one_with_their_places() {
        let (file, mistakes) =
            read("follow = ['//a', { css = 'a', to = 'b', priority = 3, carry = { s = '//h2' } }]");
        assert_eq!(mistakes, [""; 0]);
        let [plain, table] = &file.rules[0].follow[..] else { panic!("two entries") };
        assert_eq!(plain.name.place.to_string(), "job.toml:2:11: extract.a.follow");
        assert!(matches!(&plain.value, WrittenValue::Expression(text) if text.text == "//a"));
        let WrittenValue::Table(table) = &table.value else { panic!("a table") };
        assert_eq!((&*table.get("to").unwrap().text, &*table.get("priority").unwrap().text), ("b", "3"));
        assert_eq!(table.fields[0].name.place.to_string(), "job.toml:2:65: extract.a.follow.carry.s");
        assert_eq!(read("follow = '//a'").0.rules[0].follow.len(), 1);
        assert_eq!(
            read("[[extract.a.follow]]\nxpath = '//a'\n[[extract.a.follow]]\ncss = 'a'").0.rules[0]
                .follow
                .len(),
            2
        );
    }

    #[test]
    fn one_pair_stands_for_itself_and_literals_keep_their_kind() {
        assert_eq!(table("fields.p = { xpath = 'p', replace = ['a', 'b'] }").replace.len(), 1);
        for (literal, value) in
            [("'x'", Value::from("x")), ("true", true.into()), ("-1", (-1).into()), ("1.5", 1.5.into())]
        {
            assert_eq!(table(&format!("fields.p.const = {literal}")).constant, Some(Literal(value)));
        }
    }

    #[test]
    fn fields_stand_inside_of_fields() {
        let table =
            table("[extract.a.fields.r]\neach = 'li'\nfields.s = './@s'\nfields.'t[]' = { xpath = 't' }");
        let names: Vec<_> = table.fields.iter().map(|field| (field.name.text.as_str(), field.all)).collect();
        assert_eq!(names, [("s", false), ("t", true)]);
        assert_eq!(table.fields[0].name.place.to_string(), "job.toml:4:8: extract.a.fields.r.fields.s");
    }

    #[test]
    fn wrong_keys_and_kinds_are_told_at_their_place() {
        let (_, found) = read(
            "fields.a = { xpath = 1 }\nfields.b = { requird = true }\nfields.c = { all = 'yes' }\n\
             fields.d = { default = [1] }\nfields.e = { const = inf }\nfields.f = { replace = [['a']] }\n\
             fields.g = { fields = 'x' }\nfields.h = 1979-05-27",
        );
        for (mistake, wanted) in found.iter().zip([
            "job.toml:2:22: extract.a.fields.a.xpath: a string is wanted here, not an integer",
            "job.toml:3:14: extract.a.fields.b.requird: unknown key",
            "job.toml:4:20: extract.a.fields.c.all: true or false is wanted here",
            "job.toml:5:24: extract.a.fields.d.default: a string, a number or a boolean is wanted here",
            "job.toml:6:22: extract.a.fields.e.const: a string, a number or a boolean is wanted here",
            "job.toml:7:25: extract.a.fields.f.replace: a pair of a pattern",
            "job.toml:8:23: extract.a.fields.g.fields: this is a table of names",
            "job.toml:9:12: extract.a.fields.h: one value is wanted here",
        ]) {
            assert!(mistake.starts_with(wanted), "{mistake}");
        }
        assert_eq!(found.len(), 8);
        assert!(found[1].contains("did you mean `required`?"));
    }

    #[test]
    fn objects_inside_of_objects_have_an_end() {
        let nest = |depth: usize| format!("fields.{}x = '.'", "a.fields.".repeat(depth - 1));
        assert_eq!(read(&nest(8)).1, [""; 0]);
        let found = read(&nest(9)).1;
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("more than 8 objects inside each other"), "{found:?}");
    }
}
