use std::fs;

use crate::support::{Reply, Server, pagemill, polite, run, temp_dir};

/// A listing with two items; the page number is in them.
pub(crate) fn listing(page: &str) -> String {
    format!(
        "<html><body><ul>\
         <li class=item><a href='/i/{page}a'>  First\n of {page} </a> <b>1</b> <b>2</b></li>\
         <li class=item><a href='/i/{page}b'>Second of {page}</a></li></ul></body></html>"
    )
}

/// A server of listings at `/list?p=N`.
pub(crate) fn listings() -> Server {
    Server::start(|site| {
        site.compute("/list", |hit| {
            let page = hit.query.as_deref().and_then(|query| query.strip_prefix("p=")).unwrap_or("none");
            Reply::page(listing(page))
        });
    })
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

#[test]
fn records_come_out_as_json_lines_with_fields_in_the_order_of_the_command() {
    let server = listings();
    let ran = run(&mut pagemill([
        "crawl",
        &server.url("/list?p={page*25}"),
        "-p",
        "0-2",
        "--each",
        "//li[@class='item']",
        "--field",
        "title=./a/text()",
        "--field",
        "link=./a/@href",
        "--field",
        "n[]=./b",
        "--field",
        "count=count(./b)",
        "--field",
        "has=boolean(./b)",
        "--field",
        "none=./i",
        "--ordered",
        "-q",
    ]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        lines(&ran.stdout)[..2],
        [
            r#"{"title":"First of 0","link":"/i/0a","n":["1","2"],"count":2,"has":true,"none":null}"#,
            r#"{"title":"Second of 0","link":"/i/0b","n":[],"count":0,"has":false,"none":null}"#,
        ]
    );
    assert_eq!(lines(&ran.stdout).len(), 6);
    assert!(lines(&ran.stdout)[4].contains("First of 50"));
}

#[test]
fn without_each_a_page_is_one_record() {
    let server = listings();
    let ran = run(&mut pagemill(["crawl", &server.url("/list?p=7"), "-f", "links[]=//a/@href", "-q"]));
    assert_eq!(ran.stdout, "{\"links\":[\"/i/7a\",\"/i/7b\"]}\n");
}

#[test]
fn raw_keeps_white_space_and_meta_says_where_a_record_comes_from() {
    let server = listings();
    let url = server.url("/list?p={page}");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-p",
        "3",
        "-e",
        "//li[1]",
        "-f",
        "t=./a",
        "--raw",
        "--with-meta",
        "-q",
    ]));
    let record: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(record["t"], "  First\n of 3 ");
    assert_eq!(record["_url"], server.url("/list?p=3"));
    assert_eq!(record["_page"], 3);
    let fetched_at: jiff::Timestamp = record["_fetched_at"].as_str().unwrap().parse().unwrap();
    assert!((jiff::Timestamp::now().as_second() - fetched_at.as_second()).abs() < 3600);
}

#[test]
fn ordered_output_is_in_page_order_though_the_first_page_comes_last() {
    let gate = crate::support::Gate::new();
    let opener = gate.clone();
    let server = Server::start(|site| {
        site.compute("/list", move |hit| {
            let page = hit.query.clone().unwrap_or_default();
            let reply = Reply::page(listing(&page[2..]));
            match page.as_str() {
                "p=0" => reply.behind(&opener),
                // The last page to be asked for lets the first one out.
                "p=19" => {
                    opener.open();
                    reply
                }
                _ => reply,
            }
        });
    });
    let url = server.url("/list?p={page}");
    let args = ["crawl", &url, "-p", "0-19", "-j", "4", "--ordered", "-e", "//li[2]", "-f", "t=./a", "-q"];
    let ran = run(&mut pagemill(args));
    let expected: Vec<String> = (0..20).map(|page| format!("{{\"t\":\"Second of {page}\"}}")).collect();
    assert_eq!(lines(&ran.stdout), expected);
    drop(gate);
}

