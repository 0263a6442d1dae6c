//! What a site lets crawlers do: its robots.txt (RFC 9309), and the robots directives of its pages.
//!
//! Bytes in, verdicts out. Nothing here fetches, waits or knows what time it is: whoever asks brings the file, and keeps
//! the answer for as long as RFC 9309 2.4 allows.
//!
//! `line` reads a line, `group` gathers the rules that are ours, `pattern` matches a path, `directives` reads
//! `X-Robots-Tag` and `<meta name=robots>`, `memory` keeps what was read.
//!
//! The parser is our own, since of the crates for it none would do: `robotstxt`, the port of Google's, parses the whole
//! file again for every URL and matches in the product of the lengths of path and pattern; `texting_robots` makes a
//! regular expression of each rule and decides several of Google's published cases differently; `robotxt` wants a newer
//! compiler than we promise. What is kept here is about 1 KB for a host with thirty rules.

mod directives;
mod group;
mod line;
mod memory;
mod pattern;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use url::{Position, Url};

pub use self::directives::Directives;
use self::group::{Group, Rules};

/// What one origin's robots.txt says to us: the group that is ours, or those of all our names, and the sitemaps. A clone
/// costs nothing.
#[derive(Debug, Clone)]
pub struct Robots(Arc<[Group]>);

/// Whether a URL may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not.
    Disallowed {
        /// The rule that says so, as a person would look for it in the file: `Disallow: /private/`. What a URL would
        /// percent-encode is percent-encoded, so it is safe on a terminal.
        rule: String,
    },
}

impl Robots {
    /// Reads a file of any quality: there are no errors, only lines that say nothing (RFC 9309 2.2.4).
    ///
    /// `agent` is our product token ([`product_token`]); groups are compared with it regardless of case (2.2.1). Without
    /// a group of ours that of `*` holds. Only the first 500 KiB are read (2.5); a line cut off there is left out.
    pub fn parse(body: &[u8], agent: &str) -> Robots {
        Robots([group::parse(body, agent)].into())
    }

    /// Reads a file for somebody of several names: what any of their groups forbids is forbidden, and the longest pause
    /// holds. Without a name it is read as for one that nobody knows.
    pub fn parse_for_all<S: AsRef<str>>(body: &[u8], agents: &[S]) -> Robots {
        let mut groups: Vec<Group> = Vec::new();
        for agent in agents {
            let group = group::parse(body, agent.as_ref());
            // Names that the file does not know share the group of everybody.
            if groups.iter().all(|other| other.rules != group.rules) {
                groups.push(group);
            }
        }
        if groups.is_empty() { Robots::parse(body, "") } else { Robots(groups.into()) }
    }

    /// Everything may be fetched: the file is unavailable, status 4xx (RFC 9309 2.3.1.3).
    pub fn allow_all() -> Robots {
        Robots([Group::default()].into())
    }

    /// Nothing may be fetched: the file is unreachable, status 5xx or no answer (RFC 9309 2.3.1.4). Its verdict names
    /// the rule `Disallow: /`, which nobody wrote; who knows that the file did not come should say so instead.
    pub fn disallow_all() -> Robots {
        let mut rules = Rules::default();
        rules.disallow(b"/");
        Robots([Group { rules, ..Group::default() }].into())
    }

    /// Whether the URL may be fetched.
    pub fn allows(&self, url: &Url) -> bool {
        self.verdict(url) == Verdict::Allowed
    }

    /// Whether the URL, which must be of this origin, may be fetched, and which rule is against it.
    ///
    /// The longest rule that matches decides, `Allow` if two are as long, and without any the URL is allowed
    /// (RFC 9309 2.2.2). `/robots.txt` itself always is.
    ///
    /// How needless percent-encoding counts (`%7E` for `~`) is disputed: the RFC decodes it, Google's matcher compares
    /// as written. Here a URL must be allowed in both readings.
    pub fn verdict(&self, url: &Url) -> Verdict {
        let path = pattern::encoded(url[Position::BeforePath..Position::AfterQuery].as_bytes());
        self.verdict_on(&path)
    }

    /// The verdict on a path with its query, percent-encoded.
    fn verdict_on(&self, path: &str) -> Verdict {
        if path == "/robots.txt" {
            return Verdict::Allowed;
        }
        match self.0.iter().find_map(|group| group.rules.against(path)) {
            None => Verdict::Allowed,
            Some(rule) => Verdict::Disallowed { rule },
        }
    }

    /// Whether no page at all may be fetched, so that it is not worth asking for each: there is a rule against
    /// everything, and no `Allow` besides it.
    pub fn blocks_everything(&self) -> bool {
        self.0.iter().any(|group| group.rules.block_everything())
    }

    /// The pause that our group asks for between two requests, at most an hour; `None` if it asks for none. It is not
    /// part of RFC 9309, but widely meant: seconds, fractions allowed. Of several the longest holds.
    pub fn crawl_delay(&self) -> Option<Duration> {
        self.0.iter().filter_map(|group| group.rules.delay()).max()
    }

    /// The addresses of sitemaps as written, whatever group they stand in (RFC 9309 2.2.4); the first 500. They need not
    /// be URLs.
    pub fn sitemaps(&self) -> &[String] {
        // They stand outside of groups, so each has them all.
        self.0.first().map_or(&[], |group| &group.sitemaps)
    }
}

/// The robots.txt that speaks for a URL: that of its scheme, host and port (RFC 9309 2.3), without user and password.
pub fn robots_url(url: &Url) -> Url {
    let mut robots = url.clone();
    // Only URLs without a host refuse these, and nothing is fetched from them.
    let _ = robots.set_username("");
    let _ = robots.set_password(None);
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    robots
}

/// The product token of a `User-Agent`: `pagemill` of `pagemill/0.1 (+URL)`. It consists of letters, `_` and `-`
/// (RFC 9309 2.2.1); empty if the text does not begin with one, and then only the group of `*` is ours.
pub fn product_token(user_agent: &str) -> &str {
    let user_agent = user_agent.trim_start();
    let end = user_agent.find(|c: char| !(c.is_ascii_alphabetic() || c == '_' || c == '-'));
    &user_agent[..end.unwrap_or(user_agent.len())]
}
