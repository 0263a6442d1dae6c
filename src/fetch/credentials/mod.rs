//! User names, passwords and tokens: which of them goes where.
//!
//! Precedence: the user's own `Authorization` header, the user name of the URL, `--user` or `--bearer`, the `.netrc`.
//! The first three are for the origin that a request names. A `machine` of the `.netrc` is for its host, however one
//! got there; its `default` is for hosts that requests name, since a redirect may lead anywhere. After a step from
//! https down to http nothing is sent.

mod netrc;

use url::Url;

pub use self::netrc::{BadNetrc, Login, Netrc};
use super::Secret;
use super::header::{base64, percent_decoded};
use super::redirect::Standing;
use crate::mistake::Slip;

/// What a job knows about logging in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The whole value of `Authorization` for the origin that a request names, from [`basic`] or [`bearer`].
    pub named: Option<Secret>,
    /// Logins by host.
    pub netrc: Netrc,
}

impl Credentials {
    /// The value of `Authorization` for `url`, to which a request for `named` has come.
    pub(super) fn authorization(&self, named: &Url, url: &Url, standing: Standing) -> Option<Secret> {
        let host = || url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        match standing {
            Standing::Bare => None,
            Standing::Away => self.netrc.machine(host()).map(Login::authorization),
            Standing::Home => of_url(named).or_else(|| self.named.clone()).or_else(|| {
                let user = percent_decoded(named.username());
                let login = self.netrc.login(host(), &String::from_utf8_lossy(&user));
                login.as_ref().map(Login::authorization)
            }),
        }
    }
}

/// Reads `USER:PASSWORD` into the value of a header (RFC 7617 2). The user name ends at the first `:`.
///
/// # Errors
/// A [`Slip`] for what Basic authentication cannot send.
pub fn basic(text: &str) -> Result<Secret, Slip> {
    let Some((user, password)) = text.split_once(':') else {
        return Err(Slip::new(text.len(), "there is no `:` between user and password").with_hint(
            "write USER:PASSWORD; out of sight of other users it is safe in PAGEMILL_USER or a .netrc",
        ));
    };
    if text.chars().any(char::is_control) {
        return Err(Slip::new(0, "user and password cannot have line breaks or control characters"));
    }
    Ok(pair(user.as_bytes(), password.as_bytes()))
}

/// Reads a token into the value of a header (RFC 6750 2.1).
///
/// # Errors
/// A [`Slip`] for a text with blanks or other characters that a header cannot have.
pub fn bearer(text: &str) -> Result<Secret, Slip> {
    let token = text.trim();
    if token.is_empty() {
        return Err(Slip::new(0, "the token is empty").with_hint("is a variable empty?"));
    }
    match token.find(|c: char| !c.is_ascii_graphic()) {
        Some(at) => Err(Slip::new(at, "a token has no blanks and only ASCII characters")
            .with_hint("write the token alone, without `Bearer` in front")),
        None => Ok(Secret::new(format!("Bearer {token}"))),
    }
}

/// The user name and password of a URL, percent-decoded, so that a password may have a `:` or `@`. A user name alone
/// may have its password in the `.netrc`.
fn of_url(url: &Url) -> Option<Secret> {
    let password = url.password()?;
    Some(pair(&percent_decoded(url.username()), &percent_decoded(password)))
}

fn pair(user: &[u8], password: &[u8]) -> Secret {
    Secret::new(format!("Basic {}", base64(&[user, b":", password].concat())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(credentials: &Credentials, named: &str, url: &str) -> Option<String> {
        let (named, url) = (Url::parse(named).unwrap(), Url::parse(url).unwrap());
        let standing = super::super::redirect::standing(&named, &url);
        credentials.authorization(&named, &url, standing).map(|secret| secret.reveal().to_owned())
    }

    fn basic_of(text: &str) -> Option<String> {
        basic(text).ok().map(|secret| secret.reveal().to_owned())
    }

    fn credentials(user: Option<&str>, netrc: &str) -> Credentials {
        Credentials { named: user.map(|user| basic(user).unwrap()), netrc: Netrc::parse(netrc).unwrap() }
    }

    #[test]
    fn the_url_comes_first_then_the_flag_then_the_netrc() {
        let all = credentials(Some("flag:x"), "machine h login netrc password x");
        assert_eq!(value(&all, "http://url:x@h/", "http://h/1"), basic_of("url:x"));
        assert_eq!(value(&all, "http://h/", "http://h/1"), basic_of("flag:x"));
        let netrc = credentials(None, "machine h login netrc password x");
        assert_eq!(value(&netrc, "http://h/", "http://h/1"), basic_of("netrc:x"));
        assert_eq!(value(&Credentials::default(), "http://h/", "http://h/"), None);
        // The example of RFC 7617 2: `Aladdin:open sesame`.
        assert_eq!(
            value(&netrc, "http://Aladdin:open%20sesame@h/", "http://h/").as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(value(&netrc, "http://a%:@h/", "http://h/"), basic_of("a%:"));
    }

    #[test]
    fn a_user_name_in_the_url_may_have_its_password_in_the_netrc() {
        let two = credentials(None, "machine h login a password 1 machine h login b password 2");
        assert_eq!(value(&two, "http://b@h/", "http://h/"), basic_of("b:2"));
        assert_eq!(value(&two, "http://h/", "http://h/"), basic_of("a:1"));
        assert_eq!(value(&two, "http://c@h/", "http://h/"), basic_of("c:"));
        assert_eq!(value(&Credentials::default(), "http://c@h/", "http://h/"), basic_of("c:"));
    }

    #[test]
    fn another_origin_gets_its_own_of_the_netrc_and_nothing_else() {
        let all = credentials(Some("flag:x"), "machine other login o password x default login d password x");
        assert_eq!(value(&all, "http://url:x@h/", "http://third/"), None);
        assert_eq!(value(&all, "http://h/", "http://h:81/"), None);
        assert_eq!(value(&all, "http://h/", "http://other/"), basic_of("o:x"));
        let netrc = credentials(None, "default login d password x");
        assert_eq!(value(&netrc, "http://h/", "http://h/"), basic_of("d:x"));
        assert_eq!(value(&netrc, "http://h/", "http://third/"), None);
    }

    #[test]
    fn from_https_down_to_http_nothing_is_sent() {
        let all = credentials(Some("flag:x"), "machine h login n password x");
        assert_eq!(value(&all, "https://h/", "http://h/"), None);
        assert_eq!(value(&all, "https://third/", "http://h/"), None);
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert!(basic("me").unwrap_err().hint.unwrap().contains("PAGEMILL_USER"));
        assert!(basic("me:a\r\nb").is_err());
        assert_eq!(basic_of("a:b:c").unwrap(), format!("Basic {}", base64(b"a:b:c")));
        assert_eq!(bearer(" t.o-k/e+n== ").unwrap().reveal(), "Bearer t.o-k/e+n==");
        for text in ["", "Bearer x", "a\nb", "ü"] {
            assert!(bearer(text).is_err(), "{text}");
        }
    }
}
