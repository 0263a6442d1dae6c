//! Links: which are followed, in which order, and that it ends.
//!
//! The witness is the server's own log of requests.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use pagemill::demo::{BOOKS, book};
use serde_json::Value;

use crate::support::{Hit, Reply, Server, Site, pagemill, polite, run, temp_dir};

/// A page with links.
fn page(links: &[&str]) -> Reply {
    let links: String = links.iter().map(|href| format!("<a href=\"{href}\">x</a>\n")).collect();
    Reply::page(format!("<html><body><h1>here</h1>{links}</body></html>"))
}

/// How often each path was asked for, with its query.
fn counts(hits: &[Hit]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for hit in hits {
        let query = hit.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        *counts.entry(format!("{}{query}", hit.path)).or_default() += 1;
    }
    counts
}

fn paths(hits: &[Hit]) -> Vec<String> {
    counts(hits).into_keys().collect()
}

/// Crawls all links from `/` of `server`, with more flags; gives the standard error.
fn crawl(server: &Server, flags: &[&str]) -> String {
    let url = server.url("/");
    let command = ["crawl", &url, "-f", "h=//h1", "--follow", "//a/@href", "--retry-delay", "1ms"];
    let ran = run(&mut pagemill(command.iter().chain(flags)));
    assert!(matches!(ran.code, Some(0 | 3)), "{:?} {}", ran.code, ran.stderr);
    ran.stderr
}

#[test]
fn a_listing_leads_to_its_items_and_to_the_next_listing_and_hands_values_down() {
    let server = Server::start(|site| {
        for number in 1..=3 {
            let next = if number < 3 {
                format!("<li class=next><a href='/list/{}'>", number + 1)
            } else {
                String::new()
            };
            let items: String =
                (0..4).map(|item| format!("<h3><a href='/item/{number}{item}'>i</a></h3>")).collect();
            site.page(&format!("/list/{number}"), format!("<h2>Shelf {number}</h2>{items}{next}"));
            for item in 0..4 {
                site.page(&format!("/item/{number}{item}"), format!("<h1>Item {number}{item}</h1>"));
            }
        }
    });
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    fs::write(
        &job,
        format!(
            "[source]\nurl = '{}'\n\
             [extract.listing]\n\
             follow = [ {{ xpath = '//h3/a/@href', to = 'item', carry = {{ shelf = '//h2/text()' }} }},\n\
             {{ xpath = '//li[@class=\"next\"]/a/@href', to = 'listing' }} ]\n\
             [extract.item]\nfields.title = '//h1/text()'\nfields.shelf = {{ carry = 'shelf' }}\n",
            server.url("/list/1")
        ),
    )
    .unwrap();
    let ran = run(&mut pagemill(["crawl", "-c", job.to_str().unwrap(), "--ordered"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let records: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<Value> = (1..=3)
        .flat_map(|number| (0..4).map(move |item| (number, item)))
        .map(|(number, item)| serde_json::json!({"title": format!("Item {number}{item}"), "shelf": format!("Shelf {number}")}))
        .collect();
    assert_eq!(records, expected);
    assert!(counts(&server.hits()).values().all(|&count| count == 1));
    assert!(ran.stderr.contains("links: 14 followed, 0 known already"), "{}", ran.stderr);
}

#[test]
fn each_place_is_asked_for_once_however_it_is_written() {
    let server = Server::start(|site| {
        site.on("/", page(&["a", "/a", "./a#top", "b/../a", "/%61", "/a?", "a?x=1&y=2", "/", ""]));
        site.on("/a", page(&["/"]));
    });
    let said = crawl(&server, &[]);
    let hits = counts(&server.hits());
    assert_eq!(hits.values().max(), Some(&1), "{hits:?}");
    assert!(hits.contains_key("/a") && hits.contains_key("/a?x=1&y=2"), "{hits:?}");
    assert!(said.contains("known already"), "{said}");
}

#[test]
fn links_stay_on_their_host_unless_domains_say_more() {
    let other = Server::start(|site| site.on("/", page(&[]))).may_be_idle();
    let there = other.url("/");
    let links = [there.as_str(), "/a", "mailto:x@y", "javascript:x()", "ftp://h/x"];
    let home = Server::start(|site| {
        site.on("/", page(&links));
        site.on("/a", page(&[]));
    });
    let said = crawl(&home, &[]);
    assert_eq!(paths(&home.hits()), ["/", "/a"]);
    assert_eq!(other.hits().len(), 0);
    assert!(said.contains("left out: outside the site"), "{said}");
    crawl(&home, &["--domains", "127.0.0.1", "-q"]);
    assert_eq!(other.hits().len(), 1);
}

#[test]
fn patterns_levels_and_folders_bound_what_is_followed() {
    let server = Server::start(|site| {
        site.on("/", page(&["/a/1", "/b/1"]));
        site.on("/a/1", page(&["/a/2", "/a/skip", "../b/2"]));
        site.on("/a/2", page(&["/a/3"]));
        site.handle(|_| page(&[]));
    });
    let reached = |start: &str, flags: &[&str]| {
        let before = server.hits().len();
        let url = server.url(start);
        let command = ["crawl", &url, "-f", "h=//h1", "--follow", "//a/@href", "-q"];
        let ran = run(&mut pagemill(command.iter().chain(flags)));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        paths(&server.hits()[before..])
    };
    assert_eq!(reached("/", &["--level", "1"]), ["/", "/a/1", "/b/1"]);
    assert_eq!(reached("/", &["-l", "0"]), ["/"]);
    assert_eq!(reached("/", &["--accept-regex", "/a/"]), ["/", "/a/1", "/a/2", "/a/3", "/a/skip"]);
    assert_eq!(
        reached("/", &["--reject-regex", "/b/", "--reject-regex", "skip$"]),
        ["/", "/a/1", "/a/2", "/a/3"]
    );
    assert_eq!(reached("/a/1", &["--no-parent"]), ["/a/1", "/a/2", "/a/3", "/a/skip"]);
    assert_eq!(reached("/", &["--max-pages", "3"]).len(), 3);
}

#[test]
fn max_records_ends_the_run_with_as_many() {
    let server = Server::start(|site| {
        site.handle(|hit| page(&[&format!("{}x", hit.path), &format!("{}y", hit.path)]));
    });
    let url = server.url("/");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-e",
        "//a",
        "-f",
        "h=./@href",
        "--follow",
        "//a/@href",
        "--max-records",
        "7",
    ]));
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 7), "{}", ran.stderr);
    assert!(ran.stderr.contains("ended with the records asked for"), "{}", ran.stderr);
}

