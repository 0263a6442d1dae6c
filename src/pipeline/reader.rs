//! What a parser thread does with a page: bytes ─▶ document ─▶ records.
//!
//! A panic in one of the parsing libraries ends with the page that caused it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::leads::keep_followed;
use super::threads::panic_message;
use crate::extract::json::parse_page;
use crate::extract::{Content, ExtractError, ExtractLimits, Extractor, PageFacts, Reads};
use crate::frontier::PacePolicy;
use crate::html::{self, Charset, Limits, ReadError};
use crate::job::{Job, JobRule};
use crate::model::{Errand, FieldTally, Found, Link, Outcome, Page, PageError, Records, display_url};
use crate::robots::{Directives, Robots};
use crate::scope::ScopePolicy;
use crate::source::{Seeds, SitemapEntry, SitemapError, parse_feed, parse_sitemap};

/// What one parser thread reads pages with. Compiled expressions cannot be sent between threads, so each has its own.
pub(super) struct Reader {
    /// By the number of the rule; `None` for rules that no page comes to.
    rules: Vec<Option<RuleReader>>,
    /// How many fields all rules have together.
    fields: usize,
    charset: Option<Charset>,
    documents: html::Reader,
    /// Whose pages may ask not to follow their links.
    pace: PacePolicy,
    /// Which links are followed.
    scope: ScopePolicy,
    /// Which entries of sitemaps and feeds are wanted.
    seeds: Seeds,
    /// The names that robots.txt knows us by.
    agents: Vec<String>,
}

/// What the pages of one rule are read with.
struct RuleReader {
    extractor: Extractor,
    reads: Reads,
    follows: bool,
    /// Where its fields begin among those of all rules.
    first_field: usize,
}

impl Reader {
    pub(super) fn new(job: &Job) -> Reader {
        let mut rules: Vec<Option<RuleReader>> = job.rules.iter().map(|_| None).collect();
        let mut fields = 0;
        for id in job.reached() {
            let JobRule { rule, with_meta, xpath_engine, .. } = job.rule_of(id);
            let extractor = Extractor::with_engine(rule, *with_meta, ExtractLimits::default(), *xpath_engine)
                .expect("the job compiled the same rule");
            let extractor = match job.news {
                Some(news) => extractor.marking(rule, news.with_op),
                None => extractor,
            };
            let reads = rule.reads().unwrap_or(Reads::Markup);
            let follows = !rule.follow.is_empty();
            rules[usize::from(id.0)] = Some(RuleReader { extractor, reads, follows, first_field: fields });
            fields += rule.field_names().len();
        }
        let documents = html::Reader::new(Limits::default());
        let (charset, pace, agents) = (job.charset, job.pace.clone(), job.agents.clone());
        Reader {
            rules,
            fields,
            charset,
            documents,
            pace,
            scope: job.follow.scope.clone(),
            seeds: job.seeds.clone(),
            agents,
        }
    }

    pub(super) fn read(&mut self, page: Page) -> Outcome {
        let result = catch_unwind(AssertUnwindSafe(|| match page.request.errand {
            Errand::Page => self.extract(&page).map(Found::Records),
            Errand::Sitemap | Errand::Feed => self.read_seed(&page).map(Found::Records),
            Errand::Address => Ok(Found::Address),
            Errand::Robots => Ok(Found::Robots(Robots::parse_for_all(&page.body, &self.agents))),
        }))
        .unwrap_or_else(|payload| Err(PageError::Panicked(panic_message(&*payload))));
        Outcome { body_bytes: page.body.len() as u64, request: page.request, result, exchange: page.exchange }
    }

    /// The pages that a sitemap or a feed names.
    fn read_seed(&self, page: &Page) -> Result<Records, PageError> {
        let unusable = |error: SitemapError| PageError::NotMarkup(error.to_string());
        let (pages, sitemaps, unusable) = match page.request.errand {
            Errand::Feed => {
                let feed = parse_feed(&page.body, &page.final_url).map_err(unusable)?;
                (feed.entries, Vec::new(), feed.unusable)
            }
            _ => {
                let sitemap = parse_sitemap(&page.body, &page.final_url).map_err(unusable)?;
                if sitemap.is_cut {
                    // Half of a site without a word would be worse than none of it.
                    return Err(PageError::Broken(format!(
                        "the sitemap is not whole (cut off, or over 50 MB unpacked); {} entries of it could be read",
                        sitemap.pages.len() + sitemap.sitemaps.len()
                    )));
                }
                (sitemap.pages, sitemap.sitemaps, sitemap.unusable)
            }
        };
        let link = |errand| {
            move |entry: SitemapEntry| Link {
                url: entry.url,
                rule: page.request.rule,
                priority: 0,
                carried: None,
                errand,
                fingerprint: 0,
            }
        };
        let wanted = |entry: &SitemapEntry| self.seeds.wants(entry.lastmod);
        let pages = pages.into_iter().filter(wanted).map(link(Errand::Page));
        let sitemaps = sitemaps.into_iter().filter(wanted).map(link(Errand::Sitemap));
        let mut records = Records { links_left_out: unusable, ..Records::default() };
        records.links = sitemaps.chain(pages).collect();
        keep_followed(&self.scope, &page.request, &page.final_url, &mut records);
        Ok(records)
    }

