//! Facts about [`super::Progress`]. How the bar looks is for eyes; here is what it says, and when.

use std::sync::{Arc, Mutex};

use indicatif::TermLike;

use super::*;

fn snapshot(done: u64, failed: u64, total: Option<u64>, seconds: u64) -> Snapshot {
    let elapsed = Duration::from_secs(seconds);
    let queues = Snapshot { in_flight: 16, queued_requests: 4, queued_pages: 3, ..Snapshot::default() };
    Snapshot { done, failed, total, records: 12_340, elapsed, ..queues }
}

#[test]
fn a_bar_needs_a_terminal_that_can_move_its_cursor() {
    let terminal = Surroundings { stderr_is_terminal: true, ..Surroundings::default() };
    assert_eq!(Mode::choose(terminal), Mode::Bar { colour: true });
    assert_eq!(Mode::choose(Surroundings { no_color: true, ..terminal }), Mode::Bar { colour: false });
    assert_eq!(Mode::choose(Surroundings { is_dumb: true, ..terminal }), Mode::Lines);
    assert_eq!(Mode::choose(Surroundings { quiet: true, ..terminal }), Mode::Hidden);
    assert_eq!(Mode::choose(Surroundings { no_progress: true, ..terminal }), Mode::Hidden);
    assert_eq!(Mode::choose(Surroundings::default()), Mode::Lines);
}

#[test]
fn the_most_important_comes_first() {
    assert_eq!(
        bar_text(&snapshot(1_198, 2, Some(5_000), 10), 120.4),
        "1,200/5,000, 2 failed · ETA 32s · 120/s · 12,340 records · 16 in flight · queues 4, 3"
    );
    assert_eq!(
        bar_text(&snapshot(7, 0, None, 10), 0.7),
        "7 · 0.7/s · 12,340 records · 16 in flight · queues 4, 3"
    );
    assert_eq!(
        line_text(&snapshot(58, 2, Some(120), 60), 1.0),
        "progress: 60/120 pages, 2 failed, 12,340 records, 1.0 pages/s, 16 in flight, 4 requests and 3 pages queued, ETA 1m00s"
    );
}

#[test]
fn an_eta_needs_a_total_a_rate_and_work_left() {
    let eta = |total, rate| eta(&snapshot(100, 0, total, 10), rate);
    assert_eq!(eta(None, 10.0), None);
    assert_eq!(eta(Some(200), 0.0), None);
    assert_eq!(eta(Some(100), 10.0), None);
    assert_eq!(eta(Some(101), 10.0).unwrap(), "1s");
    assert_eq!(eta(Some(1_350), 10.0).unwrap(), "2m05s");
    assert_eq!(eta(Some(100 + 36_000), 1.0).unwrap(), "10h00m");
    assert_eq!(eta(Some(100 + 864_000), 1.0).unwrap(), "10d");
    assert_eq!(eta(Some(u64::MAX), 0.5), None, "a guess of millions of years helps nobody");
}

#[test]
fn the_rate_is_the_recent_one() {
    let mut rate = Rate::default();
    for second in 1..=100 {
        rate.observe(&snapshot(second * 50, 0, None, second));
    }
    assert!((rate.per_second - 50.0).abs() < 0.001);
    // A stall of 5 s leaves 1/e of it.
    rate.observe(&snapshot(5_000, 0, None, 105));
    assert!((rate.per_second - 50.0 / std::f64::consts::E).abs() < 0.001);
    // The same instant again tells nothing new.
    let before = rate.per_second;
    assert!((rate.observe(&snapshot(9_000, 0, None, 105)) - before).abs() < f64::EPSILON);
}

#[test]
fn the_first_rate_is_the_average_so_far() {
    let mut rate = Rate::default();
    assert!((rate.observe(&snapshot(3, 1, None, 2)) - 2.0).abs() < f64::EPSILON);
}