/// How many pages the site of circles has.
const CIRCLES: u64 = 500;

/// What a page of the site of circles is.
enum Circle {
    /// It fails for ever.
    Dead,
    /// It leads here, as a redirect.
    Elsewhere(u64),
    /// It leads here.
    Links([u64; 4]),
}

fn circle(number: u64) -> Circle {
    match number {
        _ if number % 7 == 3 => Circle::Dead,
        _ if number % 11 == 5 => Circle::Elsewhere((number + 1) % CIRCLES),
        _ => Circle::Links([number * 2 + 1, number * 3 + 2, number + 1, number].map(|to| to % CIRCLES)),
    }
}

/// Pages that lead to each other in circles, over redirects and failures. Every other one fails at first.
fn circles(site: &mut Site) {
    site.handle(|hit| {
        let Ok(number) = hit.path.trim_start_matches('/').parse() else { return page(&["/0"]) };
        match circle(number) {
            Circle::Dead => Reply::status(500),
            _ if number % 2 == 0 && hit.earlier == 0 => Reply::status(500),
            Circle::Elsewhere(to) => Reply::redirect(302, format!("/{to}")),
            Circle::Links(links) => page(&links.map(|to| format!("/{to}")).each_ref().map(String::as_str)),
        }
    });
}

/// How often each page of the site of circles has to be asked for, by walking it without any network.
fn circles_walked() -> BTreeMap<String, usize> {
    let mut tries = BTreeMap::from([("/".to_owned(), 1)]);
    let mut waiting = vec![0];
    while let Some(number) = waiting.pop() {
        let path = format!("/{number}");
        if tries.contains_key(&path) {
            continue;
        }
        let usual = 1 + usize::from(number % 2 == 0);
        let count = match circle(number) {
            Circle::Dead => 3,
            Circle::Elsewhere(to) => {
                waiting.push(to);
                usual
            }
            Circle::Links(links) => {
                waiting.extend(links);
                usual
            }
        };
        tries.insert(path, count);
    }
    tries
}

#[test]
fn a_site_of_circles_ends_with_every_page_read_once_though_some_fail() {
    let server = Server::start(circles);
    let url = server.url("/");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-f",
        "h=//h1",
        "--follow",
        "//a/@href",
        "--retry-delay",
        "1ms",
        "-j",
        "32",
        "--per-host",
        "32",
        "--throttle",
        "off",
    ]));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(counts(&server.hits()), circles_walked());
}

