//! Numbers as people write them: `￥49.00`, `1,234.5`, `12 345,60 €`, `−5 %`.
//!
//! A text is a number if it holds one number and nothing else but white space, a sign, a currency and a percent sign,
//! which are dropped. Anything more (`3 of 5`, `1.5M`, `(3)`, `from 12`) could mean another number, so it is none: a
//! `regex` says which part is meant.
//!
//! With a locale its decimal mark divides, and the other one of `.` and `,` groups. Without one:
//!
//! - both marks: the last one is the decimal mark, the other groups (`1.234,5`, `1,234.5`);
//! - one mark, several times: it groups (`1.234.567`);
//! - one comma before exactly three digits groups (`1,234`), unless a zero or more than three digits stand before it;
//! - any other single mark is the decimal mark (`12,5`, `49.00`, `1.234`), but with a currency a point before exactly
//!   three digits is refused: `1.250 €` is a thousand times more in one country than in another.
//!
//! Spaces and apostrophes group always. Groups have three digits, or as in India two and at the end three.

use super::Locale;

/// Why a text is no number of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoNumber;

/// Longer texts are none: nobody writes so many digits, and the time for a hostile one stays small.
const LONGEST_BYTES: usize = 400;

/// The number in `text`.
pub(super) fn parse_float(text: &str, locale: Option<Locale>) -> Result<f64, NoNumber> {
    let plain = parse_plain(text, locale)?;
    let number: f64 = plain.parse().map_err(|_| NoNumber)?;
    if number.is_finite() { Ok(number) } else { Err(NoNumber) }
}

/// The whole number in `text`; `12.00` is one, `12.50` is none.
pub(super) fn parse_int(text: &str, locale: Option<Locale>) -> Result<i64, NoNumber> {
    let plain = parse_plain(text, locale)?;
    let whole = match plain.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        Some(_) => return Err(NoNumber),
        None => &plain,
    };
    whole.parse().map_err(|_| NoNumber)
}

/// The number as Rust writes it: an optional minus, digits, perhaps a point and digits, perhaps an exponent.
fn parse_plain(text: &str, locale: Option<Locale>) -> Result<String, NoNumber> {
    let text = text.trim();
    if text.len() > LONGEST_BYTES {
        return Err(NoNumber);
    }
    let text: String = text.chars().map(folded).collect();
    if let Some((digits, exponent)) = text.split_once(['e', 'E'])
        && is_signed_digits(exponent)
        && is_machine_number(digits)
    {
        // Only programs write exponents, and they write points.
        return Ok(text);
    }
    let (is_negative, core, has_currency) = strip_surroundings(&text)?;
    if locale.is_none() && has_currency && is_torn(core) {
        return Err(NoNumber);
    }
    let plain = plain_digits(core, locale)?;
    Ok(if is_negative { format!("-{plain}") } else { plain })
}

fn is_signed_digits(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_machine_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.matches('.').count() < 2
}

/// Full-width and Arabic figures as ASCII.
pub(super) fn folded_digit(c: char) -> char {
    let digit = |zero: u32| char::from_digit(u32::from(c) - zero, 10).unwrap_or(c);
    match c {
        '０'..='９' => digit(0xFF10),
        '\u{660}'..='\u{669}' => digit(0x660),
        '\u{6F0}'..='\u{6F9}' => digit(0x6F0),
        c => c,
    }
}

/// Figures and their marks as ASCII, each minus as `-`, each apostrophe as `'`, each space as one.
fn folded(c: char) -> char {
    match c {
        '\u{66B}' => '.',
        '\u{66C}' => ',',
        '，' => ',',
        '．' => '.',
        '＋' => '+',
        '％' | '\u{66A}' => '%',
        '\u{2212}' | '\u{FE63}' | '－' => '-',
        '\u{2019}' | '\u{FF07}' | '\u{2BC}' => '\'',
        c if c.is_whitespace() => ' ',
        c => folded_digit(c),
    }
}

