//! The run before, as the file tells that it left.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::{End, Summary, is_written_in_place, rfc3339};

/// A summary larger than this is none.
const LARGEST_FILE_BYTES: u64 = 16 << 20;

/// A run that later ones are measured by: it came to its end, and broke no check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// Lines it wrote.
    pub records: u64,
    /// Pages that gave what was asked of them.
    pub pages_done: u64,
    /// When it ended.
    pub ended_at: SystemTime,
}

/// Why a file tells nothing of the last run, though it is there.
#[derive(Debug, thiserror::Error)]
pub enum LastRunError {
    /// It cannot be read.
    #[error("cannot read it: {0}")]
    Unreadable(io::Error),
    /// It is not JSON, or not what a run writes.
    #[error("this is no summary of a run")]
    Damaged,
}

impl LastRun {
    /// The run that the next one is to be measured by, after this one: this one itself, if it came to its end and broke
    /// no check, and else the one that it was measured by. For whoever keeps it elsewhere than in the summary's file.
    pub fn after(summary: &Summary) -> Option<LastRun> {
        match summary.end {
            End::Completed | End::UntilEmpty if summary.checks_broken.is_empty() => Some(LastRun {
                records: summary.records_met(),
                pages_done: summary.pages_done,
                ended_at: summary.ended_at(),
            }),
            _ => summary.last_run.clone(),
        }
    }

    /// The run that the summary at `path` tells of. If that one did not come to its end, or broke a check, it is no
    /// measure, and the one that it was to be measured by itself still holds: else the second night after a site
    /// changed would be compared with the first, and be fine.
    ///
    /// `None` if there is no file, or it knows of no such run.
    ///
    /// # Errors
    /// The file is there, but cannot be read or is not a summary.
    pub fn read(path: &Path) -> Result<Option<LastRun>, LastRunError> {
        // What is no regular file has no past, and might never end.
        if is_written_in_place(path) {
            return Ok(None);
        }
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(LastRunError::Unreadable)?,
        };
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE_BYTES).read_to_end(&mut bytes).map_err(LastRunError::Unreadable)?;
        let summary: Value = serde_json::from_slice(&bytes).map_err(|_| LastRunError::Damaged)?;
        let end = summary["end"].as_str().ok_or(LastRunError::Damaged)?;
        let is_whole = [End::Completed, End::UntilEmpty].iter().any(|whole| whole.name() == end);
        let is_sound = summary["checks_broken"].as_array().is_none_or(Vec::is_empty);
        match (is_whole && is_sound, &summary["last_run"]) {
            (true, _) => LastRun::from_json(&summary).map(Some),
            (false, Value::Null) => Ok(None),
            (false, before) => LastRun::from_json(before).map(Some),
        }
    }

    /// From what [`LastRun::to_json`] gave.
    ///
    /// # Errors
    /// A key is missing, or its value is none.
    pub fn from_json(value: &Value) -> Result<LastRun, LastRunError> {
        let count = |key: &str| value[key].as_u64().ok_or(LastRunError::Damaged);
        let ended_at = value["ended_at"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Ok(LastRun {
            records: count("records")?,
            pages_done: count("pages_done")?,
            ended_at: ended_at.ok_or(LastRunError::Damaged)?.into(),
        })
    }

    /// As JSON: `records`, `pages_done` and `ended_at`.
    pub fn to_json(&self) -> Value {
        json!({
            "records": self.records,
            "pages_done": self.pages_done,
            "ended_at": rfc3339(self.ended_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn run(records: u64, day: u64) -> Summary {
        let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400));
        (summary.records, summary.pages_done) = (records, 7);
        summary
    }

    /// What the next run reads; whoever keeps it elsewhere is told the same.
    fn read_back(summary: &Summary) -> Option<LastRun> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        summary.write_json(&path).unwrap();
        let read = LastRun::read(&path).unwrap();
        assert_eq!(LastRun::after(summary), read);
        read
    }

    #[test]
    fn a_run_that_came_to_its_end_is_the_last_one() {
        let mut summary = run(30, 2);
        let last = LastRun { records: 30, pages_done: 7, ended_at: summary.started_at };
        assert_eq!(read_back(&summary), Some(last.clone()));
        summary.end = End::UntilEmpty;
        // What it was compared with itself is past.
        summary.last_run = Some(LastRun { records: 10, pages_done: 1, ended_at: SystemTime::UNIX_EPOCH });
        assert_eq!(read_back(&summary), Some(last));
    }

    #[test]
    fn a_run_that_was_stopped_or_broke_a_check_hands_on_what_it_was_measured_by() {
        let before = LastRun { records: 10, pages_done: 1, ended_at: SystemTime::UNIX_EPOCH };
        for end in [End::MaxTime, End::Interrupted(2), End::MaxRecords, End::OutputError] {
            let mut summary = Summary { end, ..run(30, 2) };
            assert_eq!(read_back(&summary), None, "{end:?}");
            summary.last_run = Some(before.clone());
            assert_eq!(read_back(&summary), Some(before.clone()), "{end:?}");
        }
        let broken = Summary {
            checks_broken: vec!["min-records: ..".to_owned()],
            last_run: Some(before.clone()),
            ..run(0, 2)
        };
        assert_eq!(read_back(&broken), Some(before));
    }

    #[test]
    fn no_file_and_no_regular_one_know_of_no_run() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LastRun::read(&folder.path().join("none")).unwrap(), None);
        for path in [Path::new("/dev/null"), Path::new("/dev/stderr"), folder.path()] {
            assert_eq!(LastRun::read(path).unwrap(), None, "{}", path.display());
        }
    }

    #[test]
    fn a_damaged_file_is_no_summary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.json");
        for text in [
            "",
            "{",
            "[]",
            "7",
            "{}",
            r#"{"end": "completed"}"#,
            r#"{"end": "completed", "records": -1, "pages_done": 1, "ended_at": "2026-01-01T00:00:00Z"}"#,
            r#"{"end": "completed", "records": 1, "pages_done": 1, "ended_at": "yesterday"}"#,
            r#"{"end": "max_time", "last_run": {"records": 1}}"#,
        ] {
            fs::write(&path, text).unwrap();
            assert!(matches!(LastRun::read(&path), Err(LastRunError::Damaged)), "{text}");
        }
    }
}
