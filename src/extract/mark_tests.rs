//! Facts about [`super::Marker`].

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::field::Finding;
use super::super::{Expression, Namespaces};
use super::*;

fn text(name: &str) -> Field {
    Field::text(name, false, Expression::parse("//a", &Namespaces::new()).unwrap())
}

fn object(name: &str, fields: Vec<Field>) -> Field {
    Field { name: name.into(), required: false, shape: Shape::Object { at: None, fields } }
}

fn list(name: &str, fields: Vec<Field>) -> Field {
    let each = Finding { from: None, expression: Expression::parse("//a", &Namespaces::new()).unwrap() };
    Field { name: name.into(), required: false, shape: Shape::List { each, fields } }
}

fn meta(name: &str) -> Field {
    Field { name: name.into(), required: false, shape: Shape::Meta(Meta::FetchedAt) }
}

fn marker(rule: &str, key: &[&str], fields: Vec<Field>, with_meta: bool) -> Marker {
    let key = key.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
    Marker::new(&Rule { name: rule.into(), fields, key, ..Rule::default() }, with_meta)
}

fn mark_of(marker: &Marker, record: &Value) -> Mark {
    marker.mark(format!("{record}\n").as_bytes())
}

/// The mark of a record with the fields `a`, `b` and `author.name`, by this key.
fn by(key: &[&str], record: &Value) -> Mark {
    let fields = vec![text("a"), text("b"), object("author", vec![text("name"), text("age")])];
    mark_of(&marker("r", key, fields, false), record)
}

#[test]
fn a_key_tells_types_apart_but_not_what_else_the_record_says() {
    let key = |record| by(&["a"], &record).key.unwrap();
    assert_eq!(key(json!({"a": 1, "b": 2})), key(json!({"a": 1, "b": 3})));
    let others = [json!("1"), json!(1.5), json!(true), json!(["1"]), json!([1]), json!("true"), json!({})];
    let mut keys: Vec<u128> = others.into_iter().map(|value| key(json!({ "a": value }))).collect();
    keys.push(key(json!({"a": 1})));
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 8);
}

#[test]
fn a_key_of_two_fields_is_the_same_in_any_order_and_does_not_run_together() {
    let key = |key: &[&str], a: &str, b: &str| by(key, &json!({"a": a, "b": b})).key.unwrap();
    assert_eq!(key(&["a", "b"], "x", "y"), key(&["b", "a"], "x", "y"));
    assert_ne!(key(&["a", "b"], "x", "y"), key(&["a", "b"], "y", "x"));
    assert_ne!(key(&["a", "b"], "x", "\",\"y"), key(&["a", "b"], "x\",\"", "y"));
    assert_ne!(key(&["a"], "x", "y"), key(&["b"], "y", "x"));
}

#[test]
fn the_same_key_of_another_rule_is_another_key() {
    let of = |rule, key: &[&str]| mark_of(&marker(rule, key, vec![text("a")], false), &json!({"a": 1})).key;
    assert_ne!(of("r", &["a"]), of("s", &["a"]));
    assert_ne!(of("r", &[]), of("s", &[]));
}

#[test]
fn a_record_without_any_value_in_its_key_has_none() {
    for empty in [json!(null), json!(""), json!([])] {
        assert_eq!(by(&["a"], &json!({ "a": empty })).key, None);
    }
    assert_eq!(by(&["a"], &json!({"b": 1})).key, None);
    assert_eq!(by(&["author.name"], &json!({"author": null})).key, None);
    assert!(by(&["a", "b"], &json!({"a": null, "b": 0})).key.is_some());
}

