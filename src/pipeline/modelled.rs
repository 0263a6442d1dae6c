//! The hand-over under a model checker.
//!
//! The very files that run in production, `stop.rs`, `threads.rs` and `conductor.rs`, are compiled here a second
//! time with another `sync` beside them: channels and threads whose every step is scheduled by shuttle. It runs each
//! scenario under thousands of random interleavings; an interleaving in which all threads wait for each other is
//! reported as a deadlock, and an outcome that is lost or doubled fails the assertion of the scenario.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use conductor::{Conducted, Conductor, Desk, Queues};
use stop::Stop;
use threads::{CrewError, CrewSize};

use crate::frontier::{FollowPolicy, Frontier, FrontierPolicy, NextDue, Order, RetryPolicy, Spill};
use crate::model::{
    Errand, Exchange, Failure, Fetched, Found, Link, Outcome, Page, PageError, Records, Request, RequestId,
    RuleId, Unmade,
};
use crate::scope::{self, ScopePolicy};

#[path = "../stop.rs"]
#[expect(clippy::duplicate_mod, reason = "compiled again with another `sync`")]
#[allow(dead_code, unreachable_pub, reason = "the model does not use all of it")]
mod stop;

#[path = "threads.rs"]
#[expect(clippy::duplicate_mod, reason = "compiled again with another `sync`")]
#[allow(dead_code, unreachable_pub, reason = "the model does not use all of it")]
mod threads;

#[path = "conductor.rs"]
#[expect(clippy::duplicate_mod, reason = "compiled again with another `sync`")]
#[allow(dead_code, unreachable_pub, reason = "the model does not use all of it")]
mod conductor;

