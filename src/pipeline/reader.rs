//! What a parser thread does with a page: bytes ─▶ document ─▶ records.
//!
//! A panic in one of the parsing libraries ends with the page that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::threads::panic_message;
use crate::extract::{ExtractError, ExtractLimits, Extractor, PageFacts};
use crate::html::{self, Charset, Limits, ReadError};
use crate::job::Job;
use crate::model::{Outcome, Page, PageError, Records, display_url};

/// What one parser thread reads pages with. Compiled expressions cannot be sent between threads, so each has its own.
pub(super) struct Reader {
    extractor: Extractor,
    charset: Option<Charset>,
    documents: html::Reader,
}

impl Reader {
    pub(super) fn new(job: &Job) -> Reader {
        let extractor = Extractor::new(&job.rule, job.with_meta, ExtractLimits::default())
            .expect("the job compiled the same rule");
        Reader { extractor, charset: job.charset, documents: html::Reader::new(Limits::default()) }
    }

    pub(super) fn read(&mut self, page: Page) -> Outcome {
        let result = catch_unwind(AssertUnwindSafe(|| self.extract(&page)))
            .unwrap_or_else(|payload| Err(PageError::Panicked(panic_message(&*payload))));
        Outcome { body_bytes: page.body.len() as u64, request: page.request, result, retry_after: None }
    }

    fn extract(&mut self, page: &Page) -> Result<Records, PageError> {
        let document = self.documents.read(&page.body, page.content_type.as_deref(), self.charset)?;
        let url = display_url(&page.final_url);
        let facts = PageFacts { url: &url, page: page.request.page, fetched_at: Some(page.fetched_at) };
        Ok(self.extractor.extract(&document, &facts)?)
    }
}

impl From<ReadError> for PageError {
    fn from(error: ReadError) -> PageError {
        match error {
            ReadError::NotMarkup(what) => PageError::NotMarkup(what),
            ReadError::TooComplex(what) => PageError::TooComplex(what),
        }
    }
}

impl From<ExtractError> for PageError {
    fn from(error: ExtractError) -> PageError {
        PageError::Extract { name: error.name, reason: error.reason }
    }
}
