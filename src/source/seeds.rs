//! Sitemaps and feeds that pages are taken from: what is to be fetched for that, and which of their entries are wanted.

use jiff::Timestamp;
use url::Url;

/// Where further first requests are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seeds {
    /// Sitemaps.
    pub sitemaps: Vec<Url>,
    /// Feeds.
    pub feeds: Vec<Url>,
    /// Whether the sitemaps that the robots.txt of the source's own hosts names count too.
    pub sitemaps_of_robots: bool,
    /// Only what has changed since then is wanted.
    pub since: Option<Timestamp>,
}

impl Seeds {
    /// Whether there is nothing to be found.
    pub fn is_empty(&self) -> bool {
        self.sitemaps.is_empty() && self.feeds.is_empty() && !self.sitemaps_of_robots
    }

    /// Whether an entry is wanted that changed at this time. One that does not say is; so is a sitemap in an index, of
    /// which `lastmod` is when the file changed: nothing in it can be younger than that.
    pub fn wants(&self, lastmod: Option<Timestamp>) -> bool {
        match (self.since, lastmod) {
            (Some(since), Some(lastmod)) => lastmod >= since,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_is_left_out_and_what_has_no_date_stays() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let seeds = Seeds { since: at("2024-05-01T00:00:00Z"), ..Seeds::default() };
        assert!(seeds.wants(None) && seeds.wants(at("2024-05-01T00:00:00Z")));
        assert!(!seeds.wants(at("2024-04-30T23:59:59Z")));
        assert!(Seeds::default().wants(at("1999-01-01T00:00:00Z")) && Seeds::default().is_empty());
    }
}
