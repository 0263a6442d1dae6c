//! What RFC 9309 says of whole files, and what has been seen in the wild.

use super::*;

fn verdicts(body: &str, agent: &str, expected: &[(&str, bool)]) {
    let robots = Robots::parse(body.as_bytes(), agent);
    for (path, allowed) in expected {
        let url = Url::parse("http://h/").unwrap().join(path).unwrap();
        assert_eq!(robots.allows(&url), *allowed, "{path} for {agent} in {body:?}");
    }
}

fn rule_against(body: &str, path: &str) -> Option<String> {
    match Robots::parse(body.as_bytes(), "us").verdict(&Url::parse("http://h/").unwrap().join(path).unwrap())
    {
        Verdict::Allowed => None,
        Verdict::Disallowed { rule } => Some(rule),
    }
}

#[test]
fn the_longest_rule_decides_and_allow_wins_ties() {
    let file = "User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /a/b/c\nAllow: /x\nDisallow: /x\n";
    verdicts(
        file,
        "us",
        &[("/", true), ("/a", false), ("/ab", false), ("/a/b", true), ("/a/b/c/d", false), ("/x/y", true)],
    );
    assert_eq!(rule_against(file, "/a/b/c/d").as_deref(), Some("Disallow: /a/b/c"));
    assert_eq!(rule_against(file, "/a/b"), None);
}

#[test]
fn groups_that_name_us_count_together_and_hide_that_for_everybody() {
    let file =
        "User-agent: us\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n\nUser-agent: US/2.0\nDisallow: /c\n";
    verdicts(file, "us", &[("/a", false), ("/b", true), ("/c", false)]);
    verdicts(file, "them", &[("/a", true), ("/b", false), ("/c", true)]);
    verdicts(file, "usurper", &[("/a", true), ("/b", false)]);
}

#[test]
fn an_empty_group_of_ours_allows_everything() {
    verdicts("User-agent: *\nDisallow: /\n\nUser-agent: us\nDisallow:\n", "us", &[("/a", true)]);
    verdicts("User-agent: *\nDisallow: /\n\nUser-agent: us\n", "us", &[("/a", true)]);
}

#[test]
fn names_one_after_another_share_their_rules_whatever_else_stands_between() {
    let file =
        "User-agent: us\n# and\n\nSitemap: http://h/s\nCrawl-delay: 1\nUser-agent: them\nDisallow: /a\n";
    verdicts(file, "us", &[("/a", false)]);
    verdicts(file, "them", &[("/a", false)]);
}

#[test]
fn rules_before_any_name_are_nobodys() {
    verdicts("Disallow: /\nUser-agent: *\nDisallow: /a\n", "us", &[("/a", false), ("/b", true)]);
}

#[test]
fn the_query_is_part_of_the_path_and_the_fragment_is_not() {
    verdicts("User-agent: *\nDisallow: /*?s=\nDisallow: /*f$", "us", &[("/a?s=1", false), ("/a?t", true)]);
    verdicts("User-agent: *\nDisallow: /*f$", "us", &[("/a#f", true), ("/af#g", false)]);
}

#[test]
fn robots_txt_itself_is_always_allowed() {
    verdicts("User-agent: *\nDisallow: /", "us", &[("/robots.txt", true), ("/robots.txt?x", false)]);
}

/// RFC 9309 2.2.2: the table of encodings. A rule that encodes needlessly is read in both ways, and the stricter holds.
#[test]
fn encodings_are_compared_as_bytes_and_a_disputed_one_disallows() {
    for rule in ["/foo/ツ", "/foo/%E3%83%84", "/foo/%e3%83%84"] {
        verdicts(
            &format!("User-agent: *\nDisallow: {rule}"),
            "us",
            &[("/foo/ツ", false), ("/foo/%e3%83%84", false)],
        );
    }
    verdicts(
        "User-agent: *\nDisallow: /%7Eme",
        "us",
        &[("/~me", false), ("/%7Eme", false), ("/%7eme", false)],
    );
    verdicts("User-agent: *\nDisallow: /~me", "us", &[("/~me", false), ("/%7Eme", false)]);
    verdicts("User-agent: *\nDisallow: /\nAllow: /%7Eme", "us", &[("/~me", false), ("/%7Eme", true)]);
    verdicts(
        "User-agent: *\nDisallow: /~me\nAllow: /~me/pub",
        "us",
        &[("/%7Eme/pub", true), ("/%7Eme", false)],
    );
    verdicts("User-agent: *\nDisallow: /a%2Fb", "us", &[("/a/b", true), ("/a%2fb", false)]);
    verdicts("User-agent: *\nDisallow: /a b|", "us", &[("/a%20b|c", false)]);
}

