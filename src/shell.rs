//! Words of the commands that people are told to give: what a shell takes as one word.
//!
//! Knows no command; what a word means there is for others to say.

/// A word as a shell takes it: in quotes if it must be.
pub fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A path as a shell takes it, which no command takes for a flag.
pub fn path(text: &str) -> String {
    match text.starts_with('-') {
        true => word(&format!("./{text}")),
        false => word(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_only_if_they_must_be() {
        assert_eq!(word("out/a-b.c"), "out/a-b.c");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(""), "''");
        assert_eq!(word("-1"), "-1", "a value may begin with a minus");
    }

    #[test]
    fn a_path_is_no_flag() {
        assert_eq!(path("-x"), "./-x");
        assert_eq!(path("- x"), "'./- x'");
        assert_eq!(path("/a b"), "'/a b'");
    }
}
