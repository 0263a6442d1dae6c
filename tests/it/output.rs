//! Where records go: parts of a bounded size, compressed files, and the mistakes one can make with them.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::crawl::listings;
use crate::support::{Server, pagemill, run, temp_dir};

/// Crawls ten pages of two records each into `output`; the exit code and what was said.
fn crawl(server: &Server, folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let url = server.url("/list?p={page}");
    let mut command = pagemill(["crawl", &url, "-p", "0-9", "--throttle", "off", "--ordered", "-q"]);
    command.args(["-e", "//li[@class='item']", "-f", "title=./a", "-f", "link=./a/@href"]).args(more);
    let ran = run(command.current_dir(folder));
    (ran.code, ran.stderr)
}

fn unpacked(path: &Path) -> String {
    let mut bytes = &fs::read(path).unwrap()[..];
    let mut text = String::new();
    match path.extension().unwrap().to_str().unwrap() {
        "gz" => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
        }
        _ => {
            while !bytes.is_empty() {
                let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut bytes).unwrap();
                decoder.read_to_string(&mut text).unwrap();
            }
        }
    }
    text
}

#[test]
fn records_go_into_parts_and_compressed_files_and_all_say_the_same() {
    let server = listings();
    let folder = temp_dir();
    let path = |name: &str| folder.path().join(name);
    assert_eq!(crawl(&server, folder.path(), &["-o", "all.jsonl"]), (Some(0), String::new()));
    let all = fs::read_to_string(path("all.jsonl")).unwrap();
    assert_eq!(all.lines().count(), 20);

    for name in ["all.jsonl.gz", "all.jsonl.zst"] {
        assert_eq!(crawl(&server, folder.path(), &["-o", name]), (Some(0), String::new()));
        assert!(unpacked(&path(name)) == all, "{name}");
        assert_eq!(crawl(&server, folder.path(), &["-o", name]).0, Some(0));
        assert!(unpacked(&path(name)) == all.repeat(2), "{name}");
    }

    let parts = ["-o", "p-{part:02}.jsonl", "--rotate", "400"];
    assert_eq!(crawl(&server, folder.path(), &parts), (Some(0), String::new()));
    let texts: Vec<String> =
        (1..10).map_while(|part| fs::read_to_string(path(&format!("p-{part:02}.jsonl"))).ok()).collect();
    assert!(
        texts.len() > 1 && texts.iter().all(|text| text.len() <= 400 && text.ends_with('\n')),
        "{texts:?}"
    );
    assert_eq!(texts.concat(), all);
    // Once more: behind those that are there.
    assert_eq!(crawl(&server, folder.path(), &parts).0, Some(0));
    let first_new = fs::read_to_string(path(&format!("p-{:02}.jsonl", texts.len() + 1))).unwrap();
    assert_eq!(first_new, texts[0]);
}

#[test]
fn names_and_sizes_that_do_not_go_together_are_told_before_the_first_request() {
    let server = Server::start(|_| {}).may_be_idle();
    let folder = temp_dir();
    for (more, said) in [
        (&["-o", "p.jsonl", "--rotate", "1M"][..], "parts need a name with {part} in it"),
        (&["-o", "p-{page}.jsonl", "--rotate", "1M"], "this is not {part}"),
        (&["-o", "p-{part}.jsonl"], "nothing says how large a part may be"),
        (&["-O", "p-{part}.jsonl", "--rotate", "big"], "unknown unit of size"),
        (&["--rotate", "1M"], "standard output has no parts"),
        (&["-o", "p-{part}", "--rotate", "1M", "--summary", "p-3"], "the records are written to this file"),
    ] {
        let (code, stderr) = crawl(&server, folder.path(), more);
        assert_eq!(code, Some(2), "{more:?}: {stderr}");
        assert!(stderr.contains(said), "{more:?}: {stderr}");
        assert!(stderr.contains("hint: "), "{more:?}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn plain_text_in_a_file_called_gz_is_not_appended_to() {
    let server = Server::start(|_| {}).may_be_idle();
    let folder = temp_dir();
    fs::write(folder.path().join("old.jsonl.gz"), "{}\n").unwrap();
    let (code, stderr) = crawl(&server, folder.path(), &["-o", "old.jsonl.gz"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("no whole gzip file") && stderr.contains("-O"), "{stderr}");
}
