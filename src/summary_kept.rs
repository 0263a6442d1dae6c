//! The counts of a run as they are kept in its state, to be counted on when it goes on.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{NewsSummary, Summary};
use crate::model::FieldTally;
use crate::wire::{Bytes, put_map};

impl Summary {
    /// As bytes: all but failures, which have a table of their own in the state, and what is known at the end only.
    pub fn to_kept(&self) -> Vec<u8> {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
        put("done", self.pages_done.into());
        put("disallowed", self.pages_disallowed.into());
        put("retries", self.retries.into());
        put("pauses", self.pauses.into());
        put("records", self.records.into());
        put("dropped", self.records_dropped.into());
        put("bytes", self.bytes.into());
        put("started", millis(self.started_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()));
        put("took", millis(self.duration));
        let fields = self
            .fields
            .iter()
            .map(|(name, tally)| (name.clone(), vec![tally.filled, tally.empty, tally.wrong_type].into()));
        put("fields", Value::Object(fields.collect()));
        if let Some(news) = &self.news {
            let counts = [news.new, news.without_key, news.changed, news.unchanged, news.same_key];
            put("news", counts.to_vec().into());
            put("gone", news.gone.map_or(Value::Null, Value::from));
        }
        let mut bytes = Vec::new();
        put_map(&map, &mut bytes);
        bytes
    }

    /// From bytes, with the fields of `empty`; `None` if they are not what was written.
    pub fn from_kept(bytes: &[u8], empty: &Summary) -> Option<Summary> {
        let map = Bytes(bytes).map()?;
        let count = |key: &str| map.get(key)?.as_u64();
        let mut summary = Summary {
            pages_done: count("done")?,
            pages_disallowed: count("disallowed")?,
            retries: count("retries")?,
            pauses: count("pauses")?,
            records: count("records")?,
            records_dropped: count("dropped")?,
            bytes: count("bytes")?,
            started_at: SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(count("started")?))?,
            duration: Duration::from_millis(count("took")?),
            ..empty.clone()
        };
        summary.news = match map.get("news") {
            None => empty.news,
            Some(counts) => {
                let count = |at| counts.get(at).and_then(Value::as_u64);
                Some(NewsSummary {
                    new: count(0)?,
                    without_key: count(1)?,
                    changed: count(2)?,
                    unchanged: count(3)?,
                    same_key: count(4)?,
                    gone: map.get("gone").and_then(Value::as_u64),
                })
            }
        };
        let fields = map.get("fields")?.as_object()?;
        for (name, tally) in &mut summary.fields {
            let counts = fields.get(name)?.as_array()?;
            let [filled, empty, wrong_type] = [0, 1, 2].map(|at| counts.get(at).and_then(Value::as_u64));
            *tally = FieldTally { filled: filled?, empty: empty?, wrong_type: wrong_type? };
        }
        Some(summary)
    }
}

fn millis(duration: Duration) -> Value {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_back() {
        let empty = Summary {
            fields: vec![("title".into(), FieldTally::default()), ("a.b".into(), FieldTally::default())],
            ..Summary::starting_at(SystemTime::UNIX_EPOCH)
        };
        let mut summary = Summary {
            pages_done: 1,
            pages_disallowed: 2,
            retries: 3,
            pauses: 4,
            records: 5,
            records_dropped: 6,
            bytes: u64::MAX,
            started_at: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_001),
            duration: Duration::from_millis(1234),
            ..empty.clone()
        };
        for gone in [None, Some(6)] {
            let news = NewsSummary { new: 1, without_key: 2, changed: 3, unchanged: 4, same_key: 5, gone };
            let summary = Summary { news: Some(news), ..summary.clone() };
            assert_eq!(Summary::from_kept(&summary.to_kept(), &empty), Some(summary));
        }
        summary.fields[1].1 = FieldTally { filled: 7, empty: 8, wrong_type: 9 };
        assert_eq!(Summary::from_kept(&summary.to_kept(), &empty), Some(summary.clone()));
        assert_eq!(Summary::from_kept(b"", &empty), None);
        let other = Summary { fields: vec![("price".into(), FieldTally::default())], ..empty };
        assert_eq!(Summary::from_kept(&summary.to_kept(), &other), None, "the fields of another job");
    }
}
