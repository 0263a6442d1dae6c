//! What must hold when a run has come to its end, so that the night a site changes is noticed in the morning.
//!
//! Bounds on the counts of a [`Summary`], and one line for each that is broken. Knows neither settings nor files, and
//! prints nothing. It reads counts that another leaf makes, which is the one thing it imports of a sibling.

use std::fmt;

use crate::model::FieldTally;
use crate::summary::{End, LastRun, Summary, grouped, rfc3339};

/// A part of a whole, from nothing to all of it, exact to a billionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// All of it: a bound from above that is never broken.
    pub const ALL: Share = Share(BILLION);
    /// Nothing of it: a bound from below that is never broken.
    pub const NONE: Share = Share(0);

    /// So many parts of a hundred, `None` if that is less than nothing, more than all or no number.
    pub fn of_percent(percent: f64) -> Option<Share> {
        // A hundredth is ten million billionths.
        (0.0..=100.0).contains(&percent).then(|| Share((percent * 1e7).round() as u64))
    }

    fn in_percent(self) -> f64 {
        self.0 as f64 / 1e7
    }

    /// Whether `part` is more of `whole` than this.
    fn is_less_than(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(BILLION) > u128::from(self.0) * u128::from(whole)
    }

    /// Whether `part` is less of `whole` than this.
    fn is_more_than(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(BILLION) < u128::from(self.0) * u128::from(whole)
    }
}

const BILLION: u64 = 1_000_000_000;

/// `2.5 %`.
impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.in_percent())
    }
}

/// A bound on how often a field is there.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldBound {
    /// The field, as [`Summary::fields`] names it.
    pub field: String,
    /// Whether it stands inside of another field: it is then looked for in the objects there, not in records.
    pub is_nested: bool,
    /// The bound.
    pub share: Share,
}

/// What must hold. Nothing, if nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckPolicy {
    /// At least so many records.
    pub min_records: Option<u64>,
    /// At most this share of the pages that were asked for may fail.
    pub max_failed: Option<Share>,
    /// At least this share of the values of these fields must be there.
    pub min_fill: Vec<FieldBound>,
    /// At most this share of the values of these fields may be missing, or not of their type.
    pub max_null: Vec<FieldBound>,
    /// At most this share of the records of the last run may have gone.
    pub max_drop: Option<Share>,
    /// Bounds on fields of rules that read no page in this run, by their name: they do not count.
    pub idle: Vec<String>,
}

impl CheckPolicy {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        let CheckPolicy { min_records, max_failed, min_fill, max_null, max_drop, idle: _ } = self;
        min_records.is_none()
            && max_failed.is_none()
            && max_drop.is_none()
            && min_fill.is_empty()
            && max_null.is_empty()
    }
}

/// A check that is broken. Shown, it is one line: what there was and what was wanted, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokenCheck {
    /// Its key in the job file: `min-records`, `max-null.price`.
    pub name: String,
    /// What there was, and what was wanted.
    pub message: String,
}

impl fmt::Display for BrokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// The checks that the counts of a run break, in the order of the policy.
///
/// Only a run that came to its end is looked at. One that was stopped, by a signal or for lack of time, or whose output
/// broke, says nothing of the site. One that ended with the records asked for is, except for the drop: how many there
/// would have been is not known. What is exactly at its bound is fine.
///
/// To have nothing to look at breaks a check too, since it must not pass for being all right: no record breaks all
/// bounds on fields, no page that on failures. Bounds that nothing could break (at most all, at least nothing) are off.
pub fn evaluate(policy: &CheckPolicy, summary: &Summary, last: Option<&LastRun>) -> Vec<BrokenCheck> {
    let is_whole = match summary.end {
        End::Completed | End::UntilEmpty => true,
        // More may have stood behind the end.
        End::MaxRecords | End::AtSeen => false,
        End::MaxTime
        | End::Interrupted(_)
        | End::BrokenPipe
        | End::LinksLost
        | End::SourceChanged
        | End::OutputError
        | End::StateError
        | End::InternalError => return Vec::new(),
    };
    let mut broken = Vec::new();
    broken.extend(policy.min_records.and_then(|least| too_few(least, summary.records_met())));
    broken.extend(policy.max_failed.and_then(|most| too_many_failed(most, summary)));
    let tally = |bound: &FieldBound| {
        let found = summary.fields.iter().find(|(name, _)| *name == bound.field);
        found.map(|(_, tally)| *tally).unwrap_or_default()
    };
    broken.extend(policy.min_fill.iter().filter_map(|bound| too_seldom(bound, tally(bound))));
    broken.extend(policy.max_null.iter().filter_map(|bound| too_often_missing(bound, tally(bound))));
    let drop = policy.max_drop.zip(last).filter(|_| is_whole);
    broken.extend(drop.and_then(|(most, last)| too_large_a_drop(most, summary.records_met(), last)));
    broken
}