/// What stands around the number: at most a sign, a currency and a percent sign.
fn strip_surroundings(text: &str) -> Result<(bool, &str, bool), NoNumber> {
    let is_digit = |c: char| c.is_ascii_digit();
    let mut start = text.find(is_digit).ok_or(NoNumber)?;
    let end = text.rfind(is_digit).ok_or(NoNumber)? + 1;
    // `.5`, but not `Fr.5`.
    let before_point = text[..start].strip_suffix('.');
    if before_point.is_some_and(|before| !before.ends_with(char::is_alphabetic)) {
        start -= 1;
    }
    let (mut before, mut after) = (text[..start].trim(), text[end..].trim());
    let mut sign = None;
    let mut take_sign = |text: &mut &str, found: Option<&'static str>| {
        let Some(mark) = found else { return true };
        *text = text.trim_matches(|c| mark.contains(c)).trim();
        sign.replace(mark).is_none()
    };
    let sign_in = |text: &str, at_end: bool| {
        let find = |c: char| if at_end { text.ends_with(c) } else { text.starts_with(c) };
        if find('-') {
            Some("-")
        } else if find('+') {
            Some("+")
        } else {
            None
        }
    };
    // `-5`, `-$5` and `$-5`; `--5` and `-$-5` are none.
    if before.matches(['-', '+']).count() > 1 {
        return Err(NoNumber);
    }
    let found = sign_in(before, false).or_else(|| sign_in(before, true));
    if !take_sign(&mut before, found) {
        return Err(NoNumber);
    }
    // `49,-` and `49.–`: no cents. A full stop may end a sentence.
    for end in [",-", ".-", ",\u{2013}", ".\u{2013}", ",\u{2014}", ".\u{2014}", "."] {
        if let Some(rest) = after.strip_prefix(end) {
            after = rest.trim();
            break;
        }
    }
    after = after.strip_prefix('%').unwrap_or(after).trim();
    match (before, after) {
        ("", "") => {}
        ("", currency) | (currency, "") if is_currency(currency) => {}
        // `US$ 5 USD` says it twice.
        (one, other) if is_currency(one) && is_currency(other) => {}
        _ => return Err(NoNumber),
    }
    let has_currency = !before.is_empty() || !after.is_empty();
    Ok((sign == Some("-"), &text[start..end], has_currency))
}

/// Signs and codes of ISO 4217 for the currencies that shops use, and what people write instead.
const CURRENCIES: &[&str] = &[
    "AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "HKD",
    "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PKR", "PLN", "RMB",
    "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "UAH", "USD", "VND", "ZAR", "Fr", "Fr.",
    "SFr", "SFr.", "kr", "kr.", "Kr", "Kr.", "zł", "Kč", "Ft", "lei", "лв", "лв.", "руб", "руб.", "р", "р.",
    "грн", "грн.", "元", "円", "圆", "圓", "원", "Rs", "Rs.", "RM", "Rp", "Rp.", "R", "TL", "US", "Euro",
    "euro",
];

/// `€`, `US$`, `CHF`, and with a sign and a code both: `€ EUR`.
fn is_currency(text: &str) -> bool {
    let is_sign = |c: char| {
        matches!(c, '$' | '¢' | '£' | '¤' | '¥' | '￥' | '￡' | '＄' | '\u{20A0}'..='\u{20CF}' | '฿' | '﷼')
    };
    if CURRENCIES.contains(&text) {
        return true;
    }
    match text.find(is_sign) {
        Some(at) => {
            let (country, rest) = (text[..at].trim(), text[at..].trim_start_matches(is_sign).trim());
            // The prefix of `US$`, `HK$`, `R$`, `C$`.
            let is_country = country.len() <= 3 && country.bytes().all(|byte| byte.is_ascii_uppercase());
            is_country
                && (rest.is_empty() || CURRENCIES.contains(&rest))
                && text.chars().filter(|&c| is_sign(c)).count() == 1
        }
        None => false,
    }
}

