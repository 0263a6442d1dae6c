//! The lines of a robots.txt ─▶ the one group that is ours, kept small.
//!
//! Which lines belong together is decided here (RFC 9309 2.2.1), which rule matches a path by `pattern`.

use std::borrow::Cow;
use std::time::Duration;

use super::line::{Key, lines, read};
use super::pattern;

/// How much of a file is read: what RFC 9309 2.5 asks of every crawler.
const READ_BYTES: usize = 500 << 10;
/// The longest pause a file can ask for.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// How many sitemaps are noted.
const MOST_SITEMAPS: usize = 500;
/// How many bytes rules with `*` may look at for one URL: some 10 ms. A thousand such rules and a path of 16 KB are
/// below it; beyond it somebody means to keep us busy, and the answer is no.
const MOST_WORK: usize = 16 << 20;

/// What is kept of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) rules: Rules,
    pub(super) sitemaps: Box<[String]>,
}

/// Rules in the order of the file, all patterns in one string: a hundred thousand hosts have to fit into memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    patterns: String,
    /// Where each pattern ends, and whether it allows.
    ends: Vec<(u32, bool)>,
    /// How many patterns have a `*`.
    wildcards: u32,
    /// A pattern encodes what need not be, or has a `$` amid: the two readings differ.
    is_ambiguous: bool,
    /// The `Crawl-delay`.
    delay_ms: Option<u32>,
}

impl Rules {
    /// Adds a `Disallow`. An empty one disallows nothing.
    pub(super) fn disallow(&mut self, value: &[u8]) {
        self.add(&pattern::encoded(value), false);
    }

    /// Adds an `Allow`. As with Google, who allows `/x/index.html` also allows `/x/`.
    fn allow(&mut self, value: &[u8]) {
        let written = pattern::encoded(value);
        self.add(&written, true);
        if let Some(slash) = written.rfind('/')
            && written[slash..].starts_with("/index.htm")
        {
            self.add(&format!("{}$", &written[..=slash]), true);
        }
    }

    /// Adds a percent-encoded pattern; `false` if it is none.
    pub(super) fn add(&mut self, pattern: &str, allows: bool) -> bool {
        // A path begins with a slash, so nothing else can match one.
        if !pattern.starts_with(['/', '*']) {
            return false;
        }
        self.patterns.push_str(pattern);
        let end = u32::try_from(self.patterns.len()).expect("a file is cut at 500 KiB");
        self.ends.push((end, allows));
        self.wildcards += u32::from(pattern.contains('*'));
        self.is_ambiguous |= matches!(pattern::decoded_pattern(pattern), Cow::Owned(_));
        true
    }

    fn wait(&mut self, value: &[u8]) {
        self.delay_ms = self.delay_ms.max(seconds(value));
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        self.delay_ms.map(|ms| Duration::from_millis(ms.into()))
    }

    pub(super) fn delay_ms(&self) -> Option<u32> {
        self.delay_ms
    }

    /// No rules yet but how long to wait.
    pub(super) fn waiting(delay_ms: Option<u32>) -> Rules {
        Rules { delay_ms, ..Rules::default() }
    }

    /// The patterns, and whether each allows, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, bool)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, allows)| {
            let pattern = &self.patterns[start..end as usize];
            start = end as usize;
            (pattern, allows)
        })
    }

    /// The rule against a path, in one reading or the other; `None` if it is allowed in both.
    pub(super) fn against(&self, path: &str) -> Option<String> {
        if (self.wildcards as usize).saturating_mul(path.len()) > MOST_WORK {
            return Some(format!(
                "Disallow: {} rules with `*`, too many for so long an address",
                self.wildcards
            ));
        }
        self.decide(path, Cow::Borrowed).or_else(|| {
            let decoded = pattern::decoded_path(path);
            let differs = self.is_ambiguous || matches!(decoded, Cow::Owned(_));
            if differs { self.decide(&decoded, pattern::decoded_pattern) } else { None }
        })
    }

    /// The longest rule that matches, if it disallows. Of rules as long as each other `Allow` wins.
    fn decide<'a>(&'a self, path: &str, reading: impl Fn(&'a str) -> Cow<'a, str>) -> Option<String> {
        let mut best = (0, true);
        let mut disallowing = None;
        for (written, allows) in self.iter() {
            let pattern = reading(written);
            let rank = (pattern.len(), allows);
            if rank > best && pattern::matches(&pattern, path) {
                best = rank;
                disallowing = (!allows).then_some(written);
            }
        }
        disallowing.map(|pattern| format!("Disallow: {pattern}"))
    }

    pub(super) fn block_everything(&self) -> bool {
        let blocks =
            |pattern: &str| pattern.strip_prefix('/').unwrap_or(pattern).bytes().all(|byte| byte == b'*');
        self.iter().any(|(pattern, _)| blocks(pattern)) && self.iter().all(|(_, allows)| !allows)
    }

    /// Gives back memory that is not needed.
    pub(super) fn shrink(mut self) -> Rules {
        self.patterns.shrink_to_fit();
        self.ends.shrink_to_fit();
        self
    }
}

