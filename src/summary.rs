//! The counts of a run, and how it ended: for people as a few lines, for scripts as a JSON file and an exit code.
//!
//! Counts what it is told; knows no page, thread or bar. It also owns the exit codes of a run, since they follow from
//! the counts.

#[path = "summary_fields.rs"]
mod fields;
#[path = "summary_kept.rs"]
mod kept;
#[path = "summary_last.rs"]
mod last;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::model::FieldTally;
pub use last::{LastRun, LastRunError};

/// The kinds of failure that say "not you", by [`PageError::kind`](crate::model::PageError::kind).
const REFUSALS: [&str; 6] =
    ["status 401", "status 403", "status 429", "status 451", "status 999", "no robots.txt"];

/// The exit code of a run that is done, but for pages that failed.
pub const PAGES_FAILED: u8 = 3;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing was left to do.
    Completed,
    /// An empty page ended the range, as asked for.
    UntilEmpty,
    /// A record of an earlier run ended the range, as asked for.
    AtSeen,
    /// As many records as asked for are there.
    MaxRecords,
    /// The time was up with work left.
    MaxTime,
    /// A signal, by its number; what was under way was still written.
    Interrupted(u8),
    /// Who read the records has gone.
    BrokenPipe,
    /// Links that wait could not be kept.
    LinksLost,
    /// The source is not the one that the run began with.
    SourceChanged,
    /// What was done could not be written down, or what earlier runs left could not be read.
    StateError,
    /// Records could not be written.
    OutputError,
    /// A fault of pagemill itself.
    InternalError,
}

impl End {
    /// Whether nothing is left to do: the same command begins anew then.
    pub fn is_done(self) -> bool {
        matches!(self, End::Completed | End::UntilEmpty | End::AtSeen | End::MaxRecords)
    }

    /// The name in the JSON summary.
    pub fn name(self) -> &'static str {
        match self {
            End::Completed => "completed",
            End::UntilEmpty => "until_empty",
            End::AtSeen => "at_seen",
            End::MaxRecords => "max_records",
            End::MaxTime => "max_time",
            End::Interrupted(_) => "interrupted",
            End::BrokenPipe => "broken_pipe",
            End::OutputError => "output_error",
            End::LinksLost => "links_lost",
            End::SourceChanged => "source_changed",
            End::StateError => "state_error",
            End::InternalError => "internal_error",
        }
    }
}

/// What a run did. The fields are for the conductor to count up.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Pages that gave what was asked of them, be it no record.
    pub pages_done: u64,
    /// Pages that robots.txt forbids.
    pub pages_disallowed: u64,
    /// Pages that failed for good, by [`PageError::kind`](crate::model::PageError::kind).
    pub failed_by_kind: BTreeMap<String, u64>,
    /// Further tries, whatever became of them.
    pub retries: u64,
    /// How often a host was left alone for a while, since it asked for that or did not keep up.
    pub pauses: u64,
    /// Links that were followed; `None` if none are in this job.
    pub links: Option<LinkSummary>,
    /// Lines written.
    pub records: u64,
    /// Records left out because a required field was missing.
    pub records_dropped: u64,
    /// How records compare with those of earlier runs; `None` if they are not compared.
    pub news: Option<NewsSummary>,
    /// The fields by name, and how often each was found.
    pub fields: Vec<(String, FieldTally)>,
    /// Bytes of bodies, decoded.
    pub bytes: u64,
    /// When the run began.
    pub started_at: SystemTime,
    /// How long it took, by a clock that does not jump.
    pub duration: Duration,
    /// How it ended.
    pub end: End,
    /// The checks of the job that it breaks, one line for each.
    pub checks_broken: Vec<String>,
    /// The run that it is measured by, if one is known and wanted.
    pub last_run: Option<LastRun>,
}

