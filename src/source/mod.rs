//! Where the first requests come from: URL templates with the values of their variables, and lists of URLs.
//!
//! Numbers requests from 0 in their order: those of the templates, which can be counted and begun anywhere, then those
//! of the lists, line by line. Made lazily, one at a time, so the length of a range or a list costs no memory. Does not
//! know what becomes of a request, and starts no thread: lines that must be waited for are handed in.

mod address;
mod arithmetic;
mod body;
mod encoding;
mod feed;
mod glob;
mod grid;
mod lines;
mod list;
mod markup;
mod message;
mod moment;
mod names;
mod range;
mod seeds;
mod sitemap;
mod template;
mod variable;

pub use address::{AddressError, parse_address};
pub use body::parse_body;
pub use encoding::Encoding;
pub use feed::{Feed, parse_feed};
pub use glob::parse_glob;
pub use grid::{Grid, GridMistake};
pub use lines::{Line, LineError, Lines, Polled, SplitLines};
pub use list::{ListFile, ListRequests};
pub use message::MessageTemplate;
pub use moment::earliest;
pub use names::Names;
pub use range::{PageRange, Pages};
pub use seeds::Seeds;
pub use sitemap::{Sitemap, SitemapEntry, SitemapError, parse_sitemap};
pub use template::{ExpandError, PageUrlError, Template};
pub use variable::Variable;

use crate::model::{Request, RequestId};

/// The requests of templates, in order, and the lists behind them.
#[derive(Debug, Clone)]
pub struct Source {
    grids: Vec<Grid>,
    /// Where the requests of each grid begin.
    starts: Vec<u64>,
    lists: Vec<ListFile>,
    /// What the requests of the lists say beside their URL.
    message: Option<MessageTemplate>,
    max_pages: Option<u64>,
    next: u64,
}

/// A page that has no URL. It is a failed page; the source goes on with the next one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct SourceError {
    /// The number that its request would have had.
    pub id: RequestId,
    /// Which page it is, for people.
    pub whom: String,
    /// Why it has no URL.
    pub reason: PageUrlError,
}

/// Parts of a source that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceMistake {
    /// What stands behind a range without an end.
    #[error("this is never reached: the pages of the URL before it have no end")]
    NeverReached {
        /// The place of the URL that has no end.
        after: usize,
    },
    /// The body has variables, but a list has none.
    #[error("the body differs from request to request, and a list of URLs has no variables")]
    BodyOfList,
}

impl Source {
    /// A source of at most `max_pages` requests. Those of the lists say `message`, those of the grids what is theirs.
    ///
    /// # Errors
    /// When some part would never be reached, or asks for what is not there.
    pub fn new(
        grids: Vec<Grid>,
        lists: Vec<ListFile>,
        message: Option<MessageTemplate>,
        max_pages: Option<u64>,
    ) -> Result<Source, SourceMistake> {
        let mut starts = Vec::with_capacity(grids.len());
        let mut start = 0_u64;
        for (place, grid) in grids.iter().enumerate() {
            starts.push(start);
            match grid.len() {
                Some(length) => start = start.saturating_add(length),
                None if place + 1 < grids.len() || !lists.is_empty() => {
                    return Err(SourceMistake::NeverReached { after: place });
                }
                None => {}
            }
        }
        if !lists.is_empty() && message.as_ref().is_some_and(MessageTemplate::differs) {
            return Err(SourceMistake::BodyOfList);
        }
        Ok(Source { grids, starts, lists, message, max_pages, next: 0 })
    }