#[test]
fn what_a_terminal_would_obey_is_made_visible() {
    assert!(matches!(printable("Überschrift 書 — ok"), Cow::Borrowed(_)));
    assert_eq!(printable("\u{1b}[2Jgone\r\n"), "\\u{1b}[2Jgone\\u{d}\\u{a}");
    assert_eq!(printable("a\u{7f}b\u{9b}c\t"), "a\\u{7f}b\\u{9b}c\\u{9}");
    assert_eq!(printable("\u{202e}txt.exe\u{2066}"), "\\u{202e}txt.exe\\u{2066}");
}

/// Keeps all that is written, without the moves of the cursor.
#[derive(Debug, Clone, Default)]
struct Screen(Arc<Mutex<String>>);

impl TermLike for Screen {
    fn width(&self) -> u16 {
        80
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }
    fn write_line(&self, s: &str) -> io::Result<()> {
        self.write_str(&format!("{s}\n"))
    }
    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.lock().unwrap().push_str(s);
        Ok(())
    }
    fn clear_line(&self) -> io::Result<()> {
        Ok(())
    }
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    fn take(&self) -> String {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn bar(start: Instant) -> (Progress, Screen) {
    let screen = Screen::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    (Progress::with_target(Mode::Bar { colour: false }, target, start), screen)
}

#[test]
fn the_bar_is_drawn_when_it_is_due_and_not_before() {
    let start = Instant::now();
    let (mut progress, screen) = bar(start);
    assert_eq!(screen.take(), "");
    progress.tick_at(start, &snapshot(1, 0, Some(4), 1));
    assert!(screen.take().contains("1/4 · ETA 3s · 1.0/s"));
    assert_eq!(progress.next_tick(), Some(start + BAR_INTERVAL));
    progress.tick_at(start + BAR_INTERVAL / 2, &snapshot(2, 0, Some(4), 2));
    assert_eq!(screen.take(), "");
}

#[test]
fn a_message_stands_above_the_bar_and_cannot_steer_the_terminal() {
    let start = Instant::now();
    let (mut progress, screen) = bar(start);
    progress.tick_at(start, &snapshot(1, 0, Some(4), 1));
    screen.take();
    progress.println("page 7: \u{1b}]0;title\u{7}");
    let shown = screen.take();
    let (message, bar) = shown.split_once("\\u{7}").unwrap();
    assert!(message.contains("page 7: \\u{1b}]0;title") && bar.contains("1/4"), "{shown:?}");
    progress.finish();
    progress.tick_at(start + BAR_INTERVAL, &snapshot(4, 0, Some(4), 2));
    assert!(!screen.take().contains("4/4"));
    assert_eq!(progress.next_tick(), None);
}

#[test]
fn a_bar_that_cannot_be_drawn_becomes_lines() {
    let start = Instant::now();
    let progress = Progress::with_target(Mode::Bar { colour: true }, ProgressDrawTarget::hidden(), start);
    assert_eq!(progress.next_tick(), Some(start + LINE_INTERVAL));
    assert!(matches!(progress.display, Display::Lines));
}

#[test]
fn hidden_progress_never_wants_a_tick() {
    let mut progress = Progress::new(Mode::Hidden);
    progress.tick(&snapshot(1, 0, Some(4), 1));
    assert_eq!(progress.next_tick(), None);
}

#[test]
fn json_stays_json_when_it_is_made_printable() {
    let json = "{\"a\":\"\u{202e}x\u{9b}\u{7f}\"}";
    let shown = printable_json(json);
    assert_eq!(shown, "{\"a\":\"\\u202ex\\u009b\\u007f\"}");
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(&shown), read(json));
}

#[test]
fn a_run_that_stands_still_shows_how_long() {
    let snapshot = Snapshot { waiting: Some(Duration::from_millis(99_500)), ..Snapshot::default() };
    assert!(bar_text(&snapshot, 0.0).starts_with("0 · waiting 1m40s · "), "{}", bar_text(&snapshot, 0.0));
    assert!(line_text(&snapshot, 0.0).ends_with(", waiting 1m40s"));
}
