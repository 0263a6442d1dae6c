//! What found links cost, from ten thousand to ten million of them: `cargo bench --bench frontier -- COMMAND`.
//!
//! - `backlog [N]`: all are pushed, as pages of 100 links, then all are popped; in each order.
//! - `seen [N]`: all are new, then all are known.
//! - `graph frontier [N]`: a site is discovered and crawled by the frontier alone.
//! - `graph pages [LINKS PAGES PARSERS]`: the whole pipeline on made pages with so many links each.
//!
//! Without N, each size is measured in a process of its own. URLs have 60 bytes. Memory is that of the process
//! (Linux); its peak is the highest that it ever was.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use pagemill::frontier::{Backlog, Order, Seen, Spill};
use pagemill::model::{Request, RequestId};
use url::Url;

mod graph;

/// The one that the program uses.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Links a page, pages, parser threads.
const PAGES: [[u64; 3]; 6] = [
    [0, 200_000, 1],
    [0, 200_000, 2],
    [100, 40_000, 1],
    [100, 40_000, 2],
    [500, 10_000, 1],
    [500, 10_000, 2],
];

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), Failure> {
    match arguments {
        ["backlog"] => {
            println!("order     n           push ns  pop ns  bytes on disk each  RSS MB  peak MB");
            each_size(&["backlog", "breadth"])?;
            each_size(&["backlog", "depth"])?;
            each_size(&["backlog", "priority"])
        }
        ["backlog", "breadth", n] => backlog("breadth", Order::Breadth, n.parse()?),
        ["backlog", "depth", n] => backlog("depth", Order::Depth, n.parse()?),
        ["backlog", "priority", n] => backlog("priority", Order::Priority, n.parse()?),
        ["seen"] => {
            println!("n           new ns  known ns  bytes each  RSS MB  peak MB");
            each_size(&["seen"])
        }
        ["seen", n] => seen(n.parse()?),
        ["graph", "frontier"] => {
            println!("{}", graph::frontier::HEAD);
            each_size(&["graph", "frontier"])
        }
        ["graph", "frontier", n] => graph::frontier::crawl(n.parse()?),
        ["graph", "pages"] => {
            println!("{}", graph::pages::HEAD);
            for sizes in PAGES {
                again(&["graph", "pages"], &sizes.map(|size| size.to_string()))?;
            }
            Ok(())
        }
        ["graph", "pages", links, pages, parsers] => {
            graph::pages::crawl(links.parse()?, pages.parse()?, parsers.parse()?)
        }
        _ => Err("one of: backlog, seen, graph frontier, graph pages; see benches/README.md".into()),
    }
}

fn each_size(command: &[&str]) -> Result<(), Failure> {
    for size in SIZES {
        again(command, &[size.to_string()])?;
    }
    Ok(())
}

/// Measures in a process of its own.
fn again(command: &[&str], sizes: &[String]) -> Result<(), Failure> {
    let status = Command::new(std::env::current_exe()?).args(command).args(sizes).status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} {sizes:?}: {status}").into()) }
}

fn backlog(name: &str, order: Order, n: u64) -> Result<(), Failure> {
    const LINKS: u64 = 100;
    let mut backlog = Backlog::new(order, Spill::default());
    let mut random = fastrand::Rng::with_seed(1);
    let mut pushing = Duration::ZERO;
    for page in 0..n / LINKS {
        let link = |id| {
            let url = format!("http://www.example.org/catalogue/{:08x}/item-{id:08}.html", random.u32(..));
            let url = Url::parse(&url).expect("it is a URL");
            let priority = random.i32(0..5);
            Request { depth: 3, priority, is_by_page: true, ..Request::new(RequestId(id), url, None) }
        };
        let links: Vec<Request> = (page * LINKS..(page + 1) * LINKS).map(link).collect();
        let start = Instant::now();
        backlog.push_page(links)?;
        pushing += start.elapsed();
    }
    let (len, bytes, rss) = (backlog.len(), backlog.bytes_on_disk(), memory("VmRSS:"));
    let start = Instant::now();
    while let Some(request) = backlog.pop()? {
        black_box(request);
    }
    let popping = start.elapsed();
    println!(
        "{name:8}  {len:<10}  {:7.0}  {:6.0}  {:18.1}  {rss:6.1}  {:7.1}",
        each(pushing, len),
        each(popping, len),
        bytes as f64 / len as f64,
        memory("VmHWM:"),
    );
    Ok(())
}

fn seen(n: u64) -> Result<(), Failure> {
    let before = memory("VmRSS:");
    let mut seen = Seen::new();
    let mut pass = || {
        let mut random = fastrand::Rng::with_seed(1);
        let start = Instant::now();
        let new = (0..n).filter(|_| seen.insert(random.u128(..))).count();
        (start.elapsed(), new as u64)
    };
    let (inserting, new) = pass();
    let (finding, known) = pass();
    if (new, known) != (n, 0) {
        return Err(format!("of {n}, {new} were new, and {known} once more").into());
    }
    let rss = memory("VmRSS:");
    println!(
        "{n:<10}  {:6.1}  {:8.1}  {:10.1}  {rss:6.1}  {:7.1}",
        each(inserting, n),
        each(finding, n),
        (rss - before) * f64::from(1 << 20) / n as f64,
        memory("VmHWM:"),
    );
    Ok(())
}

fn each(time: Duration, n: u64) -> f64 {
    time.as_nanos() as f64 / n as f64
}

/// A figure of `/proc/self/status` in MB; 0 where there is none.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|kilobytes| kilobytes.parse().ok())
        .map_or(0.0, |kb: f64| kb / 1024.0)
}