/// What became of the links of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkSummary {
    /// Links followed.
    pub followed: u64,
    /// Links to what was known already.
    pub known: u64,
    /// Links left out, by reason; the most frequent first.
    pub left_out: Vec<(String, u64)>,
    /// Shapes of which pages were left out, and how many.
    pub shapes_cut: Vec<(String, u64)>,
}

/// How the records of a run compare with those of earlier ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewsSummary {
    /// Written for the first time.
    pub new: u64,
    /// Of these, without a key, so that nobody can say whether they were met before.
    pub without_key: u64,
    /// Written again, since they say something else.
    pub changed: u64,
    /// Left out: an earlier run wrote the same.
    pub unchanged: u64,
    /// Left out: this run has had one with this key.
    pub same_key: u64,
    /// Keys of earlier runs that this one has not met, each a line; `None` if that was not asked, or cannot be said.
    pub gone: Option<u64>,
}

impl NewsSummary {
    /// Adds the counts of another page.
    pub fn add(&mut self, more: NewsSummary) {
        self.new += more.new;
        self.without_key += more.without_key;
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.same_key += more.same_key;
        if let Some(gone) = more.gone {
            *self.gone.get_or_insert(0) += gone;
        }
    }

    /// New records and changed ones.
    pub fn written(self) -> u64 {
        self.new + self.changed
    }
}

impl Summary {
    /// Nothing counted yet, and an end that holds until another one is known.
    pub fn starting_at(started_at: SystemTime) -> Summary {
        Summary {
            pages_done: 0,
            pages_disallowed: 0,
            failed_by_kind: BTreeMap::new(),
            retries: 0,
            pauses: 0,
            links: None,
            records: 0,
            records_dropped: 0,
            news: None,
            fields: Vec::new(),
            bytes: 0,
            started_at,
            duration: Duration::ZERO,
            end: End::Completed,
            checks_broken: Vec::new(),
            last_run: None,
        }
    }

    /// Counts a page that failed for good.
    pub fn count_failure(&mut self, kind: String) {
        *self.failed_by_kind.entry(kind).or_default() += 1;
    }

    /// Adds how the fields of a page fared, in the order of [`Summary::fields`].
    pub fn count_fields(&mut self, tallies: &[FieldTally]) {
        for ((_, tally), more) in self.fields.iter_mut().zip(tallies) {
            tally.add(*more);
        }
    }

    /// When it ended: by the clock at its beginning, and the one that does not jump.
    pub fn ended_at(&self) -> SystemTime {
        self.started_at.checked_add(self.duration).unwrap_or(self.started_at)
    }

    /// Records that were there, be they news or not.
    pub fn records_met(&self) -> u64 {
        self.news.map_or(self.records, |news| self.records - news.gone.unwrap_or(0) + news.unchanged)
    }

    /// Pages that failed for good.
    pub fn pages_failed(&self) -> u64 {
        self.failed_by_kind.values().sum()
    }

    /// Whether there would have been pages, and robots.txt or the server refused every one of them.
    pub fn was_shut_out(&self) -> bool {
        let refused: u64 = REFUSALS.iter().filter_map(|&kind| self.failed_by_kind.get(kind)).sum();
        self.pages_done == 0 && self.pages_disallowed + refused > 0 && self.pages_failed() == refused
    }

    /// Pages done or failed per second; `None` for a run too short to tell.
    pub fn pages_per_second(&self) -> Option<f64> {
        let pages = self.pages_done + self.pages_failed();
        let seconds = self.duration.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people; exact below 2^53 pages")]
        (seconds >= 0.001).then(|| pages as f64 / seconds)
    }