    fn extract(&mut self, page: &Page) -> Result<Records, PageError> {
        let rule = self.rules.get(usize::from(page.request.rule.0)).and_then(Option::as_ref);
        let rule = rule.expect("pages come to the rules that links lead to");
        let url = display_url(&page.final_url);
        let mut facts = PageFacts {
            url: &url,
            page: page.request.page,
            fetched_at: Some(page.fetched_at),
            carried: page.request.carried.as_ref(),
            depth: page.request.depth,
            may_follow: true,
        };
        // robots.txt is obeyed by host, and so is what pages say.
        let asks_robots =
            rule.follows && self.pace.at(page.final_url.host_str().unwrap_or_default()).obeys_robots;
        let headers = page.robots_tag.iter().map(String::as_str);
        let said = of_any_name(&self.agents, |agent| Directives::from_header_values(headers.clone(), agent));
        let content_type = page.content_type.as_deref();
        let mut records = match rule.reads {
            Reads::Markup => {
                let document = self.documents.read(&page.body, content_type, self.charset)?;
                let said = said
                    .and(of_any_name(&self.agents, |agent| Directives::from_meta(document.metas(), agent)));
                facts.may_follow = !(asks_robots && said.nofollow);
                rule.extractor.extract(Content::Markup(&document), &facts)?
            }
            Reads::Json => {
                let text = html::decode(&page.body, content_type, self.charset);
                let json = parse_page(&text).map_err(|error| PageError::NotJson(error.to_string()))?;
                facts.may_follow = !(asks_robots && said.nofollow);
                rule.extractor.extract(Content::Json(&json), &facts)?
            }
        };
        if !records.fields.is_empty() && records.fields.len() < self.fields {
            let mut fields = vec![FieldTally::default(); self.fields];
            fields[rule.first_field..][..records.fields.len()].copy_from_slice(&records.fields);
            records.fields = fields;
        }
        if rule.follows {
            keep_followed(&self.scope, &page.request, &page.final_url, &mut records);
        }
        Ok(records)
    }
}

/// What is asked of anybody by one of these names.
fn of_any_name(agents: &[String], said: impl Fn(&str) -> Directives) -> Directives {
    agents.iter().map(|agent| said(agent)).fold(Directives::default(), Directives::and)
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use url::Url;

    use super::*;
    use crate::config;
    use crate::job::Purpose;
    use crate::model::{Exchange, Request, RequestId, RuleId};
    use crate::written::Layer;

    const FILE: &str = "[extract.list]\nfollow = { xpath = '//a', to = 'book' }\n[extract.book]\nfields.t = '//h1'\n\
                        fields.u = '//h2'\nfollow = '//a'\n[extract.alone]\nfields.t = '//h1'\n\
                        [host.'free.h']\nno-robots = true\n";

    fn read(rule: u16, host: &str, headers: &[&str], body: &str) -> Records {
        let (file, mistakes) = config::parse("job.toml", FILE);
        let job = Job::build(Purpose::Saved, Layer::new(), Layer::new(), file, mistakes).unwrap();
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        let page = Page {
            request: Request { rule: RuleId(rule), ..Request::new(RequestId(0), url.clone(), None) },
            final_url: url,
            status: 200,
            content_type: Some("text/html".to_owned()),
            body: body.as_bytes().to_vec(),
            robots_tag: headers.iter().map(|&header| header.to_owned()).collect(),
            fetched_at: SystemTime::UNIX_EPOCH,
            exchange: Exchange::default(),
        };
        match Reader::new(&job).read(page).result {
            Ok(Found::Records(records)) => records,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_page_is_read_by_the_rule_of_its_request() {
        let body = "<h1>T</h1><a href=/x></a>";
        let list = read(0, "h", &[], body);
        assert_eq!((list.count, list.links.len(), list.links[0].rule), (0, 1, RuleId(1)));
        let book = read(1, "h", &[], body);
        assert_eq!(String::from_utf8(book.lines).unwrap(), "{\"t\":\"T\",\"u\":null}\n");
        assert_eq!((book.fields.len(), book.fields[0].filled, book.fields[1].empty), (2, 1, 1));
    }

    #[test]
    fn a_page_may_ask_not_to_follow_its_links_where_robots_are_obeyed() {
        let (link, meta) = ("<a href=/x rel=nofollow></a>", "<meta name=Robots content='noindex, NOFOLLOW'>");
        let forbidden = |host, headers: &[&str], body: &str| {
            let records = read(0, host, headers, body);
            assert_eq!(records.links.len() as u64 + records.links_forbidden, 1);
            records.links_forbidden == 1
        };
        assert!(!forbidden("h", &[], link));
        assert!(forbidden("h", &[], &format!("{meta}{link}")));
        assert!(forbidden("h", &[], &format!("<meta name=pagemill content=none>{link}")));
        assert!(!forbidden("h", &[], &format!("<meta name=otherbot content=none>{link}")));
        assert!(forbidden("h", &["noarchive", "nofollow"], link));
        assert!(!forbidden("h", &["otherbot: nofollow"], link));
        assert!(!forbidden("free.h", &["nofollow"], &format!("{meta}{link}")));
    }
}
