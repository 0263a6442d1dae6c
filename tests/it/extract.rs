use std::fs;
use std::path::Path;

use crate::support::{Ran, pagemill, run, run_with_input, temp_dir};

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn extract(folder: &Path, arguments: &[&str]) -> Ran {
    run(pagemill(["extract"]).args(arguments).current_dir(folder))
}

#[test]
fn saved_pages_of_a_directory_give_their_records_in_sorted_order() {
    let folder = temp_dir();
    for number in 0..40 {
        write(
            folder.path(),
            &format!("pages/{:02}/page.html", 39 - number),
            format!("<h1>{:02}</h1>", 39 - number),
        );
    }
    write(folder.path(), "pages/.hidden/page.html", "<h1>hidden");
    write(folder.path(), "pages/40.xml", "<?xml version='1.0'?><feed><h1>40</h1></feed>");
    let ran = extract(folder.path(), &["pages", "-f", "h=//h1", "--ordered", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let expected: String = (0..=40).map(|number| format!("{{\"h\":\"{number:02}\"}}\n")).collect();
    assert_eq!(ran.stdout, expected);
}

#[test]
fn standard_input_is_one_page_and_meta_says_which_file() {
    let folder = temp_dir();
    write(folder.path(), "a b.html", "<p>1</p><p>2</p>");
    let arguments = ["a b.html", "-", "-e", "//p", "-f", "t=.", "--with-meta", "--ordered", "-q"];
    let mut command = pagemill(["extract"]);
    let ran = run_with_input(command.args(arguments).current_dir(folder.path()), b"<p>3");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let url = format!("file://{}/a%20b.html", folder.path().canonicalize().unwrap().display());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let begins = |line: &str, text: &str, url: &str| {
        line.starts_with(&format!("{{\"t\":\"{text}\",\"_url\":\"{url}\",\"_page\":null,\"_fetched_at\":\"2"))
    };
    assert!(begins(lines[0], "1", &url) && begins(lines[1], "2", &url), "{}", ran.stdout);
    assert!(begins(lines[2], "3", "file:///dev/stdin"), "{}", ran.stdout);
}

#[test]
fn a_file_that_cannot_be_read_is_a_failed_page() {
    let folder = temp_dir();
    write(folder.path(), "good.html", "<p>1");
    write(folder.path(), "large.html", "<p>".repeat(100));
    write(folder.path(), "image.png", b"\x89PNG\r\n\x1a\n");
    let arguments = [
        "good.html",
        "gone.html",
        "large.html",
        "image.png",
        "-f",
        "t=//p",
        "--max-body",
        "100",
        "--summary",
        "s.json",
    ];
    let ran = extract(folder.path(), &arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), "{\"t\":\"1\"}\n"));
    for message in [
        "gone.html: cannot read it: there is no such file",
        "body larger than 100 (--max-body)",
        "a PNG image",
    ] {
        assert!(ran.stderr.contains(message), "{message}\n{}", ran.stderr);
    }
    let summary = fs::read_to_string(folder.path().join("s.json")).unwrap();
    assert!(summary.contains("\"pages_done\":1") || summary.contains("\"pages_done\": 1"), "{summary}");
    assert!(summary.contains("unreadable"), "{summary}");
}

#[test]
fn a_job_file_is_used_without_its_source_and_the_output_is_no_page() {
    let folder = temp_dir();
    let job = "[source]\nurl = 'http://127.0.0.1:1/{page}'\npages = '1-'\nuntil-empty = true\n\
               [extract.p]\nfields.t = '//p'\n[output]\noutput = 'pages/out.jsonl'\nquiet = true\n";
    write(folder.path(), "job.toml", job);
    write(folder.path(), "pages/1.html", "<i>empty");
    write(folder.path(), "pages/2.html", "<p>2");
    for run in 1..=2 {
        let ran = extract(folder.path(), &["-c", "job.toml", "pages", "--ordered", "--parsers", "2"]);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
        let written = fs::read_to_string(folder.path().join("pages/out.jsonl")).unwrap();
        assert_eq!(written, "{\"t\":null}\n{\"t\":\"2\"}\n".repeat(run));
    }
}

#[test]
fn wrong_usage_is_told_and_an_empty_directory_is_no_failure() {
    let folder = temp_dir();
    let ran = extract(folder.path(), &["-f", "t=//p"]);
    assert_eq!(ran.code, Some(2));
    let ran = extract(folder.path(), &["x.html", "-f", "t=//p["]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let ran = extract(folder.path(), &["x.html"]);
    assert!(ran.stderr.contains("there is nothing to extract"), "{}", ran.stderr);
    let ran = extract(folder.path(), &[".", "-f", "t=//p", "-q"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), "warning: there is no file to read\n"));
}

#[test]
fn a_charset_and_an_engine_can_be_demanded() {
    let folder = temp_dir();
    write(folder.path(), "a.html", b"<p>\xf2");
    let arguments = ["a.html", "-f", "t=//p", "--charset", "koi8-r", "--xpath-engine", "sxd", "-q"];
    assert_eq!(extract(folder.path(), &arguments).stdout, "{\"t\":\"Р\"}\n");
}