#[test]
fn ordered_output_is_the_same_whatever_the_network_does() {
    let run_once = |slow: u64| {
        let server = Server::start(move |site| {
            site.handle(move |hit| {
                let number: u64 = hit.path.trim_start_matches('/').parse().unwrap_or(1);
                let links: Vec<String> = (0..3)
                    .map(|i| number * 3 + i)
                    .filter(|&to| to < 120)
                    .map(|to| format!("/{to}"))
                    .collect();
                let links: Vec<&str> = links.iter().map(String::as_str).collect();
                page(&links).drip(400, Duration::from_millis((number * slow) % 7))
            });
        });
        let url = server.url("/1");
        let ran = run(&mut pagemill([
            "crawl",
            &url,
            "-f",
            "n=count(//a)",
            "--with-meta",
            "--follow",
            "//a/@href",
            "--ordered",
            "-q",
        ]));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let home = server.url("");
        let records = ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.map(|record| record["_url"].as_str().unwrap().replace(&home, "")).collect::<Vec<_>>()
    };
    // Breadth first.
    let mut expected = vec![1_u64];
    let mut at = 0;
    while at < expected.len() {
        expected.extend((0..3).map(|i| expected[at] * 3 + i).filter(|&to| to < 120).collect::<Vec<_>>());
        at += 1;
    }
    let expected: Vec<String> = expected.into_iter().map(|number| format!("/{number}")).collect();
    assert_eq!(run_once(3), expected);
    assert_eq!(run_once(5), expected);
}

#[test]
fn pages_that_forbid_following_are_read_and_not_followed() {
    let server = Server::start(|site| {
        site.on("/robots.txt", Reply::status(404));
        site.on("/", page(&["/meta", "/header", "/ours"]));
        let meta = |name: &str| {
            format!("<meta name='{name}' content='index, NoFollow'><h1>m</h1><a href='/no'>x</a>")
        };
        site.page("/meta", meta("robots"));
        site.page("/ours", meta("pagemill"));
        site.on("/header", page(&["/no"]).header("X-Robots-Tag", "nofollow"));
        site.on("/no", page(&[]));
    });
    let url = server.url("/");
    let command = ["crawl", &url, "-f", "h=//h1", "--follow", "//a/@href"];
    let ran = run(&mut polite(command));
    assert_eq!(paths(&server.hits()), ["/", "/header", "/meta", "/ours", "/robots.txt"]);
    assert_eq!(ran.stdout.lines().count(), 4);
    assert!(ran.stderr.contains("3  left out: "), "{}", ran.stderr);
    run(&mut polite(command.iter().chain(&["--no-robots"])));
    assert_eq!(counts(&server.hits())["/no"], 1);
}

#[test]
fn traps_end_within_their_limits_and_are_told() {
    let server = Server::start(|site| {
        site.on("/", page(&["/cal/2026/1", "/deep/", "/circle/1", "/self?n=1", "/query?a=1&b=2&c=3"]));
        site.handle(|hit| {
            let path = hit.path.as_str();
            let number = || path.rsplit('/').next().and_then(|last| last.parse::<u64>().ok()).unwrap_or(0);
            if path.starts_with("/cal/") {
                page(&[&format!("/cal/2026/{}", number() + 1)])
            } else if path.starts_with("/deep/") {
                page(&[&format!("{path}deep/")])
            } else if path.starts_with("/circle/") {
                Reply::redirect(302, format!("/circle/{}", number() % 3 + 1))
            } else if path == "/self" {
                let query = hit.query.clone().unwrap_or_default();
                page(&[&format!("/self?{query}&n=1"), &format!("/self?n={}", hit.at.elapsed().as_nanos())])
            } else {
                page(&[
                    "/query?a=1&c=3&b=2",
                    "/query?b=2&a=1&c=3",
                    "/query?b=2&c=3&a=1",
                    "/query?c=3&a=1&b=2",
                ])
            }
        });
    });
    let said = crawl(&server, &["--max-per-shape", "30"]);
    let hits = counts(&server.hits());
    let of = |start: &str| {
        hits.iter().filter(|(path, _)| path.starts_with(start)).map(|(_, count)| count).sum::<usize>()
    };
    assert_eq!(of("/cal/"), 30);
    assert!(
        of("/deep/") <= 30 && of("/self") <= 200 && of("/circle/") <= 40 && of("/query") <= 4,
        "{hits:?}"
    );
    assert!(said.contains("/cal/N/N"), "{said}");
}