    /// The exit code of the run. What ended it early says more than the pages that failed before; a check that is
    /// broken, if it came to its end, says more than those, and than having been shut out.
    pub fn exit_code(&self) -> u8 {
        match self.end {
            end if end.is_done() && !self.checks_broken.is_empty() => 4,
            End::Completed | End::UntilEmpty | End::AtSeen if self.was_shut_out() => 5,
            End::Completed | End::UntilEmpty | End::AtSeen if self.pages_failed() > 0 => PAGES_FAILED,
            // `pagemill … | head` has done what was asked.
            End::Completed | End::UntilEmpty | End::AtSeen | End::MaxRecords | End::BrokenPipe => 0,
            End::OutputError | End::LinksLost | End::SourceChanged | End::StateError | End::InternalError => {
                1
            }
            // EX_TEMPFAIL of sysexits.h: run it again.
            End::MaxTime => 75,
            End::Interrupted(signal) => 128_u8.saturating_add(signal),
        }
    }

    /// The summary as JSON. The keys are fixed, scripts depend on them:
    ///
    /// | key | value |
    /// | --- | --- |
    /// | `pages_done`, `pages_failed`, `retries`, `records` | counts |
    /// | `pauses` | how often a host was left alone for a while, since it asked for that or did not keep up |
    /// | `pages_disallowed` | pages that robots.txt forbids, and that were not asked for |
    /// | `records_dropped` | records left out because a required field was missing |
    /// | `records_new`, `records_changed` | if records are compared with earlier runs: how many were written for the first time, and again |
    /// | `records_unchanged`, `records_same_key` | then, too: left out since an earlier run wrote the same, or this one the same key |
    /// | `records_without_key` | then, too: new ones of which nobody can say whether they were met before |
    /// | `records_gone` | then, too: keys that were not met any more; `null` if that was not asked, or cannot be said |
    /// | `fields` | an object with `{filled, empty, wrong_type}` for each field, nested ones as `author.name` |
    /// | `failed_by_kind` | an object, a count for each kind of failure |
    /// | `links_followed`, `links_known` | if links are followed: how many, and how many led to what was known |
    /// | `links_left_out`, `shapes_cut` | objects: links not followed by reason, and by the shape of which there were too many |
    /// | `bytes` | bytes of bodies, decoded |
    /// | `started_at`, `ended_at` | RFC 3339 in UTC, with milliseconds |
    /// | `seconds` | duration, to the millisecond |
    /// | `pages_per_second` | a number; `null` for a run too short to tell |
    /// | `end` | see [`End::name`] |
    /// | `checks_broken` | a list of the checks that are broken, a text for each |
    /// | `last_run` | if there is one to be measured by: its `records`, `pages_done` and `ended_at` |
    /// | `exit_code` | see [`Summary::exit_code`] |
    pub fn to_json(&self) -> Value {
        let thousandths = |number: f64| Value::from((number * 1000.0).round() / 1000.0);
        let failed = self.failed_by_kind.iter().map(|(kind, &count)| (kind.clone(), count.into())).collect();
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
        put("pages_done", self.pages_done.into());
        put("pages_failed", self.pages_failed().into());
        put("pages_disallowed", self.pages_disallowed.into());
        put("failed_by_kind", Value::Object(failed));
        put("retries", self.retries.into());
        put("pauses", self.pauses.into());
        put("records", self.records.into());
        put("records_dropped", self.records_dropped.into());
        if let Some(news) = &self.news {
            put("records_new", news.new.into());
            put("records_changed", news.changed.into());
            put("records_unchanged", news.unchanged.into());
            put("records_same_key", news.same_key.into());
            put("records_without_key", news.without_key.into());
            put("records_gone", news.gone.into());
        }
        put("fields", fields::to_json(&self.fields));
        if let Some(links) = &self.links {
            let object = |counts: &[(String, u64)]| {
                Value::Object(counts.iter().map(|(name, count)| (name.clone(), (*count).into())).collect())
            };
            put("links_followed", links.followed.into());
            put("links_known", links.known.into());
            put("links_left_out", object(&links.left_out));
            put("shapes_cut", object(&links.shapes_cut));
        }
        put("bytes", self.bytes.into());
        put("started_at", rfc3339(self.started_at).into());
        put("ended_at", rfc3339(self.ended_at()).into());
        put("seconds", thousandths(self.duration.as_secs_f64()));
        put("pages_per_second", self.pages_per_second().map_or(Value::Null, thousandths));
        put("end", self.end.name().into());
        put("checks_broken", self.checks_broken.clone().into());
        if let Some(last) = &self.last_run {
            put("last_run", last.to_json());
        }
        put("exit_code", self.exit_code().into());
        Value::Object(map)
    }

