//! Robots directives of one page: the `X-Robots-Tag` header and `<meta name=robots>`.
//!
//! No RFC says what they are; this is what Google and Bing document. It is handed names and values, and knows neither
//! responses nor documents.

/// What a page asks of crawlers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Directives {
    /// Its links are not to be followed.
    pub nofollow: bool,
    /// It is not to be shown in search results.
    pub noindex: bool,
}

/// Directives that have a value after a colon, which therefore is not the name of a crawler.
const WITH_A_VALUE: [&str; 4] =
    ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];

impl Directives {
    /// The directives of all `X-Robots-Tag` headers of a response. A name before a colon, as in
    /// `otherbot: noindex, nofollow`, says whom all that follows is for, up to the next; without one it is for everybody.
    /// `agent` is our product token.
    pub fn from_header_values<'a>(values: impl IntoIterator<Item = &'a str>, agent: &str) -> Directives {
        let mut directives = Directives::default();
        for value in values {
            let mut is_for_us = true;
            for part in value.split(',') {
                let word = match part.split_once(':').map(|(name, word)| (name.trim(), word)) {
                    Some((name, word)) if names_a_crawler(name) => {
                        is_for_us = name.eq_ignore_ascii_case(agent);
                        word
                    }
                    // The value of another directive.
                    Some(_) => continue,
                    None => part,
                };
                if is_for_us {
                    directives.note(word);
                }
            }
        }
        directives
    }

    /// The directives of a page's `meta` elements, given as their `name` and `content`: those named `robots`, and those
    /// named like us (`agent`, our product token). Other elements may be among them.
    pub fn from_meta<'a>(metas: impl IntoIterator<Item = (&'a str, &'a str)>, agent: &str) -> Directives {
        let mut directives = Directives::default();
        for (name, content) in metas {
            let name = name.trim();
            let is_for_us = !agent.is_empty() && name.eq_ignore_ascii_case(agent);
            if is_for_us || name.eq_ignore_ascii_case("robots") {
                // Blanks and semicolons are no separators by the book, and frequent.
                for word in content.split(|c: char| c == ',' || c == ';' || c.is_whitespace()) {
                    directives.note(word);
                }
            }
        }
        directives
    }

    /// Both together: what either forbids is forbidden.
    #[must_use]
    pub fn and(self, other: Directives) -> Directives {
        Directives { nofollow: self.nofollow || other.nofollow, noindex: self.noindex || other.noindex }
    }

    fn note(&mut self, word: &str) {
        let is = |name: &str| word.trim().eq_ignore_ascii_case(name);
        self.nofollow |= is("nofollow") || is("none");
        self.noindex |= is("noindex") || is("none");
    }
}

/// A word that is no directive. Times of day in a date have a colon too, but blanks before it.
fn names_a_crawler(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(char::is_whitespace)
        && !WITH_A_VALUE.iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Directives = Directives { nofollow: false, noindex: false };
    const NOFOLLOW: Directives = Directives { nofollow: true, noindex: false };
    const NOINDEX: Directives = Directives { nofollow: false, noindex: true };
    const BOTH: Directives = Directives { nofollow: true, noindex: true };

    #[test]
    fn a_header_is_for_everybody_or_for_those_it_names() {
        for (values, said) in [
            (&["noindex"][..], NOINDEX),
            (&["NoFollow"], NOFOLLOW),
            (&["noindex, nofollow"], BOTH),
            (&["none"], BOTH),
            (&["all", "index, follow"], NOTHING),
            (&["noindex", "nofollow"], BOTH),
            (&["pagemill: nofollow"], NOFOLLOW),
            (&["PageMill : none"], BOTH),
            (&["otherbot: noindex, nofollow"], NOTHING),
            (&["otherbot: noindex, pagemill: nofollow"], NOFOLLOW),
            (&["noindex, otherbot: nofollow"], NOINDEX),
            (&["otherbot: noindex", "nofollow"], NOFOLLOW),
            (&["unavailable_after: 25 Jun 2010 15:00:00 PST, nofollow"], NOFOLLOW),
            (&["unavailable_after: Wed, 03 Dec 2025 13:00:00 GMT, nofollow"], NOFOLLOW),
            (&["max-snippet:10, max-image-preview: none"], NOTHING),
            (&["nofollowing", "", ",:,"], NOTHING),
        ] {
            assert_eq!(
                Directives::from_header_values(values.iter().copied(), "pagemill"),
                said,
                "{values:?}"
            );
        }
    }

    #[test]
    fn a_meta_element_is_for_everybody_or_for_one() {
        for (metas, said) in [
            (&[("robots", "noindex,nofollow")][..], BOTH),
            (&[("ROBOTS", "NOFOLLOW")], NOFOLLOW),
            (&[("robots", "noindex nofollow")], BOTH),
            (&[("pagemill", "nofollow"), ("robots", "noindex")], BOTH),
            (&[("googlebot", "none")], NOTHING),
            (&[("description", "nofollow"), ("robots", "all")], NOTHING),
            (&[], NOTHING),
        ] {
            assert_eq!(Directives::from_meta(metas.iter().copied(), "pagemill"), said, "{metas:?}");
        }
        assert_eq!(Directives::from_meta([("", "none")], ""), NOTHING, "no name is not our name");
    }

    #[test]
    fn what_either_forbids_is_forbidden() {
        assert_eq!(NOFOLLOW.and(NOINDEX), BOTH);
        assert_eq!(NOTHING.and(NOTHING), NOTHING);
    }
}
