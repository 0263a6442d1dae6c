//! The forms of a field that is a table, and the keys that go with each.

use crate::config::WrittenTable;

/// What a field that is a table is, and so which keys it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Value,
    Object,
    List,
    Constant,
    Meta,
    Carried,
}

impl Form {
    pub(super) fn of(table: &WrittenTable) -> Form {
        let has = |key| table.get(key).is_some();
        match () {
            () if has("const") => Form::Constant,
            () if has("meta") => Form::Meta,
            () if has("carry") => Form::Carried,
            () if has("each") => Form::List,
            () if has("fields") => Form::Object,
            () => Form::Value,
        }
    }

    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Form::Value => &[
                "xpath", "css", "json", "from", "all", "type", "locale", "format", "regex", "replace",
                "default", "required", "raw",
            ],
            Form::Object => &["fields", "xpath", "css", "json", "from", "required"],
            Form::List => &["each", "fields", "from", "required"],
            Form::Constant => &["const"],
            Form::Meta => &["meta", "required"],
            Form::Carried => &["carry", "default", "required"],
        }
    }

    /// In words, for mistakes.
    pub(super) fn name(self) -> &'static str {
        match self {
            Form::Value => "a value",
            Form::Object => "an object (`fields`)",
            Form::List => "a list of objects (`each`)",
            Form::Constant => "a constant (`const`)",
            Form::Meta => "a fact of the page (`meta`)",
            Form::Carried => "a value of an earlier page (`carry`)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FIELD_KEYS;

    #[test]
    fn every_key_goes_with_a_form_and_every_form_has_known_keys() {
        let forms = [Form::Value, Form::Object, Form::List, Form::Constant, Form::Meta, Form::Carried];
        let keys: Vec<&str> = forms.iter().flat_map(|form| form.keys()).copied().collect();
        assert!(FIELD_KEYS.iter().all(|key| keys.contains(key)));
        assert!(keys.iter().all(|key| FIELD_KEYS.contains(key)));
    }
}
