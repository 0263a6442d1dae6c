//! Numbers of XPath 1.0: how a string becomes one (4.4), how one becomes a string (4.2), how it is rounded (4.4).

use super::chars::is_space;

/// `number()` of a string: white space, an optional minus, digits with at most one point; all else is NaN.
pub(super) fn parse(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let points = digits.bytes().filter(|&b| b == b'.').count();
    let others = digits.bytes().any(|b| !b.is_ascii_digit() && b != b'.');
    if others || points > 1 || digits.len() == points { f64::NAN } else { text.parse().unwrap_or(f64::NAN) }
}

/// `string()` of a number: no exponent, no sign of zero, no point in an integer.
pub(super) fn format(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    // Adding positive zero takes the sign of zero away and leaves all else as it is.
    (number + 0.0).to_string()
}

/// `round()`: the nearest integer, of two the one nearer to positive infinity; -0 for [-0.5, -0].
pub(super) fn round(number: f64) -> f64 {
    let floor = number.floor();
    // `number + 0.5` would round 0.49999999999999994 up.
    let rounded = if number - floor >= 0.5 { number.ceil() } else { floor };
    rounded.copysign(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_grammar_of_numbers_is_a_number() {
        for (text, number) in [("12", 12.0), (" \t12\r\n", 12.0), ("-.5", -0.5), ("5.", 5.0), ("-0", -0.0)] {
            assert_eq!(parse(text).to_bits(), f64::to_bits(number), "{text}");
        }
        for text in
            ["", " ", "-", ".", "-.", "+1", "1e3", "1 2", "- 1", "1.2.3", "inf", "NaN", "0x1", "\u{a0}1"]
        {
            assert!(parse(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn numbers_are_written_without_exponent() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (1e21, "1000000000000000000000"),
            (1e-7, "0.0000001"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(format(number), text);
        }
    }

    #[test]
    fn halves_are_rounded_up_and_zero_keeps_its_sign() {
        for (number, rounded) in [
            (2.5, 3.0),
            (-2.5, -2.0),
            (1.4, 1.0),
            (-1.6, -2.0),
            (-0.5, -0.0),
            (-0.2, -0.0),
            (0.49999999999999994, 0.0),
            (9007199254740993.0, 9007199254740993.0),
            (f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(round(number).to_bits(), rounded.to_bits(), "{number}");
        }
        assert!(round(f64::NAN).is_nan());
    }
}
