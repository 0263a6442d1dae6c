//! Which links are followed, by themselves.

use proptest::prelude::*;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn patterns(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect()
}

fn judge(policy: &ScopePolicy, link: &str) -> Result<(), LeftOut> {
    policy.judge(&url(link), &url("http://h/docs/page"), Some(&url("http://h/docs/start")), 1)
}

#[test]
fn without_domains_the_host_of_the_page_is_the_site() {
    let policy = ScopePolicy::default();
    for link in ["http://h/", "https://h/x", "http://h:443/", "http://h./"] {
        assert_eq!(judge(&policy, link), Ok(()), "{link}");
    }
    for link in ["http://h:8080/", "http://www.h/", "http://hh/", "http://h.example/"] {
        assert_eq!(judge(&policy, link), Err(LeftOut::Outside), "{link}");
    }
}

#[test]
fn domains_are_these_and_the_names_below_them() {
    let policy = ScopePolicy { domains: vec!["a.example".into(), "[::1]".into()], ..ScopePolicy::default() };
    for link in ["http://a.example/", "https://x.y.a.example:8080/", "http://[::1]:9/", "http://A.example./"]
    {
        assert_eq!(judge(&policy, link), Ok(()), "{link}");
    }
    for link in ["http://h/", "http://ba.example/", "http://example/", "http://a.example.evil/"] {
        assert_eq!(judge(&policy, link), Err(LeftOut::Outside), "{link}");
    }
}

