//! What is kept, for how long, and what becomes of damaged files.

use std::fs;

use tempfile::TempDir;

use super::*;

const URL: &str = "http://h/a?b=1";
const DATE: &str = "Sat, 21 Nov 2026 10:00:00 GMT";

/// When [`DATE`] is, and then some seconds.
fn after(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_255_200 + seconds)
}

fn headers(lines: &[&str]) -> HeaderMap {
    let pairs = lines.iter().map(|line| line.split_once(": ").unwrap());
    pairs
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap()))
        .collect()
}

fn get(lines: &[&str]) -> Request<()> {
    let mut request = Request::get(URL).body(()).unwrap();
    *request.headers_mut() = headers(lines);
    request
}

struct Site {
    dir: TempDir,
    cache: Cache,
}

fn site(max_age: Option<u64>) -> Site {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("deep").join("cache");
    let cache = Cache::new(&CachePolicy { folder, max_age: max_age.map(Duration::from_secs) });
    Site { dir, cache }
}

impl Site {
    /// Keeps an answer that arrives at [`DATE`], if it may be kept.
    fn answers(&self, request: &Request<()>, status: u16, lines: &[&str]) -> bool {
        let headers = headers(lines);
        let keeps = self.cache.keeps(request, status, &headers, after(0));
        if keeps {
            self.cache.store(request, status, &headers, b"body", after(0));
        }
        keeps
    }

    fn looks(&self, request: &Request<()>, seconds: u64) -> String {
        match self.cache.look_up(request, after(seconds)) {
            LookUp::Fresh(stored) => {
                assert_eq!(stored.body, b"body");
                "fresh".to_owned()
            }
            LookUp::Stale { conditions, .. } => {
                let mut lines: Vec<String> = conditions
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
                    .collect();
                lines.sort();
                lines.join("; ")
            }
            LookUp::Miss => "miss".to_owned(),
        }
    }

    fn file(&self) -> PathBuf {
        self.cache.folder.file_of("GET", URL)
    }
}

#[test]
fn an_answer_is_fresh_as_long_as_it_says_and_then_confirmed() {
    for (lines, fresh_at, stale_at, then) in [
        (&["cache-control: max-age=60"][..], 59, 61, "miss"),
        (&["cache-control: private, max-age=60"], 59, 61, "miss"),
        (&["cache-control: max-age=60", "etag: \"x\""], 59, 61, "if-none-match: \"x\""),
        (&["cache-control: max-age=60, s-maxage=1", "age: 50"], 9, 11, "miss"),
        (&["expires: Sat, 21 Nov 2026 10:01:00 GMT"], 59, 61, "miss"),
        // A tenth of the time since the last change.
        (
            &["last-modified: Sat, 21 Nov 2026 09:50:00 GMT"],
            59,
            61,
            "if-modified-since: Sat, 21 Nov 2026 09:50:00 GMT",
        ),
    ] {
        let site = site(None);
        let date = format!("date: {DATE}");
        let lines = [lines, &[&*date]].concat();
        assert!(site.answers(&get(&[]), 200, &lines), "{lines:?}");
        assert_eq!(site.looks(&get(&[]), fresh_at), "fresh", "{lines:?}");
        assert_eq!(site.looks(&get(&[]), stale_at), then, "{lines:?}");
    }
}

#[test]
fn what_may_not_be_kept_or_could_not_be_used_is_not() {
    for (status, lines) in [
        (200, &[][..]),
        (200, &["cache-control: no-store, max-age=60", "etag: \"x\""]),
        (200, &["cache-control: max-age=0"]),
        (200, &["vary: *", "cache-control: max-age=60"]),
        (206, &["cache-control: max-age=60"]),
        (304, &["cache-control: max-age=60"]),
        (429, &["cache-control: max-age=60"]),
        (503, &["cache-control: max-age=60"]),
        (302, &["etag: \"x\""]),
    ] {
        let site = site(None);
        assert!(!site.answers(&get(&[]), status, lines), "{status} {lines:?}");
        assert_eq!(site.looks(&get(&[]), 1), "miss");
    }
    for status in [200, 301, 302, 308, 404, 410] {
        assert!(site(None).answers(&get(&[]), status, &["cache-control: max-age=60"]), "{status}");
    }
}