/// The names of `crate::sync`, scheduled by shuttle. All channels of a run share one lock and one condition, which is
/// what makes waiting for several at once simple; speed does not matter here.
mod sync {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex as Unscheduled, PoisonError};
    use std::time::Instant;

    use shuttle::sync::{Condvar, Mutex};

    pub(crate) use shuttle::sync::atomic::{AtomicU8, Ordering};
    pub(crate) use shuttle::thread::{Scope, ScopedJoinHandle, scope};
    pub(crate) use std::thread::panicking;

    shuttle::lazy_static! {
        static ref BOARD: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    }

    /// Runs `step` under the board's lock until it gives a value; sleeps in between until something changed.
    fn until<T>(mut step: impl FnMut() -> Option<T>) -> T {
        let mut board = BOARD.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(value) = step() {
                BOARD.1.notify_all();
                return value;
            }
            board = BOARD.1.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    #[derive(Debug)]
    struct Channel<T> {
        queue: VecDeque<T>,
        capacity: usize,
        /// Receivers that are waiting: a channel without capacity holds a message only for one of them.
        waiting: usize,
        senders: usize,
        receivers: usize,
    }

    /// Only touched under the board's lock, so that shuttle need not schedule around it.
    type Shared<T> = Arc<Unscheduled<Channel<T>>>;

    fn with<T, R>(shared: &Shared<T>, act: impl FnOnce(&mut Channel<T>) -> R) -> R {
        act(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
    }

    #[derive(Debug)]
    pub(crate) struct Sender<T>(Shared<T>);
    #[derive(Debug)]
    pub(crate) struct Receiver<T>(Shared<T>);

    pub(crate) fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
        let queue = VecDeque::new();
        let shared =
            Arc::new(Unscheduled::new(Channel { queue, capacity, waiting: 0, senders: 1, receivers: 1 }));
        (Sender(Arc::clone(&shared)), Receiver(shared))
    }

    impl<T> Sender<T> {
        /// `None`: full. `Some(Err)`: nobody receives.
        fn offer(&self, message: &mut Option<T>) -> Option<Result<(), T>> {
            with(&self.0, |channel| {
                if channel.receivers == 0 {
                    return message.take().map(Err);
                }
                if channel.queue.len() >= channel.capacity + channel.waiting {
                    return None;
                }
                channel.queue.extend(message.take());
                Some(Ok(()))
            })
        }

        pub(crate) fn send(&self, message: T) -> Result<(), T> {
            let mut message = Some(message);
            until(|| self.offer(&mut message))
        }

        pub(crate) fn try_send(&self, message: T) -> Result<(), T> {
            let mut message = Some(message);
            until(|| Some(self.offer(&mut message).unwrap_or(Ok(()))))
        }
    }

    impl<T> Receiver<T> {
        /// `None`: empty. `Some(Err)`: empty, and nobody sends.
        fn take(&self) -> Option<Result<T, ()>> {
            with(&self.0, |channel| match channel.queue.pop_front() {
                Some(message) => Some(Ok(message)),
                None => (channel.senders == 0).then_some(Err(())),
            })
        }

        pub(crate) fn recv(&self) -> Result<T, ()> {
            until(|| {
                with(&self.0, |channel| channel.waiting += 1);
                Some(())
            });
            until(|| {
                let taken = self.take()?;
                with(&self.0, |channel| channel.waiting -= 1);
                Some(taken)
            })
        }

        pub(crate) fn try_iter(&self) -> impl Iterator<Item = T> + '_ {
            std::iter::from_fn(|| until(|| Some(self.take().and_then(Result::ok))))
        }

        pub(crate) fn len(&self) -> usize {
            with(&self.0, |channel| channel.queue.len())
        }
    }

    macro_rules! counted {
        ($end:ident, $count:ident) => {
            impl<T> Clone for $end<T> {
                fn clone(&self) -> Self {
                    with(&self.0, |channel| channel.$count += 1);
                    $end(Arc::clone(&self.0))
                }
            }

            impl<T> Drop for $end<T> {
                fn drop(&mut self) {
                    // After a failed assertion shuttle unwinds every thread; nobody listens any more.
                    if panicking() {
                        with(&self.0, |channel| channel.$count -= 1);
                    } else {
                        until(|| Some(with(&self.0, |channel| channel.$count -= 1)));
                    }
                }
            }
        };
    }
    counted!(Sender, senders);
    counted!(Receiver, receivers);

    #[derive(Debug)]
    pub(crate) enum Event<T> {
        Sent,
        Received(T),
        Closed,
        Woken,
        Due,
    }

    /// As the real one. A deadline is due as soon as nothing else is ready: time may pass as fast as it likes.
    pub(crate) fn wait<Q, T>(
        outgoing: &Sender<Q>,
        offer: &mut Option<Q>,
        incoming: &Receiver<T>,
        knocks: &Receiver<()>,
        deadline: Option<Instant>,
    ) -> Event<T> {
        until(|| {
            let receive = || incoming.take().map(|taken| taken.map_or(Event::Closed, Event::Received));
            let knock = || knocks.take().map(|_| Event::Woken);
            let send = |offer: &mut Option<Q>| {
                offer.as_ref()?;
                outgoing.offer(offer).map(|sent| match sent {
                    Ok(()) => Event::Sent,
                    Err(message) => {
                        *offer = Some(message);
                        Event::Closed
                    }
                })
            };
            // Which of several ready things is taken first is left open, as `select!` leaves it.
            let first = if shuttle::rand::Rng::gen_bool(&mut shuttle::rand::thread_rng(), 0.5) {
                receive().or_else(|| send(offer)).or_else(knock)
            } else {
                knock().or_else(|| send(offer)).or_else(receive)
            };
            first.or_else(|| deadline.map(|_| Event::Due))
        })
    }

    pub(crate) fn spawn<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        _name: &str,
        _stack_bytes: usize,
        body: impl FnOnce() + Send + 'scope,
    ) -> std::io::Result<ScopedJoinHandle<'scope, ()>> {
        Ok(scope.spawn(body))
    }
}

/// Interleavings per scenario: some seconds in all, in a debug build.
const INTERLEAVINGS: usize = 1500;

/// A desk that keeps what came, and can fail like a full disk.
#[derive(Debug, Default)]
struct Tray {
    done: Vec<u64>,
    failed: Vec<u64>,
    /// The output breaks at this many pages.
    breaks_after: Option<usize>,
    /// Ask for a stop, or an abort, at this many pages.
    stops_after: Option<(usize, Arc<dyn StopHow>)>,
    /// How far ahead of the oldest open page new requests may go.
    window: Option<u64>,
}

trait StopHow: std::fmt::Debug {
    fn stop(&self);
}

#[derive(Debug)]
struct Ask(Arc<Stop>);
impl StopHow for Ask {
    fn stop(&self) {
        self.0.request();
    }
}

#[derive(Debug)]
struct Abort(Arc<Stop>);
impl StopHow for Abort {
    fn stop(&self) {
        self.0.abort();
    }
}

impl Tray {
    fn settled(&self) -> usize {
        self.done.len() + self.failed.len()
    }
}

impl Desk for Tray {
    type Error = &'static str;

