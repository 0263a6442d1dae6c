//! `Retry-After`: how long a server asks to be left alone.
//!
//! Reads the header; whether to obey is the frontier's decision.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds, or the time until an HTTP date (RFC 9110 10.2.3); a date that has passed is zero. `None` for anything
/// else, such as a negative number.
pub(super) fn parse(value: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(value).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are still a number, only one that nobody waits for.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let now = SystemTime::now();
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(seconds_of_date(text, now)?))?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Seconds from 1970 of a date in any of the three forms that must be accepted (RFC 9110 5.6.7):
/// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
fn seconds_of_date(text: &str, now: SystemTime) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words[..] {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let day: u64 = day.parse().ok()?;
    let year = match year.len() {
        2 => whole_year(year.parse().ok()?, now),
        _ => year.parse().ok()?,
    };
    let clock: Vec<u64> = time.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let [hour, minute, second] = clock[..] else {
        return None;
    };
    if !(1..=31).contains(&day) || !(1970..=9999).contains(&year) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years from March, so that the leap day is the last one; then days of 400, 100, 4 and 1 years.
    let year_from_march = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let days = 365 * year_from_march + year_from_march / 4 - year_from_march / 100
        + year_from_march / 400
        + (153 * month_from_march + 2) / 5
        + day
        - 1;
    // Days from 1 March of year 0 to 1 January 1970.
    Some((days - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// The year that two digits mean: of this century, but the last one if that would be more than 50 years to come.
fn whole_year(digits: u64, now: SystemTime) -> u64 {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // Near enough: the mean year of the calendar.
    let this = 1970 + seconds / 31_556_952;
    let year = this / 100 * 100 + digits;
    if year > this + 50 { year - 100 } else { year }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds_of_date(text: &str) -> Option<u64> {
        // In 2030.
        super::seconds_of_date(text, UNIX_EPOCH + Duration::from_secs(1_900_000_000))
    }

    #[test]
    fn seconds_are_taken_as_they_are() {
        assert_eq!(parse(b"5"), Some(Duration::from_secs(5)));
        assert_eq!(parse(b" 0 "), Some(Duration::ZERO));
        assert_eq!(parse(b"99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn nonsense_is_no_advice() {
        for value in
            ["", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 66 Nov 1994 08:49:37 GMT"]
        {
            assert_eq!(parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(parse(&[0xff]), None);
    }

    #[test]
    fn a_date_that_has_passed_means_now() {
        assert_eq!(parse(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn dates_are_counted_by_the_calendar() {
        // From `date -u -d ... +%s`.
        assert_eq!(seconds_of_date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds_of_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds_of_date("Tue, 29 Feb 2000 23:59:59 GMT"), Some(951_868_799));
        assert_eq!(seconds_of_date("Fri, 01 Mar 2030 00:00:00 GMT"), Some(1_898_553_600));
    }

    #[test]
    fn the_old_forms_of_dates_are_read_too() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(seconds_of_date(text), Some(784_111_777), "{text}");
        }
        assert_eq!(seconds_of_date("Thu Dec 31 23:59:59 1998"), Some(915_148_799));
        // From `date -u -d "2030-03-01" +%s` and "2080-...", "1981-...".
        assert_eq!(seconds_of_date("Friday, 01-Mar-30 00:00:00 GMT"), Some(1_898_553_600));
        assert_eq!(seconds_of_date("Monday, 01-Jan-80 00:00:00 GMT"), Some(3_471_292_800));
        assert_eq!(seconds_of_date("Thursday, 01-Jan-81 00:00:00 GMT"), Some(347_155_200));
        for text in ["Sunday, 06-Nov-94 08:49:37 CET", "Sun Nov 6 1994", "Sun Nov  6 08:49:37 1994 GMT x"] {
            assert_eq!(seconds_of_date(text), None, "{text}");
        }
    }

    #[test]
    fn a_date_to_come_is_the_time_until_then() {
        let wait = parse(b"Fri, 31 Dec 9999 23:59:59 GMT").unwrap();
        assert!(wait > Duration::from_secs(1_000_000_000));
    }
}
