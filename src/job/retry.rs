//! Lists of statuses as people write them: `500,502-504`.

use crate::frontier::Statuses;
use crate::mistake::Slip;

const HINT: &str = "like 429,500,502-504";

/// Reads numbers and ranges of HTTP statuses, with commas between.
pub(super) fn parse_statuses(text: &str) -> Result<Statuses, Slip> {
    let mut ranges = Vec::new();
    let mut at = 0;
    for part in text.split(',') {
        let start = at + part.len() - part.trim_start().len();
        let part_at = at;
        at += part.len() + 1;
        let number = |text: &str, offset: usize| match text.trim().parse::<u16>() {
            Ok(status @ 100..=999) => Ok(status),
            _ => Err(Slip::new(part_at + offset, "this is no HTTP status").with_hint(HINT)),
        };
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first, start - part_at)?, number(last, first.len() + 1)?),
            None => {
                let only = number(part, start - part_at)?;
                (only, only)
            }
        };
        if first > last {
            return Err(Slip::new(start, "this range goes down").with_hint(format!("write {last}-{first}")));
        }
        ranges.push(first..=last);
    }
    Ok(Statuses::new(ranges))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_ranges() {
        let statuses = parse_statuses("500, 502-504,429").unwrap();
        let found: Vec<u16> = (100..=999).filter(|&status| statuses.contains(status)).collect();
        assert_eq!(found, [429, 500, 502, 503, 504]);
        assert!(parse_statuses("500-599").unwrap().contains(599));
    }

    #[test]
    fn the_caret_stands_where_it_goes_wrong() {
        for (text, at) in
            [("", 0), ("500,x", 4), ("500, 5xx", 5), ("500-6", 4), ("1,500", 0), ("504-500", 0), ("500,", 4)]
        {
            assert_eq!(parse_statuses(text).unwrap_err().at, at, "{text}");
        }
    }
}
