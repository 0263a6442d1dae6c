//! Variables of templates: a name, and values that are made when they are asked for.
//!
//! ```text
//! variable = name "=" values
//! values   = range of numbers, as for pages | day [".." day [":" step]] | word ("," word)*
//! step     = ["-"] digits ("d" | "w" | "mo" | "y")
//! ```
//!
//! Every value has an index, so that one integer says how far a run came. Lists of words that stand in a file are handed
//! in. Knows nothing of braces and URLs.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Span, ToSpan, Unit};

use super::range::PageRange;
use crate::mistake::Slip;

/// The variable that records know as `_page`.
pub(super) const PAGE: &str = "page";

/// A name and its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    name: String,
    values: Values,
}

/// The values of a variable: there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    Numbers(PageRange),
    /// Numbers that are texts, since they are written with leading zeros: with their width.
    Padded(PageRange, usize),
    Words(Arc<[Box<str>]>),
    Days(Days),
}

/// What can be done with the values of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Word,
    Day,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value<'v> {
    Number(i64),
    Word(Cow<'v, str>),
    Day(Date),
}

/// Days at equal distances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Days {
    first: Date,
    step: i64,
    unit: Unit,
    count: u64,
}

impl Variable {
    /// Reads `name=values`. Words that stand in a file are another matter: see [`Variable::of_lines`].
    ///
    /// # Errors
    /// The first slip.
    pub fn parse(text: &str) -> Result<Variable, Slip> {
        let (name, values, at) = split(text)?;
        if values.is_empty() {
            let hint = "as in q=red,green, page=1-20, d=2024-01-01..2024-12-31:1d or q=@words.txt";
            return Err(Slip::new(at, "there is no value").with_hint(hint));
        }
        let values = read_values(values).map_err(|slip| Slip { at: slip.at + at, ..slip })?;
        Ok(Variable { name: name.to_owned(), values })
    }

    /// The file that `name=@file` names.
    pub fn file_of(text: &str) -> Option<&str> {
        split(text).ok()?.1.strip_prefix('@')
    }

    /// A variable whose words are the lines of a file, without those that are blank.
    ///
    /// # Errors
    /// The name is none, or there is no line. `text` is the whole `name=@file`.
    pub fn of_lines(text: &str, lines: &str) -> Result<Variable, Slip> {
        let (name, _, at) = split(text)?;
        let lines = lines.strip_prefix('\u{feff}').unwrap_or(lines);
        let words: Arc<[Box<str>]> =
            lines.lines().filter(|line| !line.trim().is_empty()).map(Box::from).collect();
        if words.is_empty() {
            return Err(Slip::new(at, "there is no line in this file"));
        }
        Ok(Variable { name: name.to_owned(), values: Values::Words(words) })
    }

    /// The variable `page` over a range.
    pub fn pages(range: PageRange) -> Variable {
        Variable { name: PAGE.to_owned(), values: Values::Numbers(range) }
    }

    /// A variable that has no name of its own: a part of a glob.
    pub(super) fn nameless(number: usize, values: Values) -> Variable {
        Variable { name: format!("#{number}"), values }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> Kind {
        match self.values {
            Values::Numbers(_) => Kind::Number,
            Values::Padded(..) | Values::Words(_) => Kind::Word,
            Values::Days(_) => Kind::Day,
        }
    }

    /// How many values, `u64::MAX` if there are more; `None` without an end.
    #[expect(clippy::len_without_is_empty, reason = "a variable always has a value")]
    pub fn len(&self) -> Option<u64> {
        match &self.values {
            Values::Numbers(range) | Values::Padded(range, _) => range.len(),
            Values::Words(words) => Some(words.len() as u64),
            Values::Days(days) => Some(days.count),
        }
    }

    pub(super) fn at(&self, index: u64) -> Option<Value<'_>> {
        Some(match &self.values {
            Values::Numbers(range) => Value::Number(range.at(index)?),
            Values::Padded(range, width) => Value::Word(format!("{:0width$}", range.at(index)?).into()),
            Values::Words(words) => Value::Word(Cow::Borrowed(words.get(usize::try_from(index).ok()?)?)),
            Values::Days(days) => Value::Day(days.at(index)?),
        })
    }
}

