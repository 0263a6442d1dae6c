//! The part of the summary that tells how the fields fared.

use std::fmt::{self, Write};

use serde_json::{Value, json};

use super::{counted, grouped};
use crate::model::FieldTally;

/// More fields than this are not listed for people; the JSON has them all.
const MOST_SHOWN: usize = 12;

pub(super) fn to_json(fields: &[(String, FieldTally)]) -> Value {
    let entry = |(name, tally): &(String, FieldTally)| {
        let FieldTally { filled, empty, wrong_type } = *tally;
        (name.clone(), json!({ "filled": filled, "empty": empty, "wrong_type": wrong_type }))
    };
    Value::Object(fields.iter().map(entry).collect())
}

/// The records that were dropped, and the fields that were not always found, those that were never found first.
/// Nothing if all is well.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    fields: &[(String, FieldTally)],
    records_dropped: u64,
) -> fmt::Result {
    if records_dropped > 0 {
        let dropped = counted(records_dropped, "record", "records");
        write!(f, "\n{dropped} dropped: a required field was missing")?;
    }
    let mut off: Vec<&(String, FieldTally)> =
        fields.iter().filter(|(_, tally)| tally.filled < tally.total()).collect();
    off.sort_by_key(|(_, tally)| tally.filled > 0);
    let width = off.iter().take(MOST_SHOWN).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, tally) in off.iter().take(MOST_SHOWN) {
        write!(f, "\n  {name:width$}  {}", in_words(*tally))?;
    }
    match off.len().checked_sub(MOST_SHOWN) {
        None | Some(0) => Ok(()),
        Some(more) => write!(f, "\n  and {more} more fields that were not always filled"),
    }
}

/// `filled 480 of 500, 3 not of its type`.
fn in_words(tally: FieldTally) -> String {
    let mut words = match tally.filled {
        0 => "never filled".to_owned(),
        filled => format!("filled {} of {}", grouped(filled), grouped(tally.total())),
    };
    if tally.wrong_type > 0 {
        write!(words, ", {} not of its type", grouped(tally.wrong_type)).expect("a string can be written to");
    }
    words
}
