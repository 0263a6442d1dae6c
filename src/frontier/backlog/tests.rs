//! Whole backlogs: against models of the three orders, and on disks that fail.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use url::Url;

use super::scratch::Medium;
use super::*;
use crate::model::{RequestId, RuleId};

fn request(id: u64, priority: i32) -> Request {
    let url = Url::parse(&format!("http://h/{id}")).unwrap();
    Request { priority, depth: id as u32 % 3, rule: RuleId(1), ..Request::new(RequestId(id), url, None) }
}

fn within(order: Order, window: usize) -> Backlog {
    Backlog::new(order, Spill { window, ..Spill::default() })
}

/// The numbers of all that is left, in order.
fn drained(backlog: &mut Backlog) -> Vec<u64> {
    std::iter::from_fn(|| backlog.pop().unwrap()).map(|request| request.id.0).collect()
}

#[test]
fn each_order_hands_out_what_it_says() {
    let expected: [(Order, [u64; 6]); 3] = [
        (Order::Breadth, [0, 1, 2, 3, 4, 5]),
        (Order::Depth, [3, 4, 5, 0, 1, 2]),
        (Order::Priority, [2, 5, 1, 4, 0, 3]),
    ];
    for (order, expected) in expected {
        let mut backlog = within(order, 100);
        backlog.push_page((0..3).map(|id| request(id, id as i32 - 1))).unwrap();
        backlog.push_page((3..6).map(|id| request(id, id as i32 - 4))).unwrap();
        assert_eq!(backlog.bytes_on_disk(), 0);
        assert_eq!(drained(&mut backlog), expected, "{order:?}");
        assert_eq!((backlog.len(), backlog.pop().unwrap()), (0, None));
    }
}

#[test]
fn memory_holds_no_more_than_the_window() {
    for order in [Order::Breadth, Order::Depth, Order::Priority] {
        let mut backlog = within(order, 80);
        for id in 0..10_000 {
            backlog.push(request(id, (id % 7) as i32)).unwrap();
            assert!(backlog.held <= 80);
            if id % 3 == 0 {
                backlog.pop().unwrap();
                assert!(backlog.held <= 80);
            }
        }
        assert!(backlog.bytes_on_disk() > 0);
        while backlog.pop().unwrap().is_some() {
            assert!(backlog.held <= 80);
        }
        assert_eq!((backlog.held, backlog.bytes_on_disk()), (0, 0));
    }
}

#[test]
fn a_request_takes_few_bytes_on_disk_and_the_file_does_not_grow_with_time() {
    assert!(size_of::<Request>() <= 200);
    let mut random = fastrand::Rng::with_seed(1);
    let mut link = |id: u64| {
        let url = format!("http://www.example.org/{:016x}{:016x}.html", random.u64(..), random.u64(..));
        assert_eq!(url.len(), 60);
        Request { depth: 7, ..Request::new(RequestId(id), Url::parse(&url).unwrap(), None) }
    };
    let mut backlog = within(Order::Breadth, 4000);
    (0..50_000).for_each(|id| backlog.push(link(id)).unwrap());
    let grown = backlog.bytes_on_disk();
    assert!(grown < 50_000 * 60, "{grown}");
    for id in 50_000..200_000 {
        backlog.push(link(id)).unwrap();
        assert_eq!(backlog.pop().unwrap().unwrap().id.0, id - 50_000);
    }
    assert!(backlog.bytes_on_disk() < grown + grown / 10);
}

#[test]
fn more_priorities_than_fit_into_the_window_are_kept_in_order() {
    let mut backlog = within(Order::Priority, 16);
    // All levels come up again and again, the high ones last, so that heads that were read have to leave once more.
    for id in 0..3000 {
        backlog.push(request(id, (id % 100) as i32)).unwrap();
        backlog.peek().unwrap();
        assert!(backlog.held <= 16);
    }
    let expected: Vec<u64> = (0..100).rev().flat_map(|level| (0..30).map(move |n| n * 100 + level)).collect();
    assert_eq!(drained(&mut backlog), expected);
}