/// Name, values, and where the values begin.
fn split(text: &str) -> Result<(&str, &str, usize), Slip> {
    let hint = "as in q=red,green or page=1-20";
    let Some((name, values)) = text.split_once('=') else {
        return Err(Slip::new(text.len(), "a variable is written NAME=VALUES").with_hint(hint));
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(at) = name.find(|c| !is_name(c)) {
        return Err(Slip::new(at, "a name is made of letters, digits and `_`").with_hint(hint));
    }
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() => Ok((name, values, name.len() + 1)),
        Some(_) => Err(Slip::new(0, "a name begins with a letter").with_hint(hint)),
        None => Err(Slip::new(0, "the variable has no name").with_hint(hint)),
    }
}

fn read_values(text: &str) -> Result<Values, Slip> {
    let first = text.split("..").next().unwrap_or(text).split(':').next().unwrap_or(text);
    if first.parse::<Date>().is_ok() && first.len() == 10 && !text.contains(',') {
        return Days::parse(text).map(Values::Days);
    }
    let is_number_like = text.bytes().all(|b| b.is_ascii_digit() || b" ,-:".contains(&b));
    // `007` is not 7 for who writes it so.
    let has_zero_in_front = |item: &str| item.len() > 1 && item.starts_with('0') && !item.contains('-');
    if is_number_like
        && text.contains(|c: char| c.is_ascii_digit())
        && !text.split(',').any(has_zero_in_front)
    {
        return PageRange::parse(text).map(Values::Numbers);
    }
    if let Some(at) =
        text.find("..").filter(|_| text.bytes().all(|b| b.is_ascii_digit() || b".:-".contains(&b)))
    {
        let hint = format!("write `{}`", text.replacen("..", "-", 1));
        return Err(Slip::new(at, "unexpected `..` in a range of numbers").with_hint(hint));
    }
    Ok(Values::Words(text.split(',').map(Box::from).collect()))
}

impl Days {
    fn parse(text: &str) -> Result<Days, Slip> {
        let hint = "as in 2024-01-01..2024-12-31:1d; steps are d, w, mo and y";
        let (range, step) = match text.split_once(':') {
            Some((range, step)) => (range, Some(step)),
            None => (text, None),
        };
        let (first, last) = range.split_once("..").unwrap_or((range, range));
        let day = |text: &str, at| {
            text.parse::<Date>().map_err(|_| Slip::new(at, "this is not a day").with_hint(hint))
        };
        let (first, last) = (day(first, 0)?, day(last, range.len() - last.len())?);
        let at = range.len() + 1;
        let (step, unit) = match step {
            None => (1, Unit::Day),
            Some(step) => {
                let end = step.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(step.len());
                let unit = match &step[end..] {
                    "d" => Unit::Day,
                    "w" => Unit::Week,
                    "mo" => Unit::Month,
                    "y" => Unit::Year,
                    _ => return Err(Slip::new(at + end, "unknown unit of a step").with_hint(hint)),
                };
                let number =
                    step[..end].parse::<i64>().ok().filter(|step| (1..=100_000).contains(&step.abs()));
                let number = number.ok_or_else(|| Slip::new(at, "this is not a step").with_hint(hint))?;
                (number, unit)
            }
        };
        if (last < first && step > 0) || (last > first && step < 0) {
            let slip = Slip::new(at.min(text.len()), "the step does not lead from the first day to the last");
            return Err(slip.with_hint("write the earlier day first, or a step like -1d"));
        }
        let mut days = Days { first, step, unit, count: 1 };
        let between = first.until((unit, last)).ok().map(|span| match unit {
            Unit::Day => i64::from(span.get_days()),
            Unit::Week => i64::from(span.get_weeks()),
            Unit::Month => i64::from(span.get_months()),
            _ => i64::from(span.get_years()),
        });
        days.count = (between.unwrap_or(0) / step).unsigned_abs() + 1;
        Ok(days)
    }

