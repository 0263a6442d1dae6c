//! `pagemill demo`: opens the practice bookshop and crawls it by a real job, or leaves it open.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::{fail, run_job, say};
use crate::cli::DemoTyped;
use crate::config::JobFile;
use crate::demo::{LISTINGS, Shop};
use crate::job::{Job, Purpose};
use crate::signals::Signals;
use crate::stop::Stop;
use crate::written::{Layer, Place, Written};

/// How many records are shown when they go nowhere else.
const SHOWN_RECORDS: usize = 5;

const EACH: &str = "//article[@class='book']";

const FIELDS: [(&str, &str); 5] = [
    ("title", ".//h3/a/@title"),
    ("author", "./p[@class='author']"),
    ("price", "./p[@class='price']"),
    ("stars", "substring-after(./p[contains(@class, 'rating')]/@class, 'rating ')"),
    ("link", ".//h3/a/@href"),
];

pub(super) fn run(typed: &DemoTyped) -> ExitCode {
    let shop = match Shop::start(typed.port) {
        Ok(shop) => shop,
        Err(error) => {
            let hint = (typed.port != 0).then(|| "choose another --port, or none for a free one".to_owned());
            return fail(format!("cannot open the shop on port {}: {error}", typed.port), hint);
        }
    };
    if typed.serve { serve(&shop) } else { crawl(&shop, typed.output.as_deref()) }
}

fn serve(shop: &Shop) -> ExitCode {
    let stop = Arc::new(Stop::new());
    let signals = match Signals::listen(Arc::clone(&stop)) {
        Ok(signals) => signals,
        Err(error) => return fail(format!("cannot listen for signals: {error}"), None),
    };
    say(&format!("The bookshop is open at {}/ until Ctrl-C. Try, in another terminal:\n", shop.url()));
    say(&command_line(shop, "books.jsonl"));
    shop.wait(|| stop.is_requested());
    say(&format!("\nThe shop is closed after {} requests.", shop.hits()));
    // Ctrl-C is how this is meant to end.
    drop(signals);
    ExitCode::SUCCESS
}

fn crawl(shop: &Shop, output: Option<&str>) -> ExitCode {
    let scratch = Scratch::new();
    let path = output.map_or_else(|| scratch.0.to_string_lossy().into_owned(), str::to_owned);
    say(&format!(
        "A bookshop of {LISTINGS} pages is open at {}/ (only on this machine). Crawling it with:\n",
        shop.url()
    ));
    say(&command_line(shop, output.unwrap_or("books.jsonl")));
    say("");
    let job =
        match Job::build(Purpose::Crawl, flags(shop, &path), Layer::new(), JobFile::default(), Vec::new()) {
            Ok(job) => job,
            Err(mistakes) => return super::refuse(&mistakes),
        };
    let code = run_job(&job);
    if output.is_none() {
        show_records(&scratch.0);
        say(
            "\nNext: pagemill demo --serve leaves the shop open for commands of your own; pagemill crawl --help tells them.",
        );
    }
    code
}

/// The first records on standard output, as a crawl prints them.
fn show_records(path: &Path) {
    let Ok(file) = fs::File::open(path) else { return };
    let mut lines = BufReader::new(file).lines().map_while(Result::ok);
    say("\nThe first records:");
    let mut stdout = std::io::stdout().lock();
    for line in lines.by_ref().take(SHOWN_RECORDS) {
        // A reader that has gone wants no more.
        if writeln!(stdout, "{line}").is_err() {
            return;
        }
    }
    say(&format!("and {} more; -o FILE keeps them.", lines.count()));
}

/// The settings of the crawl. [`command_line`] prints the same ones.
fn flags(shop: &Shop, output: &str) -> Layer {
    let mut flags = Layer::new();
    let mut set = |name: &'static str, text: String| {
        flags.entry(name).or_default().push(Written { text, place: Place::Flag(name) });
    };
    set("url", format!("{}/page/{{page}}", shop.url()));
    set("pages", format!("1-{LISTINGS}"));
    set("each", EACH.to_owned());
    for (name, xpath) in FIELDS {
        set("field", format!("{name}={xpath}"));
    }
    set("ordered", "true".to_owned());
    set("overwrite", output.to_owned());
    flags
}

fn command_line(shop: &Shop, output: &str) -> String {
    let mut line =
        format!("  {} crawl '{}/page/{{page}}' -p 1-{LISTINGS} -e \"{EACH}\" \\\n", program(), shop.url());
    for (name, xpath) in FIELDS {
        line.push_str(&format!("      -f \"{name}={xpath}\" \\\n"));
    }
    line.push_str(&format!("      --ordered -O {output}"));
    line
}

/// The command that started us, so that the printed line works where it stands: whoever used `cargo run` may have no
/// `pagemill` on the path.
fn program() -> String {
    let typed = std::env::args().next().filter(|typed| typed.contains('/'));
    typed.unwrap_or_else(|| "pagemill".to_owned())
}

/// A file for records that are only looked at. It is removed in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        let name = format!("pagemill-demo-{}-{:x}.jsonl", std::process::id(), fastrand::u64(..));
        Scratch(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It is not there when records went elsewhere.
        let _ = fs::remove_file(&self.0);
    }
}
