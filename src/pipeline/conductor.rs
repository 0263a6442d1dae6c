//! The conductor: the loop that hands out requests and takes in outcomes, on the thread that called `run`.
//!
//! It is the only owner of the frontier and of the [`Desk`] (output, screen, counts). It waits in one place for the
//! first of: a crawl thread takes the offered request, an outcome comes, somebody knocks, the next thing is due. It
//! never blocks on the request channel alone, so the circle request ─▶ page ─▶ outcome ─▶ request cannot lock up.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::stop::Stop;
use super::sync::{self, Event};
use super::threads::Channels;
use crate::frontier::{Changes, Frontier, Gave, Next, NextDue, Settled};
use crate::memory::{self, Clock};
use crate::model::{Exchange, Found, Outcome, PageError, Records, Request, RequestId, Unmade};

/// Where outcomes end: what the conductor writes, shows and counts.
pub trait Desk {
    /// Why the run cannot go on.
    type Error;

    /// Writes what a page gave, or notes that it failed for good.
    ///
    /// # Errors
    /// The output is broken; nothing more can be written.
    fn settle(&mut self, outcome: Outcome) -> Result<(), Self::Error>;

    /// robots.txt forbids this page; it is not asked for.
    ///
    /// # Errors
    /// As [`Desk::settle`]: in ordered output it may be what other pages waited for.
    fn disallow(&mut self, request: Request) -> Result<(), Self::Error>;

    /// A redirect led to what is not followed, or is known.
    ///
    /// # Errors
    /// As [`Desk::settle`]: in ordered output it may be what other pages waited for.
    fn leave_out(&mut self, request: Request) -> Result<(), Self::Error>;

    /// Whether what this gave ends the list that it is of, since an earlier run has met some of it.
    ///
    /// # Errors
    /// What earlier runs met cannot be read.
    fn has_seen(&mut self, outcome: &Outcome) -> Result<bool, Self::Error>;

    /// Whether the run has given all that is wanted.
    fn is_satisfied(&self) -> bool;

    /// A place of the source gave no request.
    ///
    /// # Errors
    /// As [`Desk::settle`]: in ordered output it may be what other pages waited for.
    fn skip(&mut self, unmade: Unmade) -> Result<(), Self::Error>;

    /// Nothing goes to the host of this request for so long.
    fn pause(&mut self, outcome: &Outcome, pause: Duration);

    /// Nothing is under way, and nothing may go out for a while.
    fn wait(&mut self, next: &NextDue, now: Instant);

    /// A robots.txt has come, or has not.
    fn note_robots(&mut self, outcome: &Outcome);

    /// A page failed and will be tried again.
    fn retry(&mut self, request: &Request, error: &PageError);

    /// New requests from this id on must wait; `None` for no bound.
    fn horizon(&self) -> Option<RequestId>;

    /// Does what is due: flushes, draws.
    ///
    /// # Errors
    /// As [`Desk::settle`].
    fn tick(&mut self, now: Instant, queues: Queues) -> Result<(), Self::Error>;

    /// Whether what is done is written down, so that the run can go on later.
    fn keeps(&self) -> bool {
        false
    }

    /// A request has gone out.
    fn sent(&mut self) {}

    /// Whether it is time to write down what was done, when the frontier has so many changes.
    ///
    /// # Errors
    /// What was handed over before could not be written.
    fn wants_commit(&mut self, now: Instant, changes: usize) -> Result<bool, Self::Error> {
        let _ = (now, changes);
        Ok(false)
    }

    /// In ordered output, the first request that is not written yet.
    fn first_unwritten(&self) -> Option<RequestId> {
        None
    }

    /// Writes down what was done, together with what the frontier knows.
    ///
    /// # Errors
    /// As [`Desk::settle`].
    fn commit(&mut self, kept: FrontierKept) -> Result<(), Self::Error> {
        drop(kept);
        Ok(())
    }

    /// When [`Desk::tick`] is due next.
    fn due(&self) -> Option<Instant>;
}

/// What lies between the threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queues {
    /// Requests that no crawl thread has taken yet.
    pub requests: usize,
    /// Pages that no parser thread has taken yet.
    pub pages: usize,
    /// Requests that a thread has taken and that are not settled.
    pub in_flight: u64,
}

/// What a frontier wants to be written down.
#[derive(Debug)]
pub struct FrontierKept {
    /// Of its requests.
    pub changes: Changes,
    /// Of hosts.
    pub hosts: Vec<memory::Change>,
    /// Of what the trap guard has counted.
    pub traps: Vec<memory::Change>,
}

