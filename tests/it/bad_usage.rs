use std::fs;

use crate::support::{Ran, Server, pagemill, run, temp_dir};

fn refused(args: &[&str]) -> Ran {
    let ran = run(&mut pagemill(args));
    assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
    assert_eq!(ran.stdout, "");
    ran
}

#[test]
fn all_mistakes_of_a_command_are_told_at_once_and_nobody_is_asked() {
    let server = Server::start(|_| {}).may_be_idle();
    let url = server.url("/{pag}");
    let ran = refused(&[
        "crawl",
        &url,
        "-p",
        "9-0",
        "--jobs",
        "0",
        "--timeout",
        "soon",
        "-e",
        "//li[",
        "-f",
        "nothing",
        "-o",
        "/",
        "--max-body",
        "0",
        "-H",
        "no colon",
        "--charset",
        "klingon",
        "--rule",
        "none",
    ]);
    for place in [
        "URL:",
        "--pages:",
        "--jobs:",
        "--timeout:",
        "--each:",
        "--field:",
        "--output:",
        "--max-body:",
        "--header:",
        "--charset:",
        "--rule:",
    ] {
        assert!(ran.stderr.contains(&format!("error: {place}")), "{place} is missing in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("mistakes; nothing was fetched"));
    assert_eq!(server.hits().len(), 0);
}

#[test]
fn the_caret_stands_under_the_wrong_character() {
    let ran = refused(&["crawl", "http://h/{pag}", "-p", "0-9x", "-f", "a=//b[c"]);
    assert!(ran.stderr.contains("\n    http://h/{pag}\n              ^\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n    0-9x\n       ^\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n    a=//b[c\n"), "{}", ran.stderr);
}

#[test]
fn mistakes_of_a_job_file_name_line_column_and_key() {
    let folder = temp_dir();
    let path = folder.path().join("job.toml");
    fs::write(
        &path,
        "[source]\nurl = 'http://h/'\n[extract.a]\neach = '//x:a'\nfields.b = 'c('\n[fetch]\njosb = 1\n",
    )
    .unwrap();
    let path = path.to_str().unwrap();
    let ran = refused(&["crawl", "-c", path]);
    for place in
        ["job.toml:4:8: extract.a.each", "job.toml:5:12: extract.a.fields.b", "job.toml:7:1: fetch.josb"]
    {
        assert!(ran.stderr.contains(place), "{place} is missing in:\n{}", ran.stderr);
    }
    assert!(ran.stderr.contains("`jobs`"));
    assert_eq!(refused(&["check", path]).stderr, ran.stderr);
}

#[test]
fn what_is_no_job_file_is_refused() {
    let folder = temp_dir();
    let path = folder.path().to_str().unwrap();
    assert!(refused(&["crawl", "-c", path]).stderr.contains("this is a directory"));
    let none = format!("{path}/none.toml");
    assert!(refused(&["crawl", "-c", &none]).stderr.contains("there is no such file"));
}

#[test]
fn an_unknown_flag_is_refused_with_the_nearest_name() {
    let ran = refused(&["crawl", "http://h/", "--feild", "a=b"]);
    assert!(ran.stderr.contains("--field"), "{}", ran.stderr);
}

#[test]
fn a_range_without_end_needs_one() {
    let ran = refused(&["crawl", "http://h/{page}", "-p", "1-", "-f", "a=//a"]);
    assert!(ran.stderr.contains("--until-empty") && ran.stderr.contains("--max-pages"), "{}", ran.stderr);
}

#[test]
fn addresses_that_cannot_be_crawled_are_refused() {
    for url in ["example.com/x", "ftp://h/", "http://", "file:///etc/passwd", "http://h/{page"] {
        refused(&["crawl", url, "-f", "a=//a"]);
    }
}

#[test]
fn outputs_that_cannot_be_written_are_refused_and_old_records_stay() {
    let folder = temp_dir();
    let old = folder.path().join("old.jsonl");
    fs::write(&old, "kept\n").unwrap();
    let missing = folder.path().join("none/out.jsonl");
    let ran = refused(&["crawl", "http://h/", "-f", "a=//a", "-o", missing.to_str().unwrap()]);
    assert!(ran.stderr.contains("mkdir -p"), "{}", ran.stderr);
    refused(&["crawl", "http://h/", "-f", "a=//a", "-o", folder.path().to_str().unwrap()]);
    // Another mistake in the job: the file to be replaced is not emptied.
    refused(&["crawl", "http://h/", "-f", "a=//a[", "-O", old.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(&old).unwrap(), "kept\n");
    refused(&["crawl", "http://h/", "-f", "a=//a", "-o", "a.jsonl", "-O", "b.jsonl"]);
}

#[test]
fn expressions_that_would_break_the_library_are_refused() {
    for xpath in [
        "//foo:a",
        "foo()",
        "$x",
        "",
        "matches(a, 'b')",
        &format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
        &format!("a{}", " or a".repeat(100_000)),
    ] {
        // Over the length of an argument the job file is the way in.
        let folder = temp_dir();
        let path = folder.path().join("job.toml");
        let text = format!("[source]\nurl = 'http://h/'\n[extract.a]\nfields.b = \"{xpath}\"\n");
        fs::write(&path, text).unwrap();
        refused(&["crawl", "-c", path.to_str().unwrap()]);
    }
}

#[test]
fn a_misspelt_variable_is_warned_about_and_a_wrong_one_is_refused() {
    let ran = run(pagemill(["check", "http://h/", "-f", "a=//a"]).env("PAGEMILL_JOB", "3"));
    assert!(ran.code == Some(0) && ran.stderr.contains("did you mean PAGEMILL_JOBS?"), "{}", ran.stderr);
    let ran = run(pagemill(["check", "http://h/", "-f", "a=//a"]).env("PAGEMILL_JOBS", "x"));
    assert!(ran.code == Some(2) && ran.stderr.contains("error: PAGEMILL_JOBS:"), "{}", ran.stderr);
}

#[test]
fn a_quiet_run_warns_of_nothing() {
    let server = Server::start(|site| site.page("/", "<ul><li><a>x</a></ul>"));
    let args = ["crawl", &server.url("/"), "-e", "//li", "-f", "a=//a"];
    let loud = run(pagemill(args).env("PAGEMILL_JOB", "3"));
    assert_eq!(loud.stderr.matches("warning: ").count(), 2, "{}", loud.stderr);
    let quiet = run(pagemill(args).arg("-q").env("PAGEMILL_JOB", "3"));
    assert_eq!((quiet.code, quiet.stderr.as_str()), (Some(0), ""));
    assert_eq!(quiet.stdout, loud.stdout);
}

#[test]
fn a_summary_that_would_replace_the_records_is_refused() {
    let folder = temp_dir();
    let old = folder.path().join("old.jsonl");
    fs::write(&old, "kept\n").unwrap();
    let new = folder.path().join("new.jsonl");
    let dotted = folder.path().join(".").join("new.jsonl");
    for (flag, records, summary) in [("-o", &old, &old), ("-O", &old, &old), ("-o", &new, &dotted)] {
        let (records, summary) = (records.to_str().unwrap(), summary.to_str().unwrap());
        let ran = refused(&["crawl", "http://h/", "-f", "a=//a", flag, records, "--summary", summary]);
        assert!(
            ran.stderr.contains("error: --summary: the records are written to this file"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(fs::read_to_string(&old).unwrap(), "kept\n");
    assert!(!new.exists());
    // Elsewhere `-` is standard output; here it would be a file of that name.
    let ran = refused(&["crawl", "http://h/", "-f", "a=//a", "--summary", "-"]);
    assert!(ran.stderr.contains("error: --summary: standard output is for records"), "{}", ran.stderr);
}

#[test]
fn a_run_that_would_lose_a_file_is_refused_and_the_file_stays() {
    let folder = temp_dir();
    let file = folder.path().join("file");
    let other = folder.path().join("link");
    fs::write(&file, "http://h.invalid/\n").unwrap();
    std::os::unix::fs::symlink(&file, &other).unwrap();
    let (file, link) = (file.to_str().unwrap(), other.to_str().unwrap());
    let crawl = ["crawl", "http://h.invalid/", "-f", "a=//a", "-q"];
    for more in [
        ["--save-cookies", file, "-o", link],
        ["--save-cookies", link, "-O", file],
        ["--save-cookies", file, "--summary", file],
        ["-i", file, "-O", link],
        ["-O", file, "-d", &format!("@{link}")],
    ] {
        let ran = refused(&[&crawl[..], &more].concat());
        assert!(ran.stderr.contains("name another file for the "), "{}", ran.stderr);
    }
    refused(&["extract", link, "-f", "a=//a", "-O", file]);
    refused(&["extract", file, "-f", "a=//a", "--summary", link]);
    assert_eq!(fs::read_to_string(file).unwrap(), "http://h.invalid/\n");
    let ran = refused(&[&crawl[..], &["--save-cookies", "-"]].concat());
    assert!(ran.stderr.contains("error: --save-cookies: standard output is for records"), "{}", ran.stderr);
}

#[test]
fn a_file_behind_standard_output_is_not_replaced() {
    let folder = temp_dir();
    let file = folder.path().join("file");
    let stdout = fs::File::create(&file).unwrap();
    let mut command = pagemill(["crawl", "http://h.invalid/", "-f", "a=//a", "--summary"]);
    let ended = command.arg(&file).stdout(stdout).stderr(std::process::Stdio::null()).status().unwrap();
    assert_eq!(ended.code(), Some(2));
}

#[test]
fn a_device_may_take_both_the_records_and_the_summary() {
    let args = ["check", "http://h/", "-f", "a=//a", "-o", "/dev/null", "--summary", "/dev/null"];
    assert_eq!(run(&mut pagemill(args)).code, Some(0));
}

#[test]
fn a_job_file_that_cannot_be_read_is_the_only_mistake_told() {
    let folder = temp_dir();
    let path = folder.path().join("job.toml");
    for text in ["[source\nurl = 'http://h/'\n", "[source]\nurl = 'http://h/'\nurl = 'http://i/'\n", "\u{0}"]
    {
        fs::write(&path, text).unwrap();
        let ran = refused(&["crawl", "-c", path.to_str().unwrap()]);
        assert!(!ran.stderr.contains("no address"), "{}", ran.stderr);
    }
    let ran = refused(&["crawl", "-c", folder.path().join("none").to_str().unwrap()]);
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
}

#[test]
fn two_fields_of_one_name_in_a_job_file_are_refused() {
    let folder = temp_dir();
    let path = folder.path().join("job.toml");
    let text = "[source]\nurl = 'http://h/'\n[extract.a]\nfields.tag = '//a'\nfields.'tag[]' = '//b'\n";
    fs::write(&path, text).unwrap();
    let ran = refused(&["crawl", "-c", path.to_str().unwrap()]);
    assert!(
        ran.stderr.contains("job.toml:5:8: extract.a.fields.tag[]: this field stands here twice"),
        "{}",
        ran.stderr
    );
}
