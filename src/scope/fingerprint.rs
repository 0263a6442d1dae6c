//! What makes two requests the same one, in 128 bits.

use url::{Position, Url};

use crate::digest::{Digest, digest};
use crate::message::Message;

/// 128 bits of method, URL and body. Ten million requests share one with a probability of 2^-82, and nobody can choose
/// URLs that do: that would take some 2^64 attempts.
///
/// The same in every run and on every machine, so it can be written down. For the same reason a page could choose URLs
/// that agree in a few of its bits: a table that takes a slot from them should mix in a number of its own.
#[derive(Debug, Copy, Clone, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub struct Fingerprint(pub u128);

/// The fingerprint of a request. The URL counts as it is written, so [`normalize`](super::normalize) comes first; a
/// fragment, which no server sees, does not count. No message is a GET without a body.
pub fn fingerprint(url: &Url, message: Option<&Message>) -> Fingerprint {
    const PLAIN: &str = "GET";
    let url = url[..Position::AfterQuery].as_bytes();
    Fingerprint(match message {
        Some(message) if message.body.is_some() || message.method.name() != PLAIN => {
            // Neither URLs nor methods have a NUL, so no two requests write the same bytes.
            let mut all = Digest::new();
            all.update(url).update(b"\0").update(message.method.name().as_bytes());
            if let Some(body) = &message.body {
                all.update(b"\0").update(body);
            }
            all.bits()
        }
        _ => digest(url),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::normalize;
    use super::*;
    use crate::message::Method;

    fn message(method: &str, body: Option<&str>) -> Message {
        Message {
            method: Method::parse(method).unwrap(),
            content_type: None,
            body: body.map(|body| body.as_bytes().to_vec()),
        }
    }

    #[test]
    fn no_message_is_a_get_and_a_fragment_is_nothing() {
        let url = Url::parse("http://h/a?b").unwrap();
        let with_fragment = Url::parse("http://h/a?b#c").unwrap();
        let plain = fingerprint(&url, None);
        assert_eq!(plain, fingerprint(&url, Some(&message("GET", None))));
        assert_eq!(plain, fingerprint(&with_fragment, None));
        assert_ne!(plain, fingerprint(&url, Some(&message("GET", Some("")))));
    }

    proptest! {
        #[test]
        fn fingerprints_agree_when_and_only_when_the_requests_do(
            requests in proptest::collection::vec(
                ("/x[ab]{0,2}(/|%61)?(\\?[ab&=]{0,3})?", "GET|POST|PO", proptest::option::of("[a/]{0,2}")),
                1..30,
            ),
        ) {
            let requests: Vec<_> = requests
                .into_iter()
                .map(|(path, method, body)| {
                    let url = Url::parse("http://h").unwrap().join(&path).unwrap();
                    let url = normalize(url, false);
                    let print = fingerprint(&url, Some(&message(&method, body.as_deref())));
                    ((url, method, body), print)
                })
                .collect();
            for (request, print) in &requests {
                for (other, other_print) in &requests {
                    prop_assert_eq!(request == other, print == other_print, "{:?} {:?}", request, other);
                }
            }
        }
    }
}
