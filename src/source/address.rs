//! Is this text a URL that can be fetched?
//!
//! Stricter than the URL standard where its leniency hides a slip: `http:///path`, left behind by an empty shell
//! variable, would be the host `path`. Error texts do not repeat the URL, since it may hold a password.

use url::Url;

/// Why a text is not a URL that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no scheme in front.
    #[error("not a full URL: no `https://` in front")]
    NoScheme {
        /// The same text with a scheme, if that is a URL.
        meant: Option<String>,
    },
    /// A scheme that is not fetched.
    #[error("`{scheme}:` cannot be fetched, only http and https")]
    Scheme {
        /// The scheme as read, in lower case.
        scheme: String,
        /// The scheme that looks like it.
        meant: Option<&'static str>,
    },
    /// Nothing between `//` and the path.
    #[error("no host in the URL")]
    NoHost,
    /// The URL standard refuses it.
    #[error("not a valid URL: {0}")]
    Invalid(url::ParseError),
}

impl AddressError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            AddressError::NoScheme { meant: Some(meant) } => Some(format!("did you mean {meant}?")),
            AddressError::NoScheme { meant: None } => Some("write it as https://host/path".into()),
            AddressError::Scheme { meant: Some(meant), .. } => Some(format!("did you mean {meant}://?")),
            AddressError::Scheme { scheme, .. } if scheme == "file" => {
                Some("serve the folder, with `python3 -m http.server` for example".into())
            }
            AddressError::NoHost => Some("write it as https://host/path; is a variable empty?".into()),
            AddressError::Scheme { .. } | AddressError::Invalid(_) => None,
        }
    }
}

/// Reads an absolute http or https URL with a host.
///
/// # Errors
/// When it is none; [`AddressError::hint`] says what was probably meant.
pub fn parse_address(text: &str) -> Result<Url, AddressError> {
    // What the URL standard drops at both ends (WHATWG URL 4.4, step 1).
    let text = text.trim_matches(|c| c <= ' ');
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => return Err(without_scheme(text)),
        Err(url::ParseError::EmptyHost) => return Err(AddressError::NoHost),
        Err(error) => return Err(AddressError::Invalid(error)),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong_scheme(text, &url));
    }
    let after_scheme = &text[text.find(':').map_or(0, |colon| colon + 1)..];
    match after_scheme.strip_prefix("//") {
        Some(rest) if !rest.starts_with(['/', '\\']) => Ok(url),
        _ => Err(AddressError::NoHost),
    }
}

fn without_scheme(text: &str) -> AddressError {
    let rest = text.trim_start_matches('/');
    // `/path` and `?query` have no host that could be guessed.
    let has_host =
        !rest.is_empty() && (text == rest || text.starts_with("//")) && !text.starts_with(['?', '#', '.']);
    AddressError::NoScheme { meant: if has_host { offer("https", rest) } else { None } }
}

/// The text with a scheme, if that is a URL without a user, whose password is not repeated.
fn offer(scheme: &str, rest: &str) -> Option<String> {
    let meant = format!("{scheme}://{rest}");
    Url::parse(&meant).is_ok_and(|url| url.username().is_empty() && url.password().is_none()).then_some(meant)
}

fn wrong_scheme(text: &str, url: &Url) -> AddressError {
    let scheme = url.scheme();
    // `localhost:8080/x` and `example.com:80` read as a scheme and a path, by the standard.
    let after = &text[scheme.len() + 1..];
    if scheme.contains('.') || after.starts_with(|c: char| c.is_ascii_digit()) {
        let protocol = if scheme.contains('.') { "https" } else { "http" };
        return AddressError::NoScheme { meant: offer(protocol, text) };
    }
    let meant = match scheme {
        "htp" | "htpp" | "htttp" | "hhttp" | "ttp" | "thttp" | "http2" => Some("http"),
        "htps" | "htpps" | "hhttps" | "httpss" | "httsp" | "htttps" | "ttps" | "hptts" => Some("https"),
        _ => None,
    };
    AddressError::Scheme { scheme: scheme.to_owned(), meant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hint(text: &str) -> String {
        parse_address(text).unwrap_err().hint().unwrap_or_default()
    }

    #[test]
    fn http_and_https_with_a_host_are_taken() {
        assert_eq!(parse_address("https://example.com/a b").unwrap().as_str(), "https://example.com/a%20b");
        assert_eq!(parse_address(" HTTP://h:8080/?q=1 ").unwrap().as_str(), "http://h:8080/?q=1");
    }

    #[test]
    fn a_missing_scheme_is_offered() {
        assert_eq!(hint("example.com/list"), "did you mean https://example.com/list?");
        assert_eq!(hint("//example.com"), "did you mean https://example.com?");
        assert_eq!(hint("example.com:8443/x"), "did you mean https://example.com:8443/x?");
        assert_eq!(hint("localhost:8080/x"), "did you mean http://localhost:8080/x?");
        assert_eq!(hint("h.example:x/"), "write it as https://host/path");
        assert_eq!(hint("//me:secret@h.example/"), "write it as https://host/path");
        assert_eq!(hint("/list"), "write it as https://host/path");
        assert_eq!(hint(""), "write it as https://host/path");
    }

    #[test]
    fn other_schemes_are_refused_and_slips_of_the_finger_recognised() {
        assert_eq!(hint("htp://example.com"), "did you mean http://?");
        assert_eq!(hint("htps://example.com"), "did you mean https://?");
        assert_eq!(hint("file:///tmp/x.html"), "serve the folder, with `python3 -m http.server` for example");
        let error = parse_address("ftp://h/x").unwrap_err();
        assert_eq!(error.to_string(), "`ftp:` cannot be fetched, only http and https");
        assert_eq!(parse_address("javascript:alert(1)").unwrap_err().hint(), None);
    }

    #[test]
    fn a_host_is_never_taken_from_the_path() {
        for text in
            ["http:///path", "http://", "https:", "http:/path", "http:path", "http:\\\\host", "http://\\x"]
        {
            assert_eq!(parse_address(text), Err(AddressError::NoHost), "{text}");
        }
    }

    #[test]
    fn what_the_standard_refuses_says_why_without_the_url() {
        let error = parse_address("http://me:secret@h:99999/").unwrap_err();
        assert_eq!(error.to_string(), "not a valid URL: invalid port number");
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in r"(https?:|[a-z.]{0,9}:)?[/\\]{0,3}\PC{0,40}") {
            if let Ok(url) = parse_address(&text) {
                prop_assert!(url.has_host());
            }
        }
    }
}