#[test]
fn output_is_appended_or_replaced_and_never_glued_to_half_a_line() {
    let server = listings();
    let folder = temp_dir();
    let path = folder.path().join("out.jsonl");
    let file = path.to_str().unwrap();
    let crawl = |flag: &str| {
        let args = ["crawl", &server.url("/list?p=1"), "-e", "//li[2]", "-f", "t=./a", flag, file, "-q"];
        assert_eq!(run(&mut pagemill(args)).code, Some(0));
        fs::read_to_string(&path).unwrap()
    };
    let line = "{\"t\":\"Second of 1\"}\n";
    assert_eq!(crawl("-o"), line);
    assert_eq!(crawl("-o"), line.repeat(2));
    assert_eq!(crawl("-O"), line);
    fs::write(&path, "{\"half\":").unwrap();
    assert_eq!(crawl("-o"), format!("{{\"half\":\n{line}"));
}

#[test]
fn a_job_file_does_the_same_and_flags_and_environment_win_over_it() {
    let server = listings();
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    let text = format!(
        "[source]\nurl = \"{}\"\npages = \"1-9\"\n[extract.item]\neach = \"//li\"\n\
         fields.title = \"./a\"\nfields.n = {{ xpath = \"./b\", all = true }}\n[output]\nquiet = true\nordered = true\n",
        server.url("/list?p={page}")
    );
    fs::write(&job, text).unwrap();
    let job = job.to_str().unwrap();
    let ran = run(&mut pagemill(["crawl", "-c", job, "-p", "4", "-f", "n=./b[2]", "-f", "x=name()"]));
    assert_eq!(
        ran.stdout,
        "{\"title\":\"First of 4\",\"n\":\"2\",\"x\":\"li\"}\n{\"title\":\"Second of 4\",\"n\":null,\"x\":\"li\"}\n"
    );
    let ran = run(pagemill(["crawl", "-c", job]).env("PAGEMILL_PAGES", "5-6"));
    assert_eq!(lines(&ran.stdout).len(), 4, "{}", ran.stderr);
    let ran = run(pagemill(["crawl", "-c", job, "-p", "8"]).env("PAGEMILL_PAGES", "5-6"));
    assert!(ran.stdout.contains("of 8") && !ran.stdout.contains("of 5"));
}

#[test]
fn failed_pages_are_retried_then_told_and_counted() {
    let server = Server::start(|site| {
        site.fails_first("/p1", 2, Reply::status(503), Reply::page(listing("1")));
        site.on("/p2", Reply::status(503));
        site.on("/p3", Reply::status(404));
        site.page("/p4", listing("4"));
    });
    let folder = temp_dir();
    let summary = folder.path().join("summary.json");
    let ran = run(&mut pagemill([
        "crawl",
        &server.url("/p{page}"),
        "-p",
        "1-4",
        "-e",
        "//li[2]",
        "-f",
        "t=./a",
        "--retry-delay",
        "1ms",
        "--ordered",
        "--summary",
        summary.to_str().unwrap(),
    ]));
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stdout, "{\"t\":\"Second of 1\"}\n{\"t\":\"Second of 4\"}\n");
    assert!(ran.stderr.contains(&format!("failed: {}: status 503 after 3 attempts", server.url("/p2"))));
    assert!(ran.stderr.contains(&format!("failed: {}: status 404\n", server.url("/p3"))), "{}", ran.stderr);
    let hits = |path| server.hits_of(path).len();
    assert_eq!((hits("/p1"), hits("/p2"), hits("/p3"), hits("/p4")), (3, 3, 1, 1));
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    assert_eq!(summary["pages_done"], 2);
    assert_eq!(summary["pages_failed"], 2);
    assert_eq!(summary["failed_by_kind"]["status 404"], 1);
    assert_eq!(summary["retries"], 4);
    assert_eq!(summary["records"], 2);
    assert_eq!(summary["exit_code"], 3);
}

#[test]
fn a_page_without_a_record_ends_an_open_range() {
    for beyond in [Reply::page("<p>no more"), Reply::status(404)] {
        let server = Server::start(|site| {
            site.compute("/list", move |hit| {
                let page: u32 = hit.query.as_deref().unwrap()[2..].parse().unwrap();
                if page <= 5 { Reply::page(listing(&page.to_string())) } else { beyond.clone() }
            });
        });
        let url = server.url("/list?p={page}");
        let args = [
            "crawl",
            &url,
            "-p",
            "1-",
            "--until-empty",
            "-j",
            "2",
            "-e",
            "//li",
            "-f",
            "t=./a",
            "-q",
            "--ordered",
        ];
        let ran = run(&mut pagemill(args));
        assert_eq!((ran.code, lines(&ran.stdout).len()), (Some(0), 10), "{}", ran.stderr);
    }
}

