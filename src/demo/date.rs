//! Calendar days, as far as a bookshop needs them: books appear on days, and HTTP wants the day of the week.
//!
//! Proleptic Gregorian, UTC, from 1970 on. It knows nothing of books.

use std::fmt;
use std::time::{Duration, SystemTime};

const DAY_SECONDS: u64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day. `Display` writes it as in ISO 8601: `2019-03-07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Year, 1970 or later.
    pub year: u32,
    /// Month, 1 to 12.
    pub month: u32,
    /// Day of the month, 1 to 31.
    pub day: u32,
    days: u32,
}

impl Date {
    /// The day that is so many days after 1 January 1970.
    pub(super) fn from_days(days: u32) -> Date {
        let (mut year, mut left) = (1970, days);
        while left >= days_in_year(year) {
            left -= days_in_year(year);
            year += 1;
        }
        let mut month = 1;
        while left >= days_in_month(year, month) {
            left -= days_in_month(year, month);
            month += 1;
        }
        Date { year, month, day: left + 1, days }
    }

    /// The start of the day as HTTP and RSS write it (RFC 9110 5.6.7): `Thu, 07 Mar 2019 00:00:00 GMT`.
    pub(super) fn http(self) -> String {
        self.http_at(0)
    }

    fn http_at(self, second_of_day: u64) -> String {
        format!(
            "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
            WEEKDAYS[self.days as usize % 7],
            self.day,
            MONTHS[self.month as usize - 1],
            self.year,
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60
        )
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A moment as HTTP writes it.
pub(super) fn http_moment(moment: SystemTime) -> String {
    // A clock before 1970 is a broken clock; the page is right all the same.
    let seconds = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let days = u32::try_from(seconds / DAY_SECONDS).unwrap_or(0);
    Date::from_days(days).http_at(seconds % DAY_SECONDS)
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_in_year(year: u32) -> u32 {
    365 + u32::from(is_leap(year))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_count_from_1970_over_leap_years() {
        assert_eq!(Date::from_days(0).to_string(), "1970-01-01");
        assert_eq!(Date::from_days(365 + 365 + 31 + 28).to_string(), "1972-02-29");
        // 30 years with the leap days of 1972 to 1996; 2000 is a leap year although it ends a century.
        assert_eq!(Date::from_days(30 * 365 + 7 + 31 + 28).to_string(), "2000-02-29");
    }

    #[test]
    fn the_example_of_the_http_standard_is_written_the_same() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert_eq!(http_moment(moment), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn days_compare_as_in_the_calendar() {
        assert!(Date::from_days(10_000) < Date::from_days(10_001));
        assert!(Date::from_days(10_957) > Date::from_days(10_956));
    }
}