/// `core` begins and ends with digits (or begins with a point); the result has only digits and one point.
fn plain_digits(core: &str, locale: Option<Locale>) -> Result<String, NoNumber> {
    if core.chars().any(|c| !c.is_ascii_digit() && !matches!(c, ' ' | '\'' | '.' | ',')) {
        return Err(NoNumber);
    }
    let decimal = match locale {
        Some(locale) => Some(if locale.has_decimal_comma { ',' } else { '.' }),
        None => guess_decimal(core),
    };
    let (whole, fraction) = match decimal.and_then(|mark| core.split_once(mark)) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (core, None),
    };
    let mut plain = ungroup(whole)?;
    if let Some(fraction) = fraction {
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoNumber);
        }
        plain.push('.');
        plain.push_str(fraction);
    }
    Ok(plain)
}

/// Whether it has one point, and that could group as well as divide.
fn is_torn(core: &str) -> bool {
    core.split_once('.').is_some_and(|(before, after)| {
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        after.len() == 3 && (1..=3).contains(&before.len()) && are_digits(before) && are_digits(after)
    }) && !core.starts_with('0')
}

/// Which mark is the decimal one; see the top of this file.
fn guess_decimal(core: &str) -> Option<char> {
    let marks: Vec<(usize, char)> = core.char_indices().filter(|(_, c)| matches!(c, '.' | ',')).collect();
    let &(at, last) = marks.last()?;
    if marks.iter().any(|&(_, mark)| mark != last) {
        return Some(last);
    }
    if marks.len() > 1 {
        return None;
    }
    let (before, after) = (&core[..at], &core[at + 1..]);
    let can_group = after.len() == 3 && (1..=3).contains(&before.len()) && !before.starts_with('0');
    if last == ',' && can_group { None } else { Some(last) }
}

