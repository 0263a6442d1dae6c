//! What pages lead to: each place once, within the bounds of the job, in its order.
//!
//! A link gets its number when it is taken in. In ordered output that is when all requests before its page are
//! settled, so that two runs number alike whatever the network does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::backlog::{Backlog, BacklogError, Order, Spill};
use super::ledger::{self, Ledger};
use super::seen::{Seen, TOUCHED};
use crate::model::{Errand, Link, Request, RequestId};
use crate::scope::{self, LeftOut, ScopePolicy, Traps};

/// An index of sitemaps leads to sitemaps, and to no further index; some do.
const MOST_INDEXES: u32 = 5;

/// What the job decides about following links.
#[derive(Debug, Clone)]
pub struct FollowPolicy {
    /// Which links are followed.
    pub scope: ScopePolicy,
    /// In which order.
    pub order: Order,
    /// Whether requests are numbered in the order of discovery, for ordered output.
    pub ordered: bool,
    /// Where links wait that are too many for the memory.
    pub spill: Spill,
}

/// What became of the links of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkCounts {
    /// Links taken in.
    pub followed: u64,
    /// Links to what was known already.
    pub known: u64,
    /// Links left out, by reason.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Path shapes of which pages were left out, and how many.
    pub shapes_cut: Vec<(String, u64)>,
}

/// The links of a run.
pub(super) struct Links {
    policy: FollowPolicy,
    seen: Seen,
    traps: Traps,
    backlog: Backlog,
    counts: LinkCounts,
    /// In ordered output: what settled requests found, until it is their turn.
    turns: Option<Turns>,
}

/// Requests that are settled, but not all before them.
#[derive(Default)]
struct Turns {
    next: u64,
    settled: BTreeMap<u64, Option<(Request, Vec<Link>)>>,
}

impl Links {
    pub(super) fn new(policy: FollowPolicy) -> Links {
        Links {
            seen: Seen::default(),
            traps: Traps::new(&policy.scope),
            backlog: Backlog::new(policy.order, policy.spill.clone()),
            counts: LinkCounts::default(),
            turns: policy.ordered.then(Turns::default),
            policy,
        }
    }

    pub(super) fn scope(&self) -> &ScopePolicy {
        &self.policy.scope
    }

    pub(super) fn traps(&mut self) -> &mut Traps {
        &mut self.traps
    }

    pub(super) fn order(&self) -> Order {
        self.policy.order
    }

    /// Notes a request of the source: a link that leads to it leads to nothing new. Whether it is new itself.
    pub(super) fn note_source(&mut self, request: &mut Request, ledger: &mut Ledger) -> bool {
        if self.policy.scope.no_parent {
            request.start = Some(Arc::new(request.url.clone()));
        }
        let normal = scope::normalize(request.url.clone(), self.policy.scope.sort_query);
        self.meet(scope::fingerprint(&normal, request.message.as_deref()).0, ledger)
    }

    /// Whether something is met for the first time.
    fn meet(&mut self, fingerprint: u128, ledger: &mut Ledger) -> bool {
        let is_new = self.seen.insert(fingerprint);
        if is_new {
            ledger.found(fingerprint);
        }
        is_new
    }

    /// Counts a place that was known already.
    pub(super) fn count_known(&mut self) {
        self.counts.known += 1;
    }

    /// Whether a redirect of `request` may be followed to `to`: it is within the bounds and leads to nothing known. What
    /// the source names itself may lead anywhere.
    pub(super) fn may_move(&mut self, request: &Request, to: &url::Url, ledger: &mut Ledger) -> bool {
        if !request.is_found {
            return true;
        }
        // Back to where it came from, with a cookie: that page has not been read yet.
        if *to == request.url {
            return true;
        }
        let to = scope::normalize(to.clone(), self.policy.scope.sort_query);
        let judged = self.policy.scope.judge(&to, &request.url, request.start.as_deref(), request.depth);
        if let Err(reason) = judged {
            self.leave_out(reason, 1);
            return false;
        }
        let is_new = self.meet(scope::fingerprint(&to, None).0, ledger);
        self.counts.known += u64::from(!is_new);
        is_new
    }

    /// Counts links that a page showed and that are not followed.
    pub(super) fn leave_out(&mut self, reason: LeftOut, count: u64) {
        *self.counts.left_out.entry(reason).or_default() += count;
    }

    /// A request is settled for good, and its page leads to these places. Gives the requests that now go their way, in
    /// order, each numbered by `number`.
    ///
    /// # Errors
    /// The backlog's.
    pub(super) fn settle(
        &mut self,
        request: &Request,
        found: Vec<Link>,
        ledger: &mut Ledger,
        number: &mut impl FnMut() -> RequestId,
    ) -> Result<Vec<Request>, BacklogError> {
        let mut direct = Vec::new();
        let Some(turns) = &mut self.turns else {
            self.take_in(request, found, ledger, number, &mut direct);
            return Ok(direct);
        };
        if request.id.0 < turns.next {
            // It has had its turn, failed, and was tried again.
            self.take_in(request, found, ledger, number, &mut direct);
            self.backlog.push_page(direct)?;
            return Ok(Vec::new());
        }
        turns.settled.insert(request.id.0, (!found.is_empty()).then(|| (request.clone(), found)));
        self.take_turns(ledger, number)?;
        Ok(direct)
    }

