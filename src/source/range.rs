//! Page ranges: `0-9`, `0-250:25`, `1,3,7-9`, `9-0:-1`, `1-` without an end.
//!
//! ```text
//! range  = part ("," part)*                      spaces may stand around commas
//! part   = number | number "-" number [":" step] | number "-" [":" step]
//! number, step = ["-"] digits
//! ```
//!
//! Owns the numbers only. A range is a list of parts, never of pages, so 10^12 pages cost nothing, and every page has
//! an index, so that one integer says how far a run came. Both ends belong to a part.

use std::fmt;

use crate::mistake::Slip;

/// A list of page numbers, perhaps without an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRange {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// Index of its first page in the whole range; saturates.
    index: u64,
    first: i64,
    /// The last page that the steps reach; `None` without an end.
    last: Option<i64>,
    /// Never 0.
    step: i64,
}

impl PageRange {
    /// Reads a range.
    ///
    /// # Errors
    /// The first slip, with what was probably meant.
    pub fn parse(text: &str) -> Result<PageRange, Slip> {
        if text.trim_matches(' ').is_empty() {
            return Err(Slip::new(0, "no pages given").with_hint("write `0-9`, or `1-` for all from 1 on"));
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut index: u64 = 0;
        let mut at = 0;
        for item in text.split(',') {
            let start = at + item.len() - item.trim_start_matches(' ').len();
            if let Some(open) = parts.last().filter(|part| part.last.is_none()) {
                return Err(Slip::new(start, format!("`{open}` has no end, so nothing can follow"))
                    .with_hint("put the part without an end last"));
            }
            let part = Reader { text: item.trim_matches(' '), start, at: 0 }.part(index)?;
            index = index.saturating_add(part.len().unwrap_or(u64::MAX));
            parts.push(part);
            at += item.len() + 1;
        }
        Ok(PageRange { parts })
    }

    /// How many pages, `u64::MAX` if there are more; `None` without an end.
    #[expect(clippy::len_without_is_empty, reason = "a range always has a page")]
    pub fn len(&self) -> Option<u64> {
        let last = self.parts.last()?;
        Some(last.index.saturating_add(last.len()?))
    }

    /// The page at an index from 0; `None` behind the last, which for a part without an end is where 64 bits end.
    /// Costs a binary search in the parts.
    pub fn at(&self, index: u64) -> Option<i64> {
        let behind = self.parts.partition_point(|part| part.index <= index);
        let part = &self.parts[..behind].last()?;
        let page = i128::from(part.first) + i128::from(part.step) * i128::from(index - part.index);
        let page = i64::try_from(page).ok()?;
        match part.last {
            Some(last) if part.step > 0 && page > last || part.step < 0 && page < last => None,
            _ => Some(page),
        }
    }

    /// The pages in order.
    pub fn iter(&self) -> Pages<'_> {
        Pages { range: self, next: 0 }
    }
}

impl<'r> IntoIterator for &'r PageRange {
    type Item = i64;
    type IntoIter = Pages<'r>;

    fn into_iter(self) -> Pages<'r> {
        self.iter()
    }
}

/// The pages of a range in order. See [`PageRange::iter`].
#[derive(Debug, Clone)]
pub struct Pages<'r> {
    range: &'r PageRange,
    next: u64,
}

impl Iterator for Pages<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let page = self.range.at(self.next)?;
        self.next = self.next.saturating_add(1);
        Some(page)
    }
}

/// The normal form: steps of 1 left out, ends that are reached, no spaces.
impl fmt::Display for PageRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{part}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        match self.last {
            Some(last) if last == self.first => return Ok(()),
            Some(last) => write!(f, "-{last}")?,
            None => write!(f, "-")?,
        }
        if self.step == 1 { Ok(()) } else { write!(f, ":{}", self.step) }
    }
}

impl Part {
    fn len(&self) -> Option<u64> {
        let steps = (i128::from(self.last?) - i128::from(self.first)) / i128::from(self.step);
        Some(u64::try_from(steps + 1).unwrap_or(u64::MAX))
    }
}

/// Reads one part; its slips are told in bytes of the whole range.
struct Reader<'t> {
    text: &'t str,
    /// Where the part begins in the whole range.
    start: usize,
    at: usize,
}

