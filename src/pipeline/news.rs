//! Which records are news: those that no earlier run has written, or that have changed since.
//!
//! [`Known`] is the store of what earlier runs met, and of this one's part that is safe on disk; [`News`] decides line by
//! line when lines are written, and keeps in front of the store what was not taken over yet. What is written and what is
//! noted of it have to reach the disk together, so nothing is stored here: [`News::take_notes`] hands the notes to
//! whoever commits the lines. Knows no page, no file, no screen.

use std::collections::HashMap;

use crate::model::{Mark, Records};
use crate::summary::NewsSummary;

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

/// What runs before this one have left.
pub struct Past {
    /// The keys that they met.
    pub known: Box<dyn Known>,
    /// The number of this run; those of earlier ones are lower. A run that is taken up again keeps its number.
    pub run: u64,
}

/// Decides which records are written.
pub struct News {
    past: Past,
    with_op: bool,
    /// What the store does not know yet.
    notes: HashMap<u128, Option<Entry>>,
}

impl News {
    /// Decides by what is past; with `with_op`, each line says what it is.
    pub fn new(past: Past, with_op: bool) -> News {
        News { past, with_op, notes: HashMap::new() }
    }

    /// Whether lines say what they are.
    pub fn with_op(&self) -> bool {
        self.with_op
    }

    /// Whether an earlier run has met a record of this page.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn has_seen(&mut self, records: &Records) -> Result<bool, KnownError> {
        for key in records.marks.iter().filter_map(|mark| mark.key) {
            if self.look_up(key)?.is_some_and(|entry| entry.run < self.past.run) {
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
    ) -> Result<NewsSummary, KnownError> {
        debug_assert_eq!(records.marks.len() as u64, records.count, "each line has its mark");
        let mut counts = NewsSummary::default();
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
            Some(entry) if entry.run == self.past.run => return Ok(Verdict::SameKey),
            Some(entry) if entry.content == mark.content => Verdict::Unchanged,
            Some(_) => Verdict::Write(Op::Changed),
        };
        let entry = Entry { content: mark.content, run: self.past.run, key_json: mark.key_json.clone() };
        self.notes.insert(key, Some(entry));
        Ok(verdict)
    }

    fn look_up(&mut self, key: u128) -> Result<Option<Entry>, KnownError> {
        match self.notes.get(&key) {
            Some(entry) => Ok(entry.clone()),
            None => self.past.known.look_up(key),
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
        let entries = news.past.known.not_met_since(news.past.run, self.after, LOOKED_AT_ONCE)?;
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

#[cfg(test)]
pub(crate) mod memory {
    //! What runs have met, in memory only.

    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::ops::Bound;
    use std::rc::Rc;

    use super::{Entry, Known, KnownError, Note, Past};

    /// Shared by all runs that are handed a clone.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct Memory(Rc<RefCell<BTreeMap<u128, Entry>>>);

    impl Memory {
        /// What a run of this number may look at.
        pub(crate) fn past(&self, run: u64) -> Past {
            Past { known: Box::new(self.clone()), run }
        }

        pub(crate) fn keep(&self, notes: Vec<Note>) {
            let mut entries = self.0.borrow_mut();
            for Note { key, entry } in notes {
                match entry {
                    Some(entry) => entries.insert(key, entry),
                    None => entries.remove(&key),
                };
            }
        }
    }

    impl Known for Memory {
        fn look_up(&mut self, key: u128) -> Result<Option<Entry>, KnownError> {
            Ok(self.0.borrow().get(&key).cloned())
        }

        fn not_met_since(
            &mut self,
            run: u64,
            after: Option<u128>,
            most: usize,
        ) -> Result<Vec<(u128, Entry)>, KnownError> {
            let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
            let entries = self.0.borrow();
            let old = entries.range((begin, Bound::Unbounded)).filter(|(_, entry)| entry.run < run);
            Ok(old.take(most).map(|(key, entry)| (*key, entry.clone())).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_is_stands_last_in_it_and_alone_in_an_empty_one() {
        let with = |line: &str, op| {
            let mut lines = format!("{{}}\n{line}\n").into_bytes();
            add_op(&mut lines, op);
            String::from_utf8(lines).unwrap()
        };
        assert_eq!(with("{}", Op::New), "{}\n{\"_op\":\"new\"}\n");
        assert_eq!(with("{\"a\":{}}", Op::Changed), "{}\n{\"a\":{},\"_op\":\"changed\"}\n");
        assert_eq!(
            with("{\"a\":\"{\",\"_url\":\"u\"}", Op::New),
            "{}\n{\"a\":\"{\",\"_url\":\"u\",\"_op\":\"new\"}\n"
        );
    }

    #[test]
    fn more_keys_than_are_looked_at_at_once_are_all_gone_but_those_noted_since() {
        let memory = memory::Memory::default();
        let entry = |run| Entry { content: 0, run, key_json: "\"k\":1".to_owned() };
        let all = 3 * LOOKED_AT_ONCE as u128 + 5;
        memory.keep((0..all).map(|key| Note { key, entry: Some(entry(1)) }).collect());
        let mut news = News::new(memory.past(2), true);
        for key in [0, all / 2, all - 1] {
            news.notes.insert(key, Some(entry(2)));
        }
        let (mut gone, mut lines, mut count) = (news.gone(), Vec::new(), 0);
        while let Some(more) = gone.tell_more(&mut news, &mut lines).unwrap() {
            count += more;
            if more % 2 == 0 {
                // A commit in between.
                memory.keep(news.take_notes());
            }
        }
        assert_eq!(count as u128, all - 3);
        assert!(lines.starts_with(b"{\"k\":1,\"_op\":\"gone\"}\n"));
        memory.keep(news.take_notes());
        assert_eq!(memory.past(3).known.not_met_since(3, None, usize::MAX).unwrap().len(), 3);
    }
}