    /// A number that gives no page is settled.
    pub(super) fn pass(
        &mut self,
        id: RequestId,
        ledger: &mut Ledger,
        number: &mut impl FnMut() -> RequestId,
    ) -> Result<(), BacklogError> {
        if let Some(turns) = self.turns.as_mut().filter(|turns| id.0 >= turns.next) {
            turns.settled.insert(id.0, None);
            self.take_turns(ledger, number)?;
        }
        Ok(())
    }

    fn take_turns(
        &mut self,
        ledger: &mut Ledger,
        number: &mut impl FnMut() -> RequestId,
    ) -> Result<(), BacklogError> {
        while let Some(turns) = &mut self.turns
            && let Some(settled) = turns.settled.remove(&turns.next)
        {
            turns.next += 1;
            if let Some((request, found)) = settled {
                let mut direct = Vec::new();
                self.take_in(&request, found, ledger, number, &mut direct);
                self.backlog.push_page(direct)?;
            }
        }
        Ok(())
    }

    fn take_in(
        &mut self,
        page: &Request,
        found: Vec<Link>,
        ledger: &mut Ledger,
        number: &mut impl FnMut() -> RequestId,
        direct: &mut Vec<Request>,
    ) {
        let mut found = found.into_iter();
        while !found.as_slice().is_empty() {
            self.seen.touch(found.as_slice().iter().take(TOUCHED).map(|link| link.fingerprint));
            for link in found.by_ref().take(TOUCHED) {
                if !self.meet(link.fingerprint, ledger) {
                    self.counts.known += 1;
                    continue;
                }
                if page.depth >= MOST_INDEXES && link.errand == Errand::Sitemap {
                    self.leave_out(LeftOut::NestedTooDeep, 1);
                    continue;
                }
                if let Err(reason) = self.traps.admit(&link.url) {
                    self.leave_out(reason, 1);
                    continue;
                }
                self.counts.followed += 1;
                let request = request_for(page, link, number());
                ledger.pending(&request);
                direct.push(request);
            }
        }
    }

    /// Lets the requests of a page wait until there is room at the hosts.
    ///
    /// # Errors
    /// The backlog's.
    pub(super) fn wait(&mut self, requests: std::vec::IntoIter<Request>) -> Result<(), BacklogError> {
        self.backlog.push_page(requests)
    }

    /// Rank and number of the request that waits in front.
    ///
    /// # Errors
    /// The backlog's.
    pub(super) fn front(&mut self) -> Result<Option<(u64, RequestId)>, BacklogError> {
        let order = self.policy.order;
        Ok(self.backlog.peek()?.map(|request| (ledger::rank(request, order), request.id)))
    }

    /// Takes the request that waits in front.
    ///
    /// # Errors
    /// The backlog's.
    pub(super) fn take(&mut self) -> Result<Option<Request>, BacklogError> {
        self.backlog.pop()
    }

    /// What is known, and what became of links, as an earlier run left it; `next` is whose turn it is in ordered output.
    pub(super) fn resume(&mut self, seen: Seen, counts: LinkCounts, next: Option<RequestId>) {
        (self.seen, self.counts) = (seen, counts);
        if let (Some(turns), Some(next)) = (&mut self.turns, next) {
            turns.next = next.0;
        }
    }

    /// What became of links so far.
    pub(super) fn counts_so_far(&self) -> &LinkCounts {
        &self.counts
    }

    /// How many requests wait here.
    pub(super) fn waiting(&self) -> u64 {
        self.backlog.len()
    }

    /// What became of all links; `is_full` if no more pages may be asked for.
    pub(super) fn counts(&self, is_full: bool) -> LinkCounts {
        let shapes_cut = self.traps.shapes_cut().map(|(shape, count)| (shape.to_owned(), count)).collect();
        let mut counts = LinkCounts { shapes_cut, ..self.counts.clone() };
        if is_full && self.waiting() > 0 {
            counts.followed -= self.waiting();
            counts.left_out.insert(LeftOut::BeyondMaxPages, self.waiting());
        }
        counts
    }
}

/// The request that follows `link` from the page of `request`.
fn request_for(page: &Request, link: Link, id: RequestId) -> Request {
    // A link within an origin that the job names leads to what the job names; any other is the page's idea.
    let is_by_page = page.is_by_page || !crate::model::is_same_origin(&page.url, &link.url);
    // What a sitemap names is where the crawl begins, however many indexes lead to it.
    let depth = match (page.errand, link.errand) {
        (Errand::Sitemap | Errand::Feed, Errand::Page) => 0,
        _ => page.depth + 1,
    };
    Request {
        rule: link.rule,
        errand: link.errand,
        is_found: true,
        depth,
        priority: link.priority,
        carried: link.carried,
        is_by_page,
        start: page.start.as_ref().map(Arc::clone),
        ..Request::new(id, link.url, None)
    }
}