#[test]
fn a_key_inside_of_an_object_is_found_and_told_with_the_object_around_it() {
    let record = json!({"a": "}\"{", "author": {"name": "N, \"x\"", "age": 3}, "b": [{"name": 1}]});
    assert_eq!(by(&["author.name"], &record).key_json, r#""author":{"name":"N, \"x\""}"#);
    assert_eq!(by(&["b", "a"], &record).key_json, r#""a":"}\"{","b":[{"name":1}]"#);
    let both = by(&["author.age", "a", "author.name"], &record).key_json;
    assert_eq!(both, r#""a":"}\"{","author":{"name":"N, \"x\"","age":3}"#);
    assert_eq!(by(&["author.name"], &json!({"author": null})).key_json, r#""author":null"#);
    assert_eq!(by(&[], &record).key_json, "");
}

#[test]
fn content_is_all_that_is_said_in_any_order_of_the_fields() {
    let content = |record: Value| by(&["a"], &record).content;
    let one = content(json!({"a": 1, "b": 2, "author": {"name": "n", "age": 1}}));
    assert_eq!(one, content(json!({"author": {"age": 1, "name": "n"}, "b": 2, "a": 1})));
    assert_ne!(one, content(json!({"a": 1, "b": 3, "author": {"name": "n", "age": 1}})));
    assert_ne!(one, content(json!({"a": 1, "b": 2, "author": {"name": "n", "age": "1"}})));
    assert_ne!(content(json!({"a": 1})), content(json!({"a": 1, "b": null})));
}

#[test]
fn without_a_key_the_content_is_the_key() {
    let key = |record: Value| by(&[], &record).key;
    assert_eq!(key(json!({"a": 1, "b": 2})), key(json!({"b": 2, "a": 1})));
    assert_ne!(key(json!({"a": 1, "b": 2})), key(json!({"a": 1, "b": 3})));
    assert!(key(json!({"a": null})).is_some());
    assert!(key(json!({})).is_some());
}

#[test]
fn where_and_when_a_record_was_found_is_not_content_at_any_depth() {
    let inside = vec![text("x"), meta("when")];
    let fields = vec![text("a"), meta("at"), list("items", inside.clone()), object("o", inside)];
    let with_meta = marker("r", &["a"], fields.clone(), true);
    let content = |time: u32, x: u32| {
        let inner = json!({"x": x, "when": time});
        let record = json!({"a": 1, "at": time, "items": [inner, inner], "o": inner, "_url": time, "_page": time, "_fetched_at": time});
        mark_of(&with_meta, &record).content
    };
    assert_eq!(content(1, 1), content(2, 1));
    assert_ne!(content(1, 1), content(1, 2));
    let plain = marker("r", &[], fields, false);
    let key = |url| mark_of(&plain, &json!({"a": 1, "_url": url})).key;
    assert_ne!(key(1), key(2), "a member of this name that came with the address");
}

#[test]
fn the_fields_that_say_where_a_record_was_found_can_be_its_key() {
    let marker = marker("r", &["_url"], vec![text("a")], true);
    let mark = mark_of(&marker, &json!({"a": 1, "_url": "http://h/", "_page": 1}));
    assert_eq!(mark.key_json, r#""_url":"http://h/""#);
    assert_ne!(mark.key, mark_of(&marker, &json!({"a": 1, "_url": "http://h/2", "_page": 1})).key);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a,:\"\\\\{}\\[\\] é]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("[a,\"}]{0,3}", inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn members_and_items_are_those_that_a_parser_finds(value in json()) {
        let line = value.to_string();
        let parse = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
        let found: Vec<(Value, Value)> =
            members(line.as_bytes()).map(|(name, value)| (parse(name), parse(value))).collect();
        let expected = value.as_object().into_iter().flatten();
        let expected: Vec<_> = expected.map(|(name, value)| (Value::from(name.as_str()), value.clone())).collect();
        prop_assert_eq!(found, expected);
        let found: Vec<Value> = items(line.as_bytes()).map(parse).collect();
        prop_assert_eq!(found, value.as_array().cloned().unwrap_or_default());
    }

    #[test]
    fn content_agrees_when_and_only_when_the_records_do(one in json(), other in json(), b in json()) {
        let one = json!({"a": one, "b": b});
        let other = json!({"a": other, "b": b});
        let content = |record: &Value| by(&["a"], record).content;
        prop_assert_eq!(content(&one) == content(&other), (one.to_string(), ()) == (other.to_string(), ()));
    }
}