/// RFC 9309 2.2.3: how a rule says that it means these characters.
#[test]
fn an_encoded_star_or_dollar_is_the_character() {
    verdicts("User-agent: *\nDisallow: /a%2Ab", "us", &[("/a*b", false), ("/a%2Ab", false), ("/aXb", true)]);
    verdicts("User-agent: *\nDisallow: /a%24", "us", &[("/a$", false), ("/a$b", false), ("/a", true)]);
    verdicts("User-agent: *\nDisallow: /a$b", "us", &[("/a$b", false), ("/a%24b", false)]);
}

#[test]
fn a_directory_is_allowed_with_its_index_page() {
    let file = "User-agent: *\nDisallow: /\nAllow: /d/index.html";
    verdicts(file, "us", &[("/d/", true), ("/d/index.html", true), ("/d/x", false), ("/", false)]);
}

#[test]
fn line_ends_marks_and_nuls_do_not_matter() {
    let lines = ["User-agent: *", "Disallow: /a"];
    let utf16: Vec<u8> = lines.join("\n").bytes().flat_map(|byte| [byte, 0]).collect();
    for body in [
        lines.join("\r").into_bytes(),
        lines.join("\r\n").into_bytes(),
        format!("\u{feff}{}", lines.join("\n")).into_bytes(),
        [&b"\xff\xfe"[..], &utf16].concat(),
        lines.join("\n\0\n").into_bytes(),
    ] {
        let robots = Robots::parse(&body, "us");
        assert!(!robots.allows(&Url::parse("http://h/a").unwrap()), "{body:?}");
        assert!(robots.allows(&Url::parse("http://h/b").unwrap()), "{body:?}");
    }
}

#[test]
fn a_web_page_instead_of_the_file_allows_everything() {
    let page = "<!doctype html>\n<html><head><title>Not found</title>\n<style>a:hover { color: red }</style>\n\
                <p>You may: allow: us\n<p>user-agent: unknown\n</html>";
    verdicts(page, "us", &[("/", true), ("/a", true)]);
    assert!(Robots::parse(page.as_bytes(), "us").sitemaps().is_empty());
}

#[test]
fn what_lies_beyond_500_kib_is_not_read_and_half_a_line_neither() {
    let mut body = b"User-agent: *\nDisallow: /a\n#".to_vec();
    body.resize((500 << 10) - 13, b'x');
    body.extend(b"\nDisallow: /and more\nDisallow: /b\n");
    let robots = Robots::parse(&body, "us");
    let allows = |path: &str| robots.allows(&Url::parse("http://h/").unwrap().join(path).unwrap());
    assert!(!allows("/a"));
    assert!(allows("/b") && allows("/c"), "`Disallow: /` was cut out of a longer line");
}

#[test]
fn the_pause_is_that_of_our_group() {
    let delay = |body: &str| Robots::parse(body.as_bytes(), "us").crawl_delay();
    let seconds = Duration::from_secs_f64;
    assert_eq!(delay("User-agent: *\nCrawl-delay: 10\n"), Some(seconds(10.0)));
    assert_eq!(delay("User-agent: *\nCrawl-delay: 10\nUser-agent: us\nCrawl-delay: 0.5"), Some(seconds(0.5)));
    assert_eq!(
        delay("User-agent: *\nCrawl-delay: 10\n\nUser-agent: us\nDisallow: /x"),
        None,
        "named below it"
    );
    assert_eq!(delay("User-agent: us\nDisallow: /x\n\nUser-agent: *\nDisallow:\nCrawl-delay: 10"), None);
    assert_eq!(delay("User-agent: us\nCrawl-delay: 1\nCrawl-delay: 3\nCrawl-delay: 2"), Some(seconds(3.0)));
    assert_eq!(delay("User-agent: us\nCrawl-delay: 5 seconds # please"), Some(seconds(5.0)));
    for garbage in ["", "-1", "1e9", "inf", "NaN", "1.2.3", ".", "soon", "1,5", "0x10"] {
        assert_eq!(delay(&format!("User-agent: us\nCrawl-delay: {garbage}\n")), None, "{garbage}");
    }
    assert_eq!(delay(&format!("User-agent: us\nCrawl-delay: {}", "9".repeat(400))), Some(seconds(3600.0)));
}

#[test]
fn sitemaps_are_noted_wherever_they_stand_and_not_without_end() {
    let file =
        "Sitemap: http://h/1\nUser-agent: them\nSite-map: http://h/2\nDisallow: /\nsitemap:\nSITEMAP: /3";
    assert_eq!(Robots::parse(file.as_bytes(), "us").sitemaps(), ["http://h/1", "http://h/2", "/3"]);
    assert_eq!(Robots::parse(&b"Sitemap: x\n".repeat(2000), "us").sitemaps().len(), 500);
}

