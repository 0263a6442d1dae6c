//! Where further first requests are found: `sitemap`, `feed`, `since`.

use std::time::SystemTime;

use jiff::Timestamp;
use url::Url;

use super::layers::Layers;
use super::values::parse_duration;
use crate::mistake::Slip;
use crate::source::{Seeds, earliest, parse_address};
use crate::written::{Place, Written};

/// Stands for the sitemaps that robots.txt names.
const ROBOTS: &str = "robots";

/// What is to be found: `named` are the settings that count.
pub(super) fn build(layers: &mut Layers, named: &[&str]) -> Seeds {
    let list = |layers: &Layers, name: &str| match named.contains(&name) {
        true => layers.strongest_list(name),
        false => Vec::new(),
    };
    let mut seeds =
        Seeds { since: layers.read("since", |text| parse_since(text, now())), ..Seeds::default() };
    for written in list(layers, "sitemap") {
        match written.text.trim() {
            ROBOTS => seeds.sitemaps_of_robots = true,
            _ => seeds.sitemaps.extend(address(
                layers,
                &written,
                "or `robots` for those that robots.txt names",
            )),
        }
    }
    for written in list(layers, "feed") {
        seeds.feeds.extend(address(layers, &written, ""));
    }
    // A job file may say it for the lists that come on the command line.
    let is_of_file = |written: &Written| matches!(written.place, Place::File { .. });
    if seeds.is_empty()
        && seeds.since.is_some()
        && !named.iter().any(|name| ["sitemap", "feed"].contains(name))
        && let Some(written) = layers.value("since").filter(|written| !is_of_file(written))
    {
        layers
            .report(&written, Slip::new(0, "there is no sitemap and no feed").with_hint("add --sitemap URL"));
    }
    seeds
}

fn address(layers: &mut Layers, written: &Written, or: &str) -> Option<Url> {
    let made = parse_address(&written.text).map_err(|error| {
        let hints = [error.hint(), Some(or.to_owned()).filter(|or| !or.is_empty())];
        let hint = hints.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Slip { at: 0, message: error.to_string(), hint: Some(hint).filter(|hint| !hint.is_empty()) }
    });
    made.map_err(|slip| layers.report_url(written, slip)).ok()
}

fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A day, or a time before `now`.
fn parse_since(text: &str, now: Timestamp) -> Result<Timestamp, Slip> {
    let hint = "a day like 2024-05-01, or a time like 7d or 12h";
    if let Some(moment) = earliest(text) {
        return Ok(moment);
    }
    // A bare number would be seconds elsewhere, and nobody means that.
    if !text.trim_end().ends_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(Slip::new(0, "this is neither a date nor a time").with_hint(hint));
    }
    let before = parse_duration(text).map_err(|slip| slip.with_hint(hint))?;
    now.checked_sub(before).map_err(|_| Slip::new(0, "this time is too long").with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_day_or_a_time_before_now() {
        let now: Timestamp = "2024-05-08T12:00:00Z".parse().unwrap();
        let since = |text| parse_since(text, now).map(|at| at.to_string());
        assert_eq!(since("2024-05-01").unwrap(), "2024-05-01T00:00:00Z");
        assert_eq!(since("7d").unwrap(), "2024-05-01T12:00:00Z");
        assert_eq!(since("90m").unwrap(), "2024-05-08T10:30:00Z");
        for wrong in ["", "7", "soon", "2024-13-01", "7 parsecs"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
