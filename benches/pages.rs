//! Whole pages on their way from bytes to records, measured from within: `cargo bench --bench pages -- COMMAND`.
//!
//! - `measure [--rounds N] FILE... | -`: parse, floor and extraction of each page, one JSON object a line. `-` reads
//!   the names from standard input, one a line, and answers each at once.
//! - `engines [--rounds N] FILE...`: the expressions alone, each evaluated on all that it is asked of, by both engines.
//! - `threads [--rounds N] FILE...`: all pages by one parser thread and by two.
//! - `hostile`: pages made to be slow, in sizes from 100 KB to 10 MB: time in proportion to the size?
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

mod floor;

use std::hint::black_box;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pagemill::extract::XPath;
use pagemill::extract::xpath::engine::{EngineChoice, Index, Programs, Session, Store, Value};
use pagemill::extract::{Content, Expression, ExtractLimits, Extractor, Field, Namespaces, PageFacts, Rule};
use pagemill::html::{Document, Limits, Place, Reader};

/// The one that the program uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // cargo adds `--bench`.
    let mut arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match run(&mut arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &mut Vec<String>) -> Result<(), Failure> {
    let rounds = match arguments.iter().position(|a| a == "--rounds") {
        Some(at) if at + 1 < arguments.len() => {
            arguments.drain(at..at + 2).nth(1).unwrap_or_default().parse()?
        }
        _ => 9,
    };
    let files = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("measure") if files == ["-"] => {
            for file in std::io::stdin().lines() {
                measure(&file?, rounds)?;
            }
            Ok(())
        }
        Some("measure") => files.iter().try_for_each(|file| measure(file, rounds)),
        Some("engines") => files.iter().try_for_each(|file| engines(file, rounds)),
        Some("threads") => threads(files, rounds),
        Some("hostile") => {
            hostile();
            Ok(())
        }
        _ => Err("one of: measure, engines, threads, hostile; see benches/README.md".into()),
    }
}

/// The rule of all comparisons: each link's target, first text and whole text.
fn extractor() -> Extractor {
    let xpath = |text: &str| Expression::parse(text, &Namespaces::new()).expect("the expressions are right");
    let field = |name: &str, text: &str| Field::text(name, false, xpath(text));
    let rule = Rule {
        name: "links".to_owned(),
        each: Some(xpath("//a")),
        fields: vec![field("href", "./@href"), field("text", "./text()"), field("all", "normalize-space(.)")],
        ..Rule::default()
    };
    Extractor::new(&rule, false, ExtractLimits::default()).expect("the expressions are right")
}

fn facts() -> PageFacts<'static> {
    PageFacts::of("http://localhost/")
}

fn measure(file: &str, rounds: usize) -> Result<(), Failure> {
    let body = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let mut reader = Reader::new(Limits::default());
    let extractor = extractor();
    let line = match reader.read(&body, None, None) {
        Err(error) => serde_json::json!({ "file": file, "error": error.to_string() }),
        Ok(document) => {
            let records = extractor.extract(Content::Markup(&document), &facts())?.count;
            let text = String::from_utf8_lossy(&body);
            let parse = median(rounds, || black_box(reader.read(&body, None, None)).is_ok());
            let extract =
                median(rounds, || black_box(extractor.extract(Content::Markup(&document), &facts())).is_ok());
            let floor = document.is_html().then(|| micros(median(rounds, || black_box(floor::parse(&text)))));
            serde_json::json!({
                "file": file,
                "bytes": body.len(),
                "nodes": document.len(),
                "records": records,
                "parse_us": micros(parse),
                "extract_us": micros(extract),
                "floor_us": floor,
            })
        }
    };
    println!("{line}");
    Ok(std::io::stdout().flush()?)
}

/// The links and what is asked of each, without writing records: by our own engine and by sxd-xpath, its copy of the
/// page included.
fn engines(file: &str, rounds: usize) -> Result<(), Failure> {
    let body = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let document = Reader::new(Limits::default()).read(&body, None, None)?;
    let xpaths = ["//a", "./@href", "./text()", "normalize-space(.)"]
        .map(|text| XPath::parse(text, &Namespaces::new()).expect("the expressions are right"));
    let time_by = |choice| {
        let programs = Programs::new(&xpaths, choice).expect("the expressions compile");
        micros(median(rounds, || {
            let store = Store::new();
            let session = Session::new(&programs, &document, &store, ExtractLimits::default());
            let Ok(Value::Places(links)) = session.evaluate(Index(0), Place::ROOT) else { return };
            for link in links {
                for index in 1..xpaths.len() {
                    let _ = black_box(&session.evaluate(Index(index), link));
                }
            }
        }))
    };
    let (native, sxd) = (time_by(EngineChoice::Fastest), time_by(EngineChoice::Sxd));
    println!("{file}: native {native:.0} µs, sxd {sxd:.0} µs, ratio {:.1}", sxd / native);
    Ok(())
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn median<T>(rounds: usize, mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..rounds.max(1)).map(|_| time(&mut work)).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// Each thread takes the next page until all have been taken ten times, as the parser threads of a run do.
fn threads(files: &[String], rounds: usize) -> Result<(), Failure> {
    let mut reader = Reader::new(Limits::default());
    let mut pages: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let body = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        if reader.read(&body, None, None).is_ok() {
            pages.push(body);
        }
    }
    if pages.is_empty() {
        return Err("threads: no pages given".into());
    }
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        one.push(time_of_threads(1, &pages));
        two.push(time_of_threads(2, &pages));
    }
    one.sort_unstable();
    two.sort_unstable();
    let (one, two) = (one[one.len() / 2], two[two.len() / 2]);
    println!("| parser threads | {} pages, ten times | ratio |\n| ---: | ---: | ---: |", pages.len());
    println!("| 1 | {:.1} ms | 1 |", one.as_secs_f64() * 1e3);
    println!("| 2 | {:.1} ms | {:.2} |", two.as_secs_f64() * 1e3, one.as_secs_f64() / two.as_secs_f64());
    Ok(())
}