#[test]
fn a_domain_is_read_as_urls_write_it() {
    for (text, expected) in [
        ("Example.COM", "example.com"),
        ("*.example.com", "example.com"),
        (".example.com", "example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("example.com.", "example.com"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
    ] {
        assert_eq!(domain(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, at) in [
        ("", 0),
        (".", 0),
        ("http://h", 5),
        (".h/x", 2),
        ("u@h", 1),
        ("h:80", 0),
        ("h:8080", 0),
        ("[::1]:80", 0),
        ("a b", 0),
    ] {
        assert_eq!(domain(text).map_err(|slip| slip.at), Err(at), "{text}");
    }
}

#[test]
fn patterns_are_looked_for_anywhere_in_the_url() {
    let accept = ScopePolicy { accept: patterns(&["/book/", r"\?p=\d$"]), ..ScopePolicy::default() };
    assert_eq!(judge(&accept, "http://h/book/1"), Ok(()));
    assert_eq!(judge(&accept, "http://h/list?p=2"), Ok(()));
    assert_eq!(judge(&accept, "http://h/list?p=22"), Err(LeftOut::NotAccepted));
    let both = ScopePolicy { reject: patterns(&["^http:", "print"]), ..accept };
    assert_eq!(judge(&both, "http://h/book/1"), Err(LeftOut::Rejected));
    assert_eq!(judge(&both, "https://h/book/print"), Err(LeftOut::Rejected));
    assert_eq!(judge(&both, "https://h/book/1"), Ok(()));
}

#[test]
fn the_level_is_the_last_depth_that_is_followed() {
    let policy = ScopePolicy { max_depth: Some(2), ..ScopePolicy::default() };
    let page = url("http://h/");
    for (depth, expected) in [(0, Ok(())), (2, Ok(())), (3, Err(LeftOut::TooDeep))] {
        assert_eq!(policy.judge(&page, &page, None, depth), expected);
    }
}

#[test]
fn no_parent_is_the_folder_of_the_first_page() {
    let policy =
        ScopePolicy { no_parent: true, domains: vec!["h".into(), "i".into()], ..ScopePolicy::default() };
    for link in ["http://h/docs/", "https://h/docs/a/b", "http://h/%64ocs/a", "http://i/"] {
        assert_eq!(judge(&policy, link), Ok(()), "{link}");
    }
    for link in ["http://h/", "http://h/docs", "http://h/docs2/", "http://h/docs/../x"] {
        assert_eq!(judge(&policy, link), Err(LeftOut::AboveStart), "{link}");
    }
    assert_eq!(policy.judge(&url("http://h/"), &url("http://h/docs/"), None, 1), Ok(()));
}

#[test]
fn what_is_no_page_of_people_is_left_out() {
    let policy = ScopePolicy::default();
    let long = |bytes: usize| format!("http://h/{}", "x".repeat(bytes - "http://h/".len()));
    assert_eq!(judge(&policy, &long(8192)), Ok(()));
    assert_eq!(judge(&policy, &long(8193)), Err(LeftOut::TooLong));
    assert_eq!(judge(&policy, "http://h/a/b/a/b/a/b"), Err(LeftOut::RepeatsItself));
    for link in ["mailto:a@h", "javascript:void(0)", "ftp://h/", "data:,x", "file:///etc/passwd"] {
        assert_eq!(judge(&policy, link), Err(LeftOut::NotHttp), "{link}");
    }
}

/// The links on a page of a site that has no end.
fn links_of_a_trap(page: &Url) -> Vec<String> {
    let query = page.query().unwrap_or_default();
    match page.path().split(['/', ';']).nth(1) {
        Some("calendar") => {
            let day = page.path().rsplit('/').next().and_then(|day| day.parse::<u32>().ok());
            vec![format!("/calendar/{}", day.map_or(1, |day| day + 1))]
        }
        Some("session") => {
            let last = page.path().rsplit('=').next().and_then(|id| u64::from_str_radix(id, 16).ok());
            vec![format!(
                "/session;jsessionid={:016x}",
                last.unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )]
        }
        Some("clock") => vec![format!("/clock?now={}#x", query.len()), format!("/clock?{query}&now=1")],
        Some("filters") => ["p", "q", "r"]
            .into_iter()
            .filter(|name| !query.contains(name))
            .map(|name| format!("/filters?{query}{}{name}=1", if query.is_empty() { "" } else { "&" }))
            .collect(),
        _ => ["a/", "b/", "./", "../a/", "/calendar", "/session", "/clock", "/filters"]
            .map(str::to_owned)
            .into(),
    }
}

#[test]
fn a_site_made_of_traps_ends() {
    let policy = ScopePolicy { max_per_shape: 10, ..ScopePolicy::default() };
    let mut traps = Traps::new(&policy);
    let mut known = std::collections::HashSet::new();
    let mut pending = vec![url("http://h/")];
    let mut fetched = std::collections::BTreeMap::<String, u32>::new();
    let mut left_out = std::collections::BTreeSet::new();
    while let Some(page) = pending.pop() {
        let kind = page.path().split(['/', ';']).nth(1).filter(|kind| kind.len() > 1);
        *fetched.entry(kind.unwrap_or_default().to_owned()).or_default() += 1;
        for link in links_of_a_trap(&page) {
            let link = normalize(page.join(&link).unwrap(), false);
            let verdict = policy.judge(&link, &page, None, 1);
            if verdict.is_ok() && !known.insert(fingerprint(&link, None)) {
                continue;
            }
            match verdict.and_then(|()| traps.admit(&link)) {
                Ok(()) => pending.push(link),
                Err(reason) => _ = left_out.insert(reason),
            }
        }
    }
    // Up to three `a` and three `b` in any order are 69 paths; `ababab` and `bababa` repeat themselves. The first page
    // came from no link, so it comes a second time.
    assert_eq!(fetched[""], 67 + 1);
    // Its first page, and ten of the shape.
    assert_eq!(fetched["calendar"], 11);
    assert_eq!(fetched["session"], 11);
    assert_eq!(fetched["clock"], 11);
    // None, each alone, each pair in both orders, all three in three orders.
    assert_eq!(fetched["filters"], 1 + 3 + 6 + 3);
    assert_eq!(
        left_out.into_iter().collect::<Vec<_>>(),
        [LeftOut::RepeatsItself, LeftOut::TooManyOfShape, LeftOut::QueryPermutation]
    );
}

/// URLs of every kind, most of them odd.
fn any_url() -> impl Strategy<Value = Url> {
    let web = "https?://(h|[a-z%.0-9:@é-]{0,8})[/?#%.;=&~a-zé0-9 |-]{0,40}";
    let other = "[a-z]{1,6}:\\PC{0,30}";
    prop_oneof![web, other].prop_filter_map("no URL", |text| Url::parse(&text).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_url_gets_a_verdict(
        link in any_url(), page in any_url(), start in any_url(), domains in any::<bool>(),
    ) {
        let policy = ScopePolicy {
            domains: if domains { vec!["h".into(), "é".into()] } else { Vec::new() },
            no_parent: true,
            accept: patterns(&["h"]),
            ..ScopePolicy::default()
        };
        let link = normalize(link, true);
        let verdict = policy.judge(&link, &page, Some(&start), 1);
        if verdict.is_ok() {
            prop_assert!(matches!(link.scheme(), "http" | "https"));
        }
        let _ = Traps::new(&policy).admit(&link);
        let _ = fingerprint(&link, None);
    }
}
