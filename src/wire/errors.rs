//! Why a page failed, as bytes: for pages that have, and for hosts that are given up.
//!
//! It knows every variant by a number that is never given to another one; the texts in them are kept as they are.

use std::num::TryFromIntError;

use super::{Bytes, put_bytes, put_duration, put_number};
use crate::model::{PageError, TIMEOUTS};

/// The form of what is written here.
const VERSION: u8 = 1;

/// An error about an error about an error is as deep as they get; damaged bytes could say more.
const DEEPEST: u32 = 8;

impl PageError {
    /// Appends the error.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put(self, out);
    }

    /// The error that is next in `bytes`.
    pub(crate) fn take(bytes: &mut Bytes<'_>) -> Option<PageError> {
        if bytes.byte()? != VERSION {
            return None;
        }
        take(bytes, DEEPEST)
    }
}

/// The number of a variant. A new one gets the next number here, and its line in [`take`].
fn number_of(error: &PageError) -> u8 {
    match error {
        PageError::NoUrl(_) => 0,
        PageError::BadUrl(_) => 1,
        PageError::HostNotFound(_) => 2,
        PageError::Connect(_) => 3,
        PageError::Timeout { .. } => 4,
        PageError::Tls(_) => 5,
        PageError::Broken(_) => 6,
        PageError::Protocol(_) => 7,
        PageError::Status(_) => 8,
        PageError::GivenUp(_) => 9,
        PageError::NoRobots(_) => 10,
        PageError::OfRobots(_) => 11,
        PageError::TooManyRedirects(_) => 12,
        PageError::RedirectRefused { .. } => 13,
        PageError::PrivateAddress(_) => 14,
        PageError::TooLarge(_) => 15,
        PageError::Bomb(_) => 16,
        PageError::ContentEncoding { .. } => 17,
        PageError::Unreadable(_) => 18,
        PageError::NotMarkup(_) => 19,
        PageError::NotJson(_) => 20,
        PageError::TooComplex(_) => 21,
        PageError::Extract { .. } => 22,
        PageError::Panicked(_) => 23,
        PageError::Aborted => 24,
    }
}

fn put(error: &PageError, out: &mut Vec<u8>) {
    out.push(number_of(error));
    match error {
        PageError::NoUrl(text)
        | PageError::BadUrl(text)
        | PageError::HostNotFound(text)
        | PageError::Connect(text)
        | PageError::Tls(text)
        | PageError::Broken(text)
        | PageError::Protocol(text)
        | PageError::PrivateAddress(text)
        | PageError::Bomb(text)
        | PageError::Unreadable(text)
        | PageError::NotMarkup(text)
        | PageError::NotJson(text)
        | PageError::TooComplex(text)
        | PageError::Panicked(text) => put_bytes(text.as_bytes(), out),
        PageError::RedirectRefused { to: one, reason }
        | PageError::ContentEncoding { encoding: one, reason }
        | PageError::Extract { name: one, reason } => {
            put_bytes(one.as_bytes(), out);
            put_bytes(reason.as_bytes(), out);
        }
        PageError::Timeout { clock, waited_for, limit } => {
            let known = TIMEOUTS.iter().position(|words| *words == (*clock, *waited_for));
            debug_assert!(known.is_some(), "`{clock}` and `{waited_for}` are missing in TIMEOUTS");
            put_number(known.unwrap_or_default() as u64, out);
            put_duration(*limit, out);
        }
        PageError::Status(status) => put_number((*status).into(), out),
        PageError::TooManyRedirects(count) => put_number((*count).into(), out),
        PageError::TooLarge(limit) => put_number(*limit, out),
        PageError::GivenUp(error) | PageError::NoRobots(error) | PageError::OfRobots(error) => {
            put(error, out);
        }
        PageError::Aborted => {}
    }
}

fn take(bytes: &mut Bytes<'_>, levels: u32) -> Option<PageError> {
    let number = bytes.byte()?;
    let inner = |bytes: &mut Bytes<'_>| Some(Box::new(take(bytes, levels.checked_sub(1)?)?));
    Some(match number {
        0 => PageError::NoUrl(text(bytes)?),
        1 => PageError::BadUrl(text(bytes)?),
        2 => PageError::HostNotFound(text(bytes)?),
        3 => PageError::Connect(text(bytes)?),
        4 => {
            let &(clock, waited_for) = TIMEOUTS.get(small::<usize>(bytes)?)?;
            PageError::Timeout { clock, waited_for, limit: bytes.duration()? }
        }
        5 => PageError::Tls(text(bytes)?),
        6 => PageError::Broken(text(bytes)?),
        7 => PageError::Protocol(text(bytes)?),
        8 => PageError::Status(small(bytes)?),
        9 => PageError::GivenUp(inner(bytes)?),
        10 => PageError::NoRobots(inner(bytes)?),
        11 => PageError::OfRobots(inner(bytes)?),
        12 => PageError::TooManyRedirects(small(bytes)?),
        13 => PageError::RedirectRefused { to: text(bytes)?, reason: text(bytes)? },
        14 => PageError::PrivateAddress(text(bytes)?),
        15 => PageError::TooLarge(bytes.number()?),
        16 => PageError::Bomb(text(bytes)?),
        17 => PageError::ContentEncoding { encoding: text(bytes)?, reason: text(bytes)? },
        18 => PageError::Unreadable(text(bytes)?),
        19 => PageError::NotMarkup(text(bytes)?),
        20 => PageError::NotJson(text(bytes)?),
        21 => PageError::TooComplex(text(bytes)?),
        22 => PageError::Extract { name: text(bytes)?, reason: text(bytes)? },
        23 => PageError::Panicked(text(bytes)?),
        24 => PageError::Aborted,
        _ => return None,
    })
}

