use std::fs;
use std::path::Path;

use crate::crawl::{listing, listings};
use crate::support::{Ran, Reply, Server, pagemill, run, run_with_input, temp_dir};

fn saved(folder: &Path, text: &str) -> String {
    let path = folder.join("page.html");
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn try_saved(text: &str, flags: &[&str]) -> Ran {
    let folder = temp_dir();
    let page = saved(folder.path(), text);
    let ran = run(pagemill(["try", &page]).args(flags));
    Ran { stdout: ran.stdout.replace(&page, "PAGE"), ..ran }
}

/// `try` without expressions, asked `lines` from a pipe.
fn ask(page: &str, lines: &[&str]) -> Ran {
    run_with_input(&mut pagemill(["try", page]), (lines.join("\n") + "\n").as_bytes())
}

#[test]
fn each_expression_is_shown_with_its_count_and_first_matches_and_the_records_as_a_crawl_prints_them() {
    let server = listings();
    let url = server.url("/list?p={page}");
    let flags = ["-e", "//li", "-f", "title=./a", "-f", "n[]=./b", "-f", "last=./b[2]/text()"];
    let ran = run(pagemill(["try", &url, "--page", "7"]).args(flags));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let shown: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(shown[0], server.url("/list?p=7"));
    assert!(shown[1].starts_with("status 200, text/html"), "{}", shown[1]);
    // html, head, body, ul, two li, two a, two b.
    assert!(shown[1].ends_with("10 elements"), "{}", shown[1]);
    assert_eq!(
        shown[2..],
        [
            "",
            "each: //li  ─ 2 matches",
            "  <li class=\"item\"> First of 7 1 2",
            "  <li class=\"item\"> Second of 7",
            "title: ./a  ─ 2 matches in 2 of the first 2 records",
            "  1: <a href=\"/i/7a\"> First of 7",
            "  2: <a href=\"/i/7b\"> Second of 7",
            "n[]: ./b  ─ 2 matches in 1 of the first 2 records",
            "  1: <b> 1  and 1 more",
            "  2: nothing",
            "last: ./b[2]/text()  ─ 1 match in 1 of the first 2 records",
            "  1: \"2\"",
            "  2: nothing",
            "2 records:",
            "{\"title\":\"First of 7\",\"n\":[\"1\",\"2\"],\"last\":\"2\"}",
            "{\"title\":\"Second of 7\",\"n\":[],\"last\":null}",
        ]
    );
}

#[test]
fn what_matches_nothing_is_told_with_what_nearly_does_and_the_exit_code_is_3() {
    let page = "<table><tr><td>a</table><ul class='list wide'><li>x</ul>";
    let ran =
        try_saved(page, &["-f", "cell=//table/tr/td", "-f", "item=//ul[@class='list']/li", "-f", "ok=//li"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""));
    for line in [
        "cell: //table/tr/td  ─ nothing",
        "  nearly: `//table` matches 1, `/tr` then nothing; children there: tbody",
        "  nearly: `//table/tbody/tr/td` matches 1: rows stand in a tbody, which HTML puts there even if the page's \
         source has none",
        "  nearly: `//ul` matches 1, `[@class=\"list\"]` then nothing; @class there: \"list wide\"",
        "ok: //li  ─ 1 match",
    ] {
        assert!(ran.stdout.lines().any(|shown| shown == line), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn a_saved_page_and_standard_input_are_read_without_a_request() {
    let ran = try_saved("<meta charset=gbk><h1>x", &["-f", "h=//h1", "-v"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("file://PAGE\n23 bytes, HTML, GBK, 5 elements\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("h: //h1 [native]  ─ 1 match\n  <h1> x\n"), "{}", ran.stdout);
    let ran = run_with_input(&mut pagemill(["try", "-", "-f", "n=count(//b)"]), b"<b>1</b><b>2</b>");
    assert!(ran.stdout.contains("n: count(//b)  ─ 1 match\n  2\n1 record:\n{\"n\":2}\n"), "{}", ran.stdout);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_job_file_gives_the_page_the_fetching_and_the_expressions() {
    let server = Server::start(|site| {
        site.compute("/p", |hit| match hit.header("x-key") {
            Some("open") => Reply::page("<h1>in</h1>"),
            _ => Reply::page("<h1>out</h1>"),
        });
    });
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    let text = format!(
        "[source]\nurl = '{}'\npages = '4-9'\n[extract.a]\nfields.h = '//h1'\n[fetch]\nheader = ['x-key: open']\n",
        server.url("/p?n={page}")
    );
    fs::write(&job, text).unwrap();
    let ran = run(pagemill(["try", "-c"]).arg(&job));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&server.url("/p?n=4")), "{}", ran.stdout);
    assert!(ran.stdout.contains("{\"h\":\"in\"}"), "{}", ran.stdout);
    let ran = run(pagemill(["try", "--page", "6", "-c"]).arg(&job));
    assert!(ran.stdout.starts_with(&server.url("/p?n=6")), "{}", ran.stdout);
    // Another address, with the rest of the job.
    let ran = run(pagemill(["try", &server.url("/p"), "-c"]).arg(&job));
    assert!(ran.stdout.contains("{\"h\":\"in\"}"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn wrong_usage_ends_with_2_and_a_page_that_cannot_be_had_with_1() {
    let ran = try_saved("<p>", &["-f", "a=//p[", "-f", "b=lower-case(//p)"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("a=//p[") && ran.stderr.contains('^'), "{}", ran.stderr);
    let ran = run(&mut pagemill(["try", "-f", "a=//a"]));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("there is no page to try"), "{}", ran.stderr);
    let ran = run(&mut pagemill(["try", "http://h.example/{page}", "-f", "a=//a"]));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("hint: say which one, as in `--page 1`"), "{}", ran.stderr);
    let ran = try_saved("<p>", &["--page", "1", "-f", "a=//p"]);
    assert_eq!(ran.code, Some(2));
    let ran = try_saved("<p>", &["--xpath-engine", "fast", "-f", "a=//p"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("hint: auto or sxd"), "{}", ran.stderr);

    let ran = run(&mut pagemill(["try", "example.com/list", "-f", "a=//a"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    assert!(ran.stderr.contains("say https://example.com/list"), "{}", ran.stderr);
    let server = Server::start(|site| {
        site.compute("/gone", |_| Reply::status(404));
    });
    let ran = run(&mut pagemill(["try", &server.url("/gone"), "-f", "a=//a"]));
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("/gone: status 404"), "{}", ran.stderr);
    let ran = try_saved("%PDF-1.4", &["-f", "a=//a"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("not HTML or XML but PDF"), "{}", ran.stderr);
}

#[test]
fn what_a_terminal_would_obey_is_made_visible() {
    let ran =
        try_saved("<p title='\u{1b}[2J'>\u{202e}abc\u{9b}1m</p>", &["-f", "a=//p", "-f", "b=//p/@title"]);
    assert_eq!(ran.code, Some(0));
    assert!(!ran.stdout.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{}", ran.stdout);
    assert!(ran.stdout.contains("\\u{1b}[2J"), "{}", ran.stdout);
}

#[test]
fn without_expressions_lines_are_answered_until_they_end() {
    let folder = temp_dir();
    let page = saved(folder.path(), &listing("3"));
    let ran = ask(
        &page,
        &["//b", "//li[", ":each //li", "./a/@href", ":field t=./a", ":field t=./b", ":record", "//c"],
    );
    assert_eq!(ran.code, Some(0));
    let shown: Vec<&str> = ran.stdout.lines().skip(2).collect();
    assert_eq!(
        shown[..14],
        [
            "//b  ─ 2 matches",
            "  <b> 1",
            "  <b> 2",
            "//li  ─ 2 matches",
            "  <li class=\"item\"> First of 3 1 2",
            "  <li class=\"item\"> Second of 3",
            "2 records on this page; fields are looked for inside",
            "./a/@href  ─ 2 matches in 2 of the first 2 records",
            "  1: href=\"/i/3a\"",
            "  2: href=\"/i/3b\"",
            "./a  ─ 2 matches in 2 of the first 2 records",
            "  1: <a href=\"/i/3a\"> First of 3",
            "  2: <a href=\"/i/3b\"> Second of 3",
            "./b  ─ 2 matches in 1 of the first 2 records",
        ]
    );
    assert_eq!(
        shown[14..19],
        ["  1: <b> 1  and 1 more", "  2: nothing", "2 records:", "{\"t\":\"1\"}", "{\"t\":null}"]
    );
    assert_eq!(shown[19], "//c  ─ nothing in the first 2 records");
    assert!(ran.stderr.starts_with("expression: ") && ran.stderr.contains("//li[\n"), "{}", ran.stderr);
}

#[test]
fn wrong_commands_change_nothing_and_quit_ends() {
    let folder = temp_dir();
    let page = saved(folder.path(), "<p>x");
    let lines = [
        ":field a=//p",
        ":field b=//p[",
        ":each 1",
        ":nonsense",
        ":page 3",
        ":page gone.html",
        ":record",
        ":quit",
        "//p",
    ];
    let ran = ask(&page, &lines);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.ends_with("//p  ─ 1 match\n  <p> x\n1 record:\n{\"a\":\"x\"}\n"), "{}", ran.stdout);
    for message in
        [":field: ", ":each: `each` must be", "no :nonsense", "a file has no page numbers", "no such file"]
    {
        assert!(ran.stderr.contains(message), "{message}\n{}", ran.stderr);
    }
}

#[test]
fn pages_are_turned_and_the_job_is_saved_and_crawled() {
    let server = listings();
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    let job = job.to_str().unwrap();
    let url = server.url("/list?p={page}");
    let save = format!(":save {job}");
    let lines = [
        ":page 2",
        ":each //li[@class='item']",
        ":field title=./a",
        ":field 'x'[]=./b",
        ":save",
        &save,
        &save,
    ];
    let mut command = pagemill(["try", &url, "--page", "1"]);
    let ran = run_with_input(&mut command, (lines.join("\n") + "\n").as_bytes());
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("/list?p=2\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("is there already"), "{}", ran.stderr);
    let text = fs::read_to_string(job).unwrap();
    assert!(ran.stdout.contains(text.trim_end()), "{}\n{text}", ran.stdout);
    let ran = run(&mut pagemill(["crawl", "-c", job, "-q"]));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{text}");
    assert_eq!(
        ran.stdout,
        "{\"title\":\"First of 2\",\"'x'\":[\"1\",\"2\"]}\n{\"title\":\"Second of 2\",\"'x'\":[]}\n"
    );
}

#[test]
fn a_redirect_and_a_namespace_are_told() {
    let server = Server::start(|site| {
        site.on("/old", Reply::redirect(301, "/feed"));
        let feed = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>A</title></entry></feed>";
        site.on("/feed", Reply::page(feed).without_header("content-type").header("content-type", "text/xml"));
    });
    let ran = run(&mut pagemill(["try", &server.url("/old"), "-f", "t=//entry/title"]));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("{} (redirected)\n", server.url("/feed"))), "{}", ran.stdout);
    assert!(ran.stdout.contains("declare it with -N p=http://www.w3.org/2005/Atom"), "{}", ran.stdout);
    let flags = ["-N", "a=http://www.w3.org/2005/Atom", "-f", "t=//a:entry/a:Title"];
    let ran = run(pagemill(["try", &server.url("/feed")]).args(flags));
    assert!(ran.stdout.contains("`//a:entry/a:title` matches 1: names in XML keep"), "{}", ran.stdout);
}

const GOODS: &str =
    r#"{"items": [{"name": "A", "price": 1.5}, {"name": "B"}, {"name": "C", "price": 3}, 7], "n": 4}"#;

#[test]
fn a_json_page_is_described_and_its_fields_are_looked_for_in_the_values_of_each() {
    let server = Server::start(|site| {
        let page = Reply::page(GOODS).without_header("content-type");
        site.on("/api", page.header("content-type", "application/json; charset=utf-8"));
    });
    let flags = ["-e", "json:$.items[?@.name]", "-f", "name=json:$.name", "-f", "price:float=json:$.price"];
    let ran = run(pagemill(["try", &server.url("/api")]).args(flags));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let shown: Vec<&str> = ran.stdout.lines().collect();
    assert!(shown[1].ends_with("JSON, an object of 2 members"), "{}", shown[1]);
    assert_eq!(
        shown[2..],
        [
            "",
            "each: json:$.items[?@.name]  ─ 3 matches",
            "  {\"name\":\"A\",\"price\":1.5}",
            "  {\"name\":\"B\"}",
            "  {\"name\":\"C\",\"price\":3}",
            "name: json:$.name  ─ 3 matches in 3 of the first 3 records",
            "  1: \"A\"",
            "  2: \"B\"",
            "  3: \"C\"",
            "price: json:$.price  ─ 2 matches in 2 of the first 3 records",
            "  1: 1.5",
            "  2: nothing",
            "  3: 3",
            "3 records:",
            "{\"name\":\"A\",\"price\":1.5}",
            "{\"name\":\"B\",\"price\":null}",
            "{\"name\":\"C\",\"price\":3}",
        ]
    );
}

#[test]
fn a_file_that_looks_like_json_is_json_and_expressions_of_the_other_kind_say_so() {
    let ran = try_saved(GOODS, &["-f", "p=//p"]);
    assert_eq!(ran.code, Some(3));
    assert!(ran.stdout.contains("JSON, an object of 2 members"), "{}", ran.stdout);
    assert!(ran.stdout.contains("p: //p  ─ this reads markup, and this is JSON"), "{}", ran.stdout);
    let ran = try_saved("{not json} <p>x", &["-f", "p=//p"]);
    assert!(ran.stdout.contains("HTML") && ran.stdout.contains("{\"p\":\"x\"}"), "{}", ran.stdout);
    // What the rule reads decides.
    let ran = try_saved("callback({\"a\": 1});", &["-f", "a=json:$.a"]);
    assert_eq!((ran.code, ran.stdout.ends_with("1 record:\n{\"a\":1}\n")), (Some(0), true), "{}", ran.stdout);
    let ran = try_saved("<p>x", &["-f", "a=json:$.a"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("not JSON: "), "{}", ran.stderr);
}

#[test]
fn lines_ask_json_pages_too() {
    let folder = temp_dir();
    let page = saved(folder.path(), GOODS);
    let ran = ask(
        &page,
        &["json:$.n", "//p", ":each json:$.items[*]", "json:$.name", ":field n=json:$.name", ":record"],
    );
    let shown: Vec<&str> = ran.stdout.lines().skip(2).collect();
    assert_eq!(
        shown[..3],
        ["json:$.n  ─ 1 match", "  4", "//p  ─ this reads markup, and this is JSON; write `json:$.name`"]
    );
    assert!(shown.contains(&"json:$.name  ─ 3 matches in 3 of the first 3 records"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("4 records, the first 3:\n{\"n\":\"A\"}\n{\"n\":\"B\"}\n{\"n\":\"C\"}\n"),
        "{}",
        ran.stdout
    );
    let page = saved(folder.path(), "<p>x");
    let ran = ask(&page, &["json:$.n", ":each json:$[*]", "//p"]);
    assert!(
        ran.stdout.contains("this reads JSON, and the page is markup; in a job file say"),
        "{}",
        ran.stdout
    );
    assert!(ran.stderr.contains("this page is not JSON"), "{}", ran.stderr);
    assert!(ran.stdout.ends_with("//p  ─ 1 match\n  <p> x\n"), "{}", ran.stdout);
}

#[test]
fn a_chain_shows_what_it_looks_in_and_nested_fields_are_shown_too() {
    let folder = temp_dir();
    let page = saved(
        folder.path(),
        "<script type=ld>{\"offers\": {\"price\": \"9\"}}</script><script type=ld>no</script><ul><li><b>1</b><li>x</ul>",
    );
    let job = folder.path().join("job.toml");
    fs::write(
        &job,
        "[extract.a]\nfields.price = { from = '//script[@type=\"ld\"]', json = '$.offers.price', type = 'int' }\n\
         fields.in = { from = 'css:ul', xpath = './li/b' }\n\
         fields.list = { each = '//li', fields = { b = './b' } }\nfields.c.const = 1\n",
    )
    .unwrap();
    let ran = run(pagemill(["try", &page, "-c"]).arg(&job));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    let shown: Vec<&str> = ran.stdout.lines().skip(3).collect();
    assert_eq!(
        shown,
        [
            "price from: //script[@type=\"ld\"]  ─ 2 matches",
            "  <script type=\"ld\"> {\"offers\": {\"price\": \"9\"}}",
            "  <script type=\"ld\"> no",
            "  1 of 2 not JSON",
            "price: json:$.offers.price  ─ 1 match in 1 of 1 place",
            "  1: \"9\"",
            "in from: css:ul  ─ 1 match",
            "  <ul> 1x",
            "in: ./li/b  ─ 1 match in 1 of 1 place",
            "  1: <b> 1",
            "list[]: //li  ─ 2 matches",
            "  <li> 1",
            "  <li> x",
            "list.b: ./b  ─ 1 match in 1 of 2 objects",
            "  1: <b> 1",
            "  2: nothing",
            "1 record:",
            "{\"price\":9,\"in\":\"1\",\"list\":[{\"b\":\"1\"},{\"b\":null}],\"c\":1}",
        ]
    );
}

#[test]
fn a_selector_that_finds_nothing_is_told_with_the_part_of_it_that_does() {
    let ran = try_saved("<ul class=list><li>x</ul>", &["-f", "a=css:ul.list > li.item a", "-f", "b=css:li"]);
    assert_eq!(ran.code, Some(3));
    assert!(
        ran.stdout
            .contains("  nearly: `ul.list > li` matches 1, `.item a` then nothing\nb: css:li  ─ 1 match\n"),
        "{}",
        ran.stdout
    );
}

#[test]
fn verbose_tells_the_engine_and_why_it_is_not_the_usual_one() {
    let flags = ["-f", "a=//p", "-f", "n=count(//namespace::*)", "-f", "c=css:p", "-v"];
    let ran = try_saved("<p>x", &flags);
    for line in
        ["a: //p [native]", "n: count(//namespace::*) [sxd: it asks for the namespace axis]", "c: css:p  ─"]
    {
        assert!(ran.stdout.contains(line), "{line}\n{}", ran.stdout);
    }
    let ran = try_saved("<p>x", &["-f", "a=//p", "-v", "--xpath-engine", "sxd"]);
    assert!(ran.stdout.contains("a: //p [sxd]  ─ 1 match"), "{}", ran.stdout);
}

#[test]
fn a_job_is_saved_with_types_and_runs_again() {
    let folder = temp_dir();
    let page = saved(folder.path(), GOODS);
    let job = folder.path().join("job.toml");
    let save = format!(":save {}", job.to_str().unwrap());
    let ran = ask(
        &page,
        &[":each json:$.items[?@.price]", ":field price:int=json:$.price", ":field n[]=json:$.name", &save],
    );
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let text = fs::read_to_string(&job).unwrap();
    assert!(text.contains("fields.price = { json = '$.price', type = 'int' }"), "{text}");
    let ran = run(pagemill(["extract", &page, "-q", "-c"]).arg(&job));
    assert_eq!(ran.stdout, "{\"price\":null,\"n\":[\"A\"]}\n{\"price\":3,\"n\":[\"C\"]}\n");
}