    /// Writes [`Summary::to_json`] and a line feed to a file. A regular file is replaced in one step, so that nobody
    /// ever reads half of it; a device or FIFO is written to as it is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_json(&self, path: &Path) -> Result<(), SummaryFileError> {
        let text = format!("{:#}\n", self.to_json());
        let written = if is_written_in_place(path) {
            OpenOptions::new().append(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()))
        } else {
            replace(path, text.as_bytes())
        };
        written.map_err(|cause| SummaryFileError { path: path.into(), cause })
    }
}

/// The summary could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the summary to {}: {cause}", .path.display())]
pub struct SummaryFileError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    pub cause: io::Error,
}

/// A time in UTC, to the millisecond. `None` outside of the years -9999 to 9999: a clock gone mad must not cost the rest
/// of the summary.
pub(crate) fn rfc3339(time: SystemTime) -> Option<String> {
    jiff::Timestamp::try_from(time).ok().map(|timestamp| format!("{timestamp:.3}"))
}

/// Whether the path is that of something that is open already. `/dev/stdout` may lead to a regular file that records
/// were written to: replacing that would lose them, so the summary is written behind what is there.
pub fn is_own_handle(path: &Path) -> bool {
    ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|own| path.starts_with(own))
}

/// Whether the summary is written to this path as it is, and does not replace a file: there is nothing to read there
/// afterwards.
pub fn is_written_in_place(path: &Path) -> bool {
    is_own_handle(path) || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // A symbolic link stays one: what it leads to is replaced.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let replaced = write_new(&beside, &path, content).and_then(|()| fs::rename(&beside, &path));
    if replaced.is_err() {
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// Writes a new file, with the permissions of an existing one.
fn write_new(path: &Path, like: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    if let Ok(metadata) = fs::metadata(like) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    // Else a power cut after the rename could leave an empty file.
    file.sync_all()
}

/// `500 pages (2 failed, 3 retries), 12,340 records, 70.1 MB in 4.2s (119 pages/s)`, then why it ended early, the
/// failures by kind, the most frequent first, and the fields that were not always found.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.pages_failed();
        let pages = self.pages_done + failed + self.pages_disallowed;
        write!(f, "{}", counted(pages, "page", "pages"))?;
        let mut notes = Vec::new();
        if self.pages_disallowed > 0 {
            notes.push(format!("{} disallowed by robots.txt", grouped(self.pages_disallowed)));
        }
        if failed > 0 {
            notes.push(format!("{} failed", grouped(failed)));
        }
        if self.retries > 0 {
            notes.push(counted(self.retries, "retry", "retries"));
        }
        if self.pauses > 0 {
            notes.push(counted(self.pauses, "pause", "pauses"));
        }
        if !notes.is_empty() {
            write!(f, " ({})", notes.join(", "))?;
        }
        let records = counted(self.records, "record", "records");
        write!(f, ", {records}, {} in {}", decimal_bytes(self.bytes), rounded_duration(self.duration))?;
        match self.pages_per_second() {
            Some(rate) if rate >= 9.95 => write!(f, " ({rate:.0} pages/s)")?,
            Some(rate) if rate > 0.0 => write!(f, " ({rate:.1} pages/s)")?,
            _ => {}
        }
        match self.end {
            End::Completed | End::BrokenPipe => {}
            End::UntilEmpty => write!(f, "\nended at an empty page")?,
            End::AtSeen => write!(f, "\nended at a record of an earlier run")?,
            End::MaxRecords => write!(f, "\nended with the records asked for")?,
            End::MaxTime => write!(f, "\nstopped with work left: the time was up")?,
            End::Interrupted(signal) => write!(f, "\ninterrupted by {}", signal_name(signal))?,
            End::OutputError => write!(f, "\nstopped: the output failed")?,
            End::LinksLost => write!(f, "\nstopped: there is no room for pending links")?,
            End::SourceChanged => write!(f, "\nstopped: the source has changed since this run began")?,
            End::StateError => write!(f, "\nstopped: the state cannot be read or written")?,
            End::InternalError => write!(f, "\nstopped: internal error")?,
        }
        if let Some(news) = &self.news {
            news.fmt(f)?;
        }
        let mut kinds: Vec<_> =
            self.failed_by_kind.iter().map(|(kind, &count)| (kind, grouped(count), count)).collect();
        kinds.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        let width = kinds.iter().map(|(_, text, _)| text.len()).max().unwrap_or(0);
        kinds.iter().try_for_each(|(kind, count, _)| write!(f, "\n  {count:>width$}  {kind}"))?;
        let met = |links: &&LinkSummary| links.followed + links.known > 0 || !links.left_out.is_empty();
        self.links.iter().filter(met).try_for_each(|links| links.fmt(f))?;
        fields::write(f, &self.fields, self.records_dropped)
    }
}

