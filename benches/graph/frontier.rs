//! What the frontier costs for each URL: first all are discovered, then all that wait are handed out and settled.

use std::time::{Duration, Instant};

use pagemill::frontier::{FollowPolicy, Frontier, FrontierPolicy, Gave, Next, Order, Spill};
use pagemill::model::{Exchange, Link, Request, RequestId, RuleId};
use pagemill::scope::{self, ScopePolicy};
use url::Url;

use super::{SITE, links_of, path};
use crate::{Failure, each, memory};

/// So many links of a page are new, and as many known.
const NEW: u64 = 50;

pub(crate) const HEAD: &str = "n           links ns  discover ns  crawl ns  bytes each  RSS MB  peak MB";

/// `n` URLs are discovered, 100 links a page, and then crawled. Printed for each URL: what a parser thread spends on
/// making its links ready, what the frontier spends on taking them in, and on handing the URL out and settling it.
pub(crate) fn crawl(n: u64) -> Result<(), Failure> {
    let before = memory("VmRSS:");
    let first = Request::new(RequestId(0), Url::parse(&format!("{SITE}{}", path(0)))?, None);
    let follow = FollowPolicy {
        scope: ScopePolicy::default(),
        order: Order::Breadth,
        ordered: false,
        spill: Spill::default(),
    };
    let policy = FrontierPolicy { follow: Some(follow), ..FrontierPolicy::plain() };
    let mut frontier = Frontier::new(Box::new(std::iter::once(Ok(first))), policy);

    let (mut making, mut discovering) = (Duration::ZERO, Duration::ZERO);
    let mut found = 1;
    let mut crawled = 0;
    while found < n {
        let began = Instant::now();
        let Next::Request(request) = frontier.next(began, None) else {
            return Err(format!("nothing to do after {found}").into());
        };
        frontier.taken(Instant::now());
        discovering += began.elapsed();

        let began = Instant::now();
        let links = links_of(request.id.0, NEW).map(|item| link(&request, item)).collect::<Result<_, _>>()?;
        making += began.elapsed();

        let began = Instant::now();
        settle(&mut frontier, &request, links, began);
        discovering += began.elapsed();
        found += NEW;
        crawled += 1;
    }
    let rss = memory("VmRSS:");

    let (began, before_crawl) = (Instant::now(), crawled);
    while let Next::Request(request) = frontier.next(Instant::now(), None) {
        frontier.taken(Instant::now());
        settle(&mut frontier, &request, Vec::new(), Instant::now());
        crawled += 1;
    }
    let crawling = began.elapsed();
    let counts = frontier.link_counts().ok_or("links were to be followed")?;
    if let Some(error) = frontier.take_trouble() {
        return Err(error.into());
    }
    if (crawled, counts.followed, counts.known) != (found, found - 1, found - 1)
        || !counts.left_out.is_empty()
    {
        return Err(format!("{found} were to be found, {crawled} were crawled: {counts:?}").into());
    }
    println!(
        "{found:<10}  {:8.0}  {:11.0}  {:8.0}  {:10.1}  {rss:6.1}  {:7.1}",
        each(making, found),
        each(discovering, found),
        each(crawling, found - before_crawl),
        (rss - before) * f64::from(1 << 20) / found as f64,
        memory("VmHWM:"),
    );
    Ok(())
}

fn settle(frontier: &mut Frontier, request: &Request, links: Vec<Link>, now: Instant) {
    frontier.settle(request, Ok(Gave::Page { records: 1, links }), Exchange::default(), now);
}

/// As a parser thread makes it.
fn link(page: &Request, item: u64) -> Result<Link, Failure> {
    let url = scope::normalize(page.url.join(&path(item))?, false);
    ScopePolicy::default()
        .judge(&url, &page.url, None, page.depth + 1)
        .map_err(|reason| reason.to_string())?;
    let fingerprint = scope::fingerprint(&url, None).0;
    Ok(Link {
        url,
        rule: RuleId(0),
        priority: 0,
        carried: None,
        errand: pagemill::model::Errand::Page,
        fingerprint,
    })
}
