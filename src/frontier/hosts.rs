//! The host table: which hosts have requests waiting, and which of them may be asked now.
//!
//! Each host is in one [`Place`]. A host that must wait costs an entry in a heap; nobody sleeps for it. Between the
//! hosts that may be asked, the one with the fewest requests under way has its turn first; one host alone is asked in
//! the order of the source.

mod memory;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use url::Url;

use self::memory::{Memory, PACE_CHANGED, ROBOTS_CHANGED};
pub(super) use self::memory::{Untold, is_of_robots};
use super::backlog::Order;
use super::host::{Host, LookUp, Turn, Verdict};
use super::pace::PacePolicy;
use super::throttle::Reply;
use crate::model::{PageError, Request};
use crate::robots::Robots;

/// From this many hosts on, those that are idle are looked for and forgotten.
const FIRST_SWEEP: usize = 10_000;

/// A host that nothing was asked of for so long is forgotten at the next sweep.
const IDLE_FOR: Duration = Duration::from_secs(120);

/// Where a host stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing waits for it.
    Idle,
    /// It may be asked now.
    Ready(Turn),
    /// It may be asked at this time, which stands in the heap of timers under this number.
    Timed(Instant, u64),
    /// It waits for room at its address.
    AtAddress(IpAddr, Turn),
    /// It waits for an outcome: of one of its own requests, or of its robots.txt.
    Held,
}

/// A place in the table.
type Index = usize;

/// What the table hands out.
#[derive(Debug)]
pub(super) enum Handed {
    /// This goes out.
    Request(Request),
    /// robots.txt forbids this.
    Disallowed(Request),
    /// This cannot go out.
    Failed(Request, PageError),
}

/// All hosts of a run.
#[derive(Debug)]
pub(super) struct Hosts {
    policy: PacePolicy,
    order: Order,
    by_name: HashMap<Box<str>, Index>,
    table: Vec<Option<Host>>,
    free: Vec<Index>,
    ready: BTreeSet<(Turn, Index)>,
    timers: BinaryHeap<Reverse<(Instant, u64, Index)>>,
    last_timer: u64,
    addresses: HashMap<IpAddr, Address>,
    /// Addresses that have had room since their held hosts were looked at.
    with_room: Vec<IpAddr>,
    sweep_at: usize,
    /// Requests that wait in all queues.
    waiting: u64,
    last_sent: Option<Index>,
    /// What outlives the process; `None` if nothing does.
    memory: Option<Memory>,
}

/// What is under way to one address, counted only under a bound for each.
#[derive(Debug, Default)]
struct Address {
    in_flight: u32,
    /// Hosts that could be asked, but for this. The oldest request goes first here too.
    held: BTreeSet<(Turn, Index)>,
}

impl Hosts {
    pub(super) fn new(policy: PacePolicy, order: Order) -> Hosts {
        Hosts {
            policy,
            order,
            by_name: HashMap::new(),
            table: Vec::new(),
            free: Vec::new(),
            ready: BTreeSet::new(),
            timers: BinaryHeap::new(),
            last_timer: 0,
            addresses: HashMap::new(),
            with_room: Vec::new(),
            sweep_at: FIRST_SWEEP,
            waiting: 0,
            last_sent: None,
            memory: None,
        }
    }

    /// The order of the job.
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// Requests that wait in the queues.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Requests that wait at the host of `url`.
    pub(super) fn waiting_at(&mut self, url: &Url) -> usize {
        let index = self.by_name.get(name_of(url)).copied();
        index.map_or(0, |index| self.host(index).waiting())
    }

    /// Lets `request` wait for its host.
    pub(super) fn push(&mut self, request: Request, now: Instant) {
        let index = self.index_of(request.target(), now);
        self.waiting += 1;
        let order = self.order;
        self.host(index).push(request, order);
        self.place(index, now);
    }

    /// Whether a request to `url` would go out at once.
    pub(super) fn is_open(&mut self, url: &Url, now: Instant) -> bool {
        let index = match self.by_name.get(name_of(url)) {
            Some(&index) => index,
            None if self.is_unmet(name_of(url)) => self.index_of(url, now),
            None => return true,
        };
        let bound = self.policy.per_ip;
        let host = self.host(index);
        host.place == Place::Idle
            && !host.is_full()
            && host.opens_at().is_none_or(|at| at <= now)
            && (bound.is_none() || host.lookup != LookUp::UnderWay)
    }

    /// When the host of `url` may be asked again, if it rests or is paused.
    pub(super) fn opens_at(&mut self, url: &Url) -> Option<Instant> {
        let index = self.by_name.get(name_of(url)).copied()?;
        self.host(index).opens_at()
    }

