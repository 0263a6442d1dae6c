//! White space and strings of JSON.

/// Stripped, and each run of white space one space. White space is Unicode's, so that a no-break space counts.
pub(in crate::extract) fn collapsed(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len().min(256));
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}

/// `text` as a JSON string.
pub(in crate::extract) fn write_json(text: &str, line: &mut Vec<u8>) {
    serde_json::to_writer(line, text).expect("a string is written to memory");
}

/// Escapes what a terminal would obey and JSON lets stand in strings: DEL and the C1 controls (ISO 6429; U+009B alone
/// begins a command). `line` is JSON from `start` on, where they can stand in strings only; those below U+0020 are
/// escaped already, since JSON wants that (RFC 8259 7).
pub(in crate::extract) fn escape_controls(line: &mut Vec<u8>, start: usize) {
    // In UTF-8, DEL is 7F and the C1 controls are C2 80 to C2 9F.
    let control = |bytes: &[u8]| match bytes {
        [0x7F, ..] => Some((1, 0x7F)),
        [0xC2, second @ 0x80..=0x9F, ..] => Some((2, *second)),
        _ => None,
    };
    let may_begin = |byte: &u8| matches!(byte, 0x7F | 0xC2);
    let json = &line[start..];
    if !json.iter().any(may_begin) || !(0..json.len()).any(|at| control(&json[at..]).is_some()) {
        return;
    }
    let json = line.split_off(start);
    let mut at = 0;
    while at < json.len() {
        match control(&json[at..]) {
            Some((length, code)) => {
                line.extend_from_slice(format!("\\u{code:04x}").as_bytes());
                at += length;
            }
            None => {
                line.push(json[at]);
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_of_8_bits_are_escaped_and_their_neighbours_are_not() {
        for (text, expected) in [
            ("\u{7e}\u{7f}\u{80}\u{9b}31m\u{9f}\u{a0}", "\"\u{7e}\\u007f\\u0080\\u009b31m\\u009f\u{a0}\""),
            ("é£€Ã\u{c2}書😀", "\"é£€Ã\u{c2}書😀\""),
            ("", "\"\""),
        ] {
            let mut line = "before\u{9b}".as_bytes().to_vec();
            let start = line.len();
            write_json(text, &mut line);
            escape_controls(&mut line, start);
            assert_eq!(String::from_utf8(line.split_off(start)).unwrap(), expected);
            assert_eq!(line, "before\u{9b}".as_bytes(), "what stood there before is not touched");
        }
    }
}