fn text(bytes: &mut Bytes<'_>) -> Option<String> {
    bytes.text().map(str::to_owned)
}

fn small<N: TryFrom<u64, Error = TryFromIntError>>(bytes: &mut Bytes<'_>) -> Option<N> {
    N::try_from(bytes.number()?).ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    /// How many variants there are.
    const VARIANTS: u8 = 25;

    /// The variant with this number.
    fn variant(number: u8, text: String, count: u32, inner: Box<PageError>) -> PageError {
        let other = text.chars().rev().collect();
        match number {
            0 => PageError::NoUrl(text),
            1 => PageError::BadUrl(text),
            2 => PageError::HostNotFound(text),
            3 => PageError::Connect(text),
            4 => {
                let (clock, waited_for) = TIMEOUTS[count as usize % TIMEOUTS.len()];
                PageError::Timeout { clock, waited_for, limit: Duration::new(count.into(), count % 1000) }
            }
            5 => PageError::Tls(text),
            6 => PageError::Broken(text),
            7 => PageError::Protocol(text),
            8 => PageError::Status(count as u16),
            9 => PageError::GivenUp(inner),
            10 => PageError::NoRobots(inner),
            11 => PageError::OfRobots(inner),
            12 => PageError::TooManyRedirects(count),
            13 => PageError::RedirectRefused { to: text, reason: other },
            14 => PageError::PrivateAddress(text),
            15 => PageError::TooLarge(u64::from(count) << 20),
            16 => PageError::Bomb(text),
            17 => PageError::ContentEncoding { encoding: text, reason: other },
            18 => PageError::Unreadable(text),
            19 => PageError::NotMarkup(text),
            20 => PageError::NotJson(text),
            21 => PageError::TooComplex(text),
            22 => PageError::Extract { name: text, reason: other },
            23 => PageError::Panicked(text),
            24 => PageError::Aborted,
            _ => unreachable!(),
        }
    }

    /// Any error, some about others.
    pub(crate) fn any_error() -> impl Strategy<Value = PageError> {
        let plain = (0..VARIANTS, "\\PC{0,12}", any::<u32>())
            .prop_map(|(number, text, count)| variant(number, text, count, Box::new(PageError::Aborted)));
        plain.prop_recursive(3, 8, 1, |inner| {
            (0..VARIANTS, "\\PC{0,12}", any::<u32>(), inner)
                .prop_map(|(number, text, count, inner)| variant(number, text, count, Box::new(inner)))
        })
    }

    #[test]
    fn every_variant_has_its_number_and_reads_back() {
        for number in 0..VARIANTS {
            let error = variant(number, "text é".into(), 7, Box::new(PageError::Status(404)));
            assert_eq!(number_of(&error), number);
            let mut bytes = vec![];
            error.put(&mut bytes);
            assert_eq!(PageError::take(&mut Bytes(&bytes)), Some(error));
        }
        assert_eq!(PageError::take(&mut Bytes(&[VERSION, VARIANTS])), None);
    }

    #[test]
    fn what_is_of_another_version_or_deeper_than_any_error_is_none() {
        assert_eq!(PageError::take(&mut Bytes(&[VERSION, 24])), Some(PageError::Aborted));
        assert_eq!(PageError::take(&mut Bytes(&[VERSION + 1, 24])), None);
        let mut deep = vec![9; 1_000_000];
        deep[0] = VERSION;
        assert_eq!(PageError::take(&mut Bytes(&deep)), None);
    }

    proptest! {
        #[test]
        fn errors_read_back_and_not_a_byte_of_what_follows(error in any_error(), follows in any::<u8>()) {
            let mut bytes = vec![];
            error.put(&mut bytes);
            bytes.push(follows);
            let mut bytes = Bytes(&bytes);
            prop_assert_eq!(PageError::take(&mut bytes), Some(error));
            prop_assert_eq!(bytes.0, &[follows]);
        }

        #[test]
        fn any_bytes_can_be_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..40)) {
            bytes[0] = VERSION;
            let _ = PageError::take(&mut Bytes(&bytes));
        }
    }
}
