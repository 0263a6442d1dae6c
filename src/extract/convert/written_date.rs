//! Dates in words and figures, without a format: which token is the year, the month and the day.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::date::Moment;
use super::months::{ENGLISH, month_named};
use super::tokens::{Token, tokens};
use super::{DateOrder, Locale};

/// One day, perhaps with a time, and nothing else; facts about it stand in `date`.
pub(super) fn parse_written(text: &str, locale: Option<Locale>) -> Option<Moment> {
    let mut tokens = tokens(text);
    let (time, offset) = match tokens.iter().position(|token| *token == Token::Mark(':')) {
        Some(colon) => {
            let (time, offset) = take_time(&mut tokens, colon.checked_sub(1)?)?;
            (Some(time), offset)
        }
        None => (None, None),
    };
    let date = read_day(&mut tokens, locale)?;
    Some(Moment { date, time, offset })
}

/// Takes `10:30`, `10:30:15`, `10:30 pm`, `10:30 +01:00`, which begin at `start`, out of the tokens.
fn take_time(tokens: &mut Vec<Token>, start: usize) -> Option<(Time, Option<Offset>)> {
    let number = |at: usize| match tokens.get(at) {
        Some(Token::Number { digits, value }) if *digits <= 2 => i8::try_from(*value).ok(),
        _ => None,
    };
    let is_mark = |at: usize, mark: char| tokens.get(at) == Some(&Token::Mark(mark));
    let (mut hour, minute, mut end) = (number(start)?, number(start + 2)?, start + 3);
    let mut second = 0;
    if is_mark(end, ':') {
        second = number(end + 1)?;
        end += 2;
        if is_mark(end, '.') && matches!(tokens.get(end + 1), Some(Token::Number { .. })) {
            end += 2;
        }
    }
    match tokens.get(end) {
        Some(Token::Word(word)) if word == "am" || word == "pm" => {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if word == "pm" { 12 } else { 0 };
            end += 1;
        }
        _ => {}
    }
    let mut offset = None;
    if matches!(tokens.get(end), Some(Token::Word(word)) if ["utc", "gmt", "z"].contains(&word.as_str())) {
        offset = Some(Offset::UTC);
        end += 1;
    }
    if is_mark(end, '+') || is_mark(end, '-') {
        let sign = if is_mark(end, '-') { -1 } else { 1 };
        let (seconds, length) = read_offset(&tokens[end + 1..])?;
        offset = Some(Offset::from_seconds(sign * seconds).ok()?);
        end += 1 + length;
    }
    let time = Time::new(hour, minute, second, 0).ok()?;
    // What joins day and time goes with it.
    let joins = |token: &Token| matches!(token, Token::Word(word) if ["t", "at", "um", "à", "kl"].contains(&word.as_str()));
    let start = if start > 0 && joins(&tokens[start - 1]) { start - 1 } else { start };
    tokens.drain(start..end);
    Some((time, offset))
}

/// `08:00`, `0800`, `8`: seconds, and how many tokens they are.
fn read_offset(tokens: &[Token]) -> Option<(i32, usize)> {
    let Some(Token::Number { digits, value }) = tokens.first() else { return None };
    let value = i32::try_from(*value).ok()?;
    match (digits, tokens.get(1), tokens.get(2)) {
        (1 | 2, Some(Token::Mark(':')), Some(Token::Number { value: minutes, .. })) => {
            Some((value * 3600 + i32::try_from(*minutes).ok()? * 60, 3))
        }
        (1 | 2, ..) => Some((value * 3600, 1)),
        (4, ..) => Some((value / 100 * 3600 + value % 100 * 60, 1)),
        _ => None,
    }
}

/// Days of the week and what stands between the parts of a date.
const FILLERS: &[&str] = &[
    "mon",
    "monday",
    "tue",
    "tues",
    "tuesday",
    "wed",
    "wednesday",
    "thu",
    "thur",
    "thurs",
    "thursday",
    "fri",
    "friday",
    "sat",
    "saturday",
    "sun",
    "sunday",
    "st",
    "nd",
    "rd",
    "th",
    "er",
    "of",
    "the",
    "on",
    "de",
    "del",
    "le",
    "den",
    "am",
    "el",
    "г",
    "года",
    "ч",
    "roku",
];

/// What is left must be one day and nothing else.
fn read_day(tokens: &mut Vec<Token>, locale: Option<Locale>) -> Option<Date> {
    // `Freitag, `: with a locale the first word before a comma is the day of the week.
    if let [Token::Word(_), Token::Mark('.' | ','), ..] = tokens[..]
        && locale.is_some()
        && tokens.iter().filter(|token| matches!(token, Token::Word(_))).count() > 1
    {
        tokens.remove(0);
    }
    tokens.retain(|token| match token {
        Token::Word(word) => !FILLERS.contains(&word.as_str()),
        Token::Mark(mark) => *mark != ',',
        Token::Number { .. } => true,
    });
    while matches!(tokens.last(), Some(Token::Mark('.'))) {
        tokens.pop();
    }
    if tokens.iter().any(|token| matches!(token, Token::Word(_))) {
        read_named(tokens, locale)
    } else {
        read_figures(tokens, locale)
    }
}

/// The three parts with the month by its name.
fn read_named(tokens: &[Token], locale: Option<Locale>) -> Option<Date> {
    let is_divider = |token: &&Token| !matches!(token, Token::Mark('.' | '-' | '/'));
    let parts: Vec<&Token> = tokens.iter().filter(is_divider).collect();
    let months = locale.map_or(&ENGLISH, |locale| locale.months);
    let (year, month, day) = match parts[..] {
        [Token::Word(month), day, year] | [day, Token::Word(month), year] if year.is_year() => {
            (year, month, day)
        }
        [year, Token::Word(month), day] => (year, month, day),
        _ => return None,
    };
    Date::new(year.year()?, month_named(month, months)?, day.day_or_month()?).ok()
}

/// The three parts in figures.
fn read_figures(tokens: &[Token], locale: Option<Locale>) -> Option<Date> {
    use Token::Mark;
    let (first, second, third, mark) = match tokens {
        [year, Mark('年' | '년'), month, Mark('月' | '월'), day, Mark('日' | '号' | '號' | '일')] => {
            (year, month, day, '年')
        }
        [first, Mark(mark @ ('/' | '.' | '-')), second, Mark(other), third] if mark == other => {
            (first, second, third, *mark)
        }
        _ => return None,
    };
    if first.is_year() {
        return Date::new(first.year()?, second.day_or_month()?, third.day_or_month()?).ok();
    }
    let (a, b) = (first.day_or_month()?, second.day_or_month()?);
    let order = locale.map(|locale| locale.order).filter(|&order| order != DateOrder::YearFirst);
    let (day, month) = match (mark, order) {
        // Who writes full stops writes the day first.
        ('.', _) | (_, Some(DateOrder::DayFirst)) => (a, b),
        (_, Some(_)) => (b, a),
        (_, None) if a > 12 || a == b => (a, b),
        (_, None) if b > 12 => (b, a),
        (_, None) => return None,
    };
    Date::new(third.year()?, month, day).ok()
}
