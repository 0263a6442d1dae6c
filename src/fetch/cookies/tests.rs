//! The jar, held against RFC 6265 and the limits.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The jar after these replies.
fn jar(replies: &[(&str, &str)]) -> Jar {
    let mut jar = Jar::new();
    for (from, set_cookie) in replies {
        jar.store(set_cookie.as_bytes(), &url(from));
    }
    jar
}

fn sent(jar: &Jar, to: &str) -> String {
    let pairs: Vec<String> =
        jar.cookies_for(&url(to)).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

#[test]
fn a_cookie_goes_back_to_its_host_and_to_no_other() {
    let jar = jar(&[("http://a.example.com/x", "s=1")]);
    assert_eq!(sent(&jar, "http://a.example.com:8080/y"), "s=1", "ports do not count");
    assert_eq!(sent(&jar, "https://a.example.com/"), "s=1");
    assert_eq!(sent(&jar, "http://b.a.example.com/"), "");
    assert_eq!(sent(&jar, "http://example.com/"), "");
}

#[test]
fn a_domain_cookie_goes_to_the_names_below_it() {
    let jar = jar(&[
        ("http://a.example.com/", "s=1; Domain=.EXAMPLE.com"),
        ("http://a.example.com/", "t=1; Domain=b.example.com"),
    ]);
    assert_eq!(sent(&jar, "http://x.y.example.com/"), "s=1");
    assert_eq!(sent(&jar, "http://example.com/"), "s=1");
    assert_eq!(sent(&jar, "http://badexample.com/"), "");
    assert_eq!(sent(&jar, "http://b.example.com/"), "s=1", "nobody speaks for a sibling");
}

#[test]
fn nobody_speaks_for_a_public_suffix() {
    let jar = jar(&[
        ("http://a.com/", "a=1; Domain=com"),
        ("http://a.co.uk/", "b=1; Domain=co.uk"),
        ("http://me.github.io/", "c=1; Domain=github.io"),
        ("http://host.intranet/", "d=1; Domain=intranet"),
        ("http://github.io/", "e=1; Domain=github.io"),
    ]);
    assert_eq!(
        sent(&jar, "http://b.com/") + &sent(&jar, "http://b.co.uk/") + &sent(&jar, "http://b.intranet/"),
        ""
    );
    assert_eq!(sent(&jar, "http://github.io/"), "e=1", "but for itself");
    assert_eq!(sent(&jar, "http://you.github.io/"), "");
    assert_eq!(jar.len(), 1);
}

#[test]
fn an_address_has_cookies_of_its_own_only() {
    let jar = jar(&[
        ("http://127.0.0.1/", "a=1; Domain=127.0.0.1"),
        ("http://127.0.0.1/", "b=1; Domain=0.0.1"),
        ("http://[::1]/", "c=1"),
    ]);
    assert_eq!(sent(&jar, "http://127.0.0.1:81/"), "a=1");
    assert_eq!(sent(&jar, "http://10.0.0.1/"), "");
    assert_eq!(sent(&jar, "http://[::1]/"), "c=1");
}

#[test]
fn a_secure_cookie_never_goes_over_plain_http_nor_comes_from_there() {
    let jar = jar(&[
        ("https://h.example/", "a=1; Secure"),
        ("http://h.example/", "b=1; Secure"),
        ("http://h.example/", "a=forged"),
        ("https://localhost/", "c=1; Secure"),
        ("https://h.example/", "__Host-d=1; Secure; Path=/; Domain=h.example"),
        ("https://h.example/", "__Secure-e=1"),
    ]);
    assert_eq!(sent(&jar, "https://h.example/"), "a=1");
    assert_eq!(sent(&jar, "http://h.example/"), "");
    assert_eq!(sent(&jar, "http://localhost/"), "");
}

#[test]
fn paths_bound_a_cookie_and_longer_ones_come_first() {
    let jar = jar(&[
        ("http://h.example/a/b/c", "root=1; Path=/"),
        ("http://h.example/a/b/c", "deep=1"),
        ("http://h.example/", "root2=1; Path=/"),
    ]);
    assert_eq!(sent(&jar, "http://h.example/a/b/x"), "deep=1; root=1; root2=1");
    assert_eq!(sent(&jar, "http://h.example/a/bb"), "root=1; root2=1");
}

#[test]
fn a_cookie_is_replaced_in_its_place_and_ends_when_told() {
    let from = "http://h.example/";
    let mut jar = jar(&[(from, "a=1"), (from, "b=1"), (from, "a=2")]);
    assert_eq!(sent(&jar, from), "a=2; b=1");
    jar.store(b"a=; Max-Age=0", &url(from));
    jar.store(b"b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", &url(from));
    assert_eq!((sent(&jar, from).as_str(), jar.len()), ("", 0));
}

#[test]
fn control_bytes_nonsense_and_giants_are_ignored() {
    let mut jar = Jar::new();
    let from = url("http://h.example/");
    for bad in [&b"a=1\x01"[..], b"a=\x00", b"a=1\tb", b"a=\x7f", b"=1", b"", b"noequals", b"a=\xff"] {
        jar.store(bad, &from);
    }
    jar.store(format!("a={}", "x".repeat(MOST_BYTES)).as_bytes(), &from);
    assert_eq!(jar.len(), 0);
    jar.store(format!("a={}", "x".repeat(MOST_BYTES - 2)).as_bytes(), &from);
    assert_eq!(jar.len(), 1);
}

#[test]
fn a_domain_keeps_its_last_50_and_the_jar_its_last_3000() {
    let mut jar = Jar::new();
    for number in 0..60 {
        jar.store(format!("c{number}={}", "x".repeat(900)).as_bytes(), &url("http://h.example/"));
    }
    let kept = sent(&jar, "http://h.example/");
    assert_eq!(jar.len(), MOST_OF_A_DOMAIN);
    assert!(kept.starts_with("c10=") && kept.contains("; c59="), "{kept:.20}");
    for number in 0..10_000 {
        jar.store(b"a=1", &url(&format!("http://h{number}.example/")));
    }
    assert_eq!(jar.len(), MOST_IN_ALL);
    assert_eq!(jar.all().len(), MOST_IN_ALL);
    assert_eq!(sent(&jar, "http://h.example/"), "", "the oldest went first");
    assert_eq!(sent(&jar, "http://h9999.example/"), "a=1");
}

#[test]
fn a_jar_is_not_shown_for_debugging() {
    assert_eq!(format!("{:?}", jar(&[("http://h.example/", "s=m4rker")])), "Jar(1 cookies)");
}

#[test]
fn cookies_of_the_user_are_pairs() {
    let pairs = |text: &str| {
        let pairs = parse_cookies(text)?;
        Ok::<Vec<_>, Slip>(pairs.into_iter().map(|(n, v)| format!("{n}={}", v.reveal())).collect())
    };
    assert_eq!(pairs("a=1; b=x=y;"), Ok(vec!["a=1".to_owned(), "b=x=y".to_owned()]));
    assert_eq!(pairs("a=1; b").unwrap_err().at, 5);
    assert!(pairs("cookies.txt").unwrap_err().hint.unwrap().contains("--load-cookies"));
    assert_eq!(pairs("a=1\r\nX: y").unwrap_err().at, 3);
    assert_eq!(pairs(" ").unwrap_err().at, 0);
}

#[test]
fn a_path_that_is_given_is_the_same_as_one_that_is_not() {
    let jar = jar(&[("http://h/x", "a=1"), ("http://h/", "a=2; Path=/")]);
    assert_eq!((sent(&jar, "http://h/x").as_str(), jar.len()), ("a=2", 1));
}
