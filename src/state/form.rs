//! Keys and values of the store.
//!
//! Each key begins with the letter of its table; numbers in keys are big-endian, so that their order is that of the
//! bytes. Values are made with [`crate::wire`].

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value as Json};

use crate::model::{PageError, Request, RequestId, RuleId, Unmade, display_url};
use crate::wire::{Bytes, put_bytes, put_number, requests};

/// Requests that may go out, by rank and number.
pub(super) const PENDING: u8 = b'p';
/// Requests that wait for another try, by number.
pub(super) const WAITING: u8 = b'r';
/// Fingerprints, a commit's worth in each value, by the number of the commit.
pub(super) const SEEN: u8 = b's';
/// Pages that failed for good, by number.
pub(super) const FAILED: u8 = b'f';
/// How often a page was tried that had failed for good and gets another chance, by number. Read if it fails again; of a
/// page that then succeeds it stays until the run is forgotten, and since numbers are given once, nobody reads it again.
pub(super) const TRIED: u8 = b'g';
/// Counts, by rule and host.
pub(super) const TALLY: u8 = b'n';
/// What stands alone, by name.
pub(super) const VALUE: u8 = b'v';

/// The key of a pending request.
pub(super) fn pending_key(rank: u64, id: RequestId) -> Vec<u8> {
    [&[PENDING][..], &rank.to_be_bytes(), &id.0.to_be_bytes()].concat()
}

/// The number in the key of a pending request.
pub(super) fn id_of_pending(key: &[u8]) -> Option<RequestId> {
    Some(RequestId(u64::from_be_bytes(key.get(9..17)?.try_into().ok()?)))
}

/// The key of something with a number.
pub(super) fn numbered_key(table: u8, number: u64) -> Vec<u8> {
    [&[table][..], &number.to_be_bytes()].concat()
}

/// The key of something with a name.
pub(super) fn named_key(table: u8, name: &[u8]) -> Vec<u8> {
    [&[table][..], name].concat()
}

/// A request, alone.
pub(super) fn put_request(request: &Request, out: &mut Vec<u8>) {
    requests::encode(std::iter::once(request), out);
}

pub(super) fn take_request(bytes: &[u8]) -> Option<Request> {
    let mut requests = requests::decode(bytes)?;
    (requests.len() == 1).then(|| requests.pop())?
}

/// What waits: a request and when it is due, in milliseconds since 1970; or a place without a request.
pub(super) fn put_waiting(due_ms: u64, request: &Request) -> Vec<u8> {
    let mut out = vec![0];
    put_number(due_ms, &mut out);
    put_request(request, &mut out);
    out
}

pub(super) fn put_unmade(unmade: &Unmade) -> Vec<u8> {
    let mut out = vec![1];
    put_number(unmade.id.0, &mut out);
    put_bytes(unmade.whom.as_bytes(), &mut out);
    unmade.error.put(&mut out);
    out
}

/// What [`put_waiting`] or [`put_unmade`] wrote.
pub(super) fn take_waiting(bytes: &[u8]) -> Option<Result<(u64, Request), Unmade>> {
    let mut bytes = Bytes(bytes);
    match bytes.byte()? {
        0 => {
            let due_ms = bytes.number()?;
            Some(Ok((due_ms, take_request(bytes.0)?)))
        }
        1 => {
            let id = RequestId(bytes.number()?);
            let whom = bytes.text()?.to_owned();
            Some(Err(Unmade { id, whom, error: PageError::take(&mut bytes)? }))
        }
        _ => None,
    }
}

/// A page that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPage {
    /// Its number.
    pub id: RequestId,
    /// The request, as it went out last; `None` if the source had none for this place.
    pub request: Option<Request>,
    /// What it is, for people: its URL, or its place in the source.
    pub whom: String,
    /// Why.
    pub error: PageError,
    /// How often it was tried.
    pub attempts: u32,
    /// When it failed last.
    pub at: SystemTime,
}

impl FailedPage {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_number(self.id.0, &mut out);
        put_bytes(self.whom.as_bytes(), &mut out);
        self.error.put(&mut out);
        put_number(self.attempts.into(), &mut out);
        put_number(unix_ms(self.at), &mut out);
        if let Some(request) = &self.request {
            put_request(request, &mut out);
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<FailedPage> {
        let mut bytes = Bytes(bytes);
        let id = RequestId(bytes.number()?);
        let whom = bytes.text()?.to_owned();
        let error = PageError::take(&mut bytes)?;
        let attempts = bytes.number()?.try_into().ok()?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(bytes.number()?))?;
        let request = if bytes.0.is_empty() { None } else { Some(take_request(bytes.0)?) };
        Some(FailedPage { id, request, whom, error, attempts, at })
    }