    fn at(&self, index: u64) -> Option<Date> {
        if index >= self.count {
            return None;
        }
        let distance = i64::try_from(index).ok()?.checked_mul(self.step)?;
        // Counted from the first, so that the 31st does not become the 28th for good.
        let span: Span = match self.unit {
            Unit::Day => Span::new().try_days(distance),
            Unit::Week => Span::new().try_weeks(distance),
            Unit::Month => Span::new().try_months(distance),
            _ => Span::new().try_years(distance),
        }
        .unwrap_or(0.days());
        self.first.checked_add(span).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<String> {
        let variable = Variable::parse(text).expect(text);
        let shown = |value| match value {
            Value::Number(number) => number.to_string(),
            Value::Word(word) => word.into_owned(),
            Value::Day(day) => day.to_string(),
        };
        (0..variable.len().unwrap()).map(|index| shown(variable.at(index).unwrap())).collect()
    }

    fn slip(text: &str) -> (usize, String) {
        let slip = Variable::parse(text).expect_err(text);
        (slip.at, slip.message)
    }

    #[test]
    fn numbers_are_ranges_and_the_rest_are_words() {
        assert_eq!(all("n=1-3"), ["1", "2", "3"]);
        assert_eq!(all("n=3,1"), ["3", "1"]);
        assert_eq!(Variable::parse("n=3,1").unwrap().kind(), Kind::Number);
        assert_eq!(all("q=a,b c,,d"), ["a", "b c", "", "d"]);
        assert_eq!(all("q=x=y"), ["x=y"]);
        assert_eq!(all("q=007,8"), ["007", "8"]);
        assert_eq!(Variable::parse("n=5-").unwrap().len(), None);
    }

    #[test]
    fn days_go_in_steps_of_days_weeks_months_and_years() {
        assert_eq!(all("d=2024-02-28..2024-03-01"), ["2024-02-28", "2024-02-29", "2024-03-01"]);
        assert_eq!(all("d=2024-01-01..2024-01-20:1w"), ["2024-01-01", "2024-01-08", "2024-01-15"]);
        assert_eq!(all("d=2024-01-31..2024-04-30:1mo"), ["2024-01-31", "2024-02-29", "2024-03-31"]);
        assert_eq!(all("d=2020-01-01..2024-01-01:2y"), ["2020-01-01", "2022-01-01", "2024-01-01"]);
        assert_eq!(all("d=2024-01-03..2024-01-01:-2d"), ["2024-01-03", "2024-01-01"]);
        assert_eq!(all("d=2024-01-01"), ["2024-01-01"]);
        assert_eq!(Variable::parse("d=2024-01-01..2024-12-31:1d").unwrap().len(), Some(366));
    }

    #[test]
    fn lines_of_a_file_are_words_and_blank_ones_are_none() {
        assert_eq!(Variable::file_of("q=@words.txt"), Some("words.txt"));
        assert_eq!(Variable::file_of("q=a@b"), None);
        let words = Variable::of_lines("q=@f", "\u{feff}one\r\n\n two \n1-3").unwrap();
        assert_eq!((words.name(), words.len()), ("q", Some(3)));
        assert_eq!(words.at(1), Some(Value::Word(" two ".into())));
        assert_eq!(Variable::of_lines("q=@f", "\n").unwrap_err().at, 2);
    }

    #[test]
    fn slips_point_at_the_place() {
        assert_eq!(slip("q"), (1, "a variable is written NAME=VALUES".into()));
        assert_eq!(slip("a-b=1"), (1, "a name is made of letters, digits and `_`".into()));
        assert_eq!(slip("1a=1").0, 0);
        assert_eq!(slip("q="), (2, "there is no value".into()));
        assert_eq!(slip("n=9-1").0, 2);
        assert_eq!(slip("n=1..9"), (3, "unexpected `..` in a range of numbers".into()));
        assert_eq!(slip("d=2024-01-01..2024-13-01"), (14, "this is not a day".into()));
        assert_eq!(slip("d=2024-01-01..2024-02-01:1x"), (26, "unknown unit of a step".into()));
        assert_eq!(
            slip("d=2024-02-01..2024-01-01").1,
            "the step does not lead from the first day to the last"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_a_place_in_it(text in "q=([0-9,:.-]|mo|d|\\PC){0,30}|\\PC{0,9}") {
            match Variable::parse(&text) {
                Ok(variable) => {
                    prop_assert!(variable.at(0).is_some());
                    prop_assert!(variable.len().is_none_or(|len| variable.at(len - 1).is_some()));
                }
                Err(slip) => prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at), "{slip:?}"),
            }
        }
    }
}
