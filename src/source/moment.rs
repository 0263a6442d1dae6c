//! Points in time as sitemaps, feeds and people write them.
//!
//! W3C date and time (`2024`, `2024-05`, `2024-05-01`, `2024-05-01T12:30+02:00`), what RSS has (RFC 2822), and both
//! written carelessly. A time without a zone is taken as UTC.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

/// The first and the last moment that a text can mean; they differ if it names a day, a month or a year.
fn span_of(text: &str) -> Option<(Timestamp, Timestamp)> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some((moment, moment));
    }
    if let Some((first, last)) = days_of(text) {
        let start = first.to_datetime(jiff::civil::Time::midnight());
        let end = last.at(23, 59, 59, 0);
        return Some((in_utc(start)?, in_utc(end)?));
    }
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let moment = match text.parse::<DateTime>() {
        Ok(civil) => in_utc(civil),
        Err(_) => parser.parse_timestamp(text).ok(),
    }?;
    Some((moment, moment))
}

/// The first and the last day of a day, month or year.
fn days_of(text: &str) -> Option<(Date, Date)> {
    let is_digits = |text: &str, length| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = text.split('-');
    let (year, month, day, rest) = (parts.next()?, parts.next(), parts.next(), parts.next());
    if rest.is_some() || !is_digits(year, 4) || ![month, day].into_iter().flatten().all(|t| is_digits(t, 2)) {
        return None;
    }
    let year = year.parse().ok()?;
    match (month, day) {
        (Some(month), Some(day)) => {
            let date = Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()?;
            Some((date, date))
        }
        (Some(month), None) => {
            let first = Date::new(year, month.parse().ok()?, 1).ok()?;
            Some((first, first.last_of_month()))
        }
        (None, _) => Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?)),
    }
}

fn in_utc(civil: DateTime) -> Option<Timestamp> {
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The first moment that a text can mean: where a time begins that is counted from it.
pub fn earliest(text: &str) -> Option<Timestamp> {
    span_of(text).map(|(first, _)| first)
}

/// The last moment that a text can mean: when something may have changed that says so of itself.
pub(super) fn latest(text: &str) -> Option<Timestamp> {
    span_of(text).map(|(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn both(text: &str) -> (String, String) {
        let (first, last) = span_of(text).unwrap_or_else(|| panic!("{text}"));
        (first.to_string(), last.to_string())
    }

    #[test]
    fn a_moment_reads_as_the_formats_of_sitemaps_and_feeds_write_it() {
        for text in [
            "2024-05-01T10:30:00Z",
            "2024-05-01T12:30+02:00",
            " 2024-05-01T12:30:00.000+02:00 ",
            "2024-05-01T10:30:00",
            "2024-05-01 10:30",
            "Wed, 01 May 2024 10:30:00 GMT",
            "Mon, 1 May 2024 12:30:00 +0200",
        ] {
            assert_eq!(both(text).0, "2024-05-01T10:30:00Z", "{text}");
            assert_eq!(earliest(text), latest(text));
        }
    }

    #[test]
    fn a_day_a_month_and_a_year_last_from_their_beginning_to_their_end() {
        let span = |first: &str, last: &str| (format!("{first}T00:00:00Z"), format!("{last}T23:59:59Z"));
        assert_eq!(both("2024-05-01"), span("2024-05-01", "2024-05-01"));
        assert_eq!(both("2024-02"), span("2024-02-01", "2024-02-29"));
        assert_eq!(both("2024"), span("2024-01-01", "2024-12-31"));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "yesterday", "2024-13-01", "2024-02-30", "24-5-1", "20240501x", "2024-05-01-02"] {
            assert_eq!(span_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[0-9TZ:+ -]{0,30}|\\PC{0,20}") {
            if let Some((first, last)) = span_of(&text) {
                prop_assert!(first <= last);
            }
        }
    }
}
