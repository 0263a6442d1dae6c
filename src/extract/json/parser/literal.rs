//! Strings and numbers (RFC 9535, 2.3.1.1, 2.3.3.1 and 2.3.5.1).

use serde_json::Value;

use super::{MAX_INTEGER, Parser};
use crate::mistake::Slip;

impl Parser<'_> {
    /// A string at its opening quote.
    pub(super) fn string(&mut self) -> Result<String, Slip> {
        let start = self.at;
        let quote = self.peek().expect("called at a quote");
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(Slip::new(start, "the text in quotes is not closed"));
            };
            if u32::from(c) < 0x20 {
                return Err(self
                    .unexpected("a character")
                    .with_hint("control characters are written `\\n`, `\\u0007`"));
            }
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(text),
                '\\' => text.push(self.escaped(quote)?),
                _ => text.push(c),
            }
        }
    }

    fn escaped(&mut self, quote: char) -> Result<char, Slip> {
        let start = self.at - 1;
        let wrong = |what: &str| Err(Slip::new(start, format!("unknown escape `{what}`")));
        let Some(c) = self.peek() else { return Err(Slip::new(start, "the path ends after `\\`")) };
        self.at += c.len_utf8();
        Ok(match c {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '/' | '\\' => c,
            _ if c == quote => c,
            'u' => {
                let first = self.four_digits().ok_or_else(|| Slip::new(start, "`\\u` wants four digits"))?;
                let second = match first {
                    0xD800..0xDC00 if self.take("\\u") => self.four_digits(),
                    _ => None,
                };
                let units = std::iter::once(first).chain(second);
                let mut decoded = char::decode_utf16(units);
                return match (decoded.next(), decoded.next()) {
                    (Some(Ok(c)), None) => Ok(c),
                    _ => Err(Slip::new(start, "half of a surrogate pair is no character")),
                };
            }
            _ => return wrong(&format!("\\{c}")),
        })
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4)?;
        let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let unit = is_hexadecimal.then(|| u16::from_str_radix(digits, 16).ok())??;
        self.at += 4;
        Some(unit)
    }

    /// `0`, `12`, `-3`: no leading zeros, no `-0`.
    pub(super) fn integer_if_there(&mut self) -> Result<Option<i64>, Slip> {
        let start = self.at;
        let is_negative = self.take("-");
        let digits = self.digits();
        if digits.is_empty() {
            return if is_negative { Err(self.unexpected("a digit")) } else { Ok(None) };
        }
        if (digits.starts_with('0') && digits.len() > 1) || (is_negative && digits == "0") {
            return Err(Slip::new(start, "a whole number has no leading zero, and no `-0`"));
        }
        let number = digits.parse().ok().filter(|number: &i64| *number <= MAX_INTEGER);
        match number {
            Some(number) => Ok(Some(if is_negative { -number } else { number })),
            None => Err(Slip::new(start, format!("the number is larger than {MAX_INTEGER}"))),
        }
    }

    fn digits(&mut self) -> &str {
        let rest = self.rest();
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        &rest[..length]
    }

    /// A number to compare with: `1`, `-0`, `1.5e-3`.
    pub(super) fn number(&mut self) -> Result<Value, Slip> {
        let start = self.at;
        let rest = self.rest();
        self.take("-");
        let whole = self.digits();
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(Slip::new(start, "a number has no leading zero"));
        }
        if whole.is_empty() {
            return Err(self.unexpected("a digit"));
        }
        if self.take(".") && self.digits().is_empty() {
            return Err(self.unexpected("a digit"));
        }
        if self.take("e") || self.take("E") {
            let _ = self.take("-") || self.take("+");
            if self.digits().is_empty() {
                return Err(self.unexpected("a digit"));
            }
        }
        serde_json::from_str(&rest[..self.at - start])
            .map_err(|_| Slip::new(start, "the number is too large"))
    }
}
