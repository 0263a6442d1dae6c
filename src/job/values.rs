//! The kinds of values that settings have: counts, durations, sizes, on/off.

use std::time::Duration;

use crate::mistake::Slip;

/// A whole number from `least` to `most`.
pub(super) fn parse_count(text: &str, least: u64, most: u64) -> Result<u64, Slip> {
    let digits = text.trim();
    let range = || format!("a whole number from {least} to {most} is wanted");
    match digits.parse::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(number) => Err(Slip::new(0, format!("{number} is out of range")).with_hint(range())),
        Err(_) => {
            let at = text.find(|c: char| !c.is_ascii_digit() && !c.is_whitespace()).unwrap_or(text.len());
            Err(Slip::new(at, "this is not a number").with_hint(range()))
        }
    }
}

/// `500ms`, `2s`, `1.5m`, `1h`; a bare number is seconds.
pub(super) fn parse_duration(text: &str) -> Result<Duration, Slip> {
    let (number, unit, at) = number_and_unit(text);
    let hint = "like 500ms, 10s, 2m or 1h; a bare number is seconds";
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(Slip::new(at, "unknown unit of time").with_hint(hint)),
    };
    let number = number.ok_or_else(|| Slip::new(0, "this is not a time").with_hint(hint))?;
    // A hundred years: longer ones would overflow the clock.
    let total = number * seconds;
    if total > 3.2e9 {
        return Err(Slip::new(0, "this time is too long").with_hint(hint));
    }
    Ok(Duration::from_millis((total * 1000.0).round() as u64))
}

/// `512`, `64K`, `10M`, `1G` with factors of 1024; `KB`, `KiB` and small letters too.
pub(super) fn parse_size(text: &str) -> Result<u64, Slip> {
    let (number, unit, at) = number_and_unit(text);
    let hint = "like 512K, 10M or 1G; a bare number is bytes";
    let factor: u64 = match &*unit.to_ascii_lowercase() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return Err(Slip::new(at, "unknown unit of size").with_hint(hint)),
    };
    let number = number.ok_or_else(|| Slip::new(0, "this is not a size").with_hint(hint))?;
    let bytes = number * factor as f64;
    if !(1.0..=1e15).contains(&bytes) {
        return Err(Slip::new(0, "this size is out of range").with_hint(hint));
    }
    Ok(bytes.round() as u64)
}

/// The number a text begins with, the rest of it, and where the rest begins.
fn number_and_unit(text: &str) -> (Option<f64>, &str, usize) {
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find(|c: char| !c.is_ascii_digit() && c != '.').map_or(text.len(), |i| start + i);
    (text[start..end].parse().ok(), text[end..].trim(), end)
}

/// `true` and `false`, and what else people write in environment variables.
pub(super) fn parse_switch(text: &str) -> Result<bool, Slip> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(Slip::new(0, "this is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let millis = |text| parse_duration(text).map(|d| d.as_millis()).ok();
        assert_eq!(millis("500ms"), Some(500));
        assert_eq!(millis("10"), Some(10_000));
        assert_eq!(millis("1.5m"), Some(90_000));
        assert_eq!(millis(" 2 h "), Some(7_200_000));
        assert_eq!(millis("0"), Some(0));
        for wrong in ["", "s", "-1s", "1.2.3s", "5 parsecs", "1e9", "99999999h"] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        let bytes = |text| parse_size(text).ok();
        assert_eq!(bytes("512"), Some(512));
        assert_eq!(bytes("64K"), Some(65_536));
        assert_eq!(bytes("10MB"), Some(10 << 20));
        assert_eq!(bytes("1.5 GiB"), Some(3 << 29));
        for wrong in ["", "0", "M", "10X", "5i", "5Kbb", "-1", "9999999T"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn counts_have_bounds_and_the_caret_finds_the_wrong_letter() {
        assert_eq!(parse_count("16", 1, 1000), Ok(16));
        assert_eq!(parse_count("0", 1, 1000).unwrap_err().message, "0 is out of range");
        assert_eq!(parse_count("1o", 1, 1000).unwrap_err().at, 1);
        assert!(parse_count("99999999999999999999", 1, u64::MAX).is_err());
    }

    #[test]
    fn switches_read_as_in_environments() {
        assert_eq!(parse_switch("Yes"), Ok(true));
        assert_eq!(parse_switch(""), Ok(false));
        assert!(parse_switch("maybe").is_err());
    }
}