#[test]
fn a_request_can_ask_not_to_be_answered_from_here() {
    let site = site(Some(3600));
    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60", "etag: \"x\""]));
    assert_eq!(site.looks(&get(&["cache-control: no-cache"]), 1), "if-none-match: \"x\"");
    for line in ["range: bytes=0-9", "if-none-match: \"y\"", "if-modified-since: x"] {
        assert!(!site.cache.covers(&get(&[line])), "{line}");
    }
    let post = Request::post(URL).body(()).unwrap();
    assert!(!site.cache.covers(&post) && site.cache.covers(&get(&["cookie: a=1"])));
    assert!(!site.answers(&get(&["cache-control: no-store"]), 200, &["cache-control: max-age=60"]));
}

#[test]
fn an_answer_for_other_request_headers_is_not_ours() {
    let site = site(None);
    let french = get(&["accept-language: fr"]);
    assert!(site.answers(&french, 200, &["cache-control: max-age=60", "vary: Accept-Language"]));
    assert_eq!(site.looks(&french, 1), "fresh");
    assert_eq!(site.looks(&get(&["accept-language: en"]), 1), "miss");
    assert_eq!(site.looks(&get(&[]), 1), "miss");
}

#[test]
fn nothing_of_the_user_is_kept() {
    let lines = ["cache-control: max-age=60", "vary: Cookie"];
    let secret = get(&["cookie: session=hush", "x-key: hush", "user-agent: us"]);
    assert!(!site(None).answers(&secret, 200, &lines), "it depends on the cookie");
    let site = site(None);
    assert!(site.answers(&get(&[]), 200, &lines), "it depends on there being none");
    assert_eq!(site.looks(&secret, 1), "miss");
    assert!(site.answers(&secret, 200, &["cache-control: max-age=60", "set-cookie: s=hush"]));
    let file = fs::read(site.file()).unwrap();
    assert!(!file.windows(4).any(|bytes| bytes == b"hush"));
}

#[test]
fn an_answer_to_a_password_is_kept_only_if_it_is_for_everybody() {
    let request = get(&["authorization: Basic x"]);
    assert!(!site(None).answers(&request, 200, &["cache-control: max-age=60"]));
    assert!(!site(Some(60)).answers(&request, 200, &["cache-control: must-revalidate"]));
    assert!(site(None).answers(&request, 200, &["cache-control: public, max-age=60"]));
}

#[test]
fn an_age_of_the_users_own_holds_whatever_the_site_says() {
    let site = site(Some(3600));
    for lines in
        [&[][..], &["cache-control: no-store"], &["cache-control: max-age=0, no-cache", "etag: \"x\""]]
    {
        assert!(site.answers(&get(&[]), 200, lines));
        assert_eq!(site.looks(&get(&[]), 3599), "fresh", "{lines:?}");
    }
    assert_eq!(site.looks(&get(&[]), 3601), "if-none-match: \"x\"");
    assert!(!site.answers(&get(&[]), 503, &[]) && !site.answers(&get(&[]), 302, &[]));
}

#[test]
fn a_304_makes_the_stored_answer_good_again() {
    let site = site(None);
    let kept = ["cache-control: max-age=60", "etag: \"x\"", "content-type: text/html", "age: 30", "x-old: 1"];
    assert!(site.answers(&get(&[]), 200, &kept));
    let LookUp::Stale { stored, .. } = site.cache.look_up(&get(&[]), after(100)) else { panic!("not stale") };
    let confirmed =
        headers(&["etag: \"x\"", "cache-control: max-age=200", "content-type: x/y", "set-cookie: a"]);
    let renewed = site.cache.freshen(stored, &get(&[]), &confirmed, after(100)).unwrap();
    assert_eq!((renewed.status, &*renewed.body), (200, &b"body"[..]));
    assert_eq!(renewed.headers["content-type"], "text/html");
    assert_eq!(site.looks(&get(&[]), 299), "fresh");
    assert_eq!(site.looks(&get(&[]), 301), "if-none-match: \"x\"");
    let LookUp::Stale { stored, .. } = site.cache.look_up(&get(&[]), after(301)) else { panic!("not stale") };
    assert_eq!(stored.headers["x-old"], "1");
    assert!(!stored.headers.contains_key("age") && !stored.headers.contains_key("set-cookie"));
    let other = headers(&["etag: \"y\""]);
    assert_eq!(site.cache.freshen(stored, &get(&[]), &other, after(301)), None, "it means another answer");
}