    fn settle(&mut self, outcome: Outcome) -> Result<(), &'static str> {
        if self.breaks_after.is_some_and(|limit| self.settled() >= limit) {
            return Err("disk full");
        }
        let id = number_of(&outcome.request);
        if outcome.result.is_ok() { &mut self.done } else { &mut self.failed }.push(id);
        if let Some((limit, how)) = &self.stops_after
            && self.settled() == *limit
        {
            how.stop();
        }
        Ok(())
    }

    fn disallow(&mut self, request: Request) -> Result<(), &'static str> {
        self.failed.push(request.id.0);
        Ok(())
    }

    fn leave_out(&mut self, request: Request) -> Result<(), &'static str> {
        self.done.push(request.id.0);
        Ok(())
    }

    fn has_seen(&mut self, _: &Outcome) -> Result<bool, &'static str> {
        Ok(false)
    }

    fn is_satisfied(&self) -> bool {
        false
    }

    fn skip(&mut self, unmade: Unmade) -> Result<(), &'static str> {
        self.failed.push(unmade.id.0);
        Ok(())
    }

    fn pause(&mut self, _: &Outcome, _: Duration) {}

    fn wait(&mut self, _: &NextDue, _: Instant) {}

    fn note_robots(&mut self, _: &Outcome) {}

    fn retry(&mut self, _: &Request, _: &PageError) {}

    fn horizon(&self) -> Option<RequestId> {
        let mut settled: Vec<u64> = self.done.iter().chain(&self.failed).copied().collect();
        settled.sort_unstable();
        let oldest_open = (0..).zip(settled).take_while(|(expected, id)| expected == id).count() as u64;
        self.window.map(|window| RequestId(oldest_open + window))
    }

    fn tick(&mut self, _: Instant, _: Queues) -> Result<(), &'static str> {
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        None
    }
}

/// One run of the crew: `pages` requests, some of which fail once (every third) or always (every fifth).
struct Run {
    pages: u64,
    jobs: usize,
    parsers: usize,
    room: usize,
    stop: Arc<Stop>,
    panic_at: Option<(u64, Role)>,
    deadline: Option<Instant>,
    gate: Option<Gate>,
    /// Pages lead to each other in circles; the source names only the first.
    circles: Option<Circles>,
}

/// A site of so many pages, each of which leads to two others, back and forth.
#[derive(Clone, Copy)]
struct Circles {
    pages: u64,
    ordered: bool,
}

impl Circles {
    fn links(self, from: u64) -> [u64; 2] {
        [(from * 2 + 1) % self.pages, (from + self.pages - 1) % self.pages]
    }

    fn follow(self) -> FollowPolicy {
        let scope = ScopePolicy::default();
        FollowPolicy { scope, order: Order::Breadth, ordered: self.ordered, spill: Spill::default() }
    }
}

/// Fetches hang here, like at a server that never answers, until an abort opens it.
#[derive(Clone)]
struct Gate {
    /// Told once a fetch hangs.
    hanging: (sync::Sender<()>, sync::Receiver<()>),
    open: (sync::Sender<()>, sync::Receiver<()>),
}

impl Gate {
    fn closed() -> Gate {
        Gate { hanging: sync::bounded(1), open: sync::bounded(1) }
    }

    fn pass(&self) {
        let _ = self.hanging.0.try_send(());
        let _ = self.open.1.recv();
        // It stays open once it was opened: the next one passes too.
        self.open();
    }