impl Reader<'_> {
    fn part(mut self, index: u64) -> Result<Part, Slip> {
        let first = self.number("a page number")?;
        let mut part = Part { index, first, last: Some(first), step: 1 };
        if self.take('-') {
            let open = self.at == self.text.len() || self.rest().starts_with(':');
            part.last = if open { None } else { Some(self.number("a page number")?) };
            let colon = self.at;
            let step = if self.take(':') { Some(self.number("a step")?) } else { None };
            self.end()?;
            part.step = self.check_step(&part, step, colon)?;
        } else {
            self.end()?;
        }
        part.last = part.last.map(|last| reached(first, last, part.step));
        Ok(part)
    }

    /// The step that leads from the first page to the last.
    fn check_step(&self, part: &Part, step: Option<i64>, colon: usize) -> Result<i64, Slip> {
        let at = self.start + colon + 1;
        if step == Some(0) {
            return Err(
                Slip::new(at, "a step of 0 never ends").with_hint("the step is 1 if you leave it out")
            );
        }
        let Some(last) = part.last.filter(|&last| last != part.first) else { return Ok(step.unwrap_or(1)) };
        let first = part.first;
        match step {
            None | Some(0..) if last < first => {
                let down = step.map_or(-1, i64::wrapping_neg);
                Err(Slip::new(self.start, format!("the range goes down from {first} to {last}"))
                    .with_hint(format!("write `{first}-{last}:{down}` to count down")))
            }
            Some(down @ ..=-1) if last > first => {
                Err(Slip::new(at, format!("a step of {down} does not lead from {first} up to {last}"))
                    .with_hint(format!("write `{last}-{first}:{down}` to count down")))
            }
            _ => Ok(step.unwrap_or(1)),
        }
    }

    fn number(&mut self, what: &str) -> Result<i64, Slip> {
        let start = self.at;
        self.take('-');
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(self.unexpected(&format!("{what} is missing")));
        }
        self.at += digits;
        self.text[start..self.at].parse().map_err(|_| {
            Slip::new(self.start + start, "number too large").with_hint(format!(
                "numbers go from {} to {}",
                i64::MIN,
                i64::MAX
            ))
        })
    }

    fn end(&self) -> Result<(), Slip> {
        if self.at == self.text.len() { Ok(()) } else { Err(self.unexpected("nothing can follow")) }
    }

    /// What is at hand does not belong here; `missing` is said where the part just ends.
    fn unexpected(&self, missing: &str) -> Slip {
        let at = self.start + self.at;
        let before = &self.text[..self.at];
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return Slip::new(at, missing).with_hint("as in `0-9`, `0-250:25`, `1,3,7-9`, `1-`");
        };
        let slip = Slip::new(at, format!("unexpected `{}`", c.escape_debug()));
        let after =
            rest.trim_start_matches(['.', '=', '\u{2010}', '\u{2013}', '\u{2014}', '\u{2212}', ' ', '-']);
        slip.with_hint(match c {
            '.' | '\u{2010}' | '\u{2013}' | '\u{2014}' | '\u{2212}' => format!("write `{before}-{after}`"),
            ' ' => "spaces may stand around commas only".to_owned(),
            ':' => format!("a step needs a range: write `{before}-{rest}`"),
            _ => "pages are written `0-9`, `0-250:25`, `1,3,7-9` or `1-`".to_owned(),
        })
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
}

