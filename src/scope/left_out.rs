//! The reasons for which links are not followed.

use std::fmt;

/// Why a link is not followed; counted, and told at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// It leads to a host that is not of the site, or not of `--domains`.
    Outside,
    /// Its page is further from the source than `--level`.
    TooDeep,
    /// No `--accept-regex` matches.
    NotAccepted,
    /// A `--reject-regex` matches.
    Rejected,
    /// With `--no-parent`: its page is not in the folder that the crawl began in.
    AboveStart,
    /// Its URL is longer than 8,192 bytes.
    TooLong,
    /// `mailto:`, `javascript:` and the like.
    NotHttp,
    /// The path says the same again and again, or has more than 64 segments: what relative links grow into where a
    /// server answers any path.
    RepeatsItself,
    /// There were `max_per_shape` pages of its shape.
    TooManyOfShape,
    /// The same query has come in three other orders.
    QueryPermutation,
    /// The page, or the link, asks crawlers not to follow.
    Nofollow,
    /// It cannot be followed: `mailto:` and the like, a URL over 8 KB, one of more than 100,000 on a page, values to hand
    /// down that are missing or too large.
    Unusable,
    /// It stands in a sitemap that too many indexes lead to.
    NestedTooDeep,
    /// It leads on in a list of which a page had a record of an earlier run (`--stop-at-seen`).
    BehindSeen,
    /// The run had asked for `--max-pages` before its turn came.
    BeyondMaxPages,
}

impl LeftOut {
    /// Each of them, by its number in what is kept on disk: new ones come last.
    pub(crate) const ALL: [LeftOut; 15] = [
        LeftOut::Outside,
        LeftOut::TooDeep,
        LeftOut::NotAccepted,
        LeftOut::Rejected,
        LeftOut::AboveStart,
        LeftOut::TooLong,
        LeftOut::NotHttp,
        LeftOut::RepeatsItself,
        LeftOut::TooManyOfShape,
        LeftOut::QueryPermutation,
        LeftOut::Nofollow,
        LeftOut::Unusable,
        LeftOut::NestedTooDeep,
        LeftOut::BeyondMaxPages,
        LeftOut::BehindSeen,
    ];
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeftOut::Outside => "outside the site",
            LeftOut::TooDeep => "deeper than --level",
            LeftOut::NotAccepted => "not accepted by --accept-regex",
            LeftOut::Rejected => "rejected by --reject-regex",
            LeftOut::AboveStart => "above the folder of the first page (--no-parent)",
            LeftOut::TooLong => "URL longer than 8192 bytes",
            LeftOut::NotHttp => "not http or https",
            LeftOut::RepeatsItself => "path repeats itself",
            LeftOut::TooManyOfShape => "too many pages of one shape",
            LeftOut::QueryPermutation => "the same query in another order",
            LeftOut::Nofollow => "marked nofollow",
            LeftOut::Unusable => {
                "unusable: not http or https, over 8 KB, beyond 100,000 on a page, or with missing or too large values to carry"
            }
            LeftOut::NestedTooDeep => "in sitemaps behind more than five indexes",
            LeftOut::BehindSeen => "behind a record of an earlier run (--stop-at-seen)",
            LeftOut::BeyondMaxPages => "beyond --max-pages",
        })
    }
}
