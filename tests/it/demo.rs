use std::io::{BufRead, BufReader};
use std::process::Stdio;

use pagemill::demo::{BOOKS, book};

use crate::support::{LONG, pagemill, run, signal, temp_dir, watchdog};

#[test]
fn the_demo_crawls_every_book_and_shows_the_command_and_the_first_records() {
    let ran = run(&mut pagemill(["demo"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 5);
    let first: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["title"], book(1).title);
    let command = format!("{} crawl 'http://127.0.0.1:", env!("CARGO_BIN_EXE_pagemill"));
    assert!(ran.stderr.contains(&command), "{}", ran.stderr);
    assert!(ran.stderr.contains("1,000 records"), "{}", ran.stderr);
}

#[test]
fn the_demo_keeps_all_records_and_they_are_the_books_of_the_shop() {
    let folder = temp_dir();
    let path = folder.path().join("books.jsonl");
    let ran = run(&mut pagemill(["demo", "-o", path.to_str().unwrap()]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().count(), BOOKS as usize);
    for (number, line) in (1..).zip(text.lines()) {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let book = book(number);
        assert_eq!(record["title"], book.title);
        assert_eq!(record["author"], book.author);
        assert_eq!(record["price"], book.price());
        assert_eq!(record["stars"], book.rating_word());
        assert_eq!(record["link"], format!("../book/{number}"));
    }
}

#[test]
fn the_printed_command_works_on_the_shop_that_serve_leaves_open() {
    let mut shop = pagemill(["demo", "--serve"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(shop.stderr.take().unwrap());
    let (said, stderr) = watchdog(LONG, move || {
        let mut said = String::new();
        let mut stderr = stderr;
        while !said.contains("-O books.jsonl") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
        }
        (said, stderr)
    });
    let command = &said[said.find(&format!("  {} crawl", env!("CARGO_BIN_EXE_pagemill"))).unwrap()..];
    let folder = temp_dir();
    let ran = run(std::process::Command::new("sh").args(["-c", command]).current_dir(folder.path()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = std::fs::read_to_string(folder.path().join("books.jsonl")).unwrap();
    assert_eq!(text.lines().count(), BOOKS as usize);

    signal(&shop, "INT");
    let status = watchdog(LONG, move || {
        drop(stderr);
        shop.wait().unwrap()
    });
    assert_eq!(status.code(), Some(0));
}
