//! Between the cache and the network: which of them answers, and what is kept of it.
//!
//! What may be kept and what is fresh is the cache's business; what an answer means is the parent's.

use std::sync::atomic::Ordering;
use std::time::SystemTime;

use ureq::http::{Request, header};
use url::Url;

use super::cache::{Cache, LookUp, Stored};
use super::http::{Answer, HeaderSet};
use super::{Fetcher, redirect};
use crate::model::{Errand, Exchange, PageError};

impl Fetcher {
    /// The answer to `request` at `url`: a kept one if it is good, otherwise the server's. A page that failed before is
    /// not taken from the cache, where it would fail again, and only the answer to a plain GET is ever kept.
    ///
    /// # Errors
    ///
    /// Whatever keeps the server's answer from arriving. The cache never fails.
    pub(super) fn answer(
        &self,
        url: &Url,
        headers: &HeaderSet,
        request: &crate::model::Request,
        exchange: &mut Exchange,
    ) -> Result<Answer, PageError> {
        let cache = self.cache.as_ref().filter(|_| request.message.is_none());
        let asked = cache.zip(headers.request(url)).filter(|(cache, asked)| cache.covers(asked));
        let Some((cache, asked)) = asked else {
            return self.ask(url, headers, request, exchange);
        };
        let found = if request.attempt > 0 { LookUp::Miss } else { cache.look_up(&asked, SystemTime::now()) };
        match found {
            LookUp::Fresh(Stored { status, headers, received, body, .. }) => {
                exchange.kept_since = Some(received);
                Ok(self.client.replay(url, status, headers, body))
            }
            LookUp::Stale { conditions, stored } => {
                let answer = self.ask(url, &headers.with(conditions), request, exchange)?;
                if answer.status() != 304 {
                    return self.keep(cache, &asked, (url, request.errand), answer);
                }
                if let Some(renewed) = cache.freshen(stored, &asked, answer.headers(), SystemTime::now()) {
                    answer.discard();
                    return Ok(self.client.replay(url, renewed.status, renewed.headers, renewed.body));
                }
                answer.discard();
                let answer = self.ask(url, headers, request, exchange)?;
                self.keep(cache, &asked, (url, request.errand), answer)
            }
            LookUp::Miss => {
                let answer = self.ask(url, headers, request, exchange)?;
                self.keep(cache, &asked, (url, request.errand), answer)
            }
        }
    }

    /// Keeps the server's answer if it may be kept, and hands it on.
    fn keep(
        &self,
        cache: &Cache,
        asked: &Request<()>,
        (url, errand): (&Url, Errand),
        answer: Answer,
    ) -> Result<Answer, PageError> {
        let (status, now) = (answer.status(), SystemTime::now());
        if !cache.keeps(asked, status, answer.headers(), now) {
            return Ok(answer);
        }
        let headers = answer.headers().clone();
        let leads_elsewhere = redirect::is_redirect(status) && headers.contains_key(header::LOCATION);
        let (body, is_cut) = if leads_elsewhere || status >= 400 {
            // Nobody reads it.
            answer.discard();
            (Vec::new(), false)
        } else {
            self.body_as_sent(answer, errand)?
        };
        // What ended because connections were shut down may be half a page.
        if !is_cut && !self.is_aborted.load(Ordering::SeqCst) {
            cache.store(asked, status, &headers, &body, now);
        }
        Ok(self.client.replay(url, status, headers, body))
    }
}
