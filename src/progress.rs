//! What a person sees while a run goes on: a bar, a line a minute, or nothing.
//!
//! The only user of indicatif. Callers never ask which of the three it is. Everything goes to standard error, and has no
//! thread of its own: it draws when it is told of the state, at most ten times a second. Text that came from pages
//! cannot reach the terminal's controls: see [`printable`].

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Between two drawings of the bar; also how often a spinner turns while nothing comes.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// Between two status lines.
const LINE_INTERVAL: Duration = Duration::from_secs(60);

/// The rate follows a change by two thirds within this time: steady enough to read, quick enough to notice a stall.
const RATE_MEMORY: Duration = Duration::from_secs(5);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A bar that is drawn anew in place.
    Bar {
        /// Whether it has colours.
        colour: bool,
    },
    /// One status line a minute, for logs.
    Lines,
    /// No progress; only messages.
    Hidden,
}

/// What [`Mode::choose`] looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings {
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// `--quiet`.
    pub quiet: bool,
    /// `--no-progress`.
    pub no_progress: bool,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// `TERM` is `dumb`: the cursor cannot be moved.
    pub is_dumb: bool,
}

impl Mode {
    /// The mode that fits: a bar needs a terminal that can move its cursor.
    pub fn choose(surroundings: Surroundings) -> Mode {
        if surroundings.quiet || surroundings.no_progress {
            Mode::Hidden
        } else if surroundings.stderr_is_terminal && !surroundings.is_dumb {
            Mode::Bar { colour: !surroundings.no_color }
        } else {
            Mode::Lines
        }
    }
}

/// The state of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Pages done.
    pub done: u64,
    /// Pages that failed for good; not among `done`.
    pub failed: u64,
    /// Pages in all; `None` if nobody knows.
    pub total: Option<u64>,
    /// Records written.
    pub records: u64,
    /// Requests handed out that are not settled.
    pub in_flight: u64,
    /// Requests that wait for a crawl thread.
    pub queued_requests: u64,
    /// Pages that wait for a parser thread.
    pub queued_pages: u64,
    /// Time since the run began.
    pub elapsed: Duration,
    /// Nothing is under way, and nothing may go out for so long.
    pub waiting: Option<Duration>,
}

impl Snapshot {
    fn settled(&self) -> u64 {
        self.done + self.failed
    }
}

/// The progress of a run on standard error.
#[derive(Debug)]
pub struct Progress {
    display: Display,
    rate: Rate,
    /// When the next drawing or line is due; `None` if there is none ever.
    next: Option<Instant>,
}

#[derive(Debug)]
enum Display {
    Bar { bar: ProgressBar, colour: bool, has_total: bool },
    Lines,
    Hidden,
}

impl Progress {
    /// Begins. Nothing is drawn before the first [`Progress::tick`].
    pub fn new(mode: Mode) -> Progress {
        Progress::with_target(mode, ProgressDrawTarget::stderr(), Instant::now())
    }

    fn with_target(mode: Mode, target: ProgressDrawTarget, now: Instant) -> Progress {
        let (display, next) = match mode {
            // Asked for a bar where none can be drawn: messages would vanish with it.
            Mode::Bar { .. } if target.is_hidden() => (Display::Lines, Some(now + LINE_INTERVAL)),
            Mode::Bar { colour } => {
                let bar = ProgressBar::with_draw_target(None, target).with_style(style(false, colour));
                (Display::Bar { bar, colour, has_total: false }, Some(now))
            }
            Mode::Lines => (Display::Lines, Some(now + LINE_INTERVAL)),
            Mode::Hidden => (Display::Hidden, None),
        };
        Progress { display, rate: Rate::default(), next }
    }

    /// Shows a state, if it is time to. Cheap otherwise, so it may be called for every page.
    pub fn tick(&mut self, snapshot: &Snapshot) {
        if self.next.is_some() {
            self.tick_at(Instant::now(), snapshot);
        }
    }

    fn tick_at(&mut self, now: Instant, snapshot: &Snapshot) {
        if self.next.is_none_or(|next| now < next) {
            return;
        }
        let rate = self.rate.observe(snapshot);
        match &mut self.display {
            Display::Bar { bar, colour, has_total } => {
                if *has_total != snapshot.total.is_some() {
                    *has_total = snapshot.total.is_some();
                    bar.set_style(style(*has_total, *colour));
                }
                // Each setter draws, and indicatif may leave a drawing out: the one that is complete comes last, and the
                // next interval makes up for it.
                bar.set_message(bar_text(snapshot, rate));
                bar.update(|state| {
                    state.set_pos(snapshot.settled());
                    if let Some(total) = snapshot.total {
                        state.set_len(total);
                    }
                });
                self.next = Some(now + BAR_INTERVAL);
            }
            Display::Lines => {
                write_line(&line_text(snapshot, rate));
                self.next = Some(now + LINE_INTERVAL);
            }
            Display::Hidden => {}
        }
    }

    /// When [`Progress::tick`] wants to be called; `None` if it never does.
    pub fn next_tick(&self) -> Option<Instant> {
        self.next
    }

    /// Prints a message on a line of its own, in every mode. What a terminal would obey is made visible instead.
    pub fn println(&self, line: &str) {
        let line = printable(line);
        match &self.display {
            Display::Bar { bar, .. } => bar.println(line),
            Display::Lines | Display::Hidden => write_line(&line),
        }
    }

