//! Where the first requests come from: a URL, or a URL template and a range of pages.
//!
//! Numbers requests from 0 in their order. Made lazily, one at a time, so the length of a range costs no memory. Does
//! not know what becomes of a request.

mod address;
mod arithmetic;
mod body;
mod message;
mod range;
mod template;

pub use address::{AddressError, parse_address};
pub use body::parse_body;
pub use message::MessageTemplate;
pub use range::{PageRange, Pages};
pub use template::{ExpandError, PageUrlError, Template};

use crate::model::{Request, RequestId};

/// The requests of a template and its pages, in order.
#[derive(Debug, Clone)]
pub struct Source {
    template: Template,
    message: Option<MessageTemplate>,
    pages: Option<PageRange>,
    max_pages: Option<u64>,
    next: u64,
}

/// A page that has no URL. It is a failed page; the source goes on with the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceError {
    /// The number that its request would have had.
    pub id: RequestId,
    /// The page number; `None` for a URL without a range.
    pub page: Option<i64>,
    /// Why it has no URL.
    pub reason: PageUrlError,
}

/// A template and a range that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceMistake {
    /// A range was given, but every page would be the same URL.
    #[error("the URL is the same for all pages")]
    PagesUnused {
        /// Whether `{{page}}` stands in the template, which is literal text.
        braces_are_literal: bool,
    },
    /// The template asks for a page number and no range was given.
    #[error("the {} has `{{page}}` but no pages are given", if *.in_body { "body" } else { "URL" })]
    PagesMissing {
        /// Whether it is the body that asks.
        in_body: bool,
    },
    /// The first page has no URL.
    #[error("{0}")]
    FirstUrl(PageUrlError),
}

impl SourceMistake {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            SourceMistake::PagesUnused { braces_are_literal: true } => {
                Some("`{{page}}` is the literal text {page}: write `{page}`".into())
            }
            SourceMistake::PagesUnused { braces_are_literal: false } => {
                Some("put `{page}` where the page number belongs, or leave the pages out".into())
            }
            SourceMistake::PagesMissing { .. } => Some("say which, as in `--pages 0-9`".into()),
            SourceMistake::FirstUrl(error) => error.hint(),
        }
    }
}

impl Source {
    /// A source of GETs that gives at most `max_pages` requests. Without a range it is the one request of the template.
    ///
    /// # Errors
    /// When template and range do not fit together, or the first page has no URL.
    pub fn new(
        template: Template,
        pages: Option<PageRange>,
        max_pages: Option<u64>,
    ) -> Result<Source, SourceMistake> {
        Source::with_message(template, None, pages, max_pages)
    }

    /// A source whose requests say `message` beside their URL. Either of the two may differ from page to page.
    ///
    /// # Errors
    /// As [`Source::new`], and when the first page has no body.
    pub fn with_message(
        template: Template,
        message: Option<MessageTemplate>,
        pages: Option<PageRange>,
        max_pages: Option<u64>,
    ) -> Result<Source, SourceMistake> {
        let body_uses_page = message.as_ref().is_some_and(MessageTemplate::uses_page);
        match (&pages, template.uses_page() || body_uses_page) {
            (Some(_), false) => {
                let braces_are_literal = template.text().contains("{{page");
                return Err(SourceMistake::PagesUnused { braces_are_literal });
            }
            (None, true) => return Err(SourceMistake::PagesMissing { in_body: !template.uses_page() }),
            _ => {}
        }
        let first = pages.as_ref().and_then(|pages| pages.at(0)).unwrap_or(0);
        template.url(first).map_err(SourceMistake::FirstUrl)?;
        if let Some(message) = &message {
            message.of_page(first).map_err(|error| SourceMistake::FirstUrl(error.into()))?;
        }
        Ok(Source { template, message, pages, max_pages, next: 0 })
    }

    /// The template as it was written.
    pub fn template(&self) -> &str {
        self.template.text()
    }

    /// A URL with the host of all requests; `None` if the host is calculated.
    pub fn fixed_host(&self) -> Option<url::Url> {
        self.template.fixed_host()
    }

    /// How many requests there are from the beginning on; `None` if there is no end.
    pub fn total(&self) -> Option<u64> {
        let pages = self.pages.as_ref().map_or(Some(1), PageRange::len);
        match (pages, self.max_pages) {
            (Some(pages), Some(max)) => Some(pages.min(max)),
            (pages, max) => pages.or(max),
        }
    }

    /// The last request; `None` if there is no end, or no URL for it.
    pub fn last_request(&self) -> Option<Request> {
        let last = self.total()?.checked_sub(1)?;
        let mut at_last = self.clone();
        at_last.resume_at(last);
        at_last.next()?.ok()
    }