/// `news: 12 new, 3 changed, 1 gone, 1,020 unchanged`, then what could not be told apart.
impl fmt::Display for NewsSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\nnews: {} new, {} changed", grouped(self.new), grouped(self.changed))?;
        if let Some(gone) = self.gone {
            write!(f, ", {} gone", grouped(gone))?;
        }
        write!(f, ", {} unchanged", grouped(self.unchanged))?;
        if self.same_key > 0 {
            write!(f, "\n  {}  left out: the same key again", grouped(self.same_key))?;
        }
        if self.without_key > 0 {
            write!(
                f,
                "\n  {}  written as new, since they have no value in their key",
                grouped(self.without_key)
            )?;
        }
        Ok(())
    }
}

/// `links: 1,020 followed, 3,400 known already`, then those that were left out.
impl fmt::Display for LinkSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (followed, known) = (grouped(self.followed), grouped(self.known));
        write!(f, "\nlinks: {followed} followed, {known} known already")?;
        for (reason, count) in &self.left_out {
            write!(f, "\n  {}  left out: {reason}", grouped(*count))?;
        }
        for (shape, count) in &self.shapes_cut {
            write!(f, "\n  {}  of the shape {shape}", grouped(*count))?;
        }
        Ok(())
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `12,340`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `70.1 MB`, in powers of ten as disks and networks count.
fn decimal_bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let number = bytes as f64;
    // A unit begins where the one below would round to 1000.0.
    match number {
        ..999.5 => format!("{bytes} B"),
        ..999_950.0 => format!("{:.1} kB", number / 1e3),
        ..999_950_000.0 => format!("{:.1} MB", number / 1e6),
        ..999_950_000_000.0 => format!("{:.1} GB", number / 1e9),
        _ => format!("{:.1} TB", number / 1e12),
    }
}

/// `0.03s`, `4.2s`, `1m05s`, `2h03m`.
fn rounded_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_millis().saturating_add(500) / 1000;
    match whole {
        _ if seconds < 0.095 => format!("{seconds:.2}s"),
        _ if seconds < 59.95 => format!("{seconds:.1}s"),
        ..3600 => format!("{}m{:02}s", whole / 60, whole % 60),
        _ => format!("{}h{:02}m", whole / 3600, whole % 3600 / 60),
    }
}

fn signal_name(signal: u8) -> String {
    // The numbers of POSIX's kill utility.
    match signal {
        1 => "SIGHUP".into(),
        2 => "SIGINT".into(),
        15 => "SIGTERM".into(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
#[path = "summary_tests.rs"]
mod tests;
