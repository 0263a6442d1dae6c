//! Requests as bytes, a batch at a time.
//!
//! Links of one page have much in common, and neighbours in the backlog are mostly links of one page: each request is
//! written as what it has beyond the one before it. A URL gives away its beginning, and whatever the page hands down is
//! written once.

use std::sync::Arc;

use url::Url;

use super::{Bytes, put_bytes, put_map, put_number, put_signed};
use crate::message::{FORM, JSON, Message, Method};
use crate::model::{Carried, Errand, Moved, Request, RequestId, RuleId};

/// A batch ends when it has so many bytes, however few requests these are.
const ENOUGH: usize = 256 << 10;

// What is different from, or the same as, the request before.
const BY_PAGE: u8 = 1;
const PAGE: u8 = 2;
const ATTEMPT: u8 = 4;
const PLACE: u8 = 8;
const MESSAGE: u8 = 16;
const SAME_MESSAGE: u8 = 32;
const CARRIED: u8 = 64;
const SAME_CARRIED: u8 = 128;

/// Of [`kind_of`]: redirects have led elsewhere.
const MOVED: u8 = 2;

/// What the next request is compared with.
#[derive(Default)]
struct Before {
    id: u64,
    url: String,
    /// Rule, depth, priority, and what [`kind_of`] says.
    place: (RuleId, u32, i32, u8),
    /// Written with the place.
    start: Option<Arc<Url>>,
    message: Option<Arc<Message>>,
    carried: Option<Arc<Carried>>,
}

/// Appends the first of `requests` to `out`, and gives how many: all, unless they are large.
pub(crate) fn encode<'a>(requests: impl Iterator<Item = &'a Request>, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    let mut before = Before::default();
    let mut count = 0;
    for request in requests {
        put(request, &mut before, out);
        count += 1;
        if out.len() - start >= ENOUGH {
            break;
        }
    }
    count
}

/// The requests in `bytes`; `None` if they are not what was written.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Request>> {
    let mut bytes = Bytes(bytes);
    let mut before = Before::default();
    let mut requests = vec![];
    while !bytes.0.is_empty() {
        requests.push(take(&mut bytes, &mut before)?);
    }
    Some(requests)
}

fn put(request: &Request, before: &mut Before, out: &mut Vec<u8>) {
    debug_assert!(!request.is_own(), "{request:?}");
    let kind = kind_of(request);
    let place = (request.rule, request.depth, request.priority, kind);
    let flags = flag(request.is_by_page, BY_PAGE)
        | flag(request.page.is_some(), PAGE)
        | flag(request.attempt != 0, ATTEMPT)
        | flag(place != before.place || request.start != before.start, PLACE)
        | shared(request.message.as_ref(), before.message.as_ref(), MESSAGE, SAME_MESSAGE)
        | shared(request.carried.as_ref(), before.carried.as_ref(), CARRIED, SAME_CARRIED);
    out.push(flags);
    put_signed(request.id.0.wrapping_sub(before.id) as i64, out);
    before.id = request.id.0;
    if flags & PLACE != 0 {
        put_number(request.rule.0.into(), out);
        put_number(request.depth.into(), out);
        put_signed(request.priority.into(), out);
        out.push(kind);
        put_bytes(request.start.as_ref().map_or("", |start| start.as_str()).as_bytes(), out);
        before.place = place;
        before.start = request.start.clone();
    }
    if let Some(page) = request.page {
        put_signed(page, out);
    }
    if request.attempt != 0 {
        put_number(request.attempt.into(), out);
    }
    put_url(request.url.as_str(), &mut before.url, out);
    if let Some(moved) = &request.moved {
        put_number(moved.redirects.into(), out);
        put_bytes(moved.to.as_str().as_bytes(), out);
    }
    if let Some(message) = request.message.as_ref().filter(|_| flags & MESSAGE != 0) {
        put_message(message, out);
        before.message = Some(Arc::clone(message));
    }
    if let Some(carried) = request.carried.as_ref().filter(|_| flags & CARRIED != 0) {
        put_map(carried, out);
        before.carried = Some(Arc::clone(carried));
    }
}

