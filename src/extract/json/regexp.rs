//! I-Regexp (RFC 9485), the regular expressions of `match()` and `search()`: the common dialect reads all of them. What
//! it reads beyond is not refused.

use crate::extract::regular::Pattern;

/// Compiles `pattern`; with `is_whole`, for the whole text (RFC 9535, 2.4.6). `None` if it is no regular expression.
pub(super) fn compile(pattern: &str, is_whole: bool) -> Option<Pattern> {
    let pattern = with_dots(pattern);
    let pattern = if is_whole { format!("^(?:{pattern})$") } else { pattern };
    Pattern::new(&pattern, "").ok()
}

/// A `.` is neither a line feed nor a carriage return (RFC 9485, 5.3).
fn with_dots(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    let mut in_class = false;
    for c in pattern.chars() {
        match c {
            '.' if !is_escaped && !in_class => out.push_str(r"[^\n\r]"),
            _ => out.push(c),
        }
        match c {
            '[' if !is_escaped => in_class = true,
            ']' if !is_escaped => in_class = false,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    out
}
