//! Where a redirect leads, and whether one may go there.
//!
//! Pure functions on URLs and the bytes of `Location`; the loop that follows them is in the parent module.

use url::Url;

use crate::message::Method;
use crate::model::{PageError, without_userinfo};

/// Whether a status asks to go elsewhere (RFC 9110 15.4). 300 offers a choice, 304 and 305 mean
/// something else; those are pages.
pub(super) fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether a redirect with this status asks for a GET, whatever was sent before (RFC 9110 15.4, and for other methods
/// than POST the Fetch standard of WHATWG, 4.4).
pub(super) fn becomes_get(status: u16, method: &Method) -> bool {
    status == 303 || matches!(status, 301 | 302) && method.name() == "POST"
}

/// The URL that `location` means on a page at `current`: resolved as browsers do, so blanks and raw UTF-8 are
/// percent-encoded. User name, password and fragment are taken off.
///
/// # Errors
///
/// [`PageError::RedirectRefused`] if it is not a URL, or its scheme is neither http nor https.
pub(super) fn target(current: &Url, location: &[u8]) -> Result<Url, PageError> {
    let text = text_of(location);
    let refused = |reason: String| PageError::RedirectRefused { to: shown(&text), reason };
    let mut url = current.join(&text).map_err(|err| refused(err.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(format!("the scheme `{}` is not http or https", url.scheme())));
    }
    strip(&mut url);
    Ok(url)
}

/// Takes off what is never sent in the request line: user name, password and fragment.
pub(super) fn strip(url: &mut Url) {
    // Only URLs without a host refuse these, and http has none of them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
}

/// How a URL stands to the one that a request names, for what may be sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its origin: everything is meant for it.
    Home,
    /// Another origin: only what is that one's own.
    Away,
    /// Plain http, where https was asked for, or a robots.txt: nothing that is a secret, whosever it is.
    Bare,
}

/// How `url` stands to the URL that was `named`.
pub(super) fn standing(named: &Url, url: &Url) -> Standing {
    match same_origin(named, url) {
        true => Standing::Home,
        false if named.scheme() == "https" && url.scheme() == "http" => Standing::Bare,
        false => Standing::Away,
    }
}

/// The same scheme, host and port: what the user's headers were meant for. Scheme and port count, since another
/// port is another server and plain http is read by everybody on the way.
fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// UTF-8, or else Latin-1, in which every byte is a character.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Short enough for a line of a log, without what would act on a terminal, and without a password: a server may send
/// the user's own back.
fn shown(location: &str) -> String {
    const LONGEST: usize = 200;
    let location = without_userinfo(location, 0).0;
    let mut shown: String = location.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    if location.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_here(location: &[u8]) -> Result<String, PageError> {
        let current = Url::parse("http://h:8080/a/b?c").unwrap();
        target(&current, location).map(String::from)
    }

    fn is_refused(location: &[u8]) -> bool {
        matches!(from_here(location), Err(PageError::RedirectRefused { .. }))
    }

    #[test]
    fn a_location_is_resolved_against_the_page() {
        for (location, url) in [
            (&b"/x"[..], "http://h:8080/x"),
            (b"x", "http://h:8080/a/x"),
            (b"../x", "http://h:8080/x"),
            (b"?d", "http://h:8080/a/b?d"),
            (b"", "http://h:8080/a/b?c"),
            (b"//other/x", "http://other/x"),
            (b"https://other:444/x#top", "https://other:444/x"),
        ] {
            assert_eq!(from_here(location).as_deref(), Ok(url));
        }
    }

    #[test]
    fn raw_characters_and_blanks_are_percent_encoded() {
        assert_eq!(from_here("/böök 1".as_bytes()).as_deref(), Ok("http://h:8080/b%C3%B6%C3%B6k%201"));
        assert_eq!(from_here(b"/caf\xe9").as_deref(), Ok("http://h:8080/caf%C3%A9"), "Latin-1");
        assert_eq!(from_here(b"  /x \t").as_deref(), Ok("http://h:8080/x"));
    }

    #[test]
    fn only_http_and_https_are_followed() {
        for location in [
            &b"file:///etc/passwd"[..],
            b"javascript:alert(1)",
            b"data:text/html,x",
            b"ftp://h/x",
            b"http://[::g/",
        ] {
            assert!(is_refused(location), "{location:?}");
        }
    }

    #[test]
    fn user_and_password_in_a_location_are_dropped() {
        assert_eq!(from_here(b"http://me:pw@other/x").as_deref(), Ok("http://other/x"));
    }

    #[test]
    fn what_a_log_shows_of_a_location_is_short_and_plain() {
        let Err(PageError::RedirectRefused { to, .. }) =
            from_here(&[b"file:\x1b", &[b'x'; 1000][..]].concat())
        else {
            panic!("not refused");
        };
        assert!(to.starts_with("file:xxx") && to.ends_with("x…") && to.chars().count() == 201);
    }

    #[test]
    fn a_post_becomes_a_get_where_browsers_make_it_one() {
        let (post, put) = (Method::post(), Method::parse("PUT").unwrap());
        let gets = |method| [301, 302, 303, 307, 308].map(|status| becomes_get(status, method));
        assert_eq!(gets(&post), [true, true, true, false, false]);
        assert_eq!(gets(&put), [false, false, true, false, false]);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |a: &str, b: &str| same_origin(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert!(same("http://h/a", "http://h:80/b"));
        assert!(same("http://H/a", "http://me@h/"));
        assert!(!same("http://h/", "https://h/"));
        assert!(!same("http://h/", "http://h:81/"));
        assert!(!same("http://h/", "http://www.h/"));
        let standing = |a: &str, b: &str| standing(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        assert_eq!(standing("https://h/", "https://h/x"), Standing::Home);
        assert_eq!(standing("https://h/", "https://other/"), Standing::Away);
        assert_eq!(standing("http://h/", "https://h/"), Standing::Away);
        assert_eq!(standing("https://h/", "http://h/"), Standing::Bare);
        assert_eq!(standing("https://h/", "http://other/"), Standing::Bare);
    }
}