    /// The next request that may go out at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<Handed> {
        self.wake(now);
        loop {
            if self.ready.is_empty() {
                self.wake_held(now);
            }
            let &(_, index) = self.ready.first()?;
            // Another host at its address may have taken the room since.
            if self.is_at_full_address(index) {
                self.place(index, now);
                continue;
            }
            let host = self.table[index].as_mut().expect("a ready host is in the table");
            if host.is_silent(now) {
                self.hold(index);
                continue;
            }
            if self.policy.per_ip.is_some() && host.lookup == LookUp::None {
                let request = host.head().map(Request::for_address).expect("a ready host has a request");
                host.look_up(now);
                self.last_sent = None;
                self.place(index, now);
                return Some(Handed::Request(request));
            }
            let pace = self.policy.at(&host.name);
            match host.verdict(pace, now) {
                Verdict::Ask(request) => {
                    host.ask_robots(&request.url);
                    self.send(index, now);
                    return Some(Handed::Request(request));
                }
                // It was ready; so something has come to know more since.
                Verdict::Wait => self.place(index, now),
                verdict => {
                    let request = host.pop().expect("a ready host has a request");
                    self.waiting -= 1;
                    return Some(match verdict {
                        Verdict::Missed(error) => {
                            self.place(index, now);
                            Handed::Failed(request, error)
                        }
                        Verdict::Disallowed => {
                            self.place(index, now);
                            Handed::Disallowed(request)
                        }
                        _ => {
                            self.send(index, now);
                            Handed::Request(request)
                        }
                    });
                }
            }
        }
    }

    /// When a host that waits for its time may be asked.
    pub(super) fn due(&mut self) -> Option<Instant> {
        while let Some(&Reverse((due, number, index))) = self.timers.peek() {
            if self.is_timed(index, number) {
                return Some(due);
            }
            self.timers.pop();
        }
        None
    }

    /// The host that waits for [`Hosts::due`].
    pub(super) fn next_timed(&mut self) -> Option<(Instant, String)> {
        let due = self.due()?;
        let &Reverse((_, _, index)) = self.timers.peek()?;
        Some((due, self.host(index).name.to_string()))
    }

    /// The request that was handed out last has only now been taken by a thread: the pace counts from here.
    pub(super) fn taken(&mut self, now: Instant) {
        if let Some(index) = self.last_sent.take()
            && let Some(host) = self.table[index].as_mut()
        {
            host.stamp(now);
            self.note(index, PACE_CHANGED);
            self.place(index, now);
        }
    }

    /// Whether the host of `request` was paused after it was handed out.
    pub(super) fn is_paused(&mut self, request: &Request, now: Instant) -> bool {
        let index = self.by_name.get(name_of(request.target())).copied();
        index.is_some_and(|index| self.host(index).is_paused(now))
    }

    /// A request that was handed out comes back untouched.
    pub(super) fn put_back(&mut self, request: Request, now: Instant) {
        let index = self.index_of(request.target(), now);
        self.come_home(index);
        self.push(request, now);
    }

    /// Asks for the robots.txt of the origin of `url`, whether a page waits for it or not.
    pub(super) fn ask_robots(&mut self, url: &Url, now: Instant) {
        let index = self.index_of(url, now);
        let host = self.host(index);
        if host.knows_robots(url) {
            return;
        }
        host.ask_robots(url);
        let named = Request::new(crate::model::RequestId(0), url.clone(), None);
        self.push(Request::for_robots(&named, crate::robots::robots_url(url)), now);
    }

    /// The address of a host was looked up. Where there is none, a proxy's for example, it has no bound.
    pub(super) fn learn_address(&mut self, request: &Request, peer: Option<IpAddr>, now: Instant) {
        let index = self.index_of(request.target(), now);
        self.come_home(index);
        self.host(index).lookup = LookUp::Done;
        self.note_peer(index, peer);
        self.place(index, now);
    }

    /// A request for an address comes back untouched.
    pub(super) fn forget_address(&mut self, request: &Request, now: Instant) {
        let index = self.index_of(request.target(), now);
        self.come_home(index);
        self.host(index).lookup = LookUp::None;
        self.place(index, now);
    }

    /// A request for a robots.txt comes back untouched.
    pub(super) fn forget_robots(&mut self, request: &Request, now: Instant) {
        let index = self.index_of(&request.url, now);
        self.come_home(index);
        self.host(index).forget_robots(&request.url);
        self.place(index, now);
    }

    /// A request that was handed out is settled; gives the pause that follows for its host.
    pub(super) fn settle(
        &mut self,
        request: &Request,
        (reply, error): (Reply, Option<&PageError>),
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Option<Duration> {
        let index = self.index_of(request.target(), now);
        self.come_home(index);
        self.note_peer(index, peer);
        let host = self.table[index].as_mut().expect("it was just looked up");
        let pause = host.observe(self.policy.at(&host.name), reply, error, now);
        self.note(index, PACE_CHANGED);
        self.place(index, now);
        pause
    }

    /// A request that was settled never went to its host: the answer had been kept. So the next need not wait for it,
    /// unless others are under way that did.
    pub(super) fn was_not_asked(&mut self, request: &Request, now: Instant) {
        let index = self.index_of(request.target(), now);
        let host = self.host(index);
        if host.in_flight == 0 {
            host.unstamp();
        }
        self.note(index, PACE_CHANGED);
        self.place(index, now);
    }

    /// The robots.txt of the origin of `url` has come, or cannot be had.
    pub(super) fn learn_robots(&mut self, url: &Url, robots: Result<Robots, PageError>, now: Instant) {
        let index = self.index_of(url, now);
        self.host(index).learn_robots(url, robots, now);
        self.note(index, ROBOTS_CHANGED);
        self.place(index, now);
    }

    /// Gives back all requests of the source that were never tried.
    pub(super) fn drop_untried_of_source(&mut self, now: Instant) -> Vec<Request> {
        let mut all = Vec::new();
        for index in 0..self.table.len() {
            if let Some(host) = &mut self.table[index] {
                let dropped = host.drop_untried_of_source();
                self.waiting -= dropped.len() as u64;
                all.extend(dropped);
                self.place(index, now);
            }
        }
        all
    }

    /// How many hosts are remembered.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.by_name.len()
    }

    /// How many timers are kept.
    #[cfg(test)]
    pub(super) fn timers(&self) -> usize {
        self.timers.len()
    }

    fn host(&mut self, index: Index) -> &mut Host {
        self.table[index].as_mut().expect("an index is given out for a host in the table")
    }

    fn index_of(&mut self, url: &Url, now: Instant) -> Index {
        let name = name_of(url);
        if let Some(&index) = self.by_name.get(name) {
            return index;
        }
        if self.by_name.len() + self.memory.as_ref().map_or(0, Memory::unmet) >= self.sweep_at {
            self.sweep(now);
        }
        let host = self.meet(name, now);
        let index = match self.free.pop() {
            Some(index) => {
                self.table[index] = Some(host);
                index
            }
            None => {
                self.table.push(Some(host));
                self.table.len() - 1
            }
        };
        self.by_name.insert(name.into(), index);
        index
    }

    /// Forgets the hosts that have been idle for long. Most hosts of a long list are met once.
    fn sweep(&mut self, now: Instant) {
        for (index, slot) in self.table.iter_mut().enumerate() {
            let is_idle = slot.as_ref().is_some_and(|host| {
                now.saturating_duration_since(host.used_at) >= IDLE_FOR && host.is_forgettable(now)
            });
            if is_idle && let Some(host) = slot.take() {
                self.by_name.remove(&host.name);
                self.free.push(index);
                if let Some(memory) = &mut self.memory {
                    memory.forget(host.name);
                }
            }
        }
        if let Some(memory) = &mut self.memory {
            memory.sweep(&self.policy, now);
        }
        self.addresses.retain(|_, address| address.in_flight > 0 || !address.held.is_empty());
        let known = self.by_name.len() + self.memory.as_ref().map_or(0, Memory::unmet);
        self.sweep_at = (known * 2).max(FIRST_SWEEP);
    }

    fn is_timed(&self, index: Index, number: u64) -> bool {
        self.table[index]
            .as_ref()
            .is_some_and(|host| matches!(host.place, Place::Timed(_, current) if current == number))
    }

    /// Makes the hosts ready whose time has come.
    fn wake(&mut self, now: Instant) {
        while let Some(&Reverse((due, number, index))) = self.timers.peek() {
            if due > now {
                return;
            }
            self.timers.pop();
            if self.is_timed(index, number) {
                self.place(index, now);
            }
        }
    }

    /// Lets a host that was ready wait for an outcome of its own.
    fn hold(&mut self, index: Index) {
        let host = self.host(index);
        if let Place::Ready(turn) = std::mem::replace(&mut host.place, Place::Held) {
            self.ready.remove(&(turn, index));
        }
    }

    fn send(&mut self, index: Index, now: Instant) {
        let host = self.table[index].as_mut().expect("a ready host is in the table");
        host.send(self.policy.at(&host.name), now);
        if self.policy.per_ip.is_some()
            && let Some(peer) = host.peer
        {
            self.addresses.entry(peer).or_default().in_flight += 1;
        }
        self.note(index, PACE_CHANGED);
        self.last_sent = Some(index);
        self.place(index, now);
    }

    /// One request fewer is under way to a host and its address.
    fn come_home(&mut self, index: Index) {
        let host = self.host(index);
        host.in_flight = host.in_flight.saturating_sub(1);
        if let Some(peer) = host.peer {
            self.lower(peer, 1);
        }
    }

    fn lower(&mut self, peer: IpAddr, by: u32) {
        if let Some(address) = self.addresses.get_mut(&peer) {
            address.in_flight = address.in_flight.saturating_sub(by);
            if !address.held.is_empty() {
                self.with_room.push(peer);
            }
        }
    }

    /// The host answered from this address; what else is under way to it counts there from now on.
    fn note_peer(&mut self, index: Index, peer: Option<IpAddr>) {
        if self.policy.per_ip.is_none() {
            return;
        }
        let host = self.host(index);
        let (before, under_way) = (host.peer, host.in_flight);
        if let Some(peer) = peer.filter(|&peer| before != Some(peer)) {
            host.peer = Some(peer);
            if let Some(before) = before {
                self.lower(before, under_way);
            }
            self.addresses.entry(peer).or_default().in_flight += under_way;
        }
    }

    fn is_at_full_address(&mut self, index: Index) -> bool {
        let Some(bound) = self.policy.per_ip else { return false };
        let peer = self.host(index).peer;
        peer.and_then(|peer| self.addresses.get(&peer)).is_some_and(|address| address.in_flight >= bound)
    }

    /// Makes hosts ready for which there is room at their address. Not all that are held there: thousands of names may
    /// share an address.
    fn wake_held(&mut self, now: Instant) {
        let Some(bound) = self.policy.per_ip else { return };
        while self.ready.is_empty()
            && let Some(peer) = self.with_room.pop()
        {
            let Some(address) = self.addresses.get_mut(&peer) else { continue };
            if address.in_flight >= bound {
                continue;
            }
            if let Some((_, index)) = address.held.pop_first() {
                // It may turn out not to need the room.
                self.with_room.push(peer);
                self.host(index).place = Place::Held;
                self.place_past(index, now, true);
            }
        }
    }

    /// Whether a host must wait for room at its address: there is none, or others came first.
    fn must_wait_at(&mut self, index: Index, is_next: bool) -> Option<IpAddr> {
        let bound = self.policy.per_ip?;
        let peer = self.host(index).peer?;
        let address = self.addresses.entry(peer).or_default();
        if address.in_flight >= bound {
            return Some(peer);
        }
        if is_next || address.held.is_empty() {
            return None;
        }
        self.with_room.push(peer);
        Some(peer)
    }

    /// Puts a host where it belongs now.
    fn place(&mut self, index: Index, now: Instant) {
        self.place_past(index, now, false);
    }

    /// As [`Hosts::place`]; `is_next` goes past those that wait at the same address.
    fn place_past(&mut self, index: Index, now: Instant, is_next: bool) {
        match self.host(index).place {
            Place::Ready(turn) => {
                self.ready.remove(&(turn, index));
            }
            Place::AtAddress(peer, turn) => {
                if let Some(address) = self.addresses.get_mut(&peer) {
                    address.held.remove(&(turn, index));
                }
            }
            Place::Idle | Place::Timed(..) | Place::Held => {}
        }
        // While its address is looked up, nothing goes to it.
        let is_unknown = self.policy.per_ip.is_some() && self.host(index).lookup != LookUp::Done;
        let host = self.host(index);
        let opens_at = host.opens_at().filter(|&at| at > now);
        let place = match host.turn() {
            None => Place::Idle,
            Some(_) if host.is_full() || host.waits_for_robots() || (is_unknown && host.in_flight > 0) => {
                Place::Held
            }
            Some(turn) => match (opens_at, host.place) {
                (Some(at), Place::Timed(known, _)) if known == at => return,
                (Some(at), _) => {
                    self.last_timer += 1;
                    self.timers.push(Reverse((at, self.last_timer, index)));
                    Place::Timed(at, self.last_timer)
                }
                (None, _) => match self.must_wait_at(index, is_next) {
                    Some(peer) => {
                        self.addresses.entry(peer).or_default().held.insert((turn, index));
                        Place::AtAddress(peer, turn)
                    }
                    None => {
                        self.ready.insert((turn, index));
                        Place::Ready(turn)
                    }
                },
            },
        };
        self.host(index).place = place;
    }
}

/// The name that the pace goes by: the host without the port, since ports share a machine.
fn name_of(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_end_matches('.')
}
