//! Text of a page or of a `<script>` ─▶ the JSON in it.
//!
//! What stands around the JSON is taken off: a byte order mark, the prefixes that keep other sites from running it as a
//! script (`)]}',`, `while(1);`, `for(;;);`), HTML comments (`<!-- -->`) and `<![CDATA[ ]]>`, a call
//! (`callback({...});`), an assignment (`window.__DATA__ = {...};`). Of such a text the first balanced `{...}` or `[...]` that is JSON is taken; what comes
//! after it is not looked at. A script's own notation (`{a: 1}`) is not JSON. Knows nothing of documents.

use serde_json::Value;

/// How much all the beginnings that turn out wrong may cost together, as a multiple of the text.
const MAX_WORK: usize = 8;

/// No JSON in a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// There is nothing but white space.
    #[error("the page is empty")]
    Empty,
    /// Neither JSON as a whole nor JSON within something.
    #[error("{reason} at line {line}, column {column}")]
    Syntax {
        /// What is wrong: lower case, no full stop.
        reason: String,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// Arrays and objects inside each other beyond 127 levels, which is where serde_json stops.
    #[error("the JSON is nested deeper than 127 levels")]
    TooDeep,
}

/// The JSON of `text`.
///
/// # Errors
///
/// There is none, or it is nested too deep. Line and column are those of the trimmed text as a whole.
pub fn parse_page(text: &str) -> Result<Value, JsonError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(JsonError::Empty);
    }
    let whole = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if is_too_deep(&whole) {
        return Err(JsonError::TooDeep);
    }
    if let Some(values) = read_lines(text) {
        return Ok(values);
    }
    // What begins like JSON is JSON with a mistake, or JSON and something after it.
    let start = start_of_code(text);
    match first_value(text, start) {
        Some(found) => found,
        None => Err(syntax(&whole)),
    }
}

/// JSON Lines: several objects or arrays, one after the other and nothing else, as the list of them. Taking the first
/// one alone would lose the others without a word.
fn read_lines(text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let values: Vec<Value> = values.collect::<Result<_, _>>().ok()?;
    let are_lines = values.len() > 1 && values.iter().all(|value| value.is_object() || value.is_array());
    are_lines.then_some(Value::Array(values))
}

/// What code begins with that is none of it.
const PREFIXES: [&str; 14] = [
    ")]}',",
    ")]}'",
    ")]}",
    "while(1);",
    "while (1);",
    "for(;;);",
    "for (;;);",
    "<!--",
    "//<!--",
    "<![CDATA[",
    "//<![CDATA[",
    "// <![CDATA[",
    "/*<![CDATA[*/",
    "/* <![CDATA[ */",
];

/// Where the text goes on after prefixes and an opening comment.
fn start_of_code(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        match PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
            Some(after) => rest = after,
            None => return text.len() - rest.len(),
        }
    }
}

/// The first value from `start` on: an array or object where code has one, after `=`, `(`, `,` or `return`. So
/// `["x"]` in `window["x"] = {...}` is none, nor is what stands inside a script's own `{a: [1]}`.
///
/// An empty one is taken only if no other follows: `var a = [], b = {"x": 1}`.
fn first_value(text: &str, start: usize) -> Option<Result<Value, JsonError>> {
    let mut empty = None;
    let mut at = start;
    let mut work = 0;
    while let Some(found) = text[at..].find(['{', '[']) {
        at += found;
        let before = text[start..at].trim_end();
        if before.is_empty() || before.ends_with(['=', '(', ',']) || before.ends_with("return") {
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) if is_empty(&value) => empty = empty.or(Some(value)),
                Some(Ok(value)) => return Some(Ok(value)),
                Some(Err(error)) if is_too_deep(&error) => return Some(Err(JsonError::TooDeep)),
                // JSON with a mistake: nothing inside it is what was meant.
                Some(Err(_)) if before.is_empty() => return None,
                Some(Err(error)) => work += bytes_until(&text[at..], &error),
                None => {}
            }
            if work > MAX_WORK * text.len() {
                break;
            }
        }
        at += 1;
    }
    empty.map(Ok)
}

