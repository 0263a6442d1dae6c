//! What paths select, reasoned by hand from RFC 9535, and where wrong ones are wrong.

use serde_json::{Value, json};

use super::{JsonPath, text_of};
use crate::extract::budget::{Budget, TooMuchWork};

/// The example of RFC 9535, 1.5, with other goods.
fn shop() -> Value {
    json!({
        "shop": {
            "shoe": [
                {"kind": "boot", "name": "Moor", "price": 89.5},
                {"kind": "clog", "name": "Holz", "price": 12},
                {"kind": "clog", "name": "Sabot", "price": 22.99, "sku": "s-3"},
            ],
            "lace": {"colour": "red", "price": 3},
        },
        "a-b": 1,
        "": 2,
        "é": null,
    })
}

fn select_in(page: &Value, path: &str) -> String {
    let parsed = JsonPath::parse(path).unwrap_or_else(|slip| panic!("{path}: {slip:?}"));
    let values = parsed.select(page, &Budget::new(100_000)).unwrap();
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn all(page: &Value, facts: &[(&str, &str)]) {
    for (path, expected) in facts {
        assert_eq!(select_in(page, path), *expected, "{path}");
    }
}

#[test]
fn names_lead_into_objects() {
    all(
        &shop(),
        &[
            ("$['a-b']", "1"),
            ("$[\"a-b\"]", "1"),
            ("$['']", "2"),
            ("$.é", "null"),
            ("$['\\u00e9']", "null"),
            ("$.shop.lace.colour", "\"red\""),
            ("$ .shop\n['lace'] .price", "3"),
            ("$.nothing.at.all", ""),
            ("$.shop.shoe.name", ""),
            (" $.shop.lace.price ", "3"),
        ],
    );
}

#[test]
fn indexes_and_slices_lead_into_arrays() {
    let page = json!(["a", "b", "c", "d", "e"]);
    all(
        &page,
        &[
            ("$[0]", r#""a""#),
            ("$[-1]", r#""e""#),
            ("$[5]", ""),
            ("$[-6]", ""),
            ("$[1:3]", r#""b" "c""#),
            ("$[3:]", r#""d" "e""#),
            ("$[:-3]", r#""a" "b""#),
            ("$[1:5:2]", r#""b" "d""#),
            ("$[5:1:-2]", r#""e" "c""#),
            ("$[::-1]", r#""e" "d" "c" "b" "a""#),
            ("$[::0]", ""),
            ("$[ 1 : 3 : 1 ]", r#""b" "c""#),
            ("$[-100:100]", r#""a" "b" "c" "d" "e""#),
            ("$[1:9007199254740991:9007199254740991]", r#""b""#),
            ("$[0, 0, 3:5]", r#""a" "a" "d" "e""#),
            ("$['0']", ""),
        ],
    );
    assert_eq!(select_in(&shop(), "$.shop[0]"), "");
}

#[test]
fn wildcards_and_descendants_go_on_in_order() {
    // Members keep the order of the page: shoes stand before laces.
    all(
        &shop(),
        &[
            ("$.shop.shoe[*].name", r#""Moor" "Holz" "Sabot""#),
            ("$.shop.lace.*", r#""red" 3"#),
            ("$..price", "89.5 12 22.99 3"),
            ("$.shop..price", "89.5 12 22.99 3"),
            ("$..shoe[1].name", r#""Holz""#),
            ("$..[0].name", r#""Moor""#),
            ("$..['sku', 'colour']", r#""s-3" "red""#),
            ("$.shop.shoe[0].*.*", ""),
        ],
    );
    // A node before what is below it; arrays in their order.
    all(
        &json!([[1, [2]], 3]),
        &[("$..*", "[1,[2]] 3 1 [2] 2"), ("$..[0]", "[1,[2]] 1 2"), ("$[*]", "[1,[2]] 3")],
    );
}

#[test]
fn filters_compare() {
    all(
        &shop(),
        &[
            ("$..shoe[?@.price < 20].name", r#""Holz""#),
            ("$..shoe[?@.price >= 22.99].name", r#""Moor" "Sabot""#),
            ("$..shoe[?@.kind == 'clog' && @.price > 20].name", r#""Sabot""#),
            ("$..shoe[?@.kind == 'boot' || @.sku].name", r#""Moor" "Sabot""#),
            ("$..shoe[?!@.sku].name", r#""Moor" "Holz""#),
            ("$..shoe[?!(@.price < 20)].name", r#""Moor" "Sabot""#),
            ("$..shoe[?(@.kind != 'boot')].name", r#""Holz" "Sabot""#),
            ("$..shoe[?@.name > 'M'].name", r#""Moor" "Sabot""#),
            ("$..shoe[?@.price > $.shop.lace.price && @.price<13].name", r#""Holz""#),
            ("$.shop[?@.colour].price", "3"),
            ("$.shop[?@.*].colour", r#""red""#),
            ("$..shoe[?@.nothing == @.neither].name", r#""Moor" "Holz" "Sabot""#),
            ("$..shoe[?@.sku == null].name", ""),
            ("$..shoe[?@.name == 'x' || @.price == 12.0].name", r#""Holz""#),
        ],
    );
}

#[test]
fn values_of_different_types_are_never_in_order_and_equal_only_to_their_like() {
    let page = json!([1, 1.0, "1", null, true, [1], {"a": 1}, {"a": 1.0, "b": 2}, 9007199254740993_u64]);
    all(
        &page,
        &[
            ("$[?@ == 1]", "1 1.0"),
            ("$[?@ == '1']", "\"1\""),
            ("$[?@ == null]", "null"),
            ("$[?@ == true]", "true"),
            ("$[?@ <= true]", "true"),
            ("$[?@ == $[5]]", "[1]"),
            ("$[?@ == $[6]]", "{\"a\":1}"),
            ("$[?@ < 2]", "1 1.0"),
            ("$[?@ > '0']", "\"1\""),
            ("$[?@ == 9007199254740993]", "9007199254740993"),
            ("$[?@ == 9007199254740992]", ""),
            ("$[?@ > 1e3]", "9007199254740993"),
        ],
    );
}

#[test]
fn functions_count_measure_and_match() {
    let page =
        json!([{"a": "ab"}, {"a": [1, 2, 3]}, {"a": {"b": 1}}, {"a": "日本"}, {"a": 5}, {}, {"a": "a\nb"}]);
    all(
        &page,
        &[
            ("$[?length(@.a) == 2].a", r#""ab" "日本""#),
            ("$[?length(@.a) >= 3].a", r#"[1,2,3] "a\nb""#),
            ("$[?length(@.a) == length(@.none)].a", "5"),
            ("$[?count(@.a[*]) > 1].a", "[1,2,3]"),
            ("$[?count(@..*) == 2].a", "{\"b\":1}"),
            ("$[?value(@..b) == 1].a", "{\"b\":1}"),
            ("$[?value(@.a[*]) == 1].a", "{\"b\":1}"),
            ("$[?match(@.a, 'a.')].a", r#""ab""#),
            ("$[?match(@.a, 'a')].a", ""),
            ("$[?search(@.a, 'b')].a", r#""ab" "a\nb""#),
            ("$[?!search(@.a, '[a-z]')].a", r#"[1,2,3] {"b":1} "日本" 5"#),
            ("$[?match(@.a, $[0].a)].a", r#""ab""#),
            ("$[?match(@.a, '(')].a", ""),
            ("$[?match(@.a, 5)].a", ""),
            ("$[?match(@.a, '\\\\p{L}{2}|x')].a", r#""ab" "日本""#),
        ],
    );
}

/// The text before the caret, and the slip in one line.
#[track_caller]
fn says(path: &str, before: &str, words: &str) {
    let slip = JsonPath::parse(path).expect_err(path);
    let message = slip.message + "; " + slip.hint.as_deref().unwrap_or_default();
    assert_eq!(&path[..slip.at], before, "{path}: {message}");
    assert!(message.contains(words), "{path}: {message}");
}

#[test]
fn wrong_paths_are_pointed_at() {
    says("", "", "begins with `$`");
    says("items[0]", "", "write `$.items[0]`");
    says(".items", "", "write `$.items`");
    says("/a/b", "", "write `$.items[*].name`");
    says("$.", "$.", "a name or `*` is due");
    says("$...a", "$..", "two points at most");
    says("$.'a'", "$.", "write `['name']`");
    says("$.a-b", "$.a", "is written `['a-b']`");
    says("$[a]", "$[", "quote the name");
    says("$[0", "$[0", "`,` or `]` is due");
    says("$[]", "$[", "`[*]` selects all");
    says("$[01]", "$[", "no leading zero");
    says("$[-0]", "$[", "no `-0`");
    says("$[9007199254740992]", "$[", "larger than");
    says("$['a]", "$[", "not closed");
    says("$['\\x']", "$['", "unknown escape `\\x`");
    says("$['\\ud800']", "$['", "surrogate");
    says("$[(@.length-1)]", "$[", "`[-1]` is the last");
    says("$[@.a]", "$[", "begins with `?`");
    says("$.a.length()", "$.a.length", "inside `[?...]` only");
    says("$.a~", "$.a", "not selected by RFC 9535");
    says("$ x", "$ ", "`.`, `[` or the end");
}

#[test]
fn wrong_filters_are_pointed_at() {
    says("$[?]", "$[?", "a condition");
    says("$[?@.a = 1]", "$[?@.a ", "write `==`");
    says("$[?@.a === 1]", "$[?@.a ==", "write `==`");
    says("$[?@.a =~ /x/]", "$[?@.a ", "search(");
    says("$[?@.a and @.b]", "$[?@.a ", "write `&&`");
    says("$[?@.a & @.b]", "$[?@.a ", "write `&&`");
    says("$[?@.a == b]", "$[?@.a == ", "`@.b` for a member");
    says("$[?1]", "$[?", "no condition");
    says("$[?length(@.a)]", "$[?", "no condition");
    says("$[?@.* == 1]", "$[?", "several values");
    says("$[?length(@.*) == 1]", "$[?length(", "several values");
    says("$[?count(1) == 1]", "$[?count(", "a path is due");
    says("$[?match(@.a) == 1]", "$[?match(@.a", "a pattern");
    says("$[?match(@.a, 'x') == true]", "$[?", "stand alone");
    says("$[?size(@.a) == 1]", "$[?", "unknown function `size`");
    says("$[?!@.a == 1]", "$[?!@.a", "wants brackets");
    says("$[?(@.a]", "$[?(@.a", "`)` is due");
    says("$[?.a]", "$[?", "`@.name`");
}

#[test]
fn sizes_are_limited() {
    says(&format!("$.{}", "a".repeat(5000)), &format!("$.{}", "a".repeat(4094)), "longer than 4096 bytes");
    let nested = |depth| format!("${}{}", "[?@".repeat(depth), "]".repeat(depth));
    assert!(JsonPath::parse(&nested(16)).is_ok());
    assert!(JsonPath::parse(&nested(17)).is_err());
    assert!(JsonPath::parse(&format!("$[?{}@{}]", "(".repeat(1000), ")".repeat(1000))).is_err());
    assert!(JsonPath::parse(&format!("$[?{}@]", "!".repeat(1000))).is_err());
}

#[test]
fn an_exploding_path_ends_by_its_budget() {
    let page = json!(vec![vec![vec![0; 30]; 30]; 30]);
    let path = JsonPath::parse("$..*..*..*").unwrap();
    assert_eq!(path.select(&page, &Budget::new(50_000)), Err(TooMuchWork));
    let path = JsonPath::parse("$..[?count($..*) > 1]").unwrap();
    assert_eq!(path.select(&page, &Budget::new(50_000)), Err(TooMuchWork));
    let path = JsonPath::parse(&format!("$[{}]", vec!["*"; 1000].join(","))).unwrap();
    assert_eq!(path.select(&page, &Budget::new(10_000)), Err(TooMuchWork));
    assert_eq!(JsonPath::parse("$[*][*]").unwrap().select(&page, &Budget::new(50_000)).unwrap().len(), 900);
}

#[test]
fn a_path_knows_whether_it_selects_one_value_at_most() {
    let is_singular = |path| JsonPath::parse(path).unwrap().is_singular();
    assert!(is_singular("$") && is_singular("$.a['b'][-1]"));
    assert!(
        !is_singular("$[*]") && !is_singular("$..a") && !is_singular("$['a', 'b']") && !is_singular("$[0:1]")
    );
}

#[test]
fn a_path_may_cross_threads() {
    fn is_send_and_sync<T: Send + Sync + Clone>() {}
    is_send_and_sync::<JsonPath>();
}

#[test]
fn values_have_a_text() {
    let text = |value: Value| text_of(&value).map(std::borrow::Cow::into_owned);
    assert_eq!(text(json!(" x\"")).as_deref(), Some(" x\""));
    assert_eq!(text(json!(49.90)).as_deref(), Some("49.9"));
    assert_eq!(text(json!(false)).as_deref(), Some("false"));
    assert_eq!(text(json!(null)), None);
    assert_eq!(text(json!({"b": [1, null], "a": "é"})).as_deref(), Some("{\"b\":[1,null],\"a\":\"é\"}"));
}

#[test]
fn patterns_of_the_page_are_compiled_for_a_price() {
    let page = |pattern: &str| {
        let items = (0..50).map(|number| serde_json::json!({ "t": "a", "p": format!("{pattern}{number}") }));
        serde_json::Value::Array(items.collect())
    };
    let path = JsonPath::parse("$[?search(@.t, @.p)]").unwrap();
    let budget = || Budget::new(1_000_000);
    assert!(path.select(&page("a|"), &budget()).is_ok_and(|found| found.len() == 50));
    assert!(path.select(&page(r"(\w{20}){3}"), &budget()).is_err());
    assert!(path.select(&page(&r"\w".repeat(50)), &budget()).is_err());
}
