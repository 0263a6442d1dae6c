use crate::support::{Ran, Reply, Server, pagemill, run};

/// Crawls one page that is answered by `reply`, with a field for its links.
fn crawl(reply: Reply, more: &[&str]) -> Ran {
    let server = Server::start(|site| site.on("/", reply));
    let url = server.url("/");
    let args = ["crawl", &url, "-f", "a=//a", "-q", "--retry", "0"];
    run(&mut pagemill(args.iter().chain(more)))
}

fn record_of(reply: Reply) -> String {
    let ran = crawl(reply, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    ran.stdout
}

fn failure_of(reply: Reply, more: &[&str]) -> String {
    let ran = crawl(reply, more);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{}", ran.stderr);
    ran.stderr
}

fn typed(content_type: &str, body: &[u8]) -> Reply {
    Reply::page(body).without_header("content-type").header("Content-Type", content_type)
}

#[test]
fn a_hundred_thousand_nested_elements_are_a_page_like_any_other() {
    // Elements deeper than 512 are left out, as in browsers; what follows them is not.
    let deep = format!("{}in{}<a>after</a>", "<div>".repeat(100_000), "</div>".repeat(100_000));
    assert_eq!(record_of(Reply::page(deep)), "{\"a\":\"after\"}\n");
}

#[test]
fn a_tag_with_a_hundred_thousand_attributes_is_a_page_like_any_other() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=1")).collect();
    assert_eq!(record_of(Reply::page(format!("<p{attributes}><a>in</a>"))), "{\"a\":\"in\"}\n");
}

#[test]
fn nulls_and_control_characters_give_valid_json() {
    let line = record_of(Reply::page(&b"<a>x\0y\x01z\x1b[31m&#xD800;&#0;</a>"[..]));
    let record: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(record["a"].as_str().unwrap().starts_with('x'));
}

#[test]
fn character_sets_are_found_where_browsers_look() {
    // "中文" in GBK, "日本" in Shift_JIS, "да" in KOI8-R and UTF-16.
    assert_eq!(record_of(typed("text/html; charset=gbk", b"<a>\xd6\xd0\xce\xc4</a>")), "{\"a\":\"中文\"}\n");
    let meta = [&b"<meta charset=shift_jis><a>"[..], b"\x93\xfa\x96\x7b", b"</a>"].concat();
    assert_eq!(record_of(typed("text/html", &meta)), "{\"a\":\"日本\"}\n");
    assert_eq!(record_of(typed("text/html; charset=KOI8-R", b"<a>\xc4\xc1</a>")), "{\"a\":\"да\"}\n");
    let utf16: Vec<u8> = "\u{feff}<a>да</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(record_of(typed("text/html; charset=gbk", &utf16)), "{\"a\":\"да\"}\n");
}

#[test]
fn a_wrong_character_set_label_gives_a_record_with_replacement_characters() {
    let line = record_of(typed("text/html; charset=utf-8", b"<a>\xd6\xd0</a>"));
    assert!(line.contains('\u{fffd}'), "{line}");
    assert_eq!(record_of(typed("text/html; charset=nonsense", b"<a>plain</a>")), "{\"a\":\"plain\"}\n");
    let ran = crawl(typed("text/html; charset=utf-8", b"<a>\xd6\xd0\xce\xc4</a>"), &["--charset", "gbk"]);
    assert_eq!(ran.stdout, "{\"a\":\"中文\"}\n");
}

#[test]
fn packed_pages_are_unpacked_and_cut_or_bursting_ones_fail() {
    assert_eq!(record_of(Reply::page("<a>zip</a>").gzip()), "{\"a\":\"zip\"}\n");
    assert_eq!(record_of(Reply::page("<a>zip</a>").brotli()), "{\"a\":\"zip\"}\n");
    let cut = Reply::page("<a>zip</a>").gzip();
    assert!(failure_of(cut.cut_before_end(4), &[]).contains("failed:"));
    let bomb = Reply::page("<a>zip</a>".repeat(1_000_000)).gzip();
    assert!(failure_of(bomb, &["--max-body", "1M"]).contains("body larger than 1M (--max-body)"));
}

#[test]
fn what_is_not_markup_is_a_failed_page_that_says_so() {
    assert!(failure_of(typed("application/pdf", b"%PDF-1.7"), &[]).contains("not HTML or XML but"));
    assert!(failure_of(typed("text/html", b"\x89PNG\r\n\x1a\n"), &[]).contains("not HTML or XML but"));
}

#[test]
fn an_empty_page_is_a_page() {
    assert_eq!(record_of(Reply::page("")), "{\"a\":null}\n");
}

#[test]
fn xml_is_read_as_xml_with_its_namespaces() {
    let feed =
        "<?xml version='1.0'?><feed xmlns='urn:f' xmlns:x='urn:x'><Entry><x:A>1</x:A><a>2</a></Entry></feed>";
    let server = Server::start(|site| {
        site.on("/", typed("application/atom+xml", feed.as_bytes()));
    });
    let url = server.url("/");
    let args = [
        "crawl",
        &url,
        "-q",
        "-N",
        "f=urn:f",
        "-N",
        "y=urn:x",
        "-e",
        "//f:Entry",
        "-f",
        "y=./y:A",
        "-f",
        "a=a",
    ];
    let ran = run(&mut pagemill(args));
    assert_eq!(ran.stdout, "{\"y\":\"1\",\"a\":null}\n", "{}", ran.stderr);
}

#[test]
fn an_expression_that_explodes_fails_its_page_and_not_the_run() {
    let server = Server::start(|site| {
        site.page("/1", "<p>x".repeat(3000));
        site.page("/2", "<p>y");
    });
    let url = server.url("/{page}");
    let args = ["crawl", &url, "-p", "1-2", "-q", "-f", "n=count(//*[following::*[following::zzz]])"];
    let ran = run(&mut pagemill(args));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stdout.contains("\"n\":"));
    assert!(ran.stderr.contains("/1: n: took more than 50000000 steps"), "{}", ran.stderr);
}

#[test]
fn text_from_a_page_cannot_reach_the_terminal_as_a_command() {
    let ran = crawl(Reply::redirect(302, "ftp://h/\u{1b}]0;owned\u{7}"), &[]);
    assert_eq!(ran.code, Some(3));
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\u{7}'), "{:?}", ran.stderr);
}
