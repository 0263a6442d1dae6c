//! One URL template and the pages that it is asked for.
//!
//! Owns how a template and its pages fit together, and the request at each place. Knows nothing of other templates.

use super::SourceError;
use super::message::MessageTemplate;
use super::range::PageRange;
use super::template::{PageUrlError, Template};
use crate::model::{Request, RequestId};

/// The requests of a template and its pages.
#[derive(Debug, Clone)]
pub struct Grid {
    template: Template,
    message: Option<MessageTemplate>,
    pages: Option<PageRange>,
}

/// A template and a range that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GridMistake {
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

impl GridMistake {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            GridMistake::PagesMissing { .. } => Some("say which, as in `--pages 0-9`".into()),
            GridMistake::FirstUrl(error) => error.hint(),
        }
    }
}

impl Grid {
    /// The requests of `template`, which say `message` beside their URL: one for each of `pages` if one of the two
    /// differs from page to page, otherwise a single one.
    ///
    /// # Errors
    /// When pages are missing, or the first one has no URL or body.
    pub fn new(
        template: Template,
        message: Option<MessageTemplate>,
        pages: Option<&PageRange>,
    ) -> Result<Grid, GridMistake> {
        let body_uses_page = message.as_ref().is_some_and(MessageTemplate::uses_page);
        let uses_page = template.uses_page() || body_uses_page;
        if uses_page && pages.is_none() {
            return Err(GridMistake::PagesMissing { in_body: !template.uses_page() });
        }
        let pages = pages.filter(|_| uses_page).cloned();
        let grid = Grid { template, message, pages };
        match grid.request(RequestId(0), 0) {
            Some(Err(error)) => Err(GridMistake::FirstUrl(error.reason)),
            _ => Ok(grid),
        }
    }

    /// Whether there is a request for each page.
    pub fn uses_page(&self) -> bool {
        self.pages.is_some()
    }

    /// The template as it was written.
    pub fn template(&self) -> &str {
        self.template.text()
    }

    /// A URL with the host of all requests; `None` if the host is calculated.
    pub fn fixed_host(&self) -> Option<url::Url> {
        self.template.fixed_host()
    }

    /// How many requests there are, `u64::MAX` if there are more; `None` without an end.
    #[expect(clippy::len_without_is_empty, reason = "a grid always has a request")]
    pub fn len(&self) -> Option<u64> {
        self.pages.as_ref().map_or(Some(1), PageRange::len)
    }

    /// The request at `index`, which gets the number `id`; `None` behind the last.
    pub(super) fn request(&self, id: RequestId, index: u64) -> Option<Result<Request, SourceError>> {
        let page = match &self.pages {
            Some(pages) => Some(pages.at(index)?),
            None if index == 0 => None,
            None => return None,
        };
        // Without a range the templates do not look at the page: `new` made sure.
        let number = page.unwrap_or(0);
        let url = self.template.url(number);
        let message = self.message.as_ref().map(|message| message.of_page(number)).transpose();
        Some(match url.and_then(|url| Ok((url, message?))) {
            Ok((url, message)) => Ok(Request { message, ..Request::new(id, url, page) }),
            Err(reason) => {
                let whom = page.map_or_else(|| "the URL".to_owned(), |page| format!("page {page}"));
                Err(SourceError { id, whom, reason })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(template: &str, pages: Option<&str>) -> Result<Grid, GridMistake> {
        let pages = pages.map(|text| PageRange::parse(text).unwrap());
        Grid::new(Template::parse(template).unwrap(), None, pages.as_ref())
    }

    #[test]
    fn a_template_that_names_the_page_needs_pages_and_another_takes_none() {
        let mistake = grid("http://h/{page}", None).unwrap_err();
        assert_eq!(mistake.to_string(), "the URL has `{page}` but no pages are given");
        let single = grid("http://h/", Some("1-3")).unwrap();
        assert_eq!((single.len(), single.uses_page()), (Some(1), false));
    }

    #[test]
    fn the_first_url_is_checked_at_once() {
        let mistake = grid("h.example/{page}", Some("5-9")).unwrap_err();
        assert_eq!(mistake.hint().unwrap(), "did you mean https://h.example/5?");
        let mistake = grid("http://h/{9/page}", Some("0-9")).unwrap_err();
        assert!(matches!(mistake, GridMistake::FirstUrl(PageUrlError::Expand(_))));
    }
}
