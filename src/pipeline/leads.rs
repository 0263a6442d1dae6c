//! Where a page leads, made ready for the conductor: in normal form, within the bounds of the job, with a fingerprint.
//!
//! This runs on the parser threads, in parallel; what is known already, only the conductor can say.

use std::collections::BTreeMap;

use url::Url;

use crate::model::{Errand, Link, Records, Request};
use crate::scope::{self, LeftOut, ScopePolicy};

/// Leaves of the links in `records`, found on the page of `request` at `page`, those that may be followed.
pub(super) fn keep_followed(policy: &ScopePolicy, request: &Request, page: &Url, records: &mut Records) {
    let mut left_out: BTreeMap<LeftOut, u64> = BTreeMap::new();
    for (reason, count) in
        [(LeftOut::Nofollow, records.links_forbidden), (LeftOut::Unusable, records.links_left_out)]
    {
        if count > 0 {
            left_out.insert(reason, count);
        }
    }
    let links = std::mem::take(&mut records.links);
    records.links = links
        .into_iter()
        .filter_map(|link| {
            let url = scope::normalize(link.url, policy.sort_query);
            let depth = if request.errand == Errand::Page { request.depth + 1 } else { 0 };
            match policy.judge(&url, page, request.start.as_deref(), depth) {
                Ok(()) => {
                    let fingerprint = scope::fingerprint(&url, None).0;
                    Some(Link { url, fingerprint, ..link })
                }
                Err(reason) => {
                    *left_out.entry(reason).or_default() += 1;
                    None
                }
            }
        })
        .collect();
    records.left_out = left_out.into_iter().collect();
}