#[test]
fn headers_come_back_as_they_were() {
    let site = site(None);
    let lines = [
        "cache-control: max-age=60",
        "content-encoding: gzip",
        "x: 1",
        "x: 2",
        "connection: x-hop",
        "x-hop: 1",
    ];
    let mut sent = headers(&lines);
    sent.insert("latin", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    site.cache.store(&get(&[]), 203, &sent, b"\0\xff", after(0));
    let LookUp::Fresh(stored) = site.cache.look_up(&get(&[]), after(1)) else { panic!("not fresh") };
    assert_eq!((stored.status, &*stored.body, stored.received), (203, &b"\0\xff"[..], after(0)));
    assert_eq!(stored.headers.get_all("x").iter().collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(stored.headers["latin"].as_bytes(), b"caf\xe9");
    assert!(!stored.headers.contains_key("x-hop") && !stored.headers.contains_key("connection"));
}

#[test]
fn a_damaged_file_is_a_miss() {
    let site = site(None);
    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60"]));
    let whole = fs::read(site.file()).unwrap();
    for cut in 0..whole.len() {
        fs::write(site.file(), &whole[..cut]).unwrap();
        assert_eq!(site.looks(&get(&[]), 1), "miss", "cut at {cut}");
    }
    for at in 0..whole.len() {
        let mut other = whole.clone();
        other[at] ^= 0x20;
        fs::write(site.file(), other).unwrap();
        assert_eq!(site.looks(&get(&[]), 1), "miss", "changed at {at}");
    }
    fs::write(site.file(), [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(site.looks(&get(&[]), 1), "miss");
    fs::write(site.file(), &whole).unwrap();
    assert_eq!(site.looks(&get(&[]), 1), "fresh");
}

#[test]
fn a_file_for_another_url_is_a_miss() {
    let site = site(None);
    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60"]));
    let other = site.cache.folder.file_of("GET", "http://h/other");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::rename(site.file(), other).unwrap();
    let request = Request::get("http://h/other").body(()).unwrap();
    assert_eq!(site.looks(&request, 1), "miss");
}

#[test]
fn a_folder_that_cannot_be_written_is_told_of_and_no_more() {
    let site = site(None);
    fs::write(site.dir.path().join("deep"), "a file").unwrap();
    assert!(site.cache.trouble().is_none());
    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60"]));
    assert_eq!(site.looks(&get(&[]), 1), "miss");
    assert!(site.cache.trouble().unwrap().starts_with("pages could not be kept in `"));
    let error = check_cache_folder(site.cache.folder.path()).unwrap_err().to_string();
    assert!(error.ends_with("deep` is not a folder"), "{error}");
}

#[test]
fn a_hostile_age_does_not_overflow() {
    let site = site(None);
    let age = format!("age: {}", u64::MAX);
    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60", "etag: \"x\"", &age]));
    assert_eq!(site.looks(&get(&[]), 1), "if-none-match: \"x\"");
    let max_age = format!("cache-control: max-age={}", u64::MAX);
    assert!(site.answers(&get(&[]), 200, &[&max_age, &age]));
    assert_eq!(site.looks(&get(&[]), 1), "fresh");
}

#[test]
fn many_may_write_the_same_answer_at_once() {
    let site = site(None);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert!(site.answers(&get(&[]), 200, &["cache-control: max-age=60"]));
                    assert_eq!(site.looks(&get(&[]), 1), "fresh");
                }
            });
        }
    });
    assert!(site.cache.trouble().is_none());
    let files = fs::read_dir(site.file().parent().unwrap()).unwrap().count();
    assert_eq!(files, 1, "nothing unfinished is left");
}
