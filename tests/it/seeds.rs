//! Sitemaps and feeds as where a crawl begins.

use std::collections::BTreeSet;

use crate::support::{Reply, Server, pagemill, polite, run};

fn xml(body: String) -> Reply {
    Reply::page(body).header("Content-Type", "application/xml")
}

fn urls(server: &Server) -> BTreeSet<String> {
    server.hits().iter().map(|hit| hit.path.clone()).collect()
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

/// A site whose index of sitemaps, one of them gzipped, names eight pages; one entry stands in both.
fn site() -> Server {
    Server::start(|site| {
        site.compute("/robots.txt", |hit| {
            let host = hit.header("host").unwrap_or_default();
            Reply::page(format!("User-agent: *\nDisallow: /p/8\nSitemap: http://{host}/index.xml\n"))
        });
        site.page("/", "<h1>front</h1>");
        site.on(
            "/index.xml",
            xml("<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>\
                 <sitemap><loc>/a.xml</loc></sitemap>\
                 <sitemap><loc>/b.xml.gz</loc><lastmod>2024-05-01</lastmod></sitemap>\
                 <sitemap><loc>/index.xml</loc></sitemap></sitemapindex>"
                .into()),
        );
        let entries = |numbers: std::ops::Range<u32>| -> String {
            let entry = |n| format!("<url><loc>/p/{n}</loc><lastmod>2024-0{n}-01</lastmod></url>");
            format!(
                "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{}</urlset>",
                numbers.map(entry).collect::<String>()
            )
        };
        site.on("/a.xml", xml(entries(1..5)));
        site.on("/b.xml.gz", Reply::page(entries(4..9)).gzip().without_header("Content-Encoding"));
        site.handle(|hit| match hit.path.strip_prefix("/p/") {
            Some(number) => Reply::page(format!("<h1>{number}</h1>")),
            None => Reply::status(404),
        });
    })
}

fn titles(stdout: &str) -> BTreeSet<String> {
    stdout.lines().map(|line| line.replace("{\"h\":\"", "").replace("\"}", "")).collect()
}

#[test]
fn a_sitemap_with_its_index_names_the_pages_each_once() {
    let server = site();
    let sitemap = server.url("/index.xml");
    let ran = run(&mut pagemill(["crawl", "--sitemap", &sitemap, "-f", "h=//h1"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(titles(&ran.stdout), set(&["1", "2", "3", "4", "5", "6", "7", "8"]));
    assert_eq!(ran.stdout.lines().count(), 8);
    assert!(server.hits().iter().all(|hit| hit.earlier == 0), "{:?}", urls(&server));
    assert!(ran.stderr.contains("8 pages, 8 records"), "{}", ran.stderr);
}

#[test]
fn since_takes_what_has_changed_since_then() {
    let server = site();
    let sitemap = server.url("/index.xml");
    let ran =
        run(&mut pagemill(["crawl", "--sitemap", &sitemap, "--since", "2024-06-01", "-f", "h=//h1", "-q"]));
    // The second sitemap has changed last in May, it says: nothing in it can be younger.
    assert_eq!(titles(&ran.stdout), set(&[]));
    let ran =
        run(&mut pagemill(["crawl", "--sitemap", &sitemap, "--since", "2024-04-01", "-f", "h=//h1", "-q"]));
    assert_eq!(titles(&ran.stdout), set(&["4", "5", "6", "7", "8"]));
}

#[test]
fn the_sitemaps_that_robots_txt_names_count_beside_the_page_itself() {
    let server = site();
    let ran = run(&mut polite(["crawl", &server.url("/"), "--sitemap", "robots", "-f", "h=//h1"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(titles(&ran.stdout), set(&["front", "1", "2", "3", "4", "5", "6", "7"]));
    assert_eq!(server.hits_of("/robots.txt").len(), 1);
    assert!(ran.stderr.contains("1 disallowed by robots.txt"), "{}", ran.stderr);
}

#[test]
fn pages_of_a_sitemap_may_lead_on() {
    let server = Server::start(|site| {
        site.on("/s.xml", xml("<urlset><url><loc>/a</loc></url></urlset>".into()));
        site.page("/a", "<h1>a</h1><a href='/b'>b</a>");
        site.page("/b", "<h1>b</h1><a href='/c'>c</a>");
        site.page("/c", "<h1>c</h1>");
    });
    let sitemap = server.url("/s.xml");
    let flags = [
        "crawl",
        "--sitemap",
        &sitemap,
        "-f",
        "h=//h1",
        "--follow",
        "//a",
        "--level",
        "1",
        "--ordered",
        "-q",
    ];
    let ran = run(&mut pagemill(flags));
    assert_eq!(ran.stdout, "{\"h\":\"a\"}\n{\"h\":\"b\"}\n", "{}", ran.stderr);
}

#[test]
fn the_entries_of_a_feed_are_pages() {
    let server = Server::start(|site| {
        site.on(
            "/feed",
            xml("<rss version='2.0'><channel><link>/</link><item><link>/n/1</link></item>\
                 <item><link>/n/2</link></item></channel></rss>"
                .into()),
        );
        site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path)));
    });
    let feed = server.url("/feed");
    let ran = run(&mut pagemill(["crawl", "--feed", &feed, "-f", "h=//h1", "-q"]));
    assert_eq!(titles(&ran.stdout), set(&["/n/1", "/n/2"]), "{}", ran.stderr);
}

#[test]
fn a_sitemap_that_is_none_is_a_failed_page() {
    let server = Server::start(|site| site.page("/s.xml", "\u{0}\u{1}"));
    let sitemap = server.url("/s.xml");
    let ran = run(&mut pagemill(["crawl", "--sitemap", &sitemap, "-f", "h=//h1"]));
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("/s.xml"), "{}", ran.stderr);
}

#[test]
fn a_list_that_names_a_page_twice_has_it_asked_for_once() {
    let server = Server::start(|site| site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path))));
    let folder = crate::support::temp_dir();
    let list = folder.path().join("list");
    std::fs::write(&list, format!("{0}\n{1}\n{0}#x\n", server.url("/a"), server.url("/b"))).unwrap();
    let ran = run(&mut pagemill(["crawl", "-i", list.to_str().unwrap(), "-f", "h=//h1"]));
    assert_eq!((ran.stdout.lines().count(), server.hits().len()), (2, 2), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 known already"), "{}", ran.stderr);
}

#[test]
fn a_sitemap_that_is_cut_off_is_a_failed_page() {
    let server = Server::start(|site| {
        site.on("/s.xml", xml("<urlset><url><loc>/a</loc></url><url><loc>/b</lo".into()));
    });
    let sitemap = server.url("/s.xml");
    let ran = run(&mut pagemill(["crawl", "--sitemap", &sitemap, "-f", "h=//h1", "--retry", "0"]));
    assert_eq!((ran.code, server.hits().len()), (Some(3), 1));
    assert!(ran.stderr.contains("the sitemap is not whole"), "{}", ran.stderr);
}