fn time_of_threads(count: usize, pages: &[Vec<u8>]) -> Duration {
    let next = AtomicUsize::new(0);
    time(|| {
        std::thread::scope(|scope| {
            for _ in 0..count {
                // sxd-xpath recurses, so the stack is that of the program's parser threads.
                let thread = std::thread::Builder::new().stack_size(pagemill::extract::STACK_BYTES);
                let work = || {
                    let (mut reader, extractor) = (Reader::new(Limits::default()), extractor());
                    while let Some(page) = take(&next, pages) {
                        let document = reader.read(page, None, None).expect("it was read before");
                        black_box(extractor.extract(Content::Markup(&document), &facts())).ok();
                    }
                };
                thread.spawn_scoped(scope, work).expect("a thread can be started");
            }
        });
    })
}

fn take<'a>(next: &AtomicUsize, pages: &'a [Vec<u8>]) -> Option<&'a [u8]> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    (number < 10 * pages.len()).then(|| &*pages[number % pages.len()])
}

/// A page of about so many bytes.
type Shape = fn(usize) -> String;

const SHAPES: [(&str, Shape); 12] = [
    ("nested tables", |bytes| "<table><tr><td>x".repeat(bytes / 16)),
    ("nested tables, closed", |bytes| {
        "<table><tr><td>x".repeat(bytes / 40) + &"</td></tr></table>y".repeat(bytes / 40)
    }),
    ("siblings", |bytes| "<p>x</p>".repeat(bytes / 8)),
    ("links", |bytes| "<a href='/x?a=1&b=2'>link</a>\n".repeat(bytes / 30)),
    ("deep", |bytes| "<div>".repeat(bytes / 5)),
    ("deep formatting", |bytes| "<b><i><font color=x>".repeat(bytes / 20)),
    ("attributes on one tag", |bytes| {
        let attributes: String = (0..bytes / 10).map(|i| format!(" a{i:07}")).collect();
        format!("<p{attributes}>x</p>")
    }),
    ("attributes, 500 a tag", |bytes| {
        let attributes: String = (0..500).map(|i| format!(" a{i:03}=b")).collect();
        format!("<p{attributes}>x</p>").repeat(bytes / 3500)
    }),
    ("text in tables", |bytes| format!("<table>{}", "x<tr>y".repeat(bytes / 6))),
    ("misnested", |bytes| "<b>1<p>2</b>3</p>".repeat(bytes / 17)),
    ("references", |bytes| "&amp;&notit;&#x41;".repeat(bytes / 18)),
    ("open ends", |bytes| "<!-- <script> <a '".repeat(bytes / 18)),
];

fn hostile() {
    println!(
        "| page | size | parse | per MB | extraction | per MB |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    );
    for (name, shape) in SHAPES {
        for bytes in [100_000, 1_000_000, 10_000_000] {
            let body = shape(bytes).into_bytes();
            let mut reader = Reader::new(Limits::default());
            let mut read = None;
            let parse = time(|| read = Some(reader.read(&body, None, None)));
            let megabytes = body.len() as f64 / 1e6;
            let size = format!("{megabytes:.1} MB");
            let per_megabyte = |time: Duration| shown(time.div_f64(megabytes));
            let (extract, extract_per_megabyte) = match read {
                Some(Ok(document)) => extraction(&document, &per_megabyte),
                Some(Err(error)) => (error.to_string(), String::new()),
                None => (String::new(), String::new()),
            };
            println!(
                "| {name} | {size} | {} | {} | {extract} | {extract_per_megabyte} |",
                shown(parse),
                per_megabyte(parse)
            );
        }
    }
}

fn extraction(document: &Document, per_megabyte: &dyn Fn(Duration) -> String) -> (String, String) {
    let extractor = extractor();
    let mut result = None;
    let extract = time(|| result = Some(extractor.extract(Content::Markup(document), &facts())));
    match result {
        Some(Err(error)) => (error.to_string(), String::new()),
        _ => (shown(extract), per_megabyte(extract)),
    }
}

fn shown(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
