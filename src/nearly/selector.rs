//! Why a CSS selector selects nothing: the longest beginning of it that selects something.

use super::Nearly;

/// Explains why the selector `text` finds nothing. `count` says how many places a selector finds, `None` if nobody
/// knows. `None` if not even its first part finds something, or if it is a list of selectors.
pub fn explain_selector(text: &str, count: &dyn Fn(&str) -> Option<usize>) -> Option<Nearly> {
    for end in ends(text)?.into_iter().rev() {
        let matching = &text[..end];
        let count = count(matching)?;
        if count > 0 {
            let next = text[end..].trim().to_owned();
            return Some(Nearly::Stops { matching: matching.to_owned(), count, next, there: None });
        }
    }
    None
}

/// Where a part ends before the end: a compound (`ul.list`), or a simple selector of one (`ul`). `None` for a list.
fn ends(text: &str) -> Option<Vec<usize>> {
    let mut ends = Vec::new();
    let mut open = 0_usize;
    let mut quote = None;
    let mut before = ' ';
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (_, '\\') => {
                chars.next();
            }
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, ',') if open == 0 => return None,
            (None, c) => {
                let begins = c.is_whitespace() || matches!(c, '>' | '+' | '~' | '.' | '#' | '[' | ':');
                let is_behind_part = !before.is_whitespace() && !matches!(before, '>' | '+' | '~' | ':');
                if open == 0 && at > 0 && begins && is_behind_part {
                    ends.push(at);
                }
                match c {
                    '(' | '[' => open += 1,
                    ')' | ']' => open = open.saturating_sub(1),
                    _ => {}
                }
            }
        }
        before = c;
    }
    Some(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<&str> {
        ends(text).unwrap_or_default().into_iter().map(|end| &text[..end]).collect()
    }

    #[test]
    fn a_selector_has_parts_outside_of_brackets_and_quotes() {
        assert_eq!(parts("ul.list > li a"), ["ul", "ul.list", "ul.list > li"]);
        assert_eq!(
            parts("a[href='x .y'] b:not(.c d)::text"),
            ["a", "a[href='x .y']", "a[href='x .y'] b", "a[href='x .y'] b:not(.c d)"]
        );
        assert_eq!(parts("a\\.b.c"), ["a\\.b"]);
        assert_eq!(parts("a, b c"), [""; 0]);
    }

    #[test]
    fn the_longest_part_that_matches_is_told() {
        let count = |text: &str| Some(if text.contains("wide") { 0 } else { 3 });
        let nearly = explain_selector("ul.list.wide li", &count).unwrap();
        assert_eq!(nearly.to_string(), "`ul.list` matches 3, `.wide li` then nothing");
        assert_eq!(explain_selector(".wide li", &count), None);
        // A longer part might match, for all that is known.
        let count = |text: &str| if text.contains("wide") { None } else { Some(3) };
        assert_eq!(explain_selector("ul.wide li", &count), None);
    }
}