    /// The number of the next request: all that a run needs to keep in order to go on later.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Goes on at a position that [`Source::position`] gave.
    pub fn resume_at(&mut self, position: u64) {
        self.next = position;
    }
}

impl Iterator for Source {
    type Item = Result<Request, SourceError>;

    fn next(&mut self) -> Option<Result<Request, SourceError>> {
        let index = self.next;
        if self.max_pages.is_some_and(|max| index >= max) {
            return None;
        }
        let page = match &self.pages {
            Some(pages) => Some(pages.at(index)?),
            None if index == 0 => None,
            None => return None,
        };
        self.next = index.saturating_add(1);
        let id = RequestId(index);
        // Without a range the templates do not look at the page: `new` made sure.
        let number = page.unwrap_or(0);
        let url = self.template.url(number);
        let message = self.message.as_ref().map(|message| message.of_page(number)).transpose();
        Some(match url.and_then(|url| Ok((url, message?))) {
            Ok((url, message)) => Ok(Request { message, ..Request::new(id, url, page) }),
            Err(reason) => Err(SourceError { id, page, reason }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(template: &str, pages: Option<&str>, max: Option<u64>) -> Result<Source, SourceMistake> {
        let pages = pages.map(|text| PageRange::parse(text).unwrap());
        Source::new(Template::parse(template).unwrap(), pages, max)
    }

    #[test]
    fn requests_are_numbered_from_0_and_carry_their_page() {
        let source = source("http://h/?o={page*25}", Some("3,1"), None).unwrap();
        assert_eq!(source.total(), Some(2));
        let all: Vec<_> = source.map(Result::unwrap).map(|r| (r.id.0, r.page, r.url.to_string())).collect();
        assert_eq!(all, [(0, Some(3), "http://h/?o=75".into()), (1, Some(1), "http://h/?o=25".into())]);
    }

    #[test]
    fn a_url_without_a_range_is_one_request() {
        let source = source("http://h/{{x}}", None, None).unwrap();
        assert_eq!(source.total(), Some(1));
        let all: Vec<_> = source.map(Result::unwrap).collect();
        assert_eq!((all.len(), all[0].page, all[0].attempt), (1, None, 0));
    }

    #[test]
    fn max_pages_ends_a_range_without_an_end() {
        let source = source("http://h/{page}", Some("1-"), Some(3)).unwrap();
        assert_eq!(source.total(), Some(3));
        assert_eq!(source.count(), 3);
    }

    #[test]
    fn without_an_end_and_a_limit_there_is_no_total() {
        assert_eq!(source("http://h/{page}", Some("1-"), None).unwrap().total(), None);
        assert_eq!(source("http://h/{page}", Some("1-2"), Some(9)).unwrap().total(), Some(2));
    }

    #[test]
    fn a_page_without_a_url_fails_alone_and_keeps_its_number() {
        let source = source("http://h/{60/(page-2)}", Some("1-3"), None).unwrap();
        let all: Vec<_> = source.collect();
        assert_eq!(all.len(), 3);
        let error = all[1].clone().unwrap_err();
        assert_eq!((error.id, error.page), (RequestId(1), Some(2)));
        assert_eq!(error.to_string(), "`{60/(page-2)}` divides by zero on page 2");
        assert_eq!(all[2].clone().unwrap().id, RequestId(2));
    }

    #[test]
    fn a_run_goes_on_at_its_position() {
        let mut first = source("http://h/{page}", Some("1-4"), None).unwrap();
        first.by_ref().take(2).for_each(drop);
        let mut second = source("http://h/{page}", Some("1-4"), None).unwrap();
        second.resume_at(first.position());
        assert_eq!(second.map(|r| r.unwrap().page.unwrap()).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn template_and_range_must_fit_together() {
        let mistake = source("http://h/", Some("1-3"), None).unwrap_err();
        assert_eq!(mistake.to_string(), "the URL is the same for all pages");
        let mistake = source("http://h/{{page}}", Some("1-3"), None).unwrap_err();
        assert_eq!(mistake.hint().unwrap(), "`{{page}}` is the literal text {page}: write `{page}`");
        let mistake = source("http://h/{page}", None, None).unwrap_err();
        assert_eq!(mistake.to_string(), "the URL has `{page}` but no pages are given");
    }

    #[test]
    fn the_first_url_is_checked_at_once() {
        let mistake = source("h.example/{page}", Some("5-9"), None).unwrap_err();
        assert_eq!(mistake.hint().unwrap(), "did you mean https://h.example/5?");
        assert!(matches!(
            source("http://h/{9/page}", Some("0-9"), None),
            Err(SourceMistake::FirstUrl(PageUrlError::Expand(_)))
        ));
    }
}