#[test]
fn max_pages_bounds_a_huge_range_without_walking_it() {
    let server = listings();
    let url = server.url("/list?p={page}");
    let args =
        ["crawl", &url, "-p", "1-1000000000000", "--max-pages", "3", "-e", "//li", "-f", "t=./a", "-q"];
    let ran = run(&mut pagemill(args));
    assert_eq!((ran.code, lines(&ran.stdout).len()), (Some(0), 6));
    assert_eq!(server.hits().len(), 3);
}

#[test]
fn jobs_bounds_the_requests_at_the_same_time() {
    let server = Server::start(|site| {
        site.handle(|_| Reply::page("<a>x</a>").drip(4, std::time::Duration::from_millis(2)));
    });
    let url = server.url("/{page}");
    run(&mut pagemill(["crawl", &url, "-p", "1-30", "-j", "3", "-f", "a=//a", "-q"]));
    assert_eq!(server.hits().len(), 30);
    assert!(server.peak() <= 3, "{} at the same time", server.peak());
}

#[test]
fn a_page_does_not_lead_a_crawl_to_another_service_of_this_machine() {
    let silent = Server::start(|site| site.page("/", "<a>secret</a>")).may_be_idle();
    let there = silent.url("/");
    let home = Server::start(|site| site.on("/start", Reply::redirect(302, there)));
    // With a host that is calculated, too.
    for url in [home.url("/start?{page}"), home.url("/start?{page}").replace("127.0.0.1", "127.0.0.{page}")] {
        let ran = run(&mut polite(["crawl", &*url, "-p", "1", "-f", "a=//a"]));
        assert_eq!(ran.stdout, "");
        assert!(
            ran.stderr.contains("is a private address") && ran.stderr.contains("--allow-private"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(silent.hits().len(), 0);
}

#[test]
fn headers_and_the_user_agent_are_sent_and_secrets_stay_on_their_origin() {
    let away = Server::start(|site| site.page("/end", "<a>away</a>"));
    let there = away.url("/end");
    let home = Server::start(|site| site.on("/start", Reply::redirect(302, there)));
    let start = home.url("/start");
    let ran = run(&mut pagemill([
        "crawl",
        &start,
        "-f",
        "a=//a",
        "-q",
        "-H",
        "X-Token: secret",
        "-H",
        "Cookie: s=1",
        "-A",
        "tester/1",
        // Another port of this machine is another service.
        "--allow-private",
    ]));
    assert_eq!(ran.stdout, "{\"a\":\"away\"}\n");
    let first = &home.hits()[0];
    assert_eq!((first.header("x-token"), first.header("user-agent")), (Some("secret"), Some("tester/1")));
    let second = &away.hits()[0];
    assert_eq!((second.header("x-token"), second.header("cookie")), (None, None));
    assert_eq!(second.header("user-agent"), Some("tester/1"));
}

#[test]
fn check_says_what_would_be_done_and_asks_nobody() {
    let server = listings().may_be_idle();
    let url = server.url("/list?p={page*25}");
    let args = [
        "check",
        &url,
        "-p",
        "0-9",
        "-e",
        "//li",
        "-f",
        "t[]=./a",
        "-H",
        "X-Token: secret",
        "-O",
        "out.jsonl",
    ];
    let folder = temp_dir();
    let ran = run(pagemill(args).current_dir(folder.path()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for said in [
        "fetch 10 pages",
        "p=25",
        "p=225",
        "//li",
        "t[]",
        "16 at a time",
        "replace out.jsonl",
        "header X-Token",
    ] {
        assert!(ran.stdout.contains(said), "`{said}` is missing in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("secret"));
    assert!(!folder.path().join("out.jsonl").exists());
    assert_eq!(server.hits().len(), 0);
}

#[test]
fn a_page_that_has_no_url_fails_alone() {
    let server = listings();
    let url = server.url("/list?p={100/(page-2)}");
    let args = ["crawl", &url, "-p", "1-3", "-e", "//li[2]", "-f", "t=./a", "-q", "--ordered"];
    let ran = run(&mut pagemill(args));
    assert_eq!(ran.stdout, "{\"t\":\"Second of -100\"}\n{\"t\":\"Second of 100\"}\n");
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("failed: page 2: no URL for this page"), "{}", ran.stderr);
}
