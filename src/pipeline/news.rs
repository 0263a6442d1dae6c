//! Which records are news: those that no earlier run has written, or that have changed since.
//!
//! [`Known`] is the store of what earlier runs met, and of this one's part that is safe on disk; [`News`] decides line by
//! line when lines are written, and keeps in front of the store what was not taken over yet. What is written and what is
//! noted of it have to reach the disk together, so nothing is stored here: [`News::take_notes`] hands the notes to
//! whoever commits the lines. Knows no page, no file, no screen.

use std::collections::HashMap;

use crate::model::{Mark, Records};

/// How many entries are looked at together when the run asks what is gone.
const LOOKED_AT_ONCE: usize = 1024;

/// What is known of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// See [`Mark::content`]: of the line that was written last.
    pub content: u128,
    /// The number of the run that met it last.
    pub run: u64,
    /// See [`Mark::key_json`].
    pub key_json: String,
}

/// What is to be kept of one key from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// See [`Mark::key`].
    pub key: u128,
    /// `None` to forget it.
    pub entry: Option<Entry>,
}

/// The store of keys cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up which records are known: {0}")]
pub struct KnownError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The keys that runs have met.
pub trait Known {
    /// What is known of a key. It must know of notes from the moment on that [`News::take_notes`] gave them away.
    ///
    /// # Errors
    /// The store cannot be read.
    fn look_up(&mut self, key: u128) -> Result<Option<Entry>, KnownError>;

    /// Entries that no run from `run` on has met, in the order of their keys: the first `most` of them with a key above
    /// `after`, or from the first key on.
    ///
    /// # Errors
    /// The store cannot be read.
    fn not_met_since(
        &mut self,
        run: u64,
        after: Option<u128>,
        most: usize,
    ) -> Result<Vec<(u128, Entry)>, KnownError>;
}

/// How records fared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NewsCounts {
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
}

impl NewsCounts {
    /// How many were written.
    pub fn written(self) -> u64 {
        self.new + self.changed
    }
}

/// What a line is to whoever keeps what earlier runs wrote; `_op` in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    New,
    Changed,
    Gone,
}

impl Op {
    /// As the last member of an object that has others.
    fn member(self) -> &'static [u8] {
        match self {
            Op::New => b",\"_op\":\"new\"}\n",
            Op::Changed => b",\"_op\":\"changed\"}\n",
            Op::Gone => b",\"_op\":\"gone\"}\n",
        }
    }
}

/// What a record is to this run.
enum Verdict {
    Write(Op),
    Unchanged,
    SameKey,
}

/// Decides which records are written.
pub struct News {
    known: Box<dyn Known>,
    /// The number of this run; those of earlier ones are lower. A run that is taken up again keeps its number.
    run: u64,
    with_op: bool,
    /// What the store does not know yet.
    notes: HashMap<u128, Option<Entry>>,
}

impl News {
    /// Decides for run number `run` by what is `known`; with `with_op`, each line says what it is.
    pub fn new(known: Box<dyn Known>, run: u64, with_op: bool) -> News {
        News { known, run, with_op, notes: HashMap::new() }
    }

    /// Whether an earlier run has met a record of this page.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn has_seen(&mut self, records: &Records) -> Result<bool, KnownError> {
        for key in records.marks.iter().filter_map(|mark| mark.key) {
            if self.look_up(key)?.is_some_and(|entry| entry.run < self.run) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Puts the lines of a page that are news behind `lines`, up to `room` of them, and notes what was met. What there
    /// is no room for counts as not met.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn pick(
        &mut self,
        records: &Records,
        room: u64,
        lines: &mut Vec<u8>,
    ) -> Result<NewsCounts, KnownError> {
        debug_assert_eq!(records.marks.len() as u64, records.count, "each line has its mark");
        let mut counts = NewsCounts::default();
        let mut rest = records.lines.as_slice();
        for mark in &records.marks {
            if counts.written() == room {
                break;
            }
            let (line, behind) = rest.split_at(mark.line_bytes);
            rest = behind;
            match self.judge(mark)? {
                Verdict::Unchanged => counts.unchanged += 1,
                Verdict::SameKey => counts.same_key += 1,
                Verdict::Write(op) => {
                    match op {
                        Op::Changed => counts.changed += 1,
                        _ => counts.new += 1,
                    }
                    counts.without_key += u64::from(mark.key.is_none());
                    lines.extend_from_slice(line);
                    if self.with_op {
                        add_op(lines, op);
                    }
                }
            }
        }
        Ok(counts)
    }

    fn judge(&mut self, mark: &Mark) -> Result<Verdict, KnownError> {
        let Some(key) = mark.key else { return Ok(Verdict::Write(Op::New)) };
        let verdict = match self.look_up(key)? {
            None => Verdict::Write(Op::New),
            Some(entry) if entry.run == self.run => return Ok(Verdict::SameKey),
            Some(entry) if entry.content == mark.content => Verdict::Unchanged,
            Some(_) => Verdict::Write(Op::Changed),
        };
        let entry = Entry { content: mark.content, run: self.run, key_json: mark.key_json.clone() };
        self.notes.insert(key, Some(entry));
        Ok(verdict)
    }

    fn look_up(&mut self, key: u128) -> Result<Option<Entry>, KnownError> {
        match self.notes.get(&key) {
            Some(entry) => Ok(entry.clone()),
            None => self.known.look_up(key),
        }
    }

    /// What is gone: keys that this run has not met, to be asked for when it has met all there are.
    pub fn gone(&self) -> Gone {
        Gone { after: None }
    }

    /// What was noted since the last call: it belongs into the same commit as the lines of that time.
    pub fn take_notes(&mut self) -> Vec<Note> {
        self.notes.drain().map(|(key, entry)| Note { key, entry }).collect()
    }
}

/// How far the keys were looked through for what is gone.
#[derive(Debug)]
pub struct Gone {
    after: Option<u128>,
}

impl Gone {
    /// Looks at some more keys: puts a line for each that is gone behind `lines`, notes that it is forgotten, and says how
    /// many those were; `None` when there are no more keys. A record without a key in the job is never gone, as it never
    /// changes.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tell_more(&mut self, news: &mut News, lines: &mut Vec<u8>) -> Result<Option<u64>, KnownError> {
        let entries = news.known.not_met_since(news.run, self.after, LOOKED_AT_ONCE)?;
        let Some((last, _)) = entries.last() else { return Ok(None) };
        self.after = Some(*last);
        let mut count = 0;
        for (key, entry) in entries {
            // The store is behind by what was noted.
            if entry.key_json.is_empty() || news.notes.contains_key(&key) {
                continue;
            }
            lines.push(b'{');
            lines.extend_from_slice(entry.key_json.as_bytes());
            lines.extend_from_slice(Op::Gone.member());
            news.notes.insert(key, None);
            count += 1;
        }
        Ok(Some(count))
    }
}

/// Makes `_op` the last member of the object in the last line.
fn add_op(lines: &mut Vec<u8>, op: Op) {
    debug_assert!(lines.ends_with(b"}\n"), "a line is an object");
    lines.truncate(lines.len() - 2);
    let is_empty = lines.ends_with(b"{");
    lines.extend_from_slice(&op.member()[usize::from(is_empty)..]);
}
