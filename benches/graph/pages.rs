//! Link-heavy pages through the whole pipeline: pages a second, and which of the threads are busy.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use pagemill::config;
use pagemill::frontier::{PacePolicy, Requests};
use pagemill::job::{Job, Purpose};
use pagemill::model::{Exchange, Fetched, Page, Request, RequestId};
use pagemill::output::{JsonLines, Target};
use pagemill::pipeline::{self, Outlet, Pages};
use pagemill::progress::Mode;
use pagemill::stop::Stop;
use pagemill::written::Layer;
use url::Url;

use super::threads;
use super::{SITE, item_at, links_of, path};
use crate::{Failure, memory};

pub(crate) const HEAD: &str = "links  pages   parsers  pages/s    links/s  distinct   us a page: crawl  parse  \
                               conductor  busy: a parser  conductor  RSS MB  peak MB";

const JOB: &str = "[extract.page]\nfields.title = '//title'\nfollow = ['//a']\n";

/// Crawls `pages` pages of so many links each, half of them new, with so many parser threads.
pub(crate) fn crawl(links: u64, pages: u64, parsers: usize) -> Result<(), Failure> {
    let (file, mistakes) = config::parse("job.toml", JOB);
    let mut job = Job::build(Purpose::Saved, Layer::new(), Layer::new(), file, mistakes)
        .map_err(|mistakes| format!("{mistakes:?}"))?;
    job.parsers = parsers;
    job.max_pages = Some(pages);
    let lines = JsonLines::open(&Target::Replace(PathBuf::from("/dev/null")))?;
    // Without links, all pages are the source's; else each but the first is found.
    let first = if links == 0 { pages } else { 1 };
    let source = Pages {
        requests: requests(first),
        total: None,
        pace: PacePolicy::unbounded(),
        follows: true,
        jobs: 4,
        fetch: |request| Fetched::Page(page(request, links)),
        abort: || {},
        remark: || None,
    };
    let began = Instant::now();
    let (ran, cpu) = threads::watch(|| {
        pipeline::run(
            &job,
            source,
            Outlet { lines, past: None, session: None, last_run: None },
            &Stop::new(),
            Mode::Hidden,
            || None,
        )
    });
    let seconds = began.elapsed().as_secs_f64();
    let summary = ran?;
    let counts = summary.links.ok_or("links were to be followed")?;
    let distinct = first + counts.followed;
    if summary.pages_done != pages || counts.followed + counts.known != pages * links {
        return Err(format!("{} pages of {pages}, {counts:?}", summary.pages_done).into());
    }
    let a_page = |nanoseconds: u64| nanoseconds as f64 / 1e3 / pages as f64;
    let busy = |nanoseconds: u64| nanoseconds as f64 / 1e7 / seconds;
    println!(
        "{links:5}  {pages:<6}  {parsers:7}  {:7.0}  {:9.0}  {distinct:<8}  {:17.1}  {:5.1}  {:9.1}  {:12.0} %  \
         {:7.0} %  {:6.1}  {:7.1}",
        pages as f64 / seconds,
        (pages * links) as f64 / seconds,
        a_page(cpu.crawl),
        a_page(cpu.parse),
        a_page(cpu.conductor),
        busy(cpu.parse) / parsers as f64,
        busy(cpu.conductor),
        memory("VmRSS:"),
        memory("VmHWM:"),
    );
    Ok(())
}

fn requests(count: u64) -> Requests {
    Box::new((0..count).map(|item| {
        let url = Url::parse(&format!("{SITE}{}", path(item))).expect("it is a URL");
        Ok(Request::new(RequestId(item), url, None))
    }))
}

/// What a server would say, without one.
fn page(request: Request, links: u64) -> Page {
    let item = item_at(request.url.path()).expect("only items are asked for");
    let mut body = Vec::with_capacity(1024 + 128 * links as usize);
    let text = "A paragraph of words, as long as the description of an item in a shop. ".repeat(8);
    let mut write = |part: std::fmt::Arguments| body.write_fmt(part).expect("memory can be written to");
    write(format_args!(
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>Item {item}</title></head><body>"
    ));
    write(format_args!("<h1>Item {item}</h1><p>{text}</p><ul>\n"));
    for link in links_of(item, links / 2) {
        write(format_args!("<li class=\"item\"><a href=\"{}\">Item {link}</a> in stock</li>\n", path(link)));
    }
    write(format_args!("</ul></body></html>\n"));
    Page {
        final_url: request.url.clone(),
        request,
        status: 200,
        content_type: Some("text/html; charset=utf-8".to_owned()),
        body,
        robots_tag: Vec::new(),
        fetched_at: SystemTime::UNIX_EPOCH,
        exchange: Exchange::default(),
    }
}