#[test]
fn two_ways_to_one_place_by_redirect_give_its_record_once() {
    let server = Server::start(|site| {
        site.on("/", page(&["/old", "/older", "/new"]));
        site.on("/old", Reply::redirect(301, "/new"));
        site.on("/older", Reply::redirect(301, "/new"));
        site.on("/new", page(&[]));
    });
    let url = server.url("/");
    let ran =
        run(&mut pagemill(["crawl", &url, "-f", "h=//h1", "--with-meta", "--follow", "//a/@href", "-q"]));
    assert_eq!(ran.stdout.matches("/new\"").count(), 1, "{}", ran.stdout);
    assert_eq!(counts(&server.hits())["/new"], 1);
}

#[test]
fn a_linked_page_that_redirects_off_the_site_is_not_followed_there() {
    let other = Server::start(|site| site.on("/", page(&[]))).may_be_idle();
    let there = other.url("/");
    let home = Server::start(|site| {
        site.on("/", page(&["/out"]));
        site.on("/out", Reply::redirect(302, there));
    });
    crawl(&home, &[]);
    assert_eq!(other.hits().len(), 0);
}

/// The practice bookshop, left open; ended when dropped.
struct Shop {
    process: std::process::Child,
    url: String,
}

impl Shop {
    fn open() -> Shop {
        use std::io::{BufRead, BufReader};
        let mut command = pagemill(["demo", "--serve"]);
        let mut process = command
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let said =
            stderr.lines().map_while(Result::ok).find(|line| line.contains("http://127.0.0.1:")).unwrap();
        let start = said.find("http://127.0.0.1:").unwrap();
        let end =
            said[start + 17..].find(|c: char| !c.is_ascii_digit()).map_or(said.len(), |end| start + 17 + end);
        let url = said[start..end].to_owned();
        Shop { process, url }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn one_job_file_crawls_the_practice_shop_from_its_first_listing_to_every_book_once() {
    let shop = Shop::open();
    let folder = temp_dir();
    let job = folder.path().join("shop.toml");
    fs::write(
        &job,
        format!(
            "[source]\nurl = '{}/page/1'\n\
             [extract.listing]\nfollow = [ {{ xpath = '//h3/a', to = 'book' }}, {{ css = 'a.next', to = 'listing' }} ]\n\
             [extract.book]\nfields.title = '//h1'\nfields.link = {{ meta = 'url' }}\n\
             [fetch]\nthrottle = 'off'\n",
            shop.url
        ),
    )
    .unwrap();
    let ran = run(&mut polite(["crawl", "-c", job.to_str().unwrap(), "-q"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let mut links: Vec<u32> = Vec::new();
    for line in ran.stdout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let number = record["link"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(record["title"], book(number).title);
        links.push(number);
    }
    links.sort_unstable();
    assert_eq!(links, (1..=BOOKS).collect::<Vec<u32>>());
}

#[test]
fn links_alone_lead_to_every_page_of_the_practice_shop_but_the_forbidden_ones() {
    let shop = Shop::open();
    let start = format!("{}/", shop.url);
    let ran = run(&mut polite([
        "crawl",
        &start,
        "-f",
        "title=//title",
        "--with-meta",
        "--follow",
        "//a",
        "--throttle",
        "off",
        "-q",
    ]));
    let mut found: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["_url"].as_str().unwrap().replace(&shop.url, "")
        })
        .collect();
    found.sort_unstable();
    found.sort_unstable();
    let mut expected = pagemill::demo::linked_paths();
    expected.sort_unstable();
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|path| !those.contains(path)).cloned().collect::<Vec<_>>()
    };
    assert_eq!((only(&found, &expected), only(&expected, &found)), (vec![], vec![]));
    assert_eq!(found.len(), expected.len());
}

#[test]
fn an_open_range_and_links_do_not_go_together() {
    let ran = run(&mut pagemill([
        "crawl",
        "http://h/{page}",
        "-p",
        "1-",
        "--until-empty",
        "-f",
        "h=//h1",
        "--follow",
        "//a",
    ]));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("does not go with --follow"), "{}", ran.stderr);
}

#[test]
fn what_max_pages_leaves_out_is_told() {
    let links: Vec<String> = (0..30_000).map(|n| format!("/{n}")).collect();
    let links: Vec<&str> = links.iter().map(String::as_str).collect();
    let server = Server::start(|site| {
        site.on("/", page(&links));
        site.handle(|_| page(&[]));
    });
    let said = crawl(&server, &["--max-pages", "10"]);
    assert_eq!(server.hits().len(), 10);
    assert!(
        said.contains("links: 9 followed") && said.contains("29,991  left out: beyond --max-pages"),
        "{said}"
    );
}
