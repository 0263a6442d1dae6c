//! What was read of a file, as bytes that outlive the process.
//!
//! The rules, and not the text: it is up to 500 KiB, and the groups that are ours do not change within a day. Whoever
//! comes back under another name must not bring these bytes along.

use super::Robots;
use super::group::{Group, Rules};
use crate::wire::{Bytes, put_bytes, put_flag, put_number};

/// The form of the bytes.
const VERSION: u8 = 1;

/// A file is cut at 500 KiB, of which each byte may be three when it is percent-encoded, and each `Allow` may be two.
const MOST_BYTES: usize = 8 << 20;

impl Robots {
    /// Appends what [`Robots::take`] reads. The sitemaps, which stand outside of groups, are written once.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_number(self.sitemaps().len() as u64, out);
        for sitemap in self.sitemaps() {
            put_bytes(sitemap.as_bytes(), out);
        }
        put_number(self.0.len() as u64, out);
        for group in &*self.0 {
            let rules = &group.rules;
            put_number(rules.delay_ms().map_or(0, |ms| u64::from(ms) + 1), out);
            put_number(rules.iter().count() as u64, out);
            for (pattern, allows) in rules.iter() {
                put_flag(allows, out);
                put_bytes(pattern.as_bytes(), out);
            }
        }
    }

    /// The file that was [written](Robots::put) next in `bytes`.
    pub(crate) fn take(bytes: &mut Bytes<'_>) -> Option<Robots> {
        if bytes.byte()? != VERSION {
            return None;
        }
        let sitemaps: Option<Box<[String]>> =
            (0..bytes.number()?).map(|_| bytes.text().map(str::to_owned)).collect();
        let mut sitemaps = sitemaps?;
        let groups: Option<Vec<Group>> = (0..bytes.number()?)
            .map(|_| Some(Group { rules: take_rules(bytes)?, sitemaps: std::mem::take(&mut sitemaps) }))
            .collect();
        groups.filter(|groups| !groups.is_empty()).map(|groups| Robots(groups.into()))
    }
}

fn take_rules(bytes: &mut Bytes<'_>) -> Option<Rules> {
    let delay = bytes.number()?.checked_sub(1).map(u32::try_from).transpose().ok()?;
    let mut rules = Rules::waiting(delay);
    let mut length = 0;
    for _ in 0..bytes.number()? {
        let (allows, pattern) = (bytes.flag()?, bytes.text()?);
        length += pattern.len();
        if length > MOST_BYTES || !pattern.is_ascii() || !rules.add(pattern, allows) {
            return None;
        }
    }
    Some(rules.shrink())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    /// What reads back of a file.
    fn kept(robots: &Robots) -> Robots {
        let mut bytes = vec![];
        robots.put(&mut bytes);
        let mut bytes = Bytes(&bytes);
        let robots = Robots::take(&mut bytes).unwrap();
        assert!(bytes.0.is_empty());
        robots
    }

    #[test]
    fn a_file_for_several_names_keeps_its_verdicts_its_pause_and_its_sitemaps() {
        let file = b"User-agent: a\nDisallow: /a/*.pdf$\nAllow: /a/index.html\nCrawl-delay: 1.5\n\
            User-agent: b\nDisallow: /%7Eb\n\nUser-agent: *\nDisallow: /\nSitemap: http://h/s.xml\n";
        let robots = Robots::parse_for_all(file, &["a", "b"]);
        let kept = kept(&robots);
        assert_eq!(kept.crawl_delay(), robots.crawl_delay());
        assert_eq!(kept.sitemaps(), ["http://h/s.xml"]);
        for path in ["/", "/a/x.pdf", "/a/", "/~b", "/%7Eb", "/c"] {
            let url = Url::parse("http://h").unwrap().join(path).unwrap();
            assert_eq!(kept.verdict(&url), robots.verdict(&url), "{path}");
        }
    }

    #[test]
    fn everything_and_nothing_read_back() {
        assert_eq!(kept(&Robots::allow_all()).0, Robots::allow_all().0);
        assert!(kept(&Robots::disallow_all()).blocks_everything());
    }

    #[test]
    fn what_no_file_says_is_none() {
        // No group, and one with a pattern that no path begins with.
        for bytes in [&[VERSION, 0, 0][..], &[VERSION, 0, 1, 0, 1, 0, 1, b'x'], &[VERSION + 1, 0, 1, 0, 0]] {
            assert!(Robots::take(&mut Bytes(bytes)).is_none(), "{bytes:?}");
        }
        assert!(Robots::take(&mut Bytes(&[VERSION, 0, 1, 0, 1, 0, 1, b'/'])).is_some());
    }

    proptest! {
        #[test]
        fn any_file_reads_back_to_the_last_rule(
            lines in proptest::collection::vec(
                "(User-agent: [ab*]|(Dis|A)llow: [/*]{0,2}[ab%7E$*é]{0,6}(/index.html)?|Crawl-delay: [0-9.]{1,6}|Sitemap: \\PC{1,5})",
                0..20,
            ),
        ) {
            let robots = Robots::parse_for_all(lines.join("\n").as_bytes(), &["a", "b"]);
            let kept = kept(&robots);
            prop_assert_eq!(kept.sitemaps(), robots.sitemaps());
            let rules = |robots: &Robots| robots.0.iter().map(|group| format!("{:?}", group.rules)).collect::<Vec<_>>();
            prop_assert_eq!(rules(&kept), rules(&robots));
        }

        #[test]
        fn any_bytes_can_be_read_without_a_panic(mut bytes in proptest::collection::vec(any::<u8>(), 1..60)) {
            bytes[0] = VERSION;
            if let Some(robots) = Robots::take(&mut Bytes(&bytes)) {
                let _ = robots.allows(&Url::parse("http://h/%7E*$é").unwrap());
            }
        }
    }
}
