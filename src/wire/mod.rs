//! What is kept on disk, as bytes: numbers, texts and JSON values here, requests in [`requests`], why pages failed in
//! [`errors`].
//!
//! Numbers take as few bytes as they need (LEB128), texts are preceded by their length. Reading gives `None` for what
//! cannot have been written, and never panics.

pub(crate) mod errors;
pub(crate) mod requests;

use std::time::Duration;

use serde_json::{Map, Number, Value};

/// Values from JSON pages have 128 levels at most, and a few more go around them. Damaged bytes could say more than the
/// stack of the thread has room for.
const DEEPEST: u32 = 256;

/// Appends a number.
pub(crate) fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a number that is near 0 on either side.
pub(crate) fn put_signed(number: i64, out: &mut Vec<u8>) {
    put_number(((number << 1) ^ (number >> 63)) as u64, out);
}

/// Appends bytes and their length.
pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_number(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends a fraction, as it is to the last bit.
pub(crate) fn put_float(number: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

/// Appends a length of time, to the nanosecond.
pub(crate) fn put_duration(duration: Duration, out: &mut Vec<u8>) {
    put_number(duration.as_secs(), out);
    put_number(duration.subsec_nanos().into(), out);
}

/// Appends what is one of two.
pub(crate) fn put_flag(is_set: bool, out: &mut Vec<u8>) {
    out.push(is_set.into());
}

/// Appends an object.
pub(crate) fn put_map(map: &Map<String, Value>, out: &mut Vec<u8>) {
    put_number(map.len() as u64, out);
    for (name, value) in map {
        put_bytes(name.as_bytes(), out);
        put_value(value, out);
    }
}

fn put_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(b'n'),
        Value::Bool(false) => out.push(b'f'),
        Value::Bool(true) => out.push(b't'),
        Value::Number(number) => put_json_number(number, out),
        Value::String(text) => {
            out.push(b's');
            put_bytes(text.as_bytes(), out);
        }
        Value::Array(items) => {
            out.push(b'a');
            put_number(items.len() as u64, out);
            items.iter().for_each(|item| put_value(item, out));
        }
        Value::Object(map) => {
            out.push(b'o');
            put_map(map, out);
        }
    }
}

fn put_json_number(number: &Number, out: &mut Vec<u8>) {
    if let Some(number) = number.as_u64() {
        out.push(b'u');
        put_number(number, out);
    } else if let Some(number) = number.as_i64() {
        out.push(b'i');
        put_signed(number, out);
    } else {
        out.push(b'd');
        put_float(number.as_f64().unwrap_or_default(), out);
    }
}

/// Bytes that are still to be read.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn float(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(crate) fn duration(&mut self) -> Option<Duration> {
        let (seconds, nanos) = (self.number()?, u32::try_from(self.number()?).ok()?);
        (nanos < 1_000_000_000).then(|| Duration::new(seconds, nanos))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        self.take(count)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn map(&mut self) -> Option<Map<String, Value>> {
        self.map_within(DEEPEST)
    }

    fn map_within(&mut self, levels: u32) -> Option<Map<String, Value>> {
        (0..self.number()?)
            .map(|_| Some((self.text()?.to_owned(), self.value(levels.checked_sub(1)?)?)))
            .collect()
    }

    fn value(&mut self, levels: u32) -> Option<Value> {
        Some(match self.byte()? {
            b'n' => Value::Null,
            b'f' => Value::Bool(false),
            b't' => Value::Bool(true),
            b'u' => Value::from(self.number()?),
            b'i' => Value::from(self.signed()?),
            b'd' => Value::from(self.float()?),
            b's' => Value::from(self.text()?),
            b'a' => Value::Array(
                (0..self.number()?).map(|_| self.value(levels.checked_sub(1)?)).collect::<Option<_>>()?,
            ),
            b'o' => Value::Object(self.map_within(levels)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_take_the_bytes_they_need() {
        let bytes = |number| {
            let mut out = vec![];
            put_signed(number, &mut out);
            assert_eq!(Bytes(&out).signed(), Some(number));
            out.len()
        };
        assert_eq!([0, -1, 63, -64, 64, i64::MAX, i64::MIN].map(bytes), [1, 1, 1, 1, 2, 10, 10]);
    }

    #[test]
    fn objects_read_back_with_order_and_kinds_of_numbers() {
        let map = serde_json::json!({
            "z": [null, true, false, [], {}], "a": {"é": "text", "": ""},
            "numbers": [0, -1, 1.0, -0.0, 0.1, 1e300, u64::MAX, i64::MIN],
        });
        let map = map.as_object().unwrap();
        let mut out = vec![];
        put_map(map, &mut out);
        let read = Bytes(&out).map().unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(map).unwrap());
    }

    #[test]
    fn whatever_serde_json_reads_can_be_handed_down() {
        let text = format!("{}{}", "[".repeat(127), "]".repeat(127));
        let value: Value = serde_json::from_str(&text).unwrap();
        let map = Map::from_iter([("deep".to_owned(), Value::from(vec![value]))]);
        let mut out = vec![];
        put_map(&map, &mut out);
        assert_eq!(Bytes(&out).map(), Some(map));
    }

    #[test]
    fn bytes_that_say_a_million_levels_are_no_value() {
        let mut out = vec![1, 0];
        out.extend([b'a', 1].repeat(1_000_000));
        assert_eq!(Bytes(&out).map(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Bytes(&bytes).map();
        }
    }
}
