//! Dates as people write them ─▶ RFC 3339.
//!
//! With a format that alone is understood. Without one: RFC 3339 and ISO 8601, RFC 2822, year first with any mark
//! (`2026/11/20`, `2026年11月20日`), day first with full stops (`20.11.2026`), and the month by its name
//! (`Nov 20, 2026`, `20th of November 2026`). `01/02/2026` needs a locale, `20/11/2026` does not. The year has four
//! digits. A time of day may follow, and a numeric offset, `UTC`, `GMT` or `Z`; other names of zones say different
//! things in different places and are refused.
//!
//! A day is written `2026-11-20`; a time with its offset `2026-11-20T10:00:00+01:00`, and without one where the page
//! gives none: an offset made up would be a wrong instant.

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

use super::Locale;
use super::months::{english_name, month_named};
use super::written_date::parse_written;
use crate::mistake::Slip;

/// Longer texts are no dates.
const LONGEST_BYTES: usize = 120;

/// What a text says of a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Date,
    pub(super) time: Option<Time>,
    pub(super) offset: Option<Offset>,
}

impl Moment {
    /// RFC 3339, 5.6: `full-date`, or `date-time`, which lacks its offset if that is not known.
    fn to_text(self) -> String {
        let Some(time) = self.time else { return self.date.to_string() };
        let moment = DateTime::from_parts(self.date, time);
        match self.offset.map(Offset::seconds) {
            None => moment.to_string(),
            Some(0) => format!("{moment}Z"),
            Some(seconds) => {
                let sign = if seconds < 0 { '-' } else { '+' };
                let minutes = seconds.unsigned_abs() / 60;
                format!("{moment}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

/// The date in `text`; `None` if there is none, or more than one reading.
pub(super) fn parse_date(text: &str, format: Option<&str>, locale: Option<Locale>) -> Option<String> {
    let text = text.trim();
    if text.len() > LONGEST_BYTES {
        return None;
    }
    let text: String = text.chars().map(super::number::folded_digit).collect();
    let moment = match format {
        Some(format) => parse_formatted(&text, format, locale),
        None => parse_iso(&text).or_else(|| parse_rfc2822(&text)).or_else(|| parse_written(&text, locale)),
    };
    Some(moment?.to_text())
}

/// Whether `format` (strftime) can be read, and tells the day.
///
/// # Errors
///
/// An unknown or misplaced `%` at its place, or no date in it.
pub fn check_format(format: &str) -> Result<(), Slip> {
    let hint = "like %d.%m.%Y or %B %d, %Y %H:%M; %Y year, %m month, %d day, %B or %b its name, %H:%M time";
    let offset = Offset::constant(1);
    let sample = jiff::civil::date(2026, 11, 20).at(13, 14, 15, 0).to_zoned(offset.to_time_zone());
    let sample = sample.map_err(|error| Slip::new(0, error.to_string()))?;
    let sample = BrokenDownTime::from(&sample);
    let starts = format.match_indices('%').map(|(at, _)| at);
    let ends = starts.clone().skip(1).chain([format.len()]);
    for (start, end) in starts.zip(ends) {
        if sample.to_string(&format[..end]).is_err() && !format[..end].ends_with("%%") {
            // `%%` cut in two is no mistake.
            if end < format.len() && end == start + 1 {
                continue;
            }
            return Err(Slip::new(start, "this is no part of a date format").with_hint(hint));
        }
    }
    let text =
        sample.to_string(format).map_err(|_| Slip::new(0, "this is no date format").with_hint(hint))?;
    match parse_formatted(&text, format, None) {
        Some(_) => Ok(()),
        None => Err(Slip::new(format.len(), "this format does not tell the day").with_hint(hint)),
    }
}

fn parse_formatted(text: &str, format: &str, locale: Option<Locale>) -> Option<Moment> {
    let english = locale.map(|locale| with_english_months(text, format.contains("%B"), locale));
    let broken = BrokenDownTime::parse(format, english.as_deref().unwrap_or(text)).ok()?;
    if let Ok(zoned) = broken.to_zoned() {
        return Some(Moment { date: zoned.date(), time: Some(zoned.time()), offset: Some(zoned.offset()) });
    }
    if let Some(timestamp) = broken.timestamp() {
        let utc = Offset::UTC.to_datetime(timestamp);
        return Some(Moment { date: utc.date(), time: Some(utc.time()), offset: Some(Offset::UTC) });
    }
    let time = broken.hour().and_then(|_| broken.to_time().ok());
    Some(Moment { date: broken.to_date().ok()?, time, offset: None })
}

/// The text with each name of a month in English, which is what format strings read: `%B` the whole one, `%b` its
/// first three letters.
fn with_english_months(text: &str, is_whole: bool, locale: Locale) -> String {
    let mut english = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(char::is_alphabetic) {
        let end = rest[start..].find(|c: char| !c.is_alphabetic()).map_or(rest.len(), |at| start + at);
        let word = &rest[start..end];
        english.push_str(&rest[..start]);
        match month_named(word, locale.months).map(english_name) {
            Some(name) => english.push_str(if is_whole { name } else { &name[..3] }),
            None => english.push_str(word),
        }
        rest = &rest[end..];
    }
    english.push_str(rest);
    english
}

/// ISO 8601 and its profile RFC 3339, with `T` or a space.
fn parse_iso(text: &str) -> Option<Moment> {
    // `20261120` may be any number; ISO's basic form is for programs that agree on it.
    if !text.contains('-') {
        return None;
    }
    let pieces = Pieces::parse(text).ok()?;
    Some(Moment { date: pieces.date(), time: pieces.time(), offset: pieces.to_numeric_offset() })
}

/// RFC 2822, 3.3. A wrong name of the day is passed over.
fn parse_rfc2822(text: &str) -> Option<Moment> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
    let zoned = parser.parse_zoned(text).ok()?;
    Some(Moment { date: zoned.date(), time: Some(zoned.time()), offset: Some(zoned.offset()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str, format: &str, locale: &str) -> Option<String> {
        let locale = (!locale.is_empty()).then(|| Locale::parse(locale).unwrap());
        parse_date(text, (!format.is_empty()).then_some(format), locale)
    }

    #[test]
    fn common_forms_need_no_format() {
        for (text, expected) in [
            ("2026-11-20", "2026-11-20"),
            ("2026-11-20T10:11:12Z", "2026-11-20T10:11:12Z"),
            ("2026-11-20T10:11:12+00:00", "2026-11-20T10:11:12Z"),
            ("2026-11-20T10:11:12.5+01:00", "2026-11-20T10:11:12.5+01:00"),
            ("2026-11-20 10:11:12-0330", "2026-11-20T10:11:12-03:30"),
            ("2026-11-20 10:11", "2026-11-20T10:11:00"),
            ("2026-11-20T10:11", "2026-11-20T10:11:00"),
            ("Fri, 20 Nov 2026 10:11:12 GMT", "2026-11-20T10:11:12Z"),
            ("Fri, 20 Nov 2026 10:11:12 +0100", "2026-11-20T10:11:12+01:00"),
            ("Mon, 20 Nov 2026 10:11:12 +0100", "2026-11-20T10:11:12+01:00"),
            ("2026年11月20日", "2026-11-20"),
            ("2026 年 1 月 2 日", "2026-01-02"),
            ("２０２６年１１月２０日", "2026-11-20"),
            ("2026年11月20日 08:05", "2026-11-20T08:05:00"),
            ("2026年11月20日 8时05分30秒", "2026-11-20T08:05:30"),
            ("2026年11月20日(金)", "2026-11-20"),
            ("2026年11月20日 星期五", "2026-11-20"),
            ("2026년 11월 20일", "2026-11-20"),
            ("Nov 20, 2026", "2026-11-20"),
            ("Nov. 20, 2026", "2026-11-20"),
            ("November 20 2026", "2026-11-20"),
            ("Friday, November 20th, 2026", "2026-11-20"),
            ("20 November 2026", "2026-11-20"),
            ("20th of November, 2026", "2026-11-20"),
            ("1st Jan 2026", "2026-01-01"),
            ("20-Nov-2026", "2026-11-20"),
            ("2026 Nov 20", "2026-11-20"),
            ("20.11.2026", "2026-11-20"),
            ("1.2.2026", "2026-02-01"),
            ("2026/11/20", "2026-11-20"),
            ("2026/1/2", "2026-01-02"),
            ("2026.11.20", "2026-11-20"),
            ("2026. 11. 20.", "2026-11-20"),
            ("20/11/2026", "2026-11-20"),
            ("11/20/2026", "2026-11-20"),
            ("2/2/2026", "2026-02-02"),
            ("Nov 20, 2026, 3:05 PM", "2026-11-20T15:05:00"),
            ("Nov 20, 2026 at 12:05 a.m.", "2026-11-20T00:05:00"),
            ("2026/11/20 08:05:06 +08:00", "2026-11-20T08:05:06+08:00"),
            ("20.11.2026, 10:00 UTC", "2026-11-20T10:00:00Z"),
            ("20.11.2026 10:00 GMT+2", "2026-11-20T10:00:00+02:00"),
        ] {
            assert_eq!(date(text, "", "").as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_more_than_one_is_none() {
        for text in [
            "",
            "soon",
            "2026",
            "20261120",
            "November 2026",
            "01/02/2026",
            "01-02-2026",
            "20.11.26",
            "11/20/26",
            "30.02.2026",
            "2026-13-01",
            "2026-11-31",
            "20 Brumaire 2026",
            "Nov 20, 2026 EST",
            "20.11.2026 10:00 CET",
            "20.11.2026 25:00",
            "20.11.2026 - 22.11.2026",
            "20.11/2026",
            "10:30",
            "1 2 2026",
            "20. November",
            "13:05 PM 20.11.2026",
            "November 20, 2026 and more",
            "99999999999999999999.1.2026",
        ] {
            assert_eq!(date(text, "", ""), None, "{text}");
        }
    }

    #[test]
    fn a_locale_names_months_and_orders_figures() {
        for (text, locale, expected) in [
            ("01/02/2026", "en", "2026-01-02"),
            ("01/02/2026", "en-GB", "2026-02-01"),
            ("01-02-2026", "nl", "2026-02-01"),
            ("20. März 2026", "de", "2026-03-20"),
            ("Freitag, 20. November 2026", "de", "2026-11-20"),
            ("20. Dez. 2026 um 10:00", "de", "2026-12-20T10:00:00"),
            ("1er août 2026", "fr", "2026-08-01"),
            ("20 de noviembre de 2026", "es", "2026-11-20"),
            ("20 novembre 2026", "it", "2026-11-20"),
            ("20 ноября 2026 г.", "ru", "2026-11-20"),
            ("20 listopada 2026", "pl", "2026-11-20"),
            ("20 Nov 2026", "de", "2026-11-20"),
        ] {
            assert_eq!(date(text, "", locale).as_deref(), Some(expected), "{text} in {locale}");
        }
        assert_eq!(date("01/02/2026", "", "zh"), None);
        assert_eq!(date("13/13/2026", "", "en"), None);
    }

    #[test]
    fn a_format_alone_says_what_is_read() {
        for (text, format, locale, expected) in [
            ("20.11.2026", "%d.%m.%Y", "", "2026-11-20"),
            ("01/02/26", "%m/%d/%y", "", "2026-01-02"),
            ("20. November 2026", "%d. %B %Y", "de", "2026-11-20"),
            ("20. Dezember 2026", "%d. %B %Y", "de", "2026-12-20"),
            ("20 Dez 2026", "%d %b %Y", "de", "2026-12-20"),
            ("3. März 2026, 14:05", "%d. %B %Y, %H:%M", "de", "2026-03-03T14:05:00"),
            ("2026-11-20 14:05 +0200", "%Y-%m-%d %H:%M %z", "", "2026-11-20T14:05:00+02:00"),
            ("1700000000", "%s", "", "2023-11-14T22:13:20Z"),
            ("Nov 20, 2026 03:05 PM", "%b %d, %Y %I:%M %p", "", "2026-11-20T15:05:00"),
        ] {
            assert_eq!(date(text, format, locale).as_deref(), Some(expected), "{text} as {format}");
        }
        assert_eq!(date("2026-11-20", "%d.%m.%Y", ""), None);
        assert_eq!(date("20.11.2026 x", "%d.%m.%Y", ""), None);
    }

    #[test]
    fn a_format_is_checked_when_the_job_is_read() {
        for format in ["%d.%m.%Y", "%Y-%m-%dT%H:%M:%S%z", "%s", "100%% %F", "%b %-d, %Y", "%Y年%m月%d日"] {
            assert_eq!(check_format(format), Ok(()), "{format}");
        }
        assert_eq!(check_format("%d.%m.%!").unwrap_err().at, 6);
        assert_eq!(check_format("%d.%").unwrap_err().at, 3);
        for format in ["%H:%M", "", "dd.mm.yyyy", "%d.%m."] {
            assert!(check_format(format).unwrap_err().message.contains("does not tell the day"), "{format}");
        }
    }
}
