//! What the frontier knows beside its requests, for those who keep it: hosts, and the counts of the trap guard.
//!
//! Entries go out as they change, and come back before the first request. Each kind has keys of its own.

use super::Frontier;
use crate::memory::{Change, Clock};
use crate::scope::Traps;

/// Whether an entry of the hosts is what a robots.txt said, which is for the user agents it was read for.
pub fn is_of_robots(key: &[u8]) -> bool {
    super::hosts::is_of_robots(key)
}

impl Frontier {
    /// Brings back what [`Frontier::take_host_changes`] told of, of which everything was kept, in any order; and notes
    /// changes from here on. It has to come before the first request, and be called, without entries, for a run that
    /// begins. What was kept of a host is read when there is a request to it.
    ///
    /// `None`, and nothing is known, if there are entries of another kind or form.
    pub fn remember_hosts<K, V>(
        &mut self,
        entries: impl IntoIterator<Item = (K, V)>,
        clock: Clock,
    ) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        self.hosts.remember(entries, clock)
    }

    /// Whether anything has changed of hosts since the last time. A request that went out is enough: the distance to the
    /// next is only kept over the end of a process once it was told, so that should not be put off until the answer
    /// comes.
    pub fn has_host_changes(&self) -> bool {
        self.hosts.has_changes()
    }

    /// What has changed of hosts since the last time; not more than was asked and answered since.
    pub fn take_host_changes(&mut self, clock: Clock) -> Vec<Change> {
        self.hosts.take_changes(clock)
    }

    /// As [`Frontier::remember_hosts`], what [`Frontier::take_trap_changes`] told of. Nothing where no links are
    /// followed.
    pub fn remember_traps<K, V>(&mut self, entries: impl IntoIterator<Item = (K, V)>) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        if let Some(links) = &mut self.links {
            let traps = Traps::restore(links.scope(), entries)?;
            *links.traps() = traps;
        }
        Some(())
    }

    /// What has changed since the last time of what the trap guard has counted; not more than links were found since.
    pub fn take_trap_changes(&mut self) -> Vec<Change> {
        self.links.as_mut().map_or_else(Vec::new, |links| links.traps().take_changes())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use url::Url;

    use super::*;
    use crate::frontier::{
        FollowPolicy, FrontierPolicy, Gave, HostPace, Next, Order, PacePolicy, Settled, Spill,
    };
    use crate::memory::tests::{Kept, keep};
    use crate::model::{Errand, Exchange, Link, Request, RequestId, RuleId};
    use crate::robots::Robots;
    use crate::scope::{LeftOut, ScopePolicy, fingerprint};

    const HOUR: Duration = Duration::from_secs(3600);

    /// A frontier that goes on with what was kept, and begins with this page.
    fn process(page: &str, hosts: &Kept, traps: &Kept, clock: Clock) -> Frontier {
        let usual = HostPace { obeys_robots: true, interval: HOUR, ..PacePolicy::unbounded().usual };
        let scope = ScopePolicy { max_per_shape: 2, ..ScopePolicy::default() };
        let follow = FollowPolicy { scope, order: Order::Breadth, ordered: false, spill: Spill::default() };
        let policy = FrontierPolicy {
            pace: PacePolicy { usual, ..PacePolicy::unbounded() },
            follow: Some(follow),
            ..FrontierPolicy::plain()
        };
        let page = Request::new(RequestId(0), Url::parse(page).unwrap(), None);
        let mut frontier = Frontier::new(Box::new(std::iter::once(Ok(page))), policy);
        frontier.remember_hosts(hosts, clock).unwrap();
        frontier.remember_traps(traps).unwrap();
        frontier
    }

    fn link(url: &str) -> Link {
        let url = Url::parse(url).unwrap();
        let fingerprint = fingerprint(&url, None).0;
        Link { url, rule: RuleId(0), priority: 0, carried: None, errand: Errand::Page, fingerprint }
    }

    #[test]
    fn a_run_that_goes_on_knows_its_hosts_and_what_its_links_were() {
        let (mut hosts, mut traps) = (Kept::new(), Kept::new());
        let first = Clock::now();
        let now = first.instant;
        let mut frontier = process("http://h/", &hosts, &traps, first);
        let Next::Request(robots) = frontier.next(now, None) else { panic!("nothing goes out") };
        assert_eq!(robots.errand, Errand::Robots);
        frontier.settle(&robots, Ok(Gave::Robots(&Robots::allow_all())), Exchange::default(), now);
        assert!(frontier.has_host_changes());
        let Next::At(at) = frontier.next(now, None) else { panic!("the rate counts for robots.txt too") };
        assert_eq!(at, now + HOUR);
        let Next::Request(page) = frontier.next(at, None) else { panic!("nothing goes out") };
        let links = ["http://h/p/1", "http://h/p/2", "http://h/p/3"].map(link).to_vec();
        let settled = frontier.settle(&page, Ok(Gave::Page { records: 1, links }), Exchange::default(), at);
        assert_eq!(settled.settled, Settled::Done);
        let later = Clock { instant: at, system: first.system + HOUR };
        assert_eq!(keep(frontier.take_host_changes(later), &mut hosts), 2);
        assert!(!frontier.has_host_changes());
        assert_eq!(
            keep(frontier.take_trap_changes(), &mut traps),
            3,
            "the key, a count, and a shape that was cut"
        );

        // As if another process began at once.
        let second = Clock { instant: Instant::now(), system: later.system };
        let mut frontier = process("http://h/x", &hosts, &traps, second);
        let Next::At(due) = frontier.next(second.instant, None) else { panic!("it did not wait") };
        assert_eq!(due, second.instant + HOUR);
        let Next::Request(page) = frontier.next(due, None) else { panic!("nothing goes out") };
        assert_eq!(page.errand, Errand::Page, "robots.txt is known");
        let links = vec![link("http://h/p/4")];
        frontier.settle(&page, Ok(Gave::Page { records: 1, links }), Exchange::default(), due);
        let counts = frontier.link_counts().unwrap();
        assert_eq!(counts.left_out[&LeftOut::TooManyOfShape], 1);
        assert_eq!(counts.shapes_cut, [("http://h/p/N".to_owned(), 2)]);
    }

    #[test]
    fn a_run_that_follows_no_links_counts_none() {
        let mut frontier = Frontier::new(Box::new(std::iter::empty()), FrontierPolicy::plain());
        assert!(frontier.remember_traps(Kept::new()).is_some());
        assert_eq!(frontier.take_trap_changes(), []);
    }
}
