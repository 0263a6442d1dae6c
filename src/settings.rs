//! The table of settings: each is a long flag, a key of the job file, an environment variable, a default and a help
//! text at once.
//!
//! The command line, the job file, the example and the README are all made from, or tested against, this table, so
//! none of them can forget a setting. What a setting means is decided in [`crate::job`].

/// The table of the job file that a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// `[source]`: which pages.
    Source,
    /// `[extract.NAME]`: which records. The keys there have a shape of their own; see [`crate::config`].
    Extract,
    /// `[fetch]`: how pages are fetched.
    Fetch,
    /// `[output]`: where records and messages go.
    Output,
    /// `[check]`: what must hold at the end.
    Check,
}

impl Section {
    /// The sections whose keys are plain settings, in the order of the example file.
    pub const PLAIN: [Section; 4] = [Section::Source, Section::Fetch, Section::Output, Section::Check];

    /// Its name in the job file.
    pub fn name(self) -> &'static str {
        match self {
            Section::Source => "source",
            Section::Extract => "extract",
            Section::Fetch => "fetch",
            Section::Output => "output",
            Section::Check => "check",
        }
    }

    /// The heading of its flags in the help.
    pub fn heading(self) -> &'static str {
        match self {
            Section::Source => "Which pages",
            Section::Extract => "Which records",
            Section::Fetch => "Fetching",
            Section::Output => "Output and messages",
            Section::Check => "What must hold at the end, or the exit code is 4",
        }
    }
}

/// How often and with what a setting is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// On or off.
    Switch,
    /// One value.
    Value,
    /// May be repeated.
    List,
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Long flag and key.
    pub name: &'static str,
    /// Short flag.
    pub short: Option<char>,
    /// Its table in the job file.
    pub section: Section,
    /// On/off, one value, or many.
    pub kind: Kind,
    /// What stands for the value in the help.
    pub value: &'static str,
    /// What holds if nobody says anything, written as a user would; `None` for "not set".
    pub default: Option<&'static str>,
    /// The help text: lower case is for flags, this is a sentence.
    pub help: &'static str,
}

impl Setting {
    /// The environment variable: `PAGEMILL_MAX_BODY`.
    pub fn variable(&self) -> String {
        format!("PAGEMILL_{}", self.name.replace('-', "_").to_uppercase())
    }
}

/// Settings whose values may be secrets, and are not shown where something is wrong with them.
const SECRETS: [&str; 7] = ["user", "bearer", "cookie", "header", "data", "json", "proxy"];

/// Whether this is a setting whose value may be a secret.
pub fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// The setting of this name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

const fn value(name: &'static str, section: Section, value: &'static str, help: &'static str) -> Setting {
    Setting { name, short: None, section, kind: Kind::Value, value, default: None, help }
}

const fn switch(name: &'static str, section: Section, help: &'static str) -> Setting {
    Setting { name, short: None, section, kind: Kind::Switch, value: "BOOL", default: Some("false"), help }
}

const fn list(name: &'static str, section: Section, value: &'static str, help: &'static str) -> Setting {
    Setting { name, short: None, section, kind: Kind::List, value, default: None, help }
}

impl Setting {
    const fn short(mut self, short: char) -> Setting {
        self.short = Some(short);
        self
    }

    const fn default(mut self, default: &'static str) -> Setting {
        self.default = Some(default);
        self
    }
}

use Section::{Check, Extract, Fetch, Output, Source};