    fn open(&self) {
        let _ = self.open.0.try_send(());
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Role {
    Crawl,
    Parse,
}

impl Run {
    fn of(pages: u64) -> Run {
        Run {
            pages,
            jobs: 2,
            parsers: 2,
            room: 1,
            stop: Arc::new(Stop::new()),
            panic_at: None,
            deadline: None,
            gate: None,
            circles: None,
        }
    }

    fn through(&self, tray: &mut Tray) -> (Result<Result<Conducted, &'static str>, CrewError>, Frontier) {
        let retry = RetryPolicy {
            retries: 1,
            first_delay: Duration::ZERO,
            longest_delay: Duration::ZERO,
            jitter: 0.0,
            ..RetryPolicy::default()
        };
        let source = Box::new((0..self.pages).map(|id| Ok(request(id))));
        let follow = self.circles.map(Circles::follow);
        let mut frontier = Frontier::new(source, FrontierPolicy { retry, follow, ..FrontierPolicy::plain() });
        let size = CrewSize { jobs: self.jobs, parsers: self.parsers, pages: self.room };
        let panics = |id: RequestId, role| self.panic_at.is_some_and(|at| at == (id.0, role));
        let fetch = |request: Request| -> Fetched {
            if panics(request.id, Role::Crawl) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            self.gate.iter().for_each(Gate::pass);
            let number = number_of(&request);
            let fails = number % 5 == 4 || (number % 3 == 2 && request.attempt == 0);
            if fails {
                let error = PageError::Status(503);
                Fetched::Failed(Box::new(Failure { request, error, exchange: Exchange::default() }))
            } else if number % 7 == 3 && request.moved.is_none() {
                let to = request.url.clone();
                Fetched::Moved { request, to, exchange: Exchange::default() }
            } else {
                Fetched::Page(page(request))
            }
        };
        let read = |page: Page| {
            if panics(page.request.id, Role::Parse) {
                std::panic::resume_unwind(Box::new("on purpose"));
            }
            let from = number_of(&page.request);
            let links = self.circles.iter().flat_map(|circles| circles.links(from)).map(link).collect();
            let records = Records { count: 1, links, ..Records::default() };
            Outcome {
                request: page.request,
                body_bytes: 0,
                result: Ok(Found::Records(records)),
                exchange: Exchange::default(),
            }
        };
        let conducted = threads::run(
            size,
            &self.stop,
            fetch,
            || read,
            |channels| {
                let (frontier, stop) = (&mut frontier, &*self.stop);
                Conductor {
                    frontier,
                    desk: tray,
                    stop,
                    deadline: self.deadline,
                    abort: &|| self.gate.iter().for_each(Gate::open),
                }
                .run(channels)
            },
        );
        (conducted, frontier)
    }
}

fn url(number: u64) -> url::Url {
    url::Url::parse(&format!("http://h/{number}")).expect("a number is a path")
}

fn request(id: u64) -> Request {
    Request::new(RequestId(id), url(id), None)
}

/// The number of the page, which is not that of the request where it was found by a link.
fn number_of(request: &Request) -> u64 {
    request.url.path()[1..].parse().expect("paths are numbers")
}

fn link(to: u64) -> Link {
    let url = url(to);
    let fingerprint = scope::fingerprint(&url, None).0;
    Link { url, rule: RuleId::default(), priority: 0, carried: None, errand: Errand::Page, fingerprint }
}

fn page(request: Request) -> Page {
    let final_url = request.url.clone();
    let fetched_at = SystemTime::UNIX_EPOCH;
    let exchange = Exchange::default();
    Page {
        request,
        final_url,
        status: 200,
        content_type: None,
        body: Vec::new(),
        robots_tag: Vec::new(),
        fetched_at,
        exchange,
    }
}

fn assert_once_each(tray: &Tray, pages: u64) {
    let mut all: Vec<u64> = tray.done.iter().chain(&tray.failed).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..pages).collect::<Vec<u64>>());
    let mut failed = tray.failed.clone();
    failed.sort_unstable();
    assert_eq!(failed, (0..pages).filter(|id| id % 5 == 4).collect::<Vec<u64>>());
}

fn assert_none_twice(tray: &Tray) {
    let mut all: Vec<u64> = tray.done.iter().chain(&tray.failed).copied().collect();
    let settled = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), settled, "a page was settled twice");
}

/// Runs `scenario` in so many random interleavings. The conductor's frames are deep where nothing is optimised.
fn check_random(scenario: impl Fn() + Send + Sync + 'static, interleavings: usize) {
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 18;
    let scheduler = shuttle::scheduler::RandomScheduler::new(interleavings);
    shuttle::Runner::new(scheduler, config).run(scenario);
}

