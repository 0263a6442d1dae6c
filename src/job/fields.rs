//! Fields of a rule: from the keys as written to what they mean, with every mistake at its place.

use super::form::Form;
use super::layers::Layers;
use crate::config::{Literal, WrittenField, WrittenTable, WrittenValue};
use crate::extract::convert::{
    Locale, Pattern, Recipe, Type, check_format, check_replacement, parse_pattern,
};
use crate::extract::{
    Expression, Field, Finding, Language, Meta, Namespaces, Reads, Shape, ValueSpec, check_name, parse_field,
};
use crate::mistake::Slip;
use crate::spelling;
use crate::written::Written;

/// Reads a field of the command line. `reads` is what records are seen to be, as far as it is known.
pub(super) fn parse_flag(
    layers: &mut Layers,
    written: &Written,
    namespaces: &Namespaces,
    reads: &mut Option<Reads>,
) -> Option<Field> {
    let parsed = parse_field(&written.text).and_then(|spec| {
        let behind = |slip: Slip| Slip { at: slip.at + spec.expression_at, ..slip };
        let expression = Expression::parse(spec.expression, namespaces).map_err(behind)?;
        check_reads(&expression, reads).map_err(behind)?;
        let mut field = Field::text(spec.name, spec.many, expression);
        if let Shape::Value(value) = &mut field.shape {
            value.recipe.kind = spec.kind;
        }
        Ok(field)
    });
    parsed.map_err(|slip| layers.report(written, slip)).ok()
}

/// Reads the fields of the job file.
pub(super) struct FieldReader<'l> {
    pub(super) layers: &'l mut Layers,
    pub(super) namespaces: &'l Namespaces,
    /// Whether fields that do not say keep their white space.
    pub(super) raw: bool,
}

