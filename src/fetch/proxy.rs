//! The address of a proxy as the user writes it.
//!
//! May hold a password, so neither messages nor debugging output show more than scheme, host and port.

use std::fmt;

use url::Url;

/// Kinds of proxies: HTTP, HTTP under TLS, and SOCKS that gets addresses (`socks4`, `socks5`) or names (`socks4a`,
/// `socks5h`).
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// A checked proxy URL.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    /// With scheme and port.
    text: String,
    /// Without user and password.
    shown: String,
}

/// Why a text is not the URL of a proxy. Does not repeat the text, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProxyUrlError(String);

impl ProxyUrl {
    /// Reads `[scheme://][user:password@]host[:port]` as curl does: the scheme is http and the port 1080 if not said,
    /// 443 for https. User and password are percent-encoded.
    ///
    /// # Errors
    ///
    /// An unknown scheme, no host, or something after the port.
    pub fn parse(text: &str) -> Result<ProxyUrl, ProxyUrlError> {
        let error = |reason: &str| ProxyUrlError(format!("not the address of a proxy: {reason}"));
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "socks" => "socks5".to_owned(),
            scheme if SCHEMES.contains(&scheme) => scheme.to_owned(),
            scheme => {
                let known = SCHEMES.join(", ");
                return Err(error(&format!("the scheme `{scheme}` is none of {known}")));
            }
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Err(error("no host"));
        }
        // A scheme of no special meaning has no default port that would be left out.
        let url = Url::parse(&format!("proxy://{rest}")).map_err(|err| error(&err.to_string()))?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| error("no host"))?;
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(error(
                "nothing may follow the port (are `/`, `?` and `#` in the password written %2F, %3F, %23?)",
            ));
        }
        let port = url.port().unwrap_or(if scheme == "https" { 443 } else { 1080 });
        let user = match (url.username(), url.password()) {
            ("", None) => String::new(),
            (user, password) => format!("{user}:{}@", password.unwrap_or_default()),
        };
        let proxy = ProxyUrl {
            text: format!("{scheme}://{user}{host}:{port}"),
            shown: format!("{scheme}://{host}:{port}"),
        };
        // What goes over the wire is decoded by the client library, which refuses what is not UTF-8.
        if super::http::can_use_proxy(&proxy) {
            Ok(proxy)
        } else {
            Err(error("user and password must be percent-encoded UTF-8"))
        }
    }

    /// With user and password.
    pub(super) fn secret_text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_and_port_may_be_left_out_as_for_curl() {
        for (text, whole) in [
            ("h", "http://h:1080"),
            ("h:3128", "http://h:3128"),
            ("http://h:80/", "http://h:80"),
            ("https://h", "https://h:443"),
            ("HTTPS://h:8443", "https://h:8443"),
            ("socks://h", "socks5://h:1080"),
            ("socks5h://[::1]:9050", "socks5h://[::1]:9050"),
            ("me:p%40ss@h:1", "http://me:p%40ss@h:1"),
            ("http://me@h:1", "http://me:@h:1"),
        ] {
            assert_eq!(ProxyUrl::parse(text).unwrap().secret_text(), whole, "{text}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_a_password() {
        for text in [
            "",
            "ftp://h:1",
            "http://",
            "http://me:secret@",
            "me:secret@h:99999",
            "h:1/path",
            "me:secret@h/x?y",
            "me:%ffsecret@h",
        ] {
            let error = ProxyUrl::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let proxy = ProxyUrl::parse("http://me:secret@h:1").unwrap();
        assert_eq!(format!("{proxy} {proxy:?}"), "http://h:1 http://h:1");
    }
}