    /// For scripts. `rule` is the name of the rule that would have read it.
    pub fn to_json(&self, rule: Option<&str>) -> Json {
        let mut map = Map::new();
        let mut put = |key: &str, value: Json| map.insert(key.to_owned(), value);
        let request = self.request.as_ref();
        put("url", request.map_or(Json::Null, |request| display_url(&request.url).into()));
        put("page", request.and_then(|request| request.page).map_or(Json::Null, Json::from));
        put("rule", rule.map_or(Json::Null, Json::from));
        put("kind", self.error.kind().into());
        put("reason", self.error.to_string().into());
        let status = match &self.error {
            PageError::Status(status) => Some(*status),
            _ => None,
        };
        put("status", status.map_or(Json::Null, Json::from));
        put("attempts", self.attempts.into());
        let moved = request.and_then(|request| request.moved.as_ref());
        put("moved_to", moved.map_or(Json::Null, |moved| display_url(&moved.to).into()));
        let at = jiff::Timestamp::try_from(self.at).map_or(Json::Null, |at| format!("{at:.3}").into());
        put("failed_at", at);
        if request.is_none() {
            put("place", self.whom.as_str().into());
        }
        Json::Object(map)
    }
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TallyOf {
    /// The rule of the pages.
    pub rule: RuleId,
    /// Their host; empty for places without a request.
    pub host: String,
}

/// How pages fared that did not fail; those that did are in a table of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Read.
    pub done: u64,
    /// Forbidden by robots.txt.
    pub disallowed: u64,
    /// Led by a redirect to what is not followed, or known.
    pub left_out: u64,
    /// Records on them.
    pub records: u64,
}

impl Tally {
    /// Adds the counts of others.
    pub fn add(&mut self, other: Tally) {
        self.done += other.done;
        self.disallowed += other.disallowed;
        self.left_out += other.left_out;
        self.records += other.records;
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::new();
        for count in [self.done, self.disallowed, self.left_out, self.records] {
            put_number(count, &mut out);
        }
        out
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Tally> {
        let mut bytes = Bytes(bytes);
        let mut next = || bytes.number();
        Some(Tally { done: next()?, disallowed: next()?, left_out: next()?, records: next()? })
    }
}

impl TallyOf {
    pub(super) fn key(&self) -> Vec<u8> {
        [&[TALLY][..], &self.rule.0.to_be_bytes(), self.host.as_bytes()].concat()
    }

    pub(super) fn of_key(key: &[u8]) -> Option<TallyOf> {
        let rule = RuleId(u16::from_be_bytes(key.get(1..3)?.try_into().ok()?));
        Some(TallyOf { rule, host: String::from_utf8(key.get(3..)?.to_vec()).ok()? })
    }
}

/// Milliseconds since 1970; a clock that says less counts as 1970.
fn unix_ms(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn request(id: u64) -> Request {
        Request::new(RequestId(id), Url::parse("http://h/a?b=1").unwrap(), Some(4))
    }

    #[test]
    fn pending_requests_are_in_the_order_of_rank_and_number() {
        let key = |rank, id| pending_key(rank, RequestId(id));
        assert!(key(0, 300) < key(1, 2) && key(1, 2) < key(1, 256));
        assert_eq!(id_of_pending(&key(7, 9)), Some(RequestId(9)));
        assert_eq!(id_of_pending(b"p123"), None);
    }

    #[test]
    fn what_waits_reads_back() {
        let again = Request { attempt: 2, ..request(5) };
        assert_eq!(take_waiting(&put_waiting(77, &again)), Some(Ok((77, again))));
        let unmade = Unmade { id: RequestId(3), whom: "page 7".into(), error: PageError::NoUrl("x".into()) };
        assert_eq!(take_waiting(&put_unmade(&unmade)), Some(Err(unmade)));
        assert_eq!(take_waiting(&[9]), None);
    }

    #[test]
    fn failed_pages_and_tallies_read_back() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        for request in [Some(request(8)), None] {
            let error = PageError::Status(503);
            let failed =
                FailedPage { id: RequestId(8), request, whom: "http://h/".into(), error, attempts: 3, at };
            assert_eq!(FailedPage::from_bytes(&failed.to_bytes()), Some(failed));
        }
        let tally = Tally { done: 1, disallowed: 3, left_out: 4, records: 500 };
        assert_eq!(Tally::from_bytes(&tally.to_bytes()), Some(tally));
        let of = TallyOf { rule: RuleId(258), host: "www.example.org".into() };
        assert_eq!(TallyOf::of_key(&of.key()), Some(of));
    }

    #[test]
    fn a_failed_page_tells_scripts_what_they_ask_for() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_500);
        let error = PageError::Status(503);
        let whom = "http://h/a?b=1".to_owned();
        let failed = FailedPage { id: RequestId(8), request: Some(request(8)), whom, error, attempts: 3, at };
        assert_eq!(
            failed.to_json(Some("book")).to_string(),
            r#"{"url":"http://h/a?b=1","page":4,"rule":"book","kind":"status 503","reason":"status 503","status":503,"attempts":3,"moved_to":null,"failed_at":"1970-01-01T00:00:01.500Z"}"#
        );
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            let _ = (take_waiting(&bytes), FailedPage::from_bytes(&bytes), Tally::from_bytes(&bytes));
        }
    }
}
