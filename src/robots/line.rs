//! One line of a robots.txt: a key and a value, however badly written.
//!
//! It accepts what Google's parser accepts: a comment at the end, a blank for the colon, keys with something after
//! them, and the misspellings that are frequent. It knows nothing of groups.

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    UserAgent,
    Allow,
    Disallow,
    CrawlDelay,
    Sitemap,
}

/// Beginnings of keys, in any case. A prefix is enough: `Disallowed: /x` is meant no less.
const KEYS: [(&str, Key); 14] = [
    ("user-agent", Key::UserAgent),
    ("useragent", Key::UserAgent),
    ("user agent", Key::UserAgent),
    ("allow", Key::Allow),
    ("disallow", Key::Disallow),
    ("dissallow", Key::Disallow),
    ("dissalow", Key::Disallow),
    ("disalow", Key::Disallow),
    ("diasllow", Key::Disallow),
    ("disallaw", Key::Disallow),
    ("crawl-delay", Key::CrawlDelay),
    ("crawldelay", Key::CrawlDelay),
    ("sitemap", Key::Sitemap),
    ("site-map", Key::Sitemap),
];

/// The longest line that is read, in bytes; the rest of it is passed over. Google's parser has the same limit: eight
/// times the longest URL that browsers used to take.
const LONGEST: usize = 2083 * 8;

/// The lines of a file. They end with LF, CR or both: of CR LF the empty line between says nothing.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|&byte| byte == b'\n' || byte == b'\r').map(|line| &line[..line.len().min(LONGEST)])
}

/// What a line says: its key and the value, trimmed. `None` for comments, blank lines, and keys nobody knows.
pub(super) fn read(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.split(|&byte| byte == b'#').next().unwrap_or_default().trim_ascii();
    let (key, value) = match line.iter().position(|&byte| byte == b':') {
        Some(colon) => (&line[..colon], &line[colon + 1..]),
        None => two_words(line)?,
    };
    let (key, value) = (key.trim_ascii(), value.trim_ascii());
    let is_meant =
        |name: &str| key.get(..name.len()).is_some_and(|k| k.eq_ignore_ascii_case(name.as_bytes()));
    let known = KEYS.iter().find(|(name, _)| is_meant(name))?;
    Some((known.1, value))
}

/// The two words of a line without a colon; `None` if there are more or fewer, since then it is rather a sentence.
fn two_words(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = line.iter().position(u8::is_ascii_whitespace)?;
    let (key, value) = (&line[..blank], line[blank..].trim_ascii());
    (!value.iter().any(u8::is_ascii_whitespace)).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_key_and_a_value() {
        for (line, read_as) in [
            ("Disallow: /x", Some((Key::Disallow, "/x"))),
            ("  disALLOW\t:\t/x  # why", Some((Key::Disallow, "/x"))),
            ("Disallow:", Some((Key::Disallow, ""))),
            ("Disallow: /a:b", Some((Key::Disallow, "/a:b"))),
            ("Disallow /x", Some((Key::Disallow, "/x"))),
            ("Disallow is a word", None),
            ("Disallow", None),
            ("# Disallow: /x", None),
            ("", None),
            (": /x", None),
            ("<p>Disallow: /x", None),
            ("Sitemap: https://h/s.xml", Some((Key::Sitemap, "https://h/s.xml"))),
            ("Crawl-Delay: 2.5", Some((Key::CrawlDelay, "2.5"))),
            ("Noindex: /x", None),
        ] {
            let expected = read_as.map(|(key, value): (Key, &str)| (key, value.as_bytes()));
            assert_eq!(read(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn frequent_misspellings_are_understood() {
        for key in ["useragent", "User agent", "user-agents"] {
            assert_eq!(read(format!("{key}: x").as_bytes()), Some((Key::UserAgent, &b"x"[..])), "{key}");
        }
        for key in ["dissallow", "Dissalow", "disalow", "diasllow", "disallaw", "disallowed"] {
            assert_eq!(read(format!("{key}: x").as_bytes()), Some((Key::Disallow, &b"x"[..])), "{key}");
        }
    }

    #[test]
    fn a_line_may_end_in_three_ways() {
        let of = |body: &'static str| lines(body.as_bytes()).filter(|line| !line.is_empty()).count();
        assert_eq!((of("a\nb\n"), of("a\r\nb\r\n"), of("a\rb")), (2, 2, 2));
    }

    #[test]
    fn a_line_too_long_is_cut() {
        let body = [&b"x".repeat(LONGEST + 5)[..], b"\ny"].concat();
        assert_eq!(lines(&body).map(<[u8]>::len).collect::<Vec<_>>(), [LONGEST, 1]);
    }
}
