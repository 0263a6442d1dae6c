//! What a parser thread does with a page: bytes ─▶ document ─▶ records.
//!
//! A panic in one of the parsing libraries ends with the page that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::threads::panic_message;
use crate::extract::json::parse_page;
use crate::extract::{Content, ExtractError, ExtractLimits, Extractor, PageFacts, Reads};
use crate::html::{self, Charset, Limits, ReadError};
use crate::job::Job;
use crate::model::{Errand, Found, Outcome, Page, PageError, Records, display_url};
use crate::robots::Robots;

/// What one parser thread reads pages with. Compiled expressions cannot be sent between threads, so each has its own.
pub(super) struct Reader {
    extractor: Extractor,
    charset: Option<Charset>,
    documents: html::Reader,
    reads: Reads,
    /// The name that robots.txt knows us by.
    agent: String,
}

impl Reader {
    pub(super) fn new(job: &Job) -> Reader {
        let extractor =
            Extractor::with_engine(&job.rule, job.with_meta, ExtractLimits::default(), job.xpath_engine)
                .expect("the job compiled the same rule");
        let reads = job.rule.reads().unwrap_or(Reads::Markup);
        let documents = html::Reader::new(Limits::default());
        Reader { extractor, charset: job.charset, documents, reads, agent: job.agent.clone() }
    }

    pub(super) fn read(&mut self, page: Page) -> Outcome {
        let result = catch_unwind(AssertUnwindSafe(|| match page.request.errand {
            Errand::Page => self.extract(&page).map(Found::Records),
            Errand::Robots => Ok(Found::Robots(Robots::parse(&page.body, &self.agent))),
        }))
        .unwrap_or_else(|payload| Err(PageError::Panicked(panic_message(&*payload))));
        Outcome { body_bytes: page.body.len() as u64, request: page.request, result, exchange: page.exchange }
    }

    fn extract(&mut self, page: &Page) -> Result<Records, PageError> {
        let url = display_url(&page.final_url);
        let facts = PageFacts { url: &url, page: page.request.page, fetched_at: Some(page.fetched_at) };
        let content_type = page.content_type.as_deref();
        match self.reads {
            Reads::Markup => {
                let document = self.documents.read(&page.body, content_type, self.charset)?;
                Ok(self.extractor.extract(Content::Markup(&document), &facts)?)
            }
            Reads::Json => {
                let text = html::decode(&page.body, content_type, self.charset);
                let json = parse_page(&text).map_err(|error| PageError::NotJson(error.to_string()))?;
                Ok(self.extractor.extract(Content::Json(&json), &facts)?)
            }
        }
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