/// Where in the file we are.
#[derive(Default)]
struct Place {
    /// The group at hand names us.
    is_ours: bool,
    /// The group at hand names everybody.
    is_everybodys: bool,
    /// It has rules already, so that the next `User-agent` begins another.
    has_rules: bool,
}

/// Reads the file. All groups that name us count together (RFC 9309 2.2.1), and only without any those for `*`.
///
/// Only `Allow` and `Disallow` end the names of a group: other lines do not (2.2.4), so `Crawl-delay` does not either,
/// and holds for the agents named above it.
pub(super) fn parse(body: &[u8], agent: &str) -> Group {
    let text = readable(body);
    let (mut ours, mut everybodys) = (None, Rules::default());
    let mut sitemaps = Vec::new();
    let mut place = Place::default();
    for (key, value) in lines(&text).filter_map(read) {
        if key == Key::UserAgent {
            if std::mem::take(&mut place.has_rules) {
                place = Place::default();
            }
            if names_everybody(value) {
                place.is_everybodys = true;
            } else if names(value, agent) {
                place.is_ours = true;
                ours.get_or_insert_with(Rules::default);
            }
            continue;
        }
        if key == Key::Sitemap {
            if sitemaps.len() < MOST_SITEMAPS && !value.is_empty() {
                sitemaps.push(String::from_utf8_lossy(value).into_owned());
            }
            continue;
        }
        place.has_rules |= matches!(key, Key::Allow | Key::Disallow);
        let of_ours = ours.as_mut().filter(|_| place.is_ours);
        let of_everybody = place.is_everybodys.then_some(&mut everybodys);
        for rules in of_ours.into_iter().chain(of_everybody) {
            match key {
                Key::Allow => rules.allow(value),
                Key::Disallow => rules.disallow(value),
                Key::CrawlDelay => rules.wait(value),
                Key::UserAgent | Key::Sitemap => {}
            }
        }
    }
    Group { rules: ours.unwrap_or(everybodys).shrink(), sitemaps: sitemaps.into() }
}

/// The part of a file that is read, without byte order mark. NULs are left out: no path has one, and what is left of
/// UTF-16 is readable.
fn readable(body: &[u8]) -> Cow<'_, [u8]> {
    let mut text = &body[..body.len().min(READ_BYTES)];
    if text.len() < body.len() {
        // Half a rule could disallow more than the whole.
        let whole = text.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(0);
        text = &text[..whole];
    }
    for mark in [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"] {
        text = text.strip_prefix(mark).unwrap_or(text);
    }
    if text.contains(&0) {
        Cow::Owned(text.iter().copied().filter(|&byte| byte != 0).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// `*`, also with something after a blank.
fn names_everybody(value: &[u8]) -> bool {
    matches!(value, [b'*'] | [b'*', b' ' | b'\t', ..])
}

/// Whether a `User-agent` line means us: its product token, whatever follows it.
fn names(value: &[u8], agent: &str) -> bool {
    let end = value.iter().position(|byte| !(byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')));
    let token = &value[..end.unwrap_or(value.len())];
    !token.is_empty() && token.eq_ignore_ascii_case(agent.as_bytes())
}

/// Milliseconds of a `Crawl-delay`: digits with at most one point. `None` for all else.
fn seconds(value: &[u8]) -> Option<u32> {
    let word = value.split(u8::is_ascii_whitespace).next()?;
    if !word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return None;
    }
    let seconds: f64 = std::str::from_utf8(word).ok()?.parse().ok()?;
    let capped = seconds.min(LONGEST_DELAY.as_secs_f64());
    u32::try_from(Duration::from_secs_f64(capped).as_millis()).ok()
}
