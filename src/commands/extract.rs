//! `pagemill extract`: a job's extraction on saved pages, by the same crew, desk and output as a crawl.

use std::process::ExitCode;

use super::saved::{self, Saved};
use super::{build_job, conclude, open_output, refuse, say};
use crate::cli::ExtractTyped;
use crate::frontier::PacePolicy;
use crate::job::{Job, Purpose};
use crate::mistake::Mistake;
use crate::model::Fetched;
use crate::output::Target;
use crate::pipeline::{self, Pages};

/// Threads that read files. Reading is much faster than parsing, but on a network disk it waits.
const FILE_READERS: usize = 4;

pub(super) fn run(typed: ExtractTyped) -> ExitCode {
    match build_job(Purpose::Saved, typed.job) {
        Ok(job) => {
            // What is named is meant to be read; what the last run left in a folder is not.
            let files = typed.paths.iter().filter(|path| !path.is_dir());
            let mistakes: Vec<Mistake> =
                files.filter_map(|path| job.written_files.may_read(path, "FILE").err()).collect();
            match mistakes.is_empty() {
                true => extract(&job, saved::list(&typed.paths)),
                false => refuse(&mistakes),
            }
        }
        Err(mistakes) => refuse(&mistakes),
    }
}

fn extract(job: &Job, mut pages: Vec<Saved>) -> ExitCode {
    // An output file among the pages, left there by the last run, would be read while it grows.
    match &job.target {
        Target::Stdout => {}
        Target::Append(path) | Target::Replace(path) => pages.retain(|page| !page.is_same_file(path)),
        Target::Parts(parts) => {
            let numbers = parts.names.existing().unwrap_or_default();
            let paths: Vec<_> = numbers.into_iter().map(|part| parts.names.path(part)).collect();
            pages.retain(|page| !paths.iter().any(|path| page.is_same_file(path)));
        }
    }
    if let Some(path) = &job.summary {
        pages.retain(|page| !page.is_same_file(path));
    }
    if pages.is_empty() {
        say("warning: there is no file to read");
    }
    let limit = job.fetch.max_body_bytes;
    conclude(job, open_output, |output, stop, mode, interrupted| {
        let fetch = |request| match saved::read(request, limit) {
            Ok(page) => Fetched::Page(page),
            Err(failure) => Fetched::Failed(failure),
        };
        let pages = Pages {
            total: Some(pages.len() as u64),
            requests: Box::new(saved::requests(pages)),
            pace: PacePolicy::unbounded(),
            // Saved pages lead nowhere.
            follows: false,
            jobs: FILE_READERS,
            fetch,
            // A read of a file cannot be cut off; the process ends itself when it takes too long.
            abort: || {},
            remark: || None,
        };
        pipeline::run(job, pages, output, stop, mode, interrupted)
    })
}