/// All settings of a crawl, in the order of the help.
pub const SETTINGS: &[Setting] = &[
    list(
        "url",
        Source,
        "URL",
        "Addresses of the pages. {page} stands for the page number, and may be calculated with: {page*25}, \
         {(page-1)*25+1}, {page:04} (leading zeros). {{ and }} are braces",
    ),
    value(
        "pages",
        Source,
        "RANGE",
        "Page numbers: 0-9, 0-250:25 (every 25th), 1,3,7-9, 9-0:-1 (down), 1- (open; needs --until-empty or \
         --max-pages)",
    )
    .short('p'),
    list(
        "var",
        Source,
        "NAME=VALUES",
        "Replace {NAME} in URLs and bodies by each of these: numbers (n=1-20), words (q=red,green or q=@FILE, one a line), \
         days (d=2024-01-01..2024-12-31:1d, as {d} or {d:%Y/%m/%d}). Several are combined, the last fastest. Words are \
         percent-encoded, but not as {NAME!r}",
    ),
    switch(
        "glob",
        Source,
        "Read the URLs as curl does: [001-100:2] and [a-z] are ranges, {a,b} is each of these; there are no variables then",
    ),
    list(
        "input-file",
        Source,
        "FILE|-",
        "Ask for each URL in FILE too, one a line, or from standard input as they come. Blank lines and lines that begin \
         with # are passed over. A line may be a JSON object with a `url`, whose other keys are carried into the records",
    )
    .short('i'),
    list(
        "sitemap",
        Source,
        "URL",
        "Ask for each page that this sitemap names, and those in its index; robots stands for the sitemaps that the \
         robots.txt of the URLs names",
    ),
    list("feed", Source, "URL", "Ask for each page that an entry of this feed (RSS, Atom) leads to"),
    value(
        "since",
        Source,
        "DATE|TIME",
        "Of sitemaps and feeds, take only what has changed since then (2024-05-01), or within that time (7d); what has \
         no date is taken",
    ),
    value("max-pages", Source, "N", "Ask for at most N pages"),
    switch(
        "until-empty",
        Source,
        "Ask for no new pages once a page gave no record or was not there (status 404 or 410)",
    ),
    switch(
        "stop-at-seen",
        Source,
        "With --since-last, for listings with the newest first: ask for no further pages of the range, and follow no \
         further links to more of the list, once a page had a record that an earlier run has met",
    ),
    value("max-records", Source, "N", "End the run with N records"),
    list(
        "domains",
        Source,
        "DOMAIN",
        "Follow links to these domains and those below them; if not said, to the host of the page only",
    ),
    list("accept-regex", Source, "REGEX", "Follow only links whose URL one of these fits"),
    list("reject-regex", Source, "REGEX", "Follow no links whose URL one of these fits"),
    value("level", Source, "N", "Follow links at most N steps from the first pages").short('l'),
    switch("no-parent", Source, "Follow no links out of the folder of the first page"),
    value(
        "order",
        Source,
        "ORDER",
        "In which order links are followed: breadth (as they are found), depth (the deepest first), priority (see \
         priority in the job file)",
    )
    .default("breadth"),
    switch("sort-query", Source, "Take URLs for the same that differ in the order of their query only"),
    value(
        "max-per-shape",
        Source,
        "N",
        "Follow at most N links of the same shape, like /calendar/N/N: sites can make up pages without end",
    )
    .default("100000"),
    value(
        "spill-dir",
        Source,
        "DIR",
        "Where links wait on disk that are too many for the memory; if not said, the system's folder for such files",
    ),
    value("rule", Source, "NAME", "Which [extract.NAME] of the job file reads the pages; the first if not said"),
    value(
        "each",
        Extract,
        "XPATH",
        "What a record is: one for each node this finds. Without it, each page is one record. A CSS \
         selector stands behind css: (css:li.item), on pages of JSON a JSONPath behind json: (json:$.items[*])",
    )
    .short('e'),
    list(
        "field",
        Extract,
        "NAME=XPATH",
        "A field of the record: the first match, null if there is none. NAME[]=XPATH takes all matches as a list; \
         NAME:TYPE=XPATH reads the text as int, float, bool, date, url (absolute), html or json, null if it is not. \
         White space is stripped and collapsed. Repeat for more fields; they keep this order",
    )
    .short('f'),
    list(
        "follow",
        Extract,
        "[NAME=]XPATH",
        "Go on to the pages that these links lead to, elements or attributes: //li[@class=\"next\"]/a. With NAME they are \
         read by the rule [extract.NAME] of the job file, without by the same rule again. Repeat for more",
    ),
    list(
        "key-field",
        Extract,
        "FIELD",
        "What a record is known by from run to run, for --since-last: a field, or one inside of an object (author.name). \
         Repeat for a key of several fields. Without it, a record is known by all that it says",
    ),
    switch("raw", Extract, "Keep white space in all fields as it is in the page"),
    list(
        "namespace",
        Extract,
        "PREFIX=URI",
        "Declare a prefix for the XPaths, for XML pages: atom=http://www.w3.org/2005/Atom",
    )
    .short('N'),
    switch(
        "with-meta",
        Extract,
        "Add _url (where the page was found), _page (its number) and _fetched_at (UTC) to each record",
    ),
    value(
        "xpath-engine",
        Extract,
        "ENGINE",
        "What runs the XPaths: auto takes the fastest engine for each, sxd takes sxd-xpath for all",
    )
    .default("auto"),
    value("jobs", Fetch, "N", "Pages fetched at the same time").short('j').default("16"),
    value("per-host", Fetch, "N", "Fetch at most N pages at the same time from one host").default("8"),
    value("per-ip", Fetch, "N", "Fetch at most N pages at the same time from one address, whatever host names it has"),
    value(
        "throttle",
        Fetch,
        "HOW",
        "How the pace follows the answers of a host: adaptive begins with one request and grows to --per-host as long \
         as the host keeps up, and slows down when it does not; autothrottle is Scrapy's; off keeps to the other \
         settings",
    )
    .default("adaptive"),
    value("wait", Fetch, "TIME", "Wait this long between two requests to a host; what the job file's [host] tables say of a host wins over this and all flags of the pace").short('w').default("0s"),
    value("jitter", Fetch, "SHARE", "Make each such wait longer or shorter at random, by up to this share of it")
        .default("0.5"),
    value("rate", Fetch, "N/TIME", "Ask a host at most so often, at even distances: 5/s, 100/m, 1000/h"),
    value(
        "max-pause",
        Fetch,
        "TIME",
        "Leave a host alone that asks for it (Retry-After, Crawl-delay), but no longer than this at a time",
    )
    .default("5m"),
    value("throttle-start-delay", Fetch, "TIME", "With autothrottle: the first wait").default("5s"),
    value("throttle-max-delay", Fetch, "TIME", "With autothrottle: the longest wait").default("60s"),
    value("throttle-target", Fetch, "N", "With autothrottle: requests at a host at the same time, on average").default("1.0"),
    switch("no-robots", Fetch, "Ask for pages that the site's robots.txt forbids, and do not read it"),
    value("parsers", Fetch, "N", "Threads that read pages; one for each core if not said"),
    value("connect-timeout", Fetch, "TIME", "Give up a connection that is not made within this time: 500ms, 10s, 1m")
        .default("10s"),
    value("read-timeout", Fetch, "TIME", "Give up a response that sends nothing for this time").default("30s"),
    value("timeout", Fetch, "TIME", "Give up a response that is not complete within this time; each redirect has its own")
        .default("60s"),
    value("speed-limit", Fetch, "SIZE", "Give up a response that brings less than this a second once it has begun, on average over --speed-time; 0 turns it off")
        .default("100"),
    value("speed-time", Fetch, "TIME", "What --speed-limit is an average over").default("30s"),
    value("max-body", Fetch, "SIZE", "Give up a page larger than this after decompression: 512K, 10M, 1G")
        .default("10M"),
    value("max-redirs", Fetch, "N", "Follow at most N redirects for a page").default("10"),
    list(
        "resolve",
        Fetch,
        "HOST:PORT:ADDRESS",
        "Take this for the address of a host, whatever its name means; * stands for any host or port",
    ),
    switch("ipv4", Fetch, "Use IPv4 addresses only").short('4'),
    switch("ipv6", Fetch, "Use IPv6 addresses only").short('6'),
    switch("insecure", Fetch, "Believe any certificate: who sends the pages is not checked any more").short('k'),
    value("cacert", Fetch, "FILE", "Believe the certificate authorities in FILE (PEM) instead of Mozilla's list"),
    value("cert", Fetch, "FILE", "Show the certificate in FILE (PEM, with its chain) to servers that ask for one, of the hosts that the job names; \
         one that a page led to does not get to see it"),
    value("key", Fetch, "FILE", "The private key of --cert (PEM, without a password), if it is not in the same file"),
    list(
        "proxy",
        Fetch,
        "URL",
        "Ask through this proxy: http://, https://, socks5:// (names are looked up here) or socks5h:// (by the proxy), \
         with user:password@ if it wants one. Several are used in turn, and one that fails is left out for a while. \
         Without it, HTTP_PROXY, HTTPS_PROXY and ALL_PROXY count; an empty one turns them off",
    )
    .short('x'),
    value("proxy-file", Fetch, "FILE", "Ask through the proxies in FILE, one on each line, in turn"),
    value(
        "no-proxy",
        Fetch,
        "HOSTS",
        "Ask these hosts without a proxy: names with all below them, addresses, networks like 10.0.0.0/8, or *. \
         Without it, NO_PROXY counts",
    ),
    switch(
        "allow-private",
        Fetch,
        "Let pages lead to private addresses: this machine, the local network, the metadata of a cloud. The host and \
         port that the job names may be at one anyway",
    ),
    value(
        "retry",
        Fetch,
        "N",
        "Try a failed page N times more, if that may help: connection faults, time-outs, cut or undecodable bodies, \
         and the statuses 408 425 429 500 502 503 504 522 524",
    )
    .default("2"),
    value(
        "retry-on",
        Fetch,
        "STATUSES",
        "Try these statuses again instead: 500,502-504,429",
    ),
    switch("retry-all-errors", Fetch, "Try a failed page again whatever it failed of"),
    value("retry-delay", Fetch, "TIME", "Wait this long before the first retry, twice as long before each further one, at most 60s; up to half of it is taken off at random").default("1s"),
    value("method", Fetch, "METHOD", "Ask with this method: PUT, DELETE; GET if not said, POST with a body").short('X'),
    list(
        "data",
        Fetch,
        "TEXT|@FILE",
        "Send this as a form, by POST. {page} and calculations with it are replaced as in the URL; all other braces \
         stay. Repeat it to join parts with &",
    )
    .short('d'),
    value(
        "json",
        Fetch,
        "TEXT|@FILE",
        "Send this as JSON, by POST: '{\"page\": {page}, \"filter\": {\"new\": true}}'",
    ),
    list(
        "header",
        Fetch,
        "NAME: VALUE",
        "Send this header too; an empty value leaves a default header out. Headers given here are secrets: a \
         redirect to another origin does not get them",
    )
    .short('H'),
    value(
        "user",
        Fetch,
        "USER:PASSWORD",
        "Log in to the host of the URL with these (Basic authentication). Other users of the machine can see flags: \
         PAGEMILL_USER or a .netrc is safer",
    )
    .short('u'),
    value("bearer", Fetch, "TOKEN", "Send this token to the host of the URL; safer as PAGEMILL_BEARER"),
    switch("netrc", Fetch, "Look for user and password of each host in ~/.netrc; they are for its name, on whatever port"),
    value("netrc-file", Fetch, "FILE", "Look for user and password of each host in FILE, written like a .netrc; they are for its name, on whatever port"),
    value(
        "cookie",
        Fetch,
        "COOKIES",
        "Send these cookies to the host of the URL and to no other: 'a=1; b=2'. What it sets under the same name \
         replaces them",
    )
    .short('b'),
    switch("no-cookies", Fetch, "Keep no cookies that servers set, and send none but your own"),
    value("load-cookies", Fetch, "FILE", "Begin with the cookies of FILE, a cookies.txt as curl and browsers' extensions write it"),
    value(
        "save-cookies",
        Fetch,
        "FILE",
        "Write the cookies to FILE when the run has ended, for --load-cookies; readable by its owner only",
    ),
    value(
        "user-agent",
        Fetch,
        "TEXT",
        "Name yourself so in the User-Agent header, and in robots.txt by its first word; if not said, pagemill/VERSION and \
         where to read about it",
    )
    .short('A'),
    value(
        "user-agent-file",
        Fetch,
        "FILE",
        "Take the User-Agent headers from FILE, one a line, in turn; lines with # are left out. What robots.txt \
         forbids to any of them is not asked for",
    ),
    value(
        "cache",
        Fetch,
        "DIR",
        "Keep pages in DIR for the next run, and ask the site again only when it must be (RFC 9111): not while a page is \
         fresh, and then whether it has changed",
    ),
    value(
        "cache-max-age",
        Fetch,
        "TIME",
        "Take pages from --cache that are younger than this without asking, whatever the site says: 30m, 1d. Pages that \
         may not be kept are kept then, too",
    ),
    value(
        "charset",
        Fetch,
        "NAME",
        "Read all pages in this character set. If not said, each page's own: BOM, HTTP header, <meta>, detection",
    ),
    value("max-time", Fetch, "TIME", "Start no new page after this time; with pages left the exit code is 75"),
    value(
        "output",
        Output,
        "FILE",
        "Append records to FILE, one JSON object a line; - or nothing is standard output. FILE.gz and FILE.zst are \
         compressed",
    )
        .short('o'),
    value("overwrite", Output, "FILE", "Write records to FILE, replacing what is in it").short('O'),
    switch(
        "since-last",
        Output,
        "Remember what was written from run to run, and write only records that are new or say something else than last \
         time",
    ),
    switch(
        "with-op",
        Output,
        "With --since-last, add _op to each record: new, changed, or gone, for a key that a whole run has not met any more \
         (of it only the key is told, once)",
    ),
    value(
        "rotate",
        Output,
        "SIZE",
        "Write files of at most this size, one after the other: {part} in the name of --output stands for their number, \
         {part:04} for one with leading zeros. -o begins behind the files that are there, -O removes them first",
    ),
    switch("ordered", Output, "Write records in the order of the pages, not in the order they arrive"),
    value(
        "state",
        Output,
        "DIR",
        "Keep the state of the run in DIR, from which the same command goes on after the run was cut off, and keep it when \
         all is done. If not said, it is in FILE.pagemill beside the output as long as there is something left to do. With \
         standard output, records of pages that were under way may come twice",
    ),
    switch("fresh", Output, "Start over: forget what an earlier run left, and take its lines out of the output"),
    switch("no-state", Output, "Keep no state: a run that is cut off cannot go on"),
    value("summary", Output, "FILE", "Write the counts of the run to FILE as one JSON object"),
    switch("quiet", Output, "No progress and no summary; failed pages and errors are still told").short('q'),
    switch("verbose", Output, "Tell of each page").short('v'),
    switch("no-progress", Output, "No progress bar and no status lines"),
    value("min-records", Check, "N", "Expect at least N records"),
    value(
        "max-failed",
        Check,
        "SHARE",
        "Expect at most this share of the pages asked for to fail: 2%, or 0.02; no page at all is not expected either",
    ),
    list(
        "min-fill",
        Check,
        "FIELD=SHARE",
        "Expect this field in at least this share of the records: price=90%. Fields inside of others are named as in the \
         summary, author.name; so are those of several rules, book.price",
    ),
    list(
        "max-null",
        Check,
        "FIELD=SHARE",
        "Expect this field to be missing, or not of its type, in at most this share of the records: price=10%",
    ),
    value(
        "max-drop",
        Check,
        "SHARE",
        "Expect at most this share fewer records than the last run had that --summary FILE tells of: the last one that \
         came to its end and broke no check",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_name_or_letter_is_used_twice() {
        let names: HashSet<_> = SETTINGS.iter().map(|s| s.name).collect();
        let letters: Vec<_> = SETTINGS.iter().filter_map(|s| s.short).collect();
        assert_eq!(names.len(), SETTINGS.len());
        assert_eq!(letters.iter().collect::<HashSet<_>>().len(), letters.len());
    }

    #[test]
    fn help_is_a_sentence_without_a_full_stop() {
        for setting in SETTINGS {
            assert!(setting.help.starts_with(char::is_uppercase), "{}", setting.name);
            assert!(!setting.help.ends_with('.'), "{}", setting.name);
        }
    }
}