impl FrontierKept {
    /// All that has changed since the last time.
    pub fn of(frontier: &mut Frontier, first_unwritten: Option<RequestId>) -> FrontierKept {
        FrontierKept {
            changes: frontier.take_changes(first_unwritten),
            hosts: frontier.take_host_changes(Clock::now()),
            traps: frontier.take_trap_changes(),
        }
    }
}

/// How the conductor's loop came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conducted {
    /// Nothing pending, nothing in flight.
    Completed,
    /// The done flag was set.
    Stopped,
    /// The deadline passed.
    OutOfTime,
    /// All records that are wanted are there.
    Satisfied,
    /// Found links can no longer be kept.
    Overflowed,
}

/// The loop's state; [`Conductor::run`] consumes it.
pub(crate) struct Conductor<'a, D> {
    pub(crate) frontier: &'a mut Frontier,
    pub(crate) desk: &'a mut D,
    pub(crate) stop: &'a Stop,
    /// When the run must end.
    pub(crate) deadline: Option<Instant>,
    /// Cuts off what is in flight.
    pub(crate) abort: &'a dyn Fn(),
}

impl<D: Desk> Conductor<'_, D> {
    /// Runs until every outcome has come in.
    ///
    /// # Errors
    /// The desk's. The channels are dropped on the way out, and that ends the threads; what is under way is cut off, since
    /// nobody waits for it any more.
    pub(crate) fn run(self, channels: Channels) -> Result<Conducted, D::Error> {
        let abort = self.abort;
        self.conduct(channels).inspect_err(|_| abort())
    }

    fn conduct(mut self, channels: Channels) -> Result<Conducted, D::Error> {
        let mut offer = None;
        let conducted = loop {
            if self.stop.is_requested() {
                break Conducted::Stopped;
            }
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| deadline <= now) {
                break Conducted::OutOfTime;
            }
            if self.desk.is_satisfied() {
                break Conducted::Satisfied;
            }
            let filled = self.fill(&mut offer, now)?;
            if self.frontier.has_trouble() {
                break Conducted::Overflowed;
            }
            let next_due = match filled {
                ControlFlow::Continue(next_due) => next_due,
                ControlFlow::Break(()) => break Conducted::Completed,
            };
            self.tick(now, &channels)?;
            let due = [next_due, self.desk.due(), self.deadline].into_iter().flatten().min();
            match sync::wait(&channels.requests, &mut offer, &channels.outcomes, self.stop.knocks(), due) {
                Event::Received(outcome) => {
                    self.settle(outcome)?;
                    self.recall(&mut offer);
                }
                Event::Sent => {
                    self.frontier.taken(Instant::now());
                    // When its host was asked last must be known to whoever goes on, or it is asked too soon.
                    self.desk.sent();
                }
                Event::Woken | Event::Due => {}
                // Every parser thread is gone: one panicked, and its guard has set the done flag.
                Event::Closed => break Conducted::Stopped,
            }
        };
        self.drain(channels, offer)?;
        Ok(conducted)
    }

    /// Puts the next request into the empty slot. Says when to ask again, or that all is done.
    fn fill(
        &mut self,
        offer: &mut Option<Request>,
        now: Instant,
    ) -> Result<ControlFlow<(), Option<Instant>>, D::Error> {
        if offer.is_some() {
            return Ok(ControlFlow::Continue(None));
        }
        let next_due = match self.frontier.next(now, self.desk.horizon()) {
            Next::Request(request) => {
                *offer = Some(request);
                None
            }
            // One at a time: there may be billions, and a stop or an outcome must be heard between two of them.
            Next::Unmade(unmade) => {
                self.desk.skip(unmade)?;
                Some(now)
            }
            Next::Disallowed(request) => {
                self.desk.disallow(request)?;
                Some(now)
            }
            Next::LeftOut(request) => {
                self.desk.leave_out(request)?;
                Some(now)
            }
            Next::Failed(request, error) => {
                let exchange = Exchange::default();
                self.desk.settle(Outcome { request, body_bytes: 0, result: Err(error), exchange })?;
                Some(now)
            }
            Next::At(due) => {
                if due > now
                    && let Some(next) = self.frontier.next_due()
                {
                    self.desk.wait(&next, now);
                }
                Some(due)
            }
            Next::AfterOutcome => None,
            Next::Done => return Ok(ControlFlow::Break(())),
        };
        Ok(ControlFlow::Continue(next_due))
    }

    /// Takes the offer back if an outcome has closed its host in the meantime.
    fn recall(&mut self, offer: &mut Option<Request>) {
        let now = Instant::now();
        if let Some(request) = offer.take_if(|request| self.frontier.must_wait(request, now)) {
            self.frontier.put_back(request, now);
        }
    }

    /// Closes the request channel and takes in what is still under way.
    fn drain(&mut self, channels: Channels, offer: Option<Request>) -> Result<(), D::Error> {
        let Channels { requests, recall, pages, outcomes } = channels;
        // What no thread has taken is not "in flight": it goes back, and the run ends sooner by that much.
        for request in offer.into_iter().chain(recall.try_iter()) {
            self.frontier.put_back(request, Instant::now());
        }
        drop((requests, recall));
        let mut aborted = false;
        loop {
            // Nobody waits for a robots.txt any more.
            if (self.stop.is_aborted() || self.frontier.has_only_own_in_flight()) && !aborted {
                aborted = true;
                (self.abort)();
            }
            let queues = Queues { requests: 0, pages: pages.len(), in_flight: self.frontier.in_flight() };
            self.desk.tick(Instant::now(), queues)?;
            self.commit(Instant::now())?;
            // Nothing is offered any more; the slot's type needs a channel all the same.
            let (nowhere, _) = sync::bounded::<Request>(1);
            match sync::wait(&nowhere, &mut None, &outcomes, self.stop.knocks(), self.desk.due()) {
                Event::Received(outcome) => self.settle(outcome)?,
                Event::Closed => return Ok(()),
                Event::Sent | Event::Woken | Event::Due => {}
            }
        }
    }

    fn settle(&mut self, mut outcome: Outcome) -> Result<(), D::Error> {
        if self.desk.keeps() && matches!(outcome.result, Err(PageError::Aborted)) {
            // We have cut it off ourselves: it is asked for again when the run goes on.
            self.frontier.put_back(outcome.request, Instant::now());
            return Ok(());
        }
        // Before the frontier learns of the page: its next request may be one that is not wanted any more.
        let has_seen = self.desk.has_seen(&outcome)?;
        if let Ok(Found::Records(records)) = &mut outcome.result {
            if has_seen {
                self.frontier.end_at_seen(&outcome.request, &mut records.links, Instant::now());
            }
            for &(reason, count) in &records.left_out {
                self.frontier.leave_out(reason, count);
            }
        }
        let gave = outcome.result.as_mut().map_err(|error| &*error).map(|found| match found {
            // A record that was dropped was there: the page is not the end of an open range.
            Found::Records(records) => Gave::Page {
                records: records.count + records.dropped,
                links: std::mem::take(&mut records.links),
            },
            Found::Moved(to) => Gave::Moved(to),
            Found::Robots(robots) => Gave::Robots(robots),
            Found::Address => Gave::Address,
        });
        let settlement = self.frontier.settle(&outcome.request, gave, outcome.exchange, Instant::now());
        if let Some(pause) = settlement.pause {
            self.desk.pause(&outcome, pause);
        }
        match settlement.settled {
            Settled::Retry => {
                if let Err(error) = &outcome.result {
                    self.desk.retry(&outcome.request, error);
                }
                Ok(())
            }
            Settled::Moved => Ok(()),
            Settled::LeftOut => self.desk.leave_out(outcome.request),
            Settled::Own => {
                self.desk.note_robots(&outcome);
                Ok(())
            }
            Settled::Failed => self.desk.settle(outcome),
            Settled::Done => {
                // The frontier may take a failure for the end of an open range: then it is a page without records.
                let result = Ok(outcome.result.unwrap_or_else(|_| Found::Records(Records::default())));
                self.desk.settle(Outcome { result, ..outcome })
            }
        }
    }

    fn tick(&mut self, now: Instant, channels: &Channels) -> Result<(), D::Error> {
        let queues = Queues {
            requests: channels.recall.len(),
            pages: channels.pages.len(),
            in_flight: self.frontier.in_flight().saturating_sub(channels.recall.len() as u64),
        };
        self.desk.tick(now, queues)?;
        self.commit(now)
    }

    fn commit(&mut self, now: Instant) -> Result<(), D::Error> {
        if !self.desk.wants_commit(now, self.frontier.count_changes())? {
            return Ok(());
        }
        let kept = FrontierKept::of(self.frontier, self.desk.first_unwritten());
        self.desk.commit(kept)
    }
}
