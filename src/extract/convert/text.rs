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