fn take(bytes: &mut Bytes<'_>, before: &mut Before) -> Option<Request> {
    let flags = bytes.byte()?;
    before.id = before.id.wrapping_add(bytes.signed()? as u64);
    if flags & PLACE != 0 {
        let rule = RuleId(bytes.number()?.try_into().ok()?);
        let (depth, priority) = (bytes.number()?.try_into().ok()?, bytes.signed()?.try_into().ok()?);
        before.place = (rule, depth, priority, bytes.byte()?);
        before.start = match bytes.text()? {
            "" => None,
            start => Some(Arc::new(Url::parse(start).ok()?)),
        };
    }
    let page = if flags & PAGE != 0 { Some(bytes.signed()?) } else { None };
    let attempt = if flags & ATTEMPT != 0 { bytes.number()?.try_into().ok()? } else { 0 };
    let url = take_url(bytes, &mut before.url)?;
    let moved = if before.place.3 & MOVED != 0 {
        let redirects = bytes.number()?.try_into().ok()?;
        Some(Box::new(Moved { redirects, to: Url::parse(bytes.text()?).ok()? }))
    } else {
        None
    };
    if flags & MESSAGE != 0 {
        before.message = Some(Arc::new(take_message(bytes)?));
    }
    if flags & CARRIED != 0 {
        before.carried = Some(Arc::new(bytes.map()?));
    }
    let (rule, depth, priority, kind) = before.place;
    Some(Request {
        rule,
        depth,
        priority,
        start: before.start.clone(),
        errand: match kind >> 2 {
            0 => Errand::Page,
            1 => Errand::Sitemap,
            2 => Errand::Feed,
            _ => return None,
        },
        is_found: kind & 1 != 0,
        attempt,
        moved,
        is_by_page: flags & BY_PAGE != 0,
        message: before.message.clone().filter(|_| flags & (MESSAGE | SAME_MESSAGE) != 0),
        carried: before.carried.clone().filter(|_| flags & (CARRIED | SAME_CARRIED) != 0),
        ..Request::new(RequestId(before.id), url, page)
    })
}

fn put_message(message: &Message, out: &mut Vec<u8>) {
    put_bytes(message.method.name().as_bytes(), out);
    put_bytes(message.content_type.unwrap_or_default().as_bytes(), out);
    put_number(message.body.is_some().into(), out);
    if let Some(body) = &message.body {
        put_bytes(body, out);
    }
}

fn take_message(bytes: &mut Bytes<'_>) -> Option<Message> {
    let method = Method::parse(bytes.text()?).ok()?;
    let content_type = match bytes.text()? {
        "" => None,
        text => Some([FORM, JSON].into_iter().find(|known| *known == text)?),
    };
    let body = if bytes.number()? == 1 { Some(bytes.bytes()?.to_vec()) } else { None };
    Some(Message { method, content_type, body })
}

/// What a request is for, whether it was moved, and whether it was found.
fn kind_of(request: &Request) -> u8 {
    let errand = match request.errand {
        Errand::Page | Errand::Robots | Errand::Address => 0,
        Errand::Sitemap => 1,
        Errand::Feed => 2,
    };
    errand << 2 | flag(request.moved.is_some(), MOVED) | u8::from(request.is_found)
}

fn flag(is_set: bool, flag: u8) -> u8 {
    if is_set { flag } else { 0 }
}

/// What of a shared part has to be written.
fn shared<T>(this: Option<&Arc<T>>, before: Option<&Arc<T>>, new: u8, same: u8) -> u8 {
    match (this, before) {
        (None, _) => 0,
        (Some(this), Some(before)) if Arc::ptr_eq(this, before) => same,
        (Some(_), _) => new,
    }
}

/// Appends how many bytes are those of the URL before, and the others.
fn put_url(url: &str, before: &mut String, out: &mut Vec<u8>) {
    let mut same = url.bytes().zip(before.bytes()).take_while(|(a, b)| a == b).count();
    while !url.is_char_boundary(same) {
        same -= 1;
    }
    put_number(same as u64, out);
    put_bytes(&url.as_bytes()[same..], out);
    before.truncate(same);
    before.push_str(&url[same..]);
}

