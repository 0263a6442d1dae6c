//! JSONPath as far as it is a plain path (RFC 9535, 2.3): names, indices and the wildcard, `$.items[*].name`,
//! `$['a b'][-1]`.

use serde_json::Value;

use crate::mistake::Slip;

/// A checked path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    source: String,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Name(String),
    Index(i64),
    All,
}

impl JsonPath {
    /// Checks `text`.
    ///
    /// # Errors
    ///
    /// What is wrong at which byte.
    pub fn parse(text: &str) -> Result<JsonPath, Slip> {
        let hint = "like `$.items[*].name`";
        let path = text.trim_end();
        let Some(mut rest) = path.strip_prefix('$') else {
            return Err(Slip::new(0, "a JSONPath begins with `$`").with_hint(format!("write `$.{path}`")));
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let at = path.len() - rest.len();
            let (step, length) = parse_step(rest)
                .map_err(|(offset, message)| Slip::new(at + offset, message).with_hint(hint))?;
            steps.push(step);
            rest = &rest[length..];
        }
        Ok(JsonPath { source: text.to_owned(), steps })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it finds in `value`, in the order of the document.
    pub fn select<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![value];
        for step in &self.steps {
            found = found.into_iter().flat_map(|value| step.select(value)).collect();
        }
        found
    }
}

fn parse_step(rest: &str) -> Result<(Step, usize), (usize, &'static str)> {
    if let Some(inner) = rest.strip_prefix('[') {
        let quote = inner.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        if let Some(quote) = quote {
            let end = inner[1..].find(quote).ok_or((1, "this quote is not closed"))?;
            let length = 1 + 1 + end + 1;
            return match rest[length..].starts_with(']') {
                true => Ok((Step::Name(inner[1..=end].to_owned()), length + 1)),
                false => Err((length, "`]` is missing")),
            };
        }
        let end = inner.find(']').ok_or((rest.len(), "`]` is missing"))?;
        let step = match inner[..end].trim() {
            "*" => Step::All,
            index => {
                Step::Index(index.parse().map_err(|_| (1, "neither an index, `*` nor a name in quotes"))?)
            }
        };
        return Ok((step, end + 2));
    }
    let Some(name) = rest.strip_prefix('.') else { return Err((0, "`.` or `[` is wanted here")) };
    if name.starts_with('*') {
        return Ok((Step::All, 2));
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || !c.is_ascii();
    let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
    if end == 0 || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err((1, "a name is wanted here"));
    }
    Ok((Step::Name(name[..end].to_owned()), 1 + end))
}

impl Step {
    fn select<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Step::Name(name), Value::Object(members)) => members.get(name).into_iter().collect(),
            (Step::Index(index), Value::Array(items)) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let index = if *index < 0 { index.saturating_add(length) } else { *index };
                usize::try_from(index).ok().and_then(|index| items.get(index)).into_iter().collect()
            }
            (Step::All, Value::Array(items)) => items.iter().collect(),
            (Step::All, Value::Object(members)) => members.values().collect(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_indices_and_wildcards_lead_to_values() {
        let value = serde_json::json!({"a": [{"b": 1}, {"b": 2}, {}], "x y": {"书": true}});
        let select = |path: &str| {
            let found = JsonPath::parse(path).unwrap();
            found.select(&value).into_iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(select("$.a[*].b"), ["1", "2"]);
        assert_eq!(select("$.a[-2].b"), ["2"]);
        assert_eq!(select("$['x y'].书"), ["true"]);
        assert_eq!(select("$[\"x y\"].*"), ["true"]);
        assert_eq!(select("$.a[9].b"), [""; 0]);
        assert_eq!(select("$.a.b"), [""; 0]);
        assert_eq!(select("$").len(), 1);
    }

    #[test]
    fn slips_are_told_at_their_place() {
        for (text, at) in [
            ("a", 0),
            ("$a", 1),
            ("$.", 2),
            ("$.a[", 4),
            ("$.a[x]", 4),
            ("$['a", 2),
            ("$..a", 2),
            ("$.a-b", 3),
        ] {
            assert_eq!(JsonPath::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