/// The last page at or in front of `last` that the steps from `first` come to.
fn reached(first: i64, last: i64, step: i64) -> i64 {
    let beyond = (i128::from(last) - i128::from(first)) % i128::from(step);
    i64::try_from(i128::from(last) - beyond).expect("between the first page and the last")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pages(text: &str) -> Vec<i64> {
        PageRange::parse(text).expect("a valid range").iter().take(12).collect()
    }

    fn slip(text: &str) -> (usize, String, String) {
        let slip = PageRange::parse(text).expect_err(text);
        (slip.at, slip.message, slip.hint.expect("every slip has a hint"))
    }

    #[test]
    fn both_ends_belong_to_a_range() {
        assert_eq!(pages("0-3"), [0, 1, 2, 3]);
        assert_eq!(pages("7"), [7]);
        assert_eq!(pages("5-5"), [5]);
        assert_eq!(pages("1, 3 ,7-9"), [1, 3, 7, 8, 9]);
        assert_eq!(pages(" 2,2 "), [2, 2]);
    }

    #[test]
    fn steps_stop_at_or_in_front_of_the_end() {
        assert_eq!(pages("0-100:25"), [0, 25, 50, 75, 100]);
        assert_eq!(pages("0-99:25"), [0, 25, 50, 75]);
        assert_eq!(pages("9-0:-3"), [9, 6, 3, 0]);
        assert_eq!(pages("3-9:100"), [3]);
    }

    #[test]
    fn a_minus_in_front_of_digits_is_a_sign() {
        assert_eq!(pages("-5--3"), [-5, -4, -3]);
        assert_eq!(pages("-1-1"), [-1, 0, 1]);
        assert_eq!(pages("1--1:-1"), [1, 0, -1]);
    }

    #[test]
    fn a_range_without_an_end_goes_on_until_64_bits_end() {
        assert_eq!(pages("1-")[..3], [1, 2, 3]);
        assert_eq!(pages("1-:5")[..3], [1, 6, 11]);
        assert_eq!(pages("0-:-1")[..3], [0, -1, -2]);
        assert_eq!(pages("8,9223372036854775806-"), [8, i64::MAX - 1, i64::MAX]);
        assert_eq!(PageRange::parse("1-").unwrap().len(), None);
    }

    #[test]
    fn huge_ranges_are_counted_and_indexed_without_being_listed() {
        let range = PageRange::parse("0-999999999999,-9223372036854775808-9223372036854775807").unwrap();
        assert_eq!(range.at(999_999_999_999), Some(999_999_999_999));
        assert_eq!(range.at(1_000_000_000_000), Some(i64::MIN));
        assert_eq!(range.len(), Some(u64::MAX));
        assert_eq!(PageRange::parse("0-9,20-30:5").unwrap().len(), Some(13));
        assert_eq!(PageRange::parse("0-9").unwrap().at(10), None);
        assert_eq!(PageRange::parse("0-9").unwrap().at(u64::MAX), None);
    }

    #[test]
    fn the_normal_form_leaves_out_what_does_not_matter() {
        let normal = |text: &str| PageRange::parse(text).unwrap().to_string();
        assert_eq!(normal(" 01 , 3-3, 7-9:1, 0-99:25 "), "1,3,7-9,0-75:25");
        assert_eq!(normal("-5--1,9-0:-1,1-:5"), "-5--1,9-0:-1,1-:5");
        assert_eq!(normal("1-:1"), "1-");
    }

    #[test]
    fn slips_point_at_the_character() {
        let place = |text: &str| {
            let (at, message, _) = slip(text);
            (at, message)
        };
        assert_eq!(place(""), (0, "no pages given".into()));
        assert_eq!(place("  "), (0, "no pages given".into()));
        assert_eq!(place("1,,2"), (2, "a page number is missing".into()));
        assert_eq!(place("1,"), (2, "a page number is missing".into()));
        assert_eq!(place("1, x"), (3, "unexpected `x`".into()));
        assert_eq!(place("0-9x"), (3, "unexpected `x`".into()));
        assert_eq!(place("-"), (1, "a page number is missing".into()));
        assert_eq!(place("0-9:"), (4, "a step is missing".into()));
        assert_eq!(place("0-9:0"), (4, "a step of 0 never ends".into()));
        assert_eq!(place("5-1"), (0, "the range goes down from 5 to 1".into()));
        assert_eq!(place("2, 1-5:-1"), (7, "a step of -1 does not lead from 1 up to 5".into()));
        assert_eq!(place("1-,5"), (3, "`1-` has no end, so nothing can follow".into()));
        assert_eq!(place("0-9223372036854775808"), (2, "number too large".into()));
        assert_eq!(place("1 - 5"), (1, "unexpected ` `".into()));
    }

    #[test]
    fn hints_say_what_was_probably_meant() {
        let hint = |text: &str| slip(text).2;
        assert_eq!(hint("9-0"), "write `9-0:-1` to count down");
        assert_eq!(hint("9-0:3"), "write `9-0:-3` to count down");
        assert_eq!(hint("1-5:-1"), "write `5-1:-1` to count down");
        assert_eq!(hint("1..5"), "write `1-5`");
        assert_eq!(hint("1..=5"), "write `1-5`");
        assert_eq!(hint("1–5"), "write `1-5`");
        assert_eq!(hint("1:5"), "a step needs a range: write `1-:5`");
    }

    /// One part as its definition says it, by counting.
    fn naive(first: i64, last: i64, step: i64) -> Vec<i64> {
        let mut all = vec![];
        let mut page = first;
        while if step > 0 { page <= last } else { page >= last } {
            all.push(page);
            page += step;
        }
        all
    }

    fn parts() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
        let part = (-60..60_i64, 0..60_i64, 1..9_i64, any::<bool>()).prop_map(|(first, size, step, up)| {
            if up { (first, first + size, step) } else { (first, first - size, -step) }
        });
        proptest::collection::vec(part, 1..5)
    }

    proptest! {
        #[test]
        fn pages_equal_counting_them(parts in parts()) {
            let text: Vec<String> = parts.iter().map(|(f, l, s)| format!("{f}-{l}:{s}")).collect();
            let range = PageRange::parse(&text.join(", ")).unwrap();
            let expected: Vec<i64> = parts.iter().flat_map(|&(f, l, s)| naive(f, l, s)).collect();
            prop_assert_eq!(range.iter().collect::<Vec<_>>(), &expected[..]);
            prop_assert_eq!(range.len(), Some(expected.len() as u64));
            // The normal form means the same pages, and is its own normal form.
            let again = PageRange::parse(&range.to_string()).unwrap();
            prop_assert_eq!(again.iter().collect::<Vec<_>>(), expected);
            prop_assert_eq!(again.to_string(), range.to_string());
        }

        #[test]
        fn any_text_is_read_or_refused_with_a_place_in_it(text in "([0-9,: -]|-?[0-9]{18,20}|\\PC){0,20}") {
            match PageRange::parse(&text) {
                Ok(range) => drop((range.iter().take(50).count(), range.at(u64::MAX), range.len())),
                Err(slip) => prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at)),
            }
        }
    }
}