#[derive(Debug, Clone)]
enum Step {
    Page(Vec<i32>),
    Pop(usize),
}

/// What the orders mean, in their plainest form.
#[derive(Default)]
struct Model {
    levels: BTreeMap<i32, VecDeque<u64>>,
    stack: Vec<u64>,
}

impl Model {
    fn push_page(&mut self, order: Order, page: &[Request]) {
        match order {
            Order::Depth => self.stack.extend(page.iter().rev().map(|link| link.id.0)),
            Order::Breadth => self.levels.entry(0).or_default().extend(page.iter().map(|link| link.id.0)),
            Order::Priority => {
                page.iter()
                    .for_each(|link| self.levels.entry(link.priority).or_default().push_back(link.id.0));
            }
        }
    }

    fn pop(&mut self) -> Option<u64> {
        let level = self.levels.values_mut().rev().find(|level| !level.is_empty());
        self.stack.pop().or_else(|| level?.pop_front())
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let page = prop::collection::vec(-3..3, 0..30).prop_map(Step::Page);
    prop::collection::vec(prop_oneof![page, (0_usize..30).prop_map(Step::Pop)], 0..60)
}

proptest! {
    #[test]
    fn all_orders_do_as_their_models(
        order in prop::sample::select(vec![Order::Breadth, Order::Depth, Order::Priority]),
        window in prop_oneof![0_usize..6, Just(17), Just(40)],
        steps in steps(),
        faults in any::<u64>(),
    ) {
        let disk = Disk::default();
        let mut backlog = Backlog::over(order, window, Scratch::on(Box::new(disk.clone())));
        let mut model = Model::default();
        let (mut next, mut len) = (0, 0);
        for (at, step) in steps.into_iter().enumerate() {
            // A third of the runs on a disk that comes and goes.
            let is_broken = faults % 3 == 0 && faults >> (at % 64) & 1 == 1;
            disk.is_broken.store(is_broken, Ordering::Relaxed);
            match step {
                Step::Page(priorities) => {
                    let page: Vec<Request> = priorities.iter().map(|level| { next += 1; request(next, *level) }).collect();
                    model.push_page(order, &page);
                    len += page.len() as u64;
                    prop_assert!(backlog.push_page(page).is_ok() || is_broken);
                }
                Step::Pop(many) => for _ in 0..many {
                    let Ok(peeked) = backlog.peek().map(Option::<&Request>::cloned) else {
                        prop_assert!(is_broken);
                        break;
                    };
                    let popped = backlog.pop().unwrap();
                    prop_assert_eq!(&peeked, &popped);
                    prop_assert_eq!(popped.as_ref().map(|request| request.id.0), model.pop());
                    prop_assert_eq!(popped.clone(), popped.map(|was| request(was.id.0, was.priority)));
                    len = len.saturating_sub(u64::from(peeked.is_some()));
                },
            }
            prop_assert_eq!(backlog.len(), len);
            prop_assert_eq!(backlog.is_empty(), len == 0);
            prop_assert!(faults % 3 == 0 || backlog.held <= window.max(2));
        }
        disk.is_broken.store(false, Ordering::Relaxed);
        prop_assert_eq!(drained(&mut backlog), std::iter::from_fn(|| model.pop()).collect::<Vec<_>>());
        prop_assert_eq!((backlog.held, backlog.bytes_on_disk()), (0, 0));
    }
}

/// A disk in memory, which can be broken.
#[derive(Clone, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_broken: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        if self.is_broken.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Medium for Disk {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut all = self.bytes.lock().unwrap();
        let end = all.len().max(at as usize + bytes.len());
        all.resize(end, 0);
        // A full disk takes half of it.
        let taken = self.check().map_or(bytes.len() / 2, |()| bytes.len());
        all[at as usize..][..taken].copy_from_slice(&bytes[..taken]);
        self.check()
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.check()?;
        bytes.copy_from_slice(&self.bytes.lock().unwrap()[at as usize..][..bytes.len()]);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.check()
    }
}

