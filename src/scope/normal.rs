//! The form in which URLs are fetched and compared.

use std::borrow::Cow;

use url::Url;

/// The normal form of a URL for fetching and comparing; applied twice it does the same as once.
///
/// The `url` crate has written the host small, dropped a default port and resolved `.` and `..`. Here
/// - the fragment goes: no server sees it;
/// - percent-encodings of what needs none are decoded, and the others written in capitals (RFC 3986 6.2.2);
/// - an empty query goes: `/a?` is `/a`. A server may tell them apart (RFC 3986 6.2.3), but those that hand the query to
///   a program do not (RFC 3875 4.1.7), and links that end in a bare `?` are common slips of templates;
/// - with `sort_query` its parts are sorted by name. Those of one name stay in their order, since servers read lists so.
///
/// All else may mean something to the server and stays: empty parts of the query, `+` for a blank, doubled slashes, user
/// and password, and session ids. Without its session id a URL may well be another page, or none; that many ids give the
/// same page is bounded by its shape ([`Traps`](super::Traps)).
///
/// Only http and https: of others just the fragment goes.
pub fn normalize(mut url: Url, sort_query: bool) -> Url {
    url.set_fragment(None);
    if !matches!(url.scheme(), "http" | "https") {
        return url;
    }
    if let Cow::Owned(path) = decoded(url.path()) {
        url.set_path(&path);
    }
    let query = url.query().and_then(|query| changed_query(query, sort_query));
    match query {
        Some(query) => url.set_query(Some(&query)),
        None if url.query() == Some("") => url.set_query(None),
        None => {}
    }
    url
}

/// The normal form of a query, if it is another.
fn changed_query(query: &str, sort: bool) -> Option<String> {
    let decoded = decoded(query);
    if sort && !decoded.split('&').is_sorted_by_key(name) {
        let mut parts: Vec<&str> = decoded.split('&').collect();
        parts.sort_by_key(|part| name(part));
        return Some(parts.join("&"));
    }
    match decoded {
        Cow::Borrowed(_) => None,
        Cow::Owned(query) => Some(query),
    }
}

/// The name in a part `name=value` of a query.
pub(super) fn name(part: &str) -> &str {
    part.split_once('=').map_or(part, |(name, _)| name)
}

/// A path or query in which only what needs to be is percent-encoded (RFC 3986 2.3), with capitals.
///
/// A `%` that begins no encoding stays, and what would then complete it stays encoded: `%%32e` must not become `%2e`,
/// which is another text.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find('%') else {
        return Cow::Borrowed(text);
    };
    let mut normal = String::with_capacity(text.len());
    normal.push_str(&text[..first]);
    let mut rest = &text[first..];
    // Where the last `%` without digits stands in `normal`.
    let mut stray = None;
    while let Some(c) = rest.chars().next() {
        let Some(byte) = escape(rest.as_bytes()) else {
            if c == '%' {
                stray = Some(normal.len());
            }
            normal.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let completes = byte.is_ascii_hexdigit() && stray.is_some_and(|at| normal.len() <= at + 2);
        if is_unreserved(byte) && !completes {
            normal.push(byte.into());
        } else {
            normal.extend(rest[..3].chars().map(|digit| digit.to_ascii_uppercase()));
        }
        rest = &rest[3..];
    }
    if normal == text { Cow::Borrowed(text) } else { Cow::Owned(normal) }
}

/// The byte that the text begins with, if that is percent-encoded.
fn escape(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(url: &str, sort_query: bool) -> String {
        normalize(Url::parse(url).unwrap(), sort_query).into()
    }

    #[test]
    fn urls_that_no_server_tells_apart_are_one() {
        for (url, expected) in [
            ("HTTP://H:80", "http://h/"),
            ("https://h:443/a#b", "https://h/a"),
            ("http://h:443/", "http://h:443/"),
            ("http://h/%7Ea/%62%2d", "http://h/~a/b-"),
            ("http://h/%e3%2f%3F?%2f%41", "http://h/%E3%2F%3F?%2FA"),
            ("http://h/a?", "http://h/a"),
            ("http://h/a?#b", "http://h/a"),
            ("http://h/a/./b/%2E%2e/c", "http://h/a/c"),
        ] {
            assert_eq!(normal(url, false), expected, "{url}");
        }
    }

    #[test]
    fn what_a_server_may_tell_apart_stays() {
        for url in [
            "http://h/a//b/",
            "http://h/a?&b=&&c",
            "http://h/?b=1&a=2",
            "http://h/a+b%20c?a+b%20c",
            "http://user:pass@h/",
            "http://h./",
            "http://h/a;jsessionid=0A1B?PHPSESSID=2",
        ] {
            assert_eq!(normal(url, false), url);
        }
    }

    #[test]
    fn a_percent_sign_without_digits_stays_one() {
        for (url, expected) in [
            ("http://h/100%", "http://h/100%"),
            ("http://h/%%32e", "http://h/%%32e"),
            ("http://h/%a%62", "http://h/%a%62"),
            ("http://h/%zz%62", "http://h/%zzb"),
            ("http://h/?%%34%31", "http://h/?%%341"),
            ("http://h/%25%32%65", "http://h/%252e"),
        ] {
            assert_eq!(normal(url, false), expected, "{url}");
        }
    }

    #[test]
    fn a_sorted_query_keeps_the_order_of_each_name() {
        assert_eq!(normal("http://h/?b=2&a=9&b=1&a", true), "http://h/?a=9&a&b=2&b=1");
        assert_eq!(normal("http://h/?a-b=1&a=2&%61=1", true), "http://h/?a=2&a=1&a-b=1");
    }

    #[test]
    fn others_than_web_addresses_only_lose_their_fragment() {
        assert_eq!(normal("mailto:%61@b?#c", true), "mailto:%61@b?");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn normalising_settles_at_once(
            rest in "[/.%0-9a-fA-F2e~&=?#+ \\\\;:@é-]{0,30}",
            start in "http://h/|https://u@H:443|http://h/?|x:|x://h/|file:///|mailto:",
            sort in any::<bool>(),
        ) {
            if let Ok(url) = Url::parse(&format!("{start}{rest}")) {
                let once = normalize(url, sort);
                prop_assert_eq!(normalize(once.clone(), sort), once.clone());
                // Nor does it when read again from its text.
                prop_assert_eq!(Url::parse(once.as_str()).unwrap(), once);
            }
        }
    }
}