#[test]
fn a_file_that_did_not_come_allows_or_disallows_everything() {
    let url = Url::parse("http://h/a").unwrap();
    assert!(Robots::allow_all().allows(&url) && !Robots::allow_all().blocks_everything());
    assert!(!Robots::disallow_all().allows(&url) && Robots::disallow_all().blocks_everything());
    assert!(Robots::disallow_all().allows(&robots_url(&url)));
}

#[test]
fn everything_is_blocked_by_one_rule_without_exceptions() {
    let blocks =
        |rules: &str| Robots::parse(format!("User-agent: *\n{rules}").as_bytes(), "us").blocks_everything();
    assert!(blocks("Disallow: /") && blocks("Disallow: *") && blocks("Disallow: /a\nDisallow: /*"));
    assert!(
        !blocks("Disallow: /\nAllow: /a") && !blocks("Disallow: /a") && !blocks("Disallow:") && !blocks("")
    );
}

#[test]
fn a_rule_shown_to_people_cannot_act_on_their_terminal() {
    let rule = rule_against("User-agent: *\nDisallow: /\x1b[2J*\n", "/\x1b[2Jx");
    assert_eq!(rule.as_deref(), Some("Disallow: /%1B[2J*"));
}

/// Without a bound on the work each of these would take minutes.
#[test]
fn a_hostile_file_ends_soon() {
    let stars = format!("User-agent: *\nDisallow: /{}b", "*a".repeat(8000));
    verdicts(&stars, "us", &[(&format!("/{}", "a".repeat(8000)), true)]);
    let almost = format!("User-agent: *\nDisallow: /*{}b", "a".repeat(8000));
    verdicts(&almost, "us", &[(&format!("/{}", "a".repeat(60_000)), true)]);
    let many: String = (0..40_000).map(|n| format!("Disallow: /*{n:x}\n")).collect();
    let many = format!("User-agent: *\n{many}");
    verdicts(&many, "us", &[("/g", true), (&format!("/{}", "g".repeat(8000)), false)]);
    let rule = rule_against(&many, &format!("/{}", "g".repeat(8000))).unwrap();
    assert!(rule.contains("too many"), "{rule}");
}

#[test]
fn one_robots_txt_speaks_for_scheme_host_and_port() {
    for (url, robots) in [
        ("http://h/a/b?c#d", "http://h/robots.txt"),
        ("https://me:pw@h:8443/", "https://h:8443/robots.txt"),
        ("http://h:80/x", "http://h/robots.txt"),
    ] {
        assert_eq!(robots_url(&Url::parse(url).unwrap()).as_str(), robots);
    }
}

#[test]
fn a_product_token_ends_at_the_first_other_character() {
    for (agent, token) in [
        ("pagemill/0.1 (+https://example.com)", "pagemill"),
        ("my_Web-bot 2", "my_Web-bot"),
        (" x", "x"),
        ("2bot", ""),
        ("", ""),
    ] {
        assert_eq!(product_token(agent), token);
    }
}

#[test]
fn of_several_names_the_strictest_rule_and_the_longest_pause_hold() {
    let file = "User-agent: a\nDisallow: /a\nCrawl-delay: 2\n\nUser-agent: b\nDisallow: /b\nCrawl-delay: 5\n\n\
                User-agent: *\nDisallow: /c\nSitemap: http://h/s\n";
    let of = |agents: &[&str]| {
        let robots = Robots::parse_for_all(file.as_bytes(), agents);
        let allows = |path: &str| robots.allows(&Url::parse("http://h/").unwrap().join(path).unwrap());
        let delay = robots.crawl_delay().map(|delay| delay.as_secs());
        assert_eq!(robots.sitemaps(), ["http://h/s"]);
        ([allows("/a"), allows("/b"), allows("/c")], delay, robots.0.len())
    };
    assert_eq!(of(&["a"]), ([false, true, true], Some(2), 1));
    assert_eq!(of(&["a", "b"]), ([false, false, true], Some(5), 2));
    assert_eq!(of(&["x", "a", "y"]), ([false, true, false], Some(2), 2));
    assert_eq!(of(&[]), ([true, true, false], None, 1));
    let blocked = Robots::parse_for_all(b"User-agent: a\nDisallow: /\n", &["b", "a"]);
    assert!(blocked.blocks_everything());
}

#[test]
fn it_goes_from_thread_to_thread() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&Robots::allow_all());
}