fn too_few(least: u64, records: u64) -> Option<BrokenCheck> {
    (records < least).then(|| {
        let message = format!("{}, at least {} should be there", counted(records, "record"), grouped(least));
        BrokenCheck { name: "min-records".to_owned(), message }
    })
}

fn too_many_failed(most: Share, summary: &Summary) -> Option<BrokenCheck> {
    let failed = summary.pages_failed();
    let pages = summary.pages_done + failed;
    if most == Share::ALL {
        return None;
    }
    let message = if pages == 0 {
        let why = match summary.pages_disallowed {
            0 => String::new(),
            _ => ": robots.txt forbids them all".to_owned(),
        };
        format!("no page was asked for{why}, at most {most} of them may fail")
    } else if most.is_less_than(failed, pages) {
        let pages_told = counted(pages, "page");
        let most_frequent = summary.failed_by_kind.iter().max_by_key(|(_, count)| **count);
        let kind = most_frequent.map(|(kind, count)| format!("; {} of them: {kind}", grouped(*count)));
        format!(
            "{} of {pages_told} ({}) failed, at most {most} may{}",
            grouped(failed),
            percent(failed, pages, most),
            kind.unwrap_or_default()
        )
    } else {
        return None;
    };
    Some(BrokenCheck { name: "max-failed".to_owned(), message })
}

/// What to do about a field that has gone.
const FIELD_ADVICE: &str = "did the site change? `pagemill try URL` shows what the XPath matches";

fn too_seldom(bound: &FieldBound, tally: FieldTally) -> Option<BrokenCheck> {
    let FieldBound { field, share: least, .. } = bound;
    let total = tally.total();
    let there = if *least == Share::NONE {
        return None;
    } else if total == 0 {
        nothing_to_look_at(bound)
    } else if least.is_more_than(tally.filled, total) {
        let share = percent(tally.filled, total, *least);
        format!("{} of {} ({share}) have {}", grouped(tally.filled), counted(total, noun(bound)), one(field))
    } else {
        return None;
    };
    let message = format!("{there}, at least {least} should{}; {FIELD_ADVICE}", of_wrong_type(tally));
    Some(BrokenCheck { name: format!("min-fill.{field}"), message })
}

fn too_often_missing(bound: &FieldBound, tally: FieldTally) -> Option<BrokenCheck> {
    let FieldBound { field, share: most, .. } = bound;
    let (total, missing) = (tally.total(), tally.empty + tally.wrong_type);
    let there = if *most == Share::ALL {
        return None;
    } else if total == 0 {
        nothing_to_look_at(bound)
    } else if most.is_less_than(missing, total) {
        let share = percent(missing, total, *most);
        format!("{} of {} ({share}) have no {field}", grouped(missing), counted(total, noun(bound)))
    } else {
        return None;
    };
    let message = format!("{there}, at most {most} may{}; {FIELD_ADVICE}", of_wrong_type(tally));
    Some(BrokenCheck { name: format!("max-null.{field}"), message })
}

fn nothing_to_look_at(bound: &FieldBound) -> String {
    format!("there is no {} that could have {}", noun(bound), one(&bound.field))
}

fn noun(bound: &FieldBound) -> &'static str {
    if bound.is_nested { "object" } else { "record" }
}

/// ` (3 values are not of its type)`, which is another fault than not being there.
fn of_wrong_type(tally: FieldTally) -> String {
    match tally.wrong_type {
        0 => String::new(),
        1 => " (1 value is not of its type)".to_owned(),
        many => format!(" ({} values are not of its type)", grouped(many)),
    }
}

fn too_large_a_drop(most: Share, records: u64, last: &LastRun) -> Option<BrokenCheck> {
    let gone = last.records.saturating_sub(records);
    most.is_less_than(gone, last.records).then(|| {
        let message = format!(
            "{}, {} fewer than the {} of the last run ({}), at most {most} fewer may come",
            counted(records, "record"),
            percent(gone, last.records, most),
            grouped(last.records),
            rfc3339(last.ended_at).unwrap_or_else(|| "at an unknown time".to_owned())
        );
        BrokenCheck { name: "max-drop".to_owned(), message }
    })
}

/// `a price`, `an author`.
fn one(field: &str) -> String {
    format!("{} {field}", if field.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// `1 record`, `1,200 records`.
fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// `30.8 %`, with as many decimals as it takes to tell it from the bound that it breaks.
fn percent(part: u64, whole: u64, bound: Share) -> String {
    let share = 100.0 * part as f64 / whole as f64;
    let told = |decimals: usize| format!("{share:.decimals$}");
    let is_told_apart = |decimals: &usize| told(*decimals) != format!("{:.*}", *decimals, bound.in_percent());
    let text = told((1..=9).find(is_told_apart).unwrap_or(9));
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