#[test]
fn every_page_is_settled_exactly_once_with_retries_mixed_in() {
    check_random(
        || {
            let mut tray = Tray::default();
            let (result, _) = Run::of(7).through(&mut tray);
            assert_eq!(result.expect("no panic"), Ok(Conducted::Completed));
            assert_once_each(&tray, 7);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_cyclic_site_ends_with_every_page_settled_once_though_some_fail() {
    for ordered in [false, true] {
        check_random(
            move || {
                let run = Run { circles: Some(Circles { pages: 11, ordered }), ..Run::of(1) };
                let mut tray = Tray::default();
                let (conducted, mut frontier) = run.through(&mut tray);
                assert_eq!(conducted.expect("no panic"), Ok(Conducted::Completed));
                // Every page is reached but over those that are dead.
                let mut reached = std::collections::BTreeSet::from([0]);
                let mut waiting = vec![0];
                while let Some(from) = waiting.pop() {
                    let next = if from % 5 == 4 { [from; 2] } else { run.circles.expect("set").links(from) };
                    waiting.extend(next.into_iter().filter(|&to| reached.insert(to)));
                }
                let mut settled: Vec<u64> = tray.done.iter().chain(&tray.failed).copied().collect();
                settled.sort_unstable();
                assert_eq!(settled, reached.into_iter().collect::<Vec<u64>>());
                assert!(!frontier.has_work_left());
            },
            INTERLEAVINGS / 2,
        );
    }
}

#[test]
fn a_single_thread_of_each_kind_is_enough() {
    check_random(
        || {
            let mut tray = Tray::default();
            let run = Run { jobs: 1, parsers: 1, ..Run::of(5) };
            assert_eq!(run.through(&mut tray).0.expect("no panic"), Ok(Conducted::Completed));
            assert_once_each(&tray, 5);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn the_reorder_window_holds_requests_back_without_locking_up() {
    check_random(
        || {
            let mut tray = Tray { window: Some(1), ..Tray::default() };
            assert_eq!(Run::of(6).through(&mut tray).0.expect("no panic"), Ok(Conducted::Completed));
            assert_once_each(&tray, 6);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_stop_lets_what_is_in_flight_arrive_and_leaves_nothing_behind() {
    check_random(
        || {
            let run = Run::of(9);
            let how = Arc::new(Ask(Arc::clone(&run.stop)));
            let mut tray = Tray { stops_after: Some((2, how)), ..Tray::default() };
            let (result, frontier) = run.through(&mut tray);
            assert_eq!(result.expect("no panic"), Ok(Conducted::Stopped));
            assert_eq!(frontier.in_flight(), 0, "what was handed out came back, done or not");
            assert_none_twice(&tray);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_stop_from_outside_ends_the_run_at_any_moment() {
    check_random(
        || {
            let run = Run::of(6);
            let stop = Arc::clone(&run.stop);
            let outside = shuttle::thread::spawn(move || stop.abort());
            let mut tray = Tray::default();
            let (result, frontier) = run.through(&mut tray);
            outside.join().expect("it only sets a flag");
            assert!(result.expect("no panic").is_ok());
            assert_eq!(frontier.in_flight(), 0);
            assert_none_twice(&tray);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn an_abort_reaches_the_conductor_though_no_outcome_comes() {
    check_random(
        || {
            let gate = Gate::closed();
            let run = Run { gate: Some(gate.clone()), ..Run::of(6) };
            let stop = Arc::clone(&run.stop);
            let outside = shuttle::thread::spawn(move || {
                let _ = gate.hanging.1.recv();
                stop.abort();
            });
            let mut tray = Tray::default();
            let (result, frontier) = run.through(&mut tray);
            outside.join().expect("it only sets a flag");
            assert_eq!(result.expect("no panic"), Ok(Conducted::Stopped));
            assert_eq!(frontier.in_flight(), 0);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_broken_output_ends_every_thread() {
    check_random(
        || {
            let mut tray = Tray { breaks_after: Some(2), ..Tray::default() };
            assert_eq!(Run::of(9).through(&mut tray).0.expect("no panic"), Err("disk full"));
            assert_eq!(tray.settled(), 2);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_broken_output_ends_an_abort_too() {
    check_random(
        || {
            let run = Run::of(9);
            let how = Arc::new(Abort(Arc::clone(&run.stop)));
            let mut tray = Tray { stops_after: Some((1, how)), breaks_after: Some(2), ..Tray::default() };
            assert!(run.through(&mut tray).0.is_ok());
            assert!(tray.settled() <= 2);
        },
        INTERLEAVINGS,
    );
}

#[test]
fn a_panic_in_a_worker_ends_the_run_and_is_named() {
    for (role, thread) in [(Role::Crawl, "crawl-"), (Role::Parse, "parse-")] {
        let named = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&named);
        check_random(
            move || {
                let run = Run { panic_at: Some((3, role)), ..Run::of(9) };
                let mut tray = Tray::default();
                match run.through(&mut tray).0 {
                    Err(CrewError::Panic(panic)) => {
                        assert!(panic.thread.starts_with(thread), "{panic}");
                        assert_eq!(panic.at.as_deref(), Some("http://h/3"));
                        counter.fetch_add(1, Ordering::SeqCst);
                    }
                    other => panic!("the panic went unnoticed: {other:?}"),
                }
                assert_none_twice(&tray);
            },
            INTERLEAVINGS / 2,
        );
        assert_eq!(named.load(Ordering::SeqCst), INTERLEAVINGS as u64 / 2);
    }
}

#[test]
fn a_deadline_ends_the_run_with_what_is_in_flight_settled() {
    check_random(
        || {
            let run = Run { deadline: Some(Instant::now()), ..Run::of(9) };
            let mut tray = Tray::default();
            let (result, frontier) = run.through(&mut tray);
            assert_eq!(result.expect("no panic"), Ok(Conducted::OutOfTime));
            assert_eq!(frontier.in_flight(), 0);
        },
        INTERLEAVINGS,
    );
}
