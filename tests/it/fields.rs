//! Fields with types, from the command line and from a job file, through a whole run.

use std::fs;

use crate::support::{Reply, Server, pagemill, run, temp_dir};

const JOB: &str = r#"
[extract.book]
each = "//li"
fields.title = "./h3"
fields.price = { xpath = "./p", type = "float", required = true }
fields.link = { xpath = "./a/@href", type = "url" }
fields.shop = { from = "//script", json = "$.shop" }
fields.reviews = { each = "./b", fields = { text = ".", by = "./@by" } }
fields.at = { meta = "url" }

[output]
ordered = true
"#;

const PAGE: &str = "<base href='/books/'><script>{\"shop\": \"S\"}</script><ul>\
    <li><h3>One</h3><p>￥1,234.50</p><a href='1'></a><b by=me>good</b></li>\
    <li><h3>Two</h3><p>sold out</p></li>\
    <li><p>3</p></li></ul>";

#[test]
fn a_job_file_says_what_fields_are_and_the_summary_how_they_fared() {
    let server = Server::start(|site| {
        site.page("/list", PAGE);
    });
    let folder = temp_dir();
    let (job, summary) = (folder.path().join("job.toml"), folder.path().join("summary.json"));
    fs::write(&job, JOB).unwrap();
    let url = server.url("/list");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "--config",
        job.to_str().unwrap(),
        "--summary",
        summary.to_str().unwrap(),
    ]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let link = server.url("/books/1");
    assert_eq!(
        ran.stdout,
        format!(
            "{{\"title\":\"One\",\"price\":1234.5,\"link\":\"{link}\",\"shop\":\"S\",\
             \"reviews\":[{{\"text\":\"good\",\"by\":\"me\"}}],\"at\":\"{url}\"}}\n\
             {{\"title\":null,\"price\":3,\"link\":null,\"shop\":\"S\",\"reviews\":[],\"at\":\"{url}\"}}\n"
        )
    );
    let told = |line: &str| assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
    told("1 record dropped: a required field was missing\n");
    told("  price    filled 2 of 3, 1 not of its type\n");
    told("  link     filled 1 of 3\n");
    assert!(!ran.stderr.contains("shop"), "{}", ran.stderr);
    let summary: serde_json::Value = serde_json::from_slice(&fs::read(summary).unwrap()).unwrap();
    assert_eq!((&summary["records"], &summary["records_dropped"]), (&2.into(), &1.into()));
    let price = serde_json::json!({"filled": 2, "empty": 0, "wrong_type": 1});
    assert_eq!(summary["fields"]["price"], price);
    assert_eq!(summary["fields"]["reviews.by"]["filled"], 1);
}

#[test]
fn types_stand_behind_names_on_the_command_line() {
    let server = Server::start(|site| {
        site.page("/list", PAGE);
    });
    let url = server.url("/list");
    let ran = run(&mut pagemill(["crawl", &url, "-q", "-f", "p:float=//p", "-f", "l[]:url=//a/@href"]));
    assert_eq!(ran.stdout, format!("{{\"p\":1234.5,\"l\":[\"{}\"]}}\n", server.url("/books/1")));
    let ran = run(&mut pagemill(["crawl", &url, "-f", "p:flaot=//p", "-f", "j=json:$.a", "-f", "x=//p"]));
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .contains("there is no type `flaot`\n    p:flaot=//p\n      ^\n    hint: did you mean `float`?")
    );
    assert!(ran.stderr.contains("this reads markup, and the record is JSON"), "{}", ran.stderr);
}

#[test]
fn pages_of_json_are_crawled_and_others_fail_by_name() {
    let server = Server::start(|site| {
        let json = r#"{"items": [{"t": "One", "p": 1.5, "tags": ["a"]}, {"t": "Two", "p": "2"}]}"#;
        site.on("/api/1", Reply::page(json).header("Content-Type", "application/json"));
        site.on("/api/2", Reply::page("<p>{}"));
    });
    let ran = run(&mut pagemill([
        "crawl",
        &server.url("/api/{page}"),
        "-p",
        "1-2",
        "--ordered",
        "-e",
        "json:$.items[*]",
        "-f",
        "t=json:$.t",
        "-f",
        "p:float=json:$.p",
        "-f",
        "tags[]=json:$.tags[*]",
    ]));
    assert_eq!(
        ran.stdout,
        "{\"t\":\"One\",\"p\":1.5,\"tags\":[\"a\"]}\n{\"t\":\"Two\",\"p\":2,\"tags\":[]}\n"
    );
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("/api/2: not JSON: expected value at line 1, column 1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("  1  not JSON\n"), "{}", ran.stderr);
}

#[test]
fn a_page_whose_records_were_all_dropped_is_not_the_last_one() {
    let server = Server::start(|site| {
        site.page("/1", "<li><b>1</b></li>");
        site.page("/2", "<li>no price</li>");
        site.page("/3", "<li><b>3</b></li>");
        site.page("/4", "<p>nothing");
    });
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    fs::write(&job, "[extract.a]\neach = '//li'\nfields.b = { xpath = './b', required = true }\n").unwrap();
    let ran = run(&mut pagemill([
        "crawl",
        &server.url("/{page}"),
        "-c",
        job.to_str().unwrap(),
        "-p",
        "1-",
        "--until-empty",
        "--ordered",
        "-q",
        "-j",
        "1",
    ]));
    assert_eq!(ran.stdout, "{\"b\":\"1\"}\n{\"b\":\"3\"}\n", "{}", ran.stderr);
}
