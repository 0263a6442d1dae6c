//! `pagemill try`: one page, and what expressions find on it.
//!
//! What was asked for goes to standard output, in words for people; mistakes go to standard error.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::repl;
use super::trial::{Report, Trial};
use super::{FAILED, build_job, printable_lines, refuse, saved, say};
use crate::cli::{CrawlTyped, TryTyped, looks_like_address};
use crate::extract::STACK_BYTES;
use crate::html;
use crate::job::{Job, Purpose};
use crate::mistake::Mistake;
use crate::model::{Page, display_url};
use crate::pipeline;
use crate::sync;
use crate::written::{Place, Written};

/// An expression matched nothing: the same as a run in which something failed.
const NOT_ALL_MATCHED: u8 = 3;

/// What is asked of which page; the job is made of it anew whenever it changes.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// A saved page, if it is one.
    pub(super) file: Option<String>,
    /// The job as typed.
    pub(super) job: CrawlTyped,
}

/// Tries on a thread of its own, since expressions may be nested deeper than the stack of the main one allows.
pub(super) fn run(typed: TryTyped) -> ExitCode {
    let mut code = ExitCode::from(FAILED);
    let started = std::thread::scope(|scope| {
        let trial = sync::spawn(scope, "try", STACK_BYTES, || code = try_page(typed));
        // A panic has told about itself.
        trial.map(|trial| trial.join().unwrap_or_default())
    });
    if let Err(error) = started {
        say(&format!("error: cannot start a thread: {error}"));
    }
    code
}

fn try_page(typed: TryTyped) -> ExitCode {
    let mut asked = Asked { file: None, job: typed.job };
    if let Some(page) = &typed.page {
        asked.turn_to(page);
    }
    if let Some(number) = typed.number {
        if asked.file.is_some() {
            let hint = "put {page} into an address, or leave --page out";
            return refuse(&[Mistake::new("--page", "a file has no page numbers").with_hint(hint)]);
        }
        asked.turn_to_number(number);
    }
    let job = match build_job(Purpose::Trial, asked.job.clone()) {
        Ok(job) => job,
        Err(mistakes) => return refuse(&mistakes),
    };
    if asked.file.is_none() && job.source.is_none() {
        let hint = "pagemill try https://example.com/ -e '//h1', or a saved page, or -c JOB.toml with a url";
        return refuse(&[Mistake::new("URL|FILE", "there is no page to try").with_hint(hint)]);
    }
    let mut reader = html::Reader::new(html::Limits::default());
    let trial = match load(&asked, &job, &mut reader) {
        Ok(trial) => trial,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    show(&trial.describe());
    if job.rule().each.is_none() && job.rule().fields.is_empty() && job.rule().follow.is_empty() {
        repl::run(&mut *repl::lines(), asked, job, trial, reader);
        return ExitCode::SUCCESS;
    }
    show(&[String::new()]);
    let report = trial.examine(&job);
    show(&report.lines);
    code_of(&report)
}

fn code_of(report: &Report) -> ExitCode {
    if report.is_missing { ExitCode::from(NOT_ALL_MATCHED) } else { ExitCode::SUCCESS }
}

impl Asked {
    /// Takes another page: an address, a file, or `-`.
    pub(super) fn turn_to(&mut self, page: &str) {
        self.job.flags.remove("pages");
        if looks_like_address(page) && (page.contains("://") || !Path::new(page).exists()) {
            self.file = None;
            let written = Written { text: page.to_owned(), place: Place::Argument("URL") };
            self.job.flags.insert("url", vec![written]);
        } else {
            self.file = Some(page.to_owned());
        }
    }

    /// Takes another page of the source.
    pub(super) fn turn_to_number(&mut self, number: i64) {
        let written = Written { text: number.to_string(), place: Place::Flag("page") };
        self.job.flags.insert("pages", vec![written]);
    }

    /// The job as it is now.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(super) fn job(&self) -> Result<Job, Vec<Mistake>> {
        build_job(Purpose::Trial, self.job.clone())
    }
}

/// Fetches or reads the page that is asked for.
///
/// # Errors
/// In words, why there is none.
pub(super) fn load(asked: &Asked, job: &Job, reader: &mut html::Reader) -> Result<Trial, String> {
    let (name, page) = match &asked.file {
        Some(file) => (file.clone(), saved::read_named(file, job.fetch.max_body_bytes)),
        None => fetch(job)?,
    };
    let about = |error: &dyn std::fmt::Display| {
        let hint = match &asked.file {
            Some(file) if looks_like_a_host(file) => {
                format!("\n    hint: for a page of the web say https://{file}")
            }
            _ => String::new(),
        };
        format!("{name}: {error}{hint}")
    };
    page.and_then(|page| Trial::read(page, job, reader)).map_err(|error| about(&error))
}

fn fetch(job: &Job) -> Result<(String, Result<Page, crate::model::PageError>), String> {
    let source = job.source.clone().and_then(|mut source| source.next());
    let request = source.ok_or("there is no page of this number")?.map_err(|error| error.to_string())?;
    let name = display_url(&request.url);
    Ok((name, pipeline::fetch_one(&job.fetch, request)))
}

/// `example.com/list`, and no file of that name.
fn looks_like_a_host(name: &str) -> bool {
    let host = name.split('/').next().unwrap_or_default();
    let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with(".html");
    is_host && !Path::new(name).exists()
}

/// Prints lines on standard output. A reader that has gone wants no more.
pub(super) fn show(lines: &[String]) {
    let _ = writeln!(std::io::stdout(), "{}", printable_lines(&lines.join("\n")));
}