impl FieldReader<'_> {
    /// The fields of one object. `reads` is what it is seen from, as far as that is known; the first expression
    /// decides it otherwise.
    pub(super) fn read_all(&mut self, written: &[WrittenField], reads: &mut Option<Reads>) -> Vec<Field> {
        let mut fields = Vec::new();
        for (index, field) in written.iter().enumerate() {
            if written[..index].iter().any(|other| other.name.text == field.name.text) {
                let slip = Slip::new(0, "this field stands here twice, once with `[]`");
                self.report(
                    &field.name,
                    slip.with_hint("keep the one you want, or give one of them another name"),
                );
            }
            fields.extend(self.read(field, reads));
        }
        fields
    }

    pub(super) fn report(&mut self, written: &Written, slip: Slip) {
        self.layers.report(written, slip);
    }

    /// What is missing in a table may be what could not be read, which has been told.
    pub(super) fn report_missing(&mut self, written: &WrittenField, table: &WrittenTable, slip: Slip) {
        if !table.is_incomplete {
            self.report(&written.name, slip);
        }
    }

    fn read(&mut self, written: &WrittenField, reads: &mut Option<Reads>) -> Option<Field> {
        let name = &written.name.text;
        if let Err(slip) = check_name(name) {
            self.report(&written.name, slip);
        }
        let table = match &written.value {
            WrittenValue::Expression(text) => {
                let expression = self.expression(text, None, reads)?;
                let mut field = Field::text(name, written.all, expression);
                field.set_raw(self.raw);
                return Some(field);
            }
            WrittenValue::Table(table) => table,
        };
        let form = Form::of(table);
        let mut is_well_formed = true;
        for (key, place) in table.keys.iter().filter(|(key, _)| !form.keys().contains(key)) {
            let allowed = form.keys().join(", ");
            let slip = Slip::new(0, format!("`{key}` does not go with {}", form.name()));
            self.report(place, slip.with_hint(format!("it may have {allowed}")));
            is_well_formed = false;
        }
        if written.all && form != Form::Value {
            let hint = "a list of objects has `each`, and no `[]` behind its name";
            let slip = Slip::new(0, format!("`[]` does not go with {}", form.name())).with_hint(hint);
            self.report(&written.name, slip);
        }
        let shape = match form {
            Form::Constant => table.constant.clone().map(|Literal(value)| Shape::Constant(value)),
            Form::Meta => table.get("meta").and_then(|meta| self.meta(meta)),
            Form::Carried => table.get("carry").map(|carry| Shape::Carried {
                name: carry.text.clone(),
                default: table.default.clone().map(|Literal(value)| value),
            }),
            Form::List => self.list(written, table, reads),
            Form::Object => self.object(written, table, reads),
            Form::Value => self.value(written, table, reads).map(Shape::Value),
        };
        let required = table.is_on("required").unwrap_or(false);
        shape.filter(|_| is_well_formed).map(|shape| Field { name: name.clone(), required, shape })
    }

    fn meta(&mut self, written: &Written) -> Option<Shape> {
        let wanted = written.text.trim_start_matches('_');
        let found = Meta::ALL.into_iter().find(|meta| meta.name() == wanted);
        if found.is_none() {
            let names = Meta::ALL.map(Meta::name);
            let hint = match names.into_iter().find(|name| spelling::nearest(wanted, [*name]).is_some()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("known are {}", names.join(", ")),
            };
            self.report(written, Slip::new(0, "there is no such fact of a page").with_hint(hint));
        }
        found.map(Shape::Meta)
    }

    fn list(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<Shape> {
        let from = self.from(table, reads).ok()?;
        let mut inside = from.as_ref().map_or(*reads, |_| None);
        let each = table.get("each").and_then(|each| {
            let expression = self.expression(each, None, &mut inside)?;
            self.check_chain(table, from.as_ref(), &expression, each)?;
            self.check_places(&expression, "each", each).then_some(expression)
        });
        if from.is_none() {
            *reads = inside;
        }
        let fields = self.members(written, table, &mut each.as_ref().map(Expression::reads))?;
        Some(Shape::List { each: Finding { from, expression: each? }, fields })
    }

    fn object(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<Shape> {
        let has_place = Language::ALL.iter().any(|language| table.get(language.name()).is_some());
        if !has_place && table.get("from").is_none() {
            let fields = self.members(written, table, reads)?;
            return Some(Shape::Object { at: None, fields });
        }
        let at = self.finding(written, table, reads);
        if let (Some(at), Some((_, text))) = (&at, language_key(table)) {
            self.check_places(&at.expression, "the place of an object", text);
        }
        let fields = self.members(written, table, &mut at.as_ref().map(|at| at.expression.reads()))?;
        Some(Shape::Object { at: Some(at?), fields })
    }

    fn members(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<Vec<Field>> {
        let fields = self.read_all(&table.fields, reads);
        if table.fields.is_empty() {
            let hint = "like fields = { name = './a', link = './a/@href' }";
            let slip = Slip::new(0, "this object has no `fields`").with_hint(hint);
            self.report_missing(written, table, slip);
            return None;
        }
        Some(fields)
    }

    fn value(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<ValueSpec> {
        // Everything is looked at before anything is given up, so that all mistakes are told at once.
        let at = self.finding(written, table, reads);
        let kind = self.key(table, "type", Type::parse);
        let locale = self.key(table, "locale", Locale::parse);
        let format = self.key(table, "format", |format| check_format(format).map(|()| format.to_owned()));
        let regex = self.key(table, "regex", parse_pattern);
        let replace = self.replace(table);
        let known = kind.ok();
        if let Some(kind) = known {
            self.check_use(table, "locale", kind, &[Type::Int, Type::Float, Type::Date]);
            self.check_use(table, "format", kind, &[Type::Date]);
            self.check_default(table, kind);
        }
        let recipe = Recipe {
            raw: table.is_on("raw").unwrap_or(self.raw),
            regex: regex.ok()?,
            replace,
            kind: known?,
            locale: locale.ok()?,
            format: format.ok()?,
        };
        let many = written.all || table.is_on("all").unwrap_or(false);
        let default = table.default.clone().map(|Literal(value)| value);
        Some(ValueSpec { at: at?, many, recipe, default })
    }

    pub(super) fn replace(&mut self, table: &WrittenTable) -> Vec<(Pattern, String)> {
        let replace = table.replace.iter().filter_map(|(pattern, replacement)| {
            let pattern =
                parse_pattern(&pattern.text).map_err(|slip| self.layers.report(pattern, slip)).ok()?;
            check_replacement(&pattern, &replacement.text)
                .map_err(|slip| self.layers.report(replacement, slip))
                .ok()?;
            Some((pattern, replacement.text.clone()))
        });
        replace.collect()
    }

    /// What is written under a key, read by `parse`; an error if that failed and was reported.
    pub(super) fn key<T>(
        &mut self,
        table: &WrittenTable,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Slip>,
    ) -> Result<Option<T>, ()> {
        let Some(written) = table.get(key) else { return Ok(None) };
        parse(&written.text).map(Some).map_err(|slip| self.report(written, slip))
    }

    /// A key that says how a type is read does nothing for others.
    fn check_use(&mut self, table: &WrittenTable, key: &str, kind: Option<Type>, types: &[Type]) {
        let Some(written) = table.get(key) else { return };
        if kind.is_some_and(|kind| types.contains(&kind)) {
            return;
        }
        let names: Vec<String> = types.iter().map(|kind| format!("type = \"{}\"", kind.name())).collect();
        let slip = Slip::new(0, format!("`{key}` does nothing for this type"));
        self.report(written, slip.with_hint(format!("it goes with {}", names.join(", "))));
    }

    fn check_default(&mut self, table: &WrittenTable, kind: Option<Type>) {
        let (Some(written), Some(Literal(value))) = (table.get("default"), &table.default) else { return };
        let (fits, wanted) = match kind {
            None | Some(Type::Json) => (true, ""),
            Some(Type::Int) => (value.is_i64(), "a whole number"),
            Some(Type::Float) => (value.is_number(), "a number"),
            Some(Type::Bool) => (value.is_boolean(), "true or false"),
            Some(Type::String | Type::Date | Type::Url | Type::Html) => (value.is_string(), "a string"),
        };
        if let (false, Some(kind)) = (fits, kind) {
            let message = format!("{value} is no default for the type `{}`", kind.name());
            let written = Written { text: value.to_string(), place: written.place.clone() };
            self.report(&written, Slip::new(0, message).with_hint(format!("{wanted} is wanted here")));
        }
    }

    /// `from`, and the expression of the field.
    pub(super) fn finding(
        &mut self,
        written: &WrittenField,
        table: &WrittenTable,
        reads: &mut Option<Reads>,
    ) -> Option<Finding> {
        let from = self.from(table, reads);
        let mut keys =
            Language::ALL.into_iter().filter_map(|language| Some((language, table.get(language.name())?)));
        let (first, second) = (keys.next(), keys.next());
        if let (Some((first, _)), Some((second, text))) = (first, second) {
            let message = format!("`{}` besides `{}`: a field has one of them", second.name(), first.name());
            self.report(text, Slip::new(0, message));
            return None;
        }
        let Some((language, text)) = first else {
            let slip = match table.get("from") {
                Some(_) => Slip::new(0, "`from` says where to look, and nothing what for")
                    .with_hint("like { from = '//script', json = '$.offers.price' }"),
                None => Slip::new(0, "this field has no expression")
                    .with_hint("like { xpath = './h3/text()' }; or json, css, fields, each, const, meta"),
            };
            self.report_missing(written, table, slip);
            return None;
        };
        let from = from.ok()?;
        let mut inside = from.as_ref().map_or(*reads, |_| None);
        let expression = self.expression(text, Some(language), &mut inside)?;
        self.check_chain(table, from.as_ref(), &expression, text)?;
        if from.is_none() {
            *reads = inside;
        }
        Some(Finding { from, expression })
    }

    /// An error after a mistake, which was reported.
    fn from(&mut self, table: &WrittenTable, reads: &mut Option<Reads>) -> Result<Option<Expression>, ()> {
        let Some(text) = table.get("from") else { return Ok(None) };
        self.expression(text, None, reads).map(Some).ok_or(())
    }

    /// Whether the expression can be evaluated on what `from` finds.
    fn check_chain(
        &mut self,
        table: &WrittenTable,
        from: Option<&Expression>,
        expression: &Expression,
        text: &Written,
    ) -> Option<()> {
        let Some(from) = from else { return Some(()) };
        if expression.reads() == Reads::Json {
            return Some(());
        }
        if from.reads() == Reads::Json {
            let slip = Slip::new(0, "this reads markup, and `from` finds JSON");
            self.report(text, slip.with_hint("write json = '$.name'"));
            return None;
        }
        let written = table.get("from").unwrap_or(text);
        self.check_places(from, "from", written).then_some(())
    }

    pub(super) fn check_places(&mut self, expression: &Expression, role: &str, written: &Written) -> bool {
        expression.check_places(role).map_err(|slip| self.report(written, slip)).is_ok()
    }

    /// An expression that is seen from what `reads` says.
    pub(super) fn expression(
        &mut self,
        written: &Written,
        language: Option<Language>,
        reads: &mut Option<Reads>,
    ) -> Option<Expression> {
        let parsed = match language {
            Some(language) => Expression::parse_as(language, &written.text, self.namespaces),
            None => Expression::parse(&written.text, self.namespaces),
        };
        parsed
            .and_then(|expression| check_reads(&expression, reads).map(|()| expression))
            .map_err(|slip| self.report(written, slip))
            .ok()
    }
}

/// The expression of a table and its key.
pub(super) fn language_key(table: &WrittenTable) -> Option<(&'static str, &Written)> {
    table
        .keys
        .iter()
        .find(|(key, _)| Language::ALL.iter().any(|language| language.name() == *key))
        .map(|(key, written)| (*key, written))
}

/// Whether an expression can be evaluated on what the record is. The first one decides where nothing did.
fn check_reads(expression: &Expression, reads: &mut Option<Reads>) -> Result<(), Slip> {
    match (*reads.get_or_insert(expression.reads()), expression.reads()) {
        (Reads::Markup, Reads::Json) => Err(Slip::new(0, "this reads JSON, and the record is markup")
            .with_hint("say where the JSON stands: { from = '//script[@type=\"application/ld+json\"]', json = '..' }")),
        (Reads::Json, Reads::Markup) => Err(Slip::new(0, "this reads markup, and the record is JSON")
            .with_hint("write `json:$.name`")),
        _ => Ok(()),
    }
}