#[test]
fn a_full_disk_loses_nothing_and_is_not_asked_at_each_push() {
    let disk = Disk::default();
    let mut backlog = Backlog::over(Order::Breadth, 80, Scratch::on(Box::new(disk.clone())));
    disk.is_broken.store(true, Ordering::Relaxed);
    let faults = (0..1000).filter(|id| backlog.push(request(*id, 0)).is_err()).count();
    // A segment is 10 requests.
    assert!((50..=100).contains(&faults), "{faults}");
    assert_eq!((backlog.len(), backlog.held), (1000, 1000));
    disk.is_broken.store(false, Ordering::Relaxed);
    (1000..1020).for_each(|id| backlog.push(request(id, 0)).unwrap());
    assert!(backlog.held <= 80);
    assert_eq!(drained(&mut backlog), (0..1020).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_read_may_be_read_later() {
    let disk = Disk::default();
    let mut backlog = Backlog::over(Order::Depth, 8, Scratch::on(Box::new(disk.clone())));
    (0..100).for_each(|id| backlog.push(request(id, 0)).unwrap());
    disk.is_broken.store(true, Ordering::Relaxed);
    let mut last = 100;
    let error = loop {
        match backlog.pop() {
            Ok(popped) => last = popped.unwrap().id.0,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, BacklogError::Read { .. }));
    assert!(backlog.peek().is_err());
    assert_eq!(backlog.len(), last);
    disk.is_broken.store(false, Ordering::Relaxed);
    assert_eq!(drained(&mut backlog), (0..last).rev().collect::<Vec<_>>());
}

#[test]
fn a_damaged_file_is_an_error() {
    let disk = Disk::default();
    let mut backlog = Backlog::over(Order::Breadth, 8, Scratch::on(Box::new(disk.clone())));
    (0..100).for_each(|id| backlog.push(request(id, 0)).unwrap());
    disk.bytes.lock().unwrap().fill(0xff);
    let error = std::iter::repeat_with(|| backlog.pop()).find_map(Result::err).unwrap();
    assert!(matches!(error, BacklogError::Damaged { .. }));
}

#[test]
fn the_error_names_the_folder_and_a_way_out() {
    let folder = std::env::temp_dir().join("pagemill-no-such-folder");
    let mut backlog = Backlog::new(Order::Breadth, Spill { folder: folder.clone(), window: 1 });
    backlog.push(request(0, 0)).unwrap();
    let error = backlog.push(request(1, 0)).unwrap_err().to_string();
    assert!(error.contains(&format!("in `{}`", folder.display())), "{error}");
    assert!(error.contains("--spill-dir"), "{error}");
    assert_eq!(drained(&mut backlog), [0, 1]);
}

#[test]
#[cfg(unix)]
fn the_temporary_file_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut backlog = Backlog::new(Order::Breadth, Spill { folder: folder.path().to_owned(), window: 8 });
    (0..100).for_each(|id| backlog.push(request(id, 0)).unwrap());
    assert!(backlog.bytes_on_disk() > 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn a_real_full_disk_is_told_as_such() {
    let Ok(full) = std::fs::File::options().read(true).write(true).open("/dev/full") else {
        eprintln!("skipped: there is no /dev/full");
        return;
    };
    let mut backlog = Backlog::over(Order::Breadth, 1, Scratch::on(Box::new(full)));
    backlog.push(request(0, 0)).unwrap();
    let error = backlog.push(request(1, 0)).unwrap_err();
    assert!(
        matches!(&error, BacklogError::Write { reason, .. } if reason.kind() == io::ErrorKind::StorageFull)
    );
    assert_eq!(drained(&mut backlog), [0, 1]);
}