/// How much of a text was read up to an error.
fn bytes_until(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// serde_json tells its kinds of errors by their text only.
fn is_too_deep(error: &serde_json::Error) -> bool {
    error.to_string().starts_with("recursion limit exceeded")
}

fn syntax(error: &serde_json::Error) -> JsonError {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
    JsonError::Syntax { reason: reason.to_owned(), line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_alone_is_read_with_the_order_of_its_members() {
        let page = parse_page("\u{feff} {\"z\": 1, \"a\": [true, null]}\n").unwrap();
        assert_eq!(page.to_string(), r#"{"z":1,"a":[true,null]}"#);
        assert_eq!(parse_page("\"x\"").unwrap(), json!("x"));
        assert_eq!(parse_page("-1.5").unwrap(), json!(-1.5));
    }

    #[test]
    fn numbers_are_written_as_they_came() {
        let numbers = "[49.90,0.1,1e400]";
        assert!(matches!(parse_page(numbers), Err(JsonError::Syntax { .. })));
        let numbers =
            "[18446744073709551615,-9223372036854775808,0.1,122.416294033786585,1.7976931348623157e+308,1.0]";
        assert_eq!(
            parse_page(numbers).unwrap().to_string(),
            numbers.replace("122.416294033786585", "122.41629403378658")
        );
    }

    #[test]
    fn what_stands_around_json_is_taken_off() {
        for text in [
            ")]}',\n{\"a\": [1]}",
            ")]}'\n{\"a\": [1]}",
            "while(1);{\"a\": [1]}",
            "for (;;); {\"a\": [1]}",
            "callback({\"a\": [1]});",
            "/**/ my.cb_1 ( {\"a\": [1]} )",
            "<!-- {\"a\": [1]} -->",
            "<![CDATA[ {\"a\": [1]} ]]>",
            "//<![CDATA[\n{\"a\": [1]}\n//]]>",
            "/* <![CDATA[ */ var x = {\"a\": [1]}; /* ]]> */",
            "<!--\nwindow.x = {\"a\": [1]};\n//-->",
            "window.__DATA__ = {\"a\": [1]};",
            "window[\"__DATA__\"] = {\"a\": [1]}; window.y = {\"b\": 2}",
            "window.__DATA__={\"a\": [1]};(function(){var s;}());",
            "(function(){ var x = {a: 1}, y = [], z = {}; var d = {\"a\": [1]}; })()",
            "function f() { return {\"a\": [1]} }",
        ] {
            assert_eq!(parse_page(text), Ok(json!({"a": [1]})), "{text}");
        }
        assert_eq!(parse_page("x = {\"a\": \"}]);\"};"), Ok(json!({"a": "}]);"})));
        assert_eq!(parse_page("x = [];"), Ok(json!([])));
    }

    #[test]
    fn json_with_a_mistake_is_an_error_and_nothing_inside_it_is_taken() {
        let error = parse_page("{\"a\": [1],\n b: 2}").unwrap_err();
        assert_eq!(error.to_string(), "key must be a string at line 2, column 2");
        assert!(parse_page("x = {a: [1], b: {\"c\": 2}}").is_err());
        assert!(parse_page("<html><p>no [1] json</p></html>").is_err());
        assert_eq!(parse_page(" \n"), Err(JsonError::Empty));
        assert!(parse_page("[1, 2").unwrap_err().to_string().starts_with("EOF while parsing a list"));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_page(&nested(127)).is_ok());
        assert_eq!(parse_page(&nested(100_000)), Err(JsonError::TooDeep));
        assert_eq!(parse_page(&format!("x = {}", nested(128))), Err(JsonError::TooDeep));
    }

    #[test]
    fn many_wrong_beginnings_are_given_up() {
        assert!(parse_page(&"=[1,".repeat(300_000)).is_err());
        assert!(parse_page(&"=[]".repeat(100_000)).is_ok());
        assert!(parse_page(&"=[\"".repeat(200_001)).is_err());
    }

    #[test]
    fn json_lines_are_the_list_of_their_values() {
        let lines = parse_page("{\"a\":1}\n{\"a\":2}\r\n\n{\"a\":3}\n").unwrap();
        assert_eq!(lines.to_string(), "[{\"a\":1},{\"a\":2},{\"a\":3}]");
        // A mistake in one of them makes it something else.
        assert_eq!(parse_page("{\"a\":1}\n{\"a\":2} x").unwrap().to_string(), "{\"a\":1}");
    }
}