    /// The templates as they were written.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.grids.iter().map(Grid::template)
    }

    /// The lists behind the templates.
    pub fn lists(&self) -> &[ListFile] {
        &self.lists
    }

    /// URLs with the hosts of all requests; `None` if one is calculated, or stands in a list.
    pub fn fixed_hosts(&self) -> Option<Vec<url::Url>> {
        let hosts: Option<Vec<_>> = self.grids.iter().map(Grid::fixed_host).collect();
        hosts.filter(|_| self.lists.is_empty())
    }

    /// Whether it has templates and none of them calculates its host.
    pub fn has_fixed_hosts(&self) -> bool {
        !self.grids.is_empty() && self.grids.iter().all(|grid| grid.fixed_host().is_some())
    }

    /// How many requests there are from the beginning on; `None` if there is no end, or nobody knows.
    pub fn total(&self) -> Option<u64> {
        if !self.lists.is_empty() {
            return None;
        }
        match (self.count_of_grids(), self.max_pages) {
            (Some(pages), Some(max)) => Some(pages.min(max)),
            (pages, max) => pages.or(max),
        }
    }

    /// How many requests the templates give; `None` if there is no end.
    fn count_of_grids(&self) -> Option<u64> {
        let Some((last, start)) = self.grids.last().zip(self.starts.last()) else { return Some(0) };
        Some(start.saturating_add(last.len()?))
    }

    /// The last request of the templates; `None` if there is no end, or no URL for it.
    pub fn last_request(&self) -> Option<Request> {
        let count = match (self.count_of_grids(), self.max_pages) {
            (Some(pages), Some(max)) => pages.min(max),
            (pages, max) => pages.or(max)?,
        };
        let mut at_last = self.clone();
        at_last.resume_at(count.checked_sub(1)?);
        at_last.next()?.ok()
    }

    /// The requests of the lists. `lines` gives the lines of each one, when it is its turn or before.
    pub fn list_requests(&self, mut lines: impl FnMut(&ListFile) -> Box<dyn Lines>) -> ListRequests {
        let named = self.lists.iter().map(|list| (list.to_string(), lines(list))).collect();
        let first = self.count_of_grids().unwrap_or(u64::MAX);
        ListRequests::new(named, self.message.clone(), first, self.max_pages.unwrap_or(u64::MAX))
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

/// The requests of the templates.
impl Iterator for Source {
    type Item = Result<Request, SourceError>;

    fn next(&mut self) -> Option<Result<Request, SourceError>> {
        let index = self.next;
        if self.max_pages.is_some_and(|max| index >= max) {
            return None;
        }
        let place = self.starts.partition_point(|start| *start <= index).checked_sub(1)?;
        let made = self.grids[place].request(RequestId(index), index - self.starts[place])?;
        self.next = index.saturating_add(1);
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(template: &str, pages: Option<&str>) -> Grid {
        let pages = pages.map(|text| Variable::pages(PageRange::parse(text).unwrap()));
        let template = Template::parse(template, &Names::default()).unwrap();
        Grid::new(template, None, pages.as_slice()).unwrap()
    }

    fn source(template: &str, pages: Option<&str>, max: Option<u64>) -> Source {
        Source::new(vec![grid(template, pages)], Vec::new(), None, max).unwrap()
    }

    fn urls(source: Source) -> Vec<String> {
        source.map(|made| made.unwrap().url.to_string()).collect()
    }

    #[test]
    fn several_urls_follow_each_other_and_those_without_a_page_are_one_each() {
        let grids =
            vec![grid("http://a/", None), grid("http://b/{page}", Some("1-2")), grid("http://c/", None)];
        let source = Source::new(grids, Vec::new(), None, None).unwrap();
        assert_eq!(source.total(), Some(4));
        assert_eq!(source.last_request().unwrap().url.as_str(), "http://c/");
        assert_eq!(urls(source.clone()), ["http://a/", "http://b/1", "http://b/2", "http://c/"]);
        let mut later = source;
        later.resume_at(2);
        assert_eq!(urls(later), ["http://b/2", "http://c/"]);
    }

    #[test]
    fn max_pages_counts_over_all_urls() {
        let grids = vec![grid("http://b/{page}", Some("1-2")), grid("http://c/{page}", Some("1-2"))];
        let source = Source::new(grids, Vec::new(), None, Some(3)).unwrap();
        assert_eq!(urls(source), ["http://b/1", "http://b/2", "http://c/1"]);
    }

    #[test]
    fn nothing_can_stand_behind_a_range_without_an_end() {
        let grids = vec![grid("http://b/{page}", Some("1-")), grid("http://c/", None)];
        let mistake = Source::new(grids, Vec::new(), None, Some(9)).unwrap_err();
        assert_eq!(mistake, SourceMistake::NeverReached { after: 0 });
        let lists = vec![ListFile::Stdin];
        let mistake = Source::new(vec![grid("http://b/{page}", Some("1-"))], lists, None, None).unwrap_err();
        assert_eq!(mistake, SourceMistake::NeverReached { after: 0 });
        let grids = vec![grid("http://c/", None), grid("http://b/{page}", Some("1-"))];
        assert!(Source::new(grids, Vec::new(), None, None).is_ok());
    }

    #[test]
    fn lists_come_behind_the_urls_and_nobody_knows_how_long_they_are() {
        let source = Source::new(vec![grid("http://a/", None)], vec![ListFile::Stdin], None, None).unwrap();
        assert_eq!((source.total(), source.fixed_hosts()), (None, None));
        let mut listed = source.list_requests(|_| Box::new(SplitLines::new(&b"http://b/"[..])));
        assert!(
            matches!(listed.draw(), crate::model::Drawn::Next(Ok(request)) if request.id == RequestId(1))
        );
        assert_eq!(urls(source), ["http://a/"]);
    }

    #[test]
    fn requests_are_numbered_from_0_and_carry_their_page() {
        let source = source("http://h/?o={page*25}", Some("3,1"), None);
        assert_eq!(source.total(), Some(2));
        let all: Vec<_> = source.map(Result::unwrap).map(|r| (r.id.0, r.page, r.url.to_string())).collect();
        assert_eq!(all, [(0, Some(3), "http://h/?o=75".into()), (1, Some(1), "http://h/?o=25".into())]);
    }

    #[test]
    fn a_url_without_a_range_is_one_request() {
        let source = source("http://h/{{x}}", None, None);
        assert_eq!(source.total(), Some(1));
        let all: Vec<_> = source.map(Result::unwrap).collect();
        assert_eq!((all.len(), all[0].page, all[0].attempt), (1, None, 0));
    }

    #[test]
    fn max_pages_ends_a_range_without_an_end() {
        let source = source("http://h/{page}", Some("1-"), Some(3));
        assert_eq!(source.total(), Some(3));
        assert_eq!(source.count(), 3);
    }

    #[test]
    fn without_an_end_and_a_limit_there_is_no_total() {
        assert_eq!(source("http://h/{page}", Some("1-"), None).total(), None);
        assert_eq!(source("http://h/{page}", Some("1-2"), Some(9)).total(), Some(2));
    }

    #[test]
    fn a_page_without_a_url_fails_alone_and_keeps_its_number() {
        let source = source("http://h/{60/(page-2)}", Some("1-3"), None);
        let all: Vec<_> = source.collect();
        assert_eq!(all.len(), 3);
        let error = all[1].clone().unwrap_err();
        assert_eq!((error.id, error.whom.as_str()), (RequestId(1), "page 2"));
        assert_eq!(error.to_string(), "`{60/(page-2)}` divides by zero on page 2");
        assert_eq!(all[2].clone().unwrap().id, RequestId(2));
    }

    #[test]
    fn a_run_goes_on_at_its_position() {
        let mut first = source("http://h/{page}", Some("1-4"), None);
        first.by_ref().take(2).for_each(drop);
        let mut second = source("http://h/{page}", Some("1-4"), None);
        second.resume_at(first.position());
        assert_eq!(second.map(|r| r.unwrap().page.unwrap()).collect::<Vec<_>>(), [3, 4]);
    }
}