/// The digits of a whole number whose groups are right and divided by one kind of mark.
fn ungroup(whole: &str) -> Result<String, NoNumber> {
    let Some(mark) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return Ok(if whole.is_empty() { "0".to_owned() } else { whole.to_owned() });
    };
    let groups: Vec<&str> = whole.split(mark).collect();
    let are_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, rest) = groups.split_first().ok_or(NoNumber)?;
    let (last, middle) = rest.split_last().ok_or(NoNumber)?;
    let by_three = middle.iter().all(|group| group.len() == 3);
    let by_two = middle.iter().all(|group| group.len() == 2) && first.len() <= 2;
    if are_digits && last.len() == 3 && (1..=3).contains(&first.len()) && (by_three || by_two) {
        Ok(groups.concat())
    } else {
        Err(NoNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(text: &str, locale: &str) -> Option<f64> {
        let locale = (!locale.is_empty()).then(|| Locale::parse(locale).unwrap());
        parse_float(text, locale).ok()
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        for (text, number) in [
            ("0", 0.0),
            ("42", 42.0),
            ("￥49.00", 49.0),
            ("¥ 1,234", 1234.0),
            ("£51.77", 51.77),
            ("$1,234.5", 1234.5),
            ("1,234.5", 1234.5),
            ("1.234,5", 1234.5),
            ("1,234", 1234.0),
            ("1.234", 1.234),
            ("1,234,567", 1_234_567.0),
            ("1.234.567", 1_234_567.0),
            ("12,34,567.50", 1_234_567.5),
            ("1234,567", 1234.567),
            ("0,125", 0.125),
            ("€ 0.125", 0.125),
            ("€ 1,250", 1250.0),
            ("1.250 %", 1.25),
            ("12,5", 12.5),
            ("12,50", 12.5),
            ("3,14259", 3.14259),
            ("12 345,60", 12_345.6),
            ("12\u{a0}345,60\u{a0}€", 12_345.6),
            ("12\u{202f}345", 12_345.0),
            ("1'234.50", 1234.5),
            ("1\u{2019}234.50", 1234.5),
            (".5", 0.5),
            ("$.99", 0.99),
            ("-7", -7.0),
            ("\u{2212}7.5", -7.5),
            ("-$5.00", -5.0),
            ("$-5.00", -5.0),
            ("+3", 3.0),
            ("45%", 45.0),
            ("45 %", 45.0),
            ("１２，３４５．６", 12_345.6),
            ("٣٫٥", 3.5),
            ("49,- €", 49.0),
            ("49,–", 49.0),
            ("CHF 12.50", 12.5),
            ("Fr. 12.50", 12.5),
            ("12.50 EUR", 12.5),
            ("US$ 12.50", 12.5),
            ("R$ 12,50", 12.5),
            ("HK$12", 12.0),
            ("199 kr.", 199.0),
            ("25.00元", 25.0),
            ("1 299,00 zł", 1299.0),
            ("12.", 12.0),
            ("1e3", 1000.0),
            ("-2.5E-3", -0.0025),
            ("0012", 12.0),
            ("  8  ", 8.0),
        ] {
            assert_eq!(float(text, ""), Some(number), "{text}");
        }
    }

    #[test]
    fn a_locale_says_which_mark_divides() {
        for (text, locale, number) in [
            ("1.234", "de", 1234.0),
            ("1.234,56", "de", 1234.56),
            ("1,234", "de", 1.234),
            ("12 345,60", "fr", 12_345.6),
            ("1,234", "en", 1234.0),
            ("1.234", "en", 1.234),
            ("1'234.50", "de-CH", 1234.5),
            ("1.234,5 €", "de-AT", 1234.5),
            ("1,23,456.7", "en-IN", 123_456.7),
            ("2 999,90 ₽", "ru", 2999.9),
            ("￥1,280", "ja", 1280.0),
        ] {
            assert_eq!(float(text, locale), Some(number), "{text} in {locale}");
        }
        for (text, locale) in
            [("12.5", "de"), ("12,5", "en"), ("1,234.5", "de"), ("1.234,5", "en"), ("1,23", "en")]
        {
            assert_eq!(float(text, locale), None, "{text} in {locale}");
        }
    }

    #[test]
    fn what_may_mean_something_else_is_no_number() {
        for text in [
            "",
            "-",
            "free",
            "N/A",
            "1.5M",
            "2k",
            "3万",
            "1.5 million",
            "(3)",
            "3 of 5",
            "10-20",
            "10–20",
            "1/2",
            "from 12",
            "22 available",
            "12 34",
            "1 2",
            "1,23,4",
            "1.2.3",
            "1,,2",
            "1.,2",
            "12.345.67",
            "--5",
            "-$-5",
            "5-",
            "1.250 €",
            "$1.250",
            "1e",
            "1e99999",
            "1e400",
            "0x10",
            "$$5",
            "12:30",
            "1,234,56",
            "1 234'567",
            "²",
            "½",
            "5 EURO PER",
            "NaN",
            "inf",
        ] {
            assert_eq!(float(text, ""), None, "{text}");
        }
        assert_eq!(float(&"9".repeat(500), ""), None);
    }

    #[test]
    fn whole_numbers_have_no_cents_and_keep_their_digits() {
        assert_eq!(parse_int("1,234", None), Ok(1234));
        assert_eq!(parse_int("12.00", None), Ok(12));
        assert_eq!(parse_int("9787020002207", None), Ok(9_787_020_002_207));
        assert_eq!(parse_int("9007199254740993", None), Ok(9_007_199_254_740_993));
        assert_eq!(parse_int("-3", None), Ok(-3));
        for text in ["12.5", "99999999999999999999", "1e3", "a"] {
            assert_eq!(parse_int(text, None), Err(NoNumber), "{text}");
        }
    }
}