fn take_url(bytes: &mut Bytes<'_>, before: &mut String) -> Option<Url> {
    let same = usize::try_from(bytes.number()?).ok()?;
    if !before.is_char_boundary(same) {
        return None;
    }
    before.truncate(same);
    before.push_str(bytes.text()?);
    Url::parse(before).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(id: u64, url: &str) -> Request {
        Request::new(RequestId(id), Url::parse(url).unwrap(), None)
    }

    /// The bytes of `requests`, which have been read back.
    fn encoded(requests: &[Request]) -> Vec<u8> {
        let mut bytes = vec![];
        assert_eq!(encode(requests.iter(), &mut bytes), requests.len());
        assert_eq!(decode(&bytes).as_deref(), Some(requests));
        bytes
    }

    #[test]
    fn every_part_of_a_request_reads_back() {
        let message = Message { method: Method::post(), content_type: Some(FORM), body: Some(vec![0, 255]) };
        let message = Arc::new(message);
        let bare = Message { method: Method::parse("PURGE").unwrap(), content_type: None, body: None };
        let carried = serde_json::json!({"shelf": "Poetry", "place": [1, -2.5, null]});
        let carried = Some(Arc::new(carried.as_object().unwrap().clone()));
        let full = Request {
            message: Some(message),
            rule: RuleId(u16::MAX),
            depth: u32::MAX,
            priority: i32::MIN,
            carried,
            attempt: 3,
            errand: Errand::Sitemap,
            is_found: true,
            start: Some(Arc::new(Url::parse("http://h/dir/").unwrap())),
            is_by_page: true,
            moved: Some(Box::new(Moved { to: Url::parse("http://other/").unwrap(), redirects: 7 })),
            ..Request::new(
                RequestId(u64::MAX),
                Url::parse("https://me:pw@h:8/p?q=%20#f").unwrap(),
                Some(i64::MIN),
            )
        };
        let plain = request(0, "http://h/");
        let other = Request { message: Some(Arc::new(bare)), carried: Some(Arc::default()), ..full.clone() };
        // Each after each: what is the same, what ends, and what comes again.
        let all = [&full, &full, &plain, &full, &other, &plain, &plain, &other, &full];
        encoded(&all.map(Clone::clone));
    }

    #[test]
    fn what_a_page_hands_down_is_written_once() {
        let text = "x".repeat(10_000);
        let carried = serde_json::json!({"text": text});
        let carried = Some(Arc::new(carried.as_object().unwrap().clone()));
        let link = |id| Request { carried: carried.clone(), ..request(id, "http://h/") };
        let links: Vec<Request> = (0..100).map(link).collect();
        let bytes = encoded(&links);
        assert!(bytes.len() < 11_000, "{}", bytes.len());
        let read = decode(&bytes).unwrap();
        let [first, last] = [0, 99].map(|at: usize| read[at].carried.as_ref().unwrap());
        assert!(Arc::ptr_eq(first, last));
    }

    #[test]
    fn the_beginning_of_a_url_is_written_once() {
        let links: Vec<Request> = (0..1000)
            .map(|id| request(id, &format!("http://www.example.org/catalogue/item/{id:03}")))
            .collect();
        // Flags, number, two lengths, and of the URL one digit to three.
        let bytes = encoded(&links);
        assert!(bytes.len() < 1000 * 6, "{}", bytes.len());
    }

    #[test]
    fn urls_may_part_within_a_character() {
        // The `url` crate writes them as ASCII; the codec does not rely on it.
        let (mut before, mut out) = ("http://h/\u{e9}".to_owned(), vec![]);
        put_url("http://h/\u{ea}/x", &mut before, &mut out);
        assert_eq!(before, "http://h/\u{ea}/x");
        let mut before = "http://h/\u{e9}".to_owned();
        assert!(take_url(&mut Bytes(&out), &mut before).is_some());
        assert_eq!(before, "http://h/\u{ea}/x");
    }

    #[test]
    fn large_requests_end_a_batch_early() {
        let link = |id| request(id, &format!("http://h/{id}{}", "x".repeat(100_000)));
        let links: Vec<Request> = (100..110).map(link).collect();
        let mut bytes = vec![];
        // They part at the third digit at the latest.
        assert_eq!(encode(links.iter(), &mut bytes), 3);
        assert_eq!(decode(&bytes).unwrap(), links[..3]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read_without_a_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let _ = decode(&bytes);
        }
    }
}