    /// Ends: the bar is wiped, and nothing is drawn any more.
    pub fn finish(&mut self) {
        self.next = None;
        if let Display::Bar { bar, .. } = std::mem::replace(&mut self.display, Display::Hidden) {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    /// A panic's message should not stand in a half-drawn bar.
    fn drop(&mut self) {
        self.finish();
    }
}

/// A standard error that is gone or full is no reason to end a run.
fn write_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The message is cut at the edge of the terminal, so a narrow one shows its beginning.
fn style(has_total: bool, colour: bool) -> ProgressStyle {
    let template = match (has_total, colour) {
        (true, true) => "{bar:10.cyan/dim} {wide_msg}",
        (true, false) => "{bar:10} {wide_msg}",
        (false, true) => "{spinner:.cyan} {wide_msg}",
        (false, false) => "{spinner} {wide_msg}",
    };
    ProgressStyle::with_template(template).expect("a valid template").progress_chars("━╸─")
}

/// `120/500, 2 failed · ETA 3s · 119/s · 12,340 records · 16 in flight · queues 4, 3`: what matters most comes first,
/// so that 40 columns still hold the pages and the ETA.
fn bar_text(snapshot: &Snapshot, rate: f64) -> String {
    let mut text = pages(snapshot, "");
    if let Some(eta) = eta(snapshot, rate) {
        let _ = write!(text, " · ETA {eta}");
    }
    if let Some(time) = snapshot.waiting {
        let _ = write!(text, " · waiting {}", clock(time));
    }
    let _ = write!(
        text,
        " · {}/s · {} records · {} in flight · queues {}, {}",
        rounded_rate(rate),
        HumanCount(snapshot.records),
        snapshot.in_flight,
        snapshot.queued_requests,
        snapshot.queued_pages
    );
    text
}

/// The same for a log, in words.
fn line_text(snapshot: &Snapshot, rate: f64) -> String {
    let mut text = format!(
        "progress: {}, {} records, {} pages/s, {} in flight, {} requests and {} pages queued",
        pages(snapshot, " pages"),
        HumanCount(snapshot.records),
        rounded_rate(rate),
        snapshot.in_flight,
        snapshot.queued_requests,
        snapshot.queued_pages
    );
    if let Some(time) = snapshot.waiting {
        let _ = write!(text, ", waiting {}", clock(time));
    }
    if let Some(eta) = eta(snapshot, rate) {
        let _ = write!(text, ", ETA {eta}");
    }
    text
}

/// `120/500, 2 failed`, with a unit behind the first number.
fn pages(snapshot: &Snapshot, unit: &str) -> String {
    let mut text = HumanCount(snapshot.settled()).to_string();
    if let Some(total) = snapshot.total {
        let _ = write!(text, "/{}", HumanCount(total));
    }
    text.push_str(unit);
    if snapshot.failed > 0 {
        let _ = write!(text, ", {} failed", HumanCount(snapshot.failed));
    }
    text
}

fn rounded_rate(rate: f64) -> String {
    if rate >= 9.95 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

/// `3s`, `2m05s`, `7h03m`, `12d`; `None` if there is no total or no rate to judge by.
fn eta(snapshot: &Snapshot, rate: f64) -> Option<String> {
    let left = snapshot.total?.saturating_sub(snapshot.settled());
    if left == 0 || rate < 0.001 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a guess for people")]
    let seconds = left as f64 / rate;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    let seconds = seconds.ceil() as u64;
    (seconds < 86_400_000).then(|| clock(Duration::from_secs(seconds)))
}

/// `3s`, `2m05s`, `7h03m`, `12d`: a time as on a clock, begun seconds as whole ones.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Pages per second of late: an average in which what is long ago counts less and less.
#[derive(Debug, Default)]
struct Rate {
    settled: u64,
    elapsed: Duration,
    per_second: f64,
}

impl Rate {
    fn observe(&mut self, snapshot: &Snapshot) -> f64 {
        let time = snapshot.elapsed.saturating_sub(self.elapsed).as_secs_f64();
        if time <= 0.0 {
            return self.per_second;
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let now = snapshot.settled().saturating_sub(self.settled) as f64 / time;
        // In the beginning the memory is as long as the run, so that the first pages do not pass for a trend.
        let memory = RATE_MEMORY.min(snapshot.elapsed).as_secs_f64();
        let weight = if self.elapsed.is_zero() { 1.0 } else { 1.0 - (-time / memory).exp() };
        self.per_second += weight * (now - self.per_second);
        self.settled = snapshot.settled();
        self.elapsed = snapshot.elapsed;
        self.per_second
    }
}

/// Text in which every character that a terminal would obey is written as `\u{1b}`: control characters (C0, DEL, C1;
/// ISO 6429) and the embeddings, overrides and isolates that turn the direction of writing (UAX #9, 2), with which a
/// page could make a line read as something else. Line feeds and tabs too: a message is one line.
pub fn printable(text: &str) -> Cow<'_, str> {
    with_obeyed(text, |c, out| out.extend(c.escape_unicode()))
}

/// JSON in which the same characters are written as JSON does, `\u001b`: it stays what it is.
pub fn printable_json(json: &str) -> Cow<'_, str> {
    // None of them is beyond U+FFFF.
    with_obeyed(json, |c, out| out.push_str(&format!("\\u{:04x}", u32::from(c))))
}

fn with_obeyed(text: &str, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    let is_obeyed =
        |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) {
            write(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
