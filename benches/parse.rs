//! Bytes to document, beside html5ever into nothing: `cargo bench --bench parse`.
//!
//! Measures a made page, or the files that `PAGES` lists: `PAGES="a.html b.html" cargo bench --bench parse`.

mod floor;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use pagemill::html::{Limits, Reader};

/// The one that the program uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn pages() -> Vec<(String, Vec<u8>)> {
    let Ok(list) = std::env::var("PAGES") else {
        return vec![("made".to_owned(), made_page().into_bytes())];
    };
    let read = |path: &str| std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    list.split_whitespace().map(|path| (path.to_owned(), read(path))).collect()
}

/// A listing of 400 entries with the usual markup.
fn made_page() -> String {
    let entry = |i: usize| {
        format!(
            "<li class=\"entry odd\" data-id=\"{i}\">\n  <h3><a href=\"/item/{i}?from=list&amp;page=2\" \
             title=\"Entry {i}\">Entry {i}</a></h3>\n  <img src=\"/thumb/{i}.jpg\" alt='' width=120 height=90>\n  \
             <p class=\"text\">Some words, <b>bold</b> &amp; plain, for a line or two.<br>And more.</p>\n</li>\n"
        )
    };
    let entries: String = (0..400).map(entry).collect();
    format!(
        "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>List</title>\n\
         <script>window.x = {{\"a\": 1 < 2}};</script></head>\n<body>\n<!-- list -->\n<ul>{entries}</ul></body></html>"
    )
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for (name, body) in pages() {
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut reader = Reader::new(Limits::default());
        group.bench_with_input(BenchmarkId::new("document", &name), &body, |bencher, body| {
            bencher.iter(|| black_box(reader.read(body, None, None)));
        });
        let text = String::from_utf8_lossy(&body);
        group.bench_with_input(BenchmarkId::new("floor", &name), &*text, |bencher, text| {
            bencher.iter(|| black_box(floor::parse(text)));
        });
    }
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
