//! The jar as `cookies.txt`: what Netscape wrote once, and curl, wget, yt-dlp and the browsers' exports write today.
//!
//! ```text
//! # a comment
//! domain <tab> names below it too <tab> path <tab> https only <tab> expires <tab> name <tab> value
//! #HttpOnly_.example.com  TRUE  /  TRUE  1789000000  session  abc
//! ```
//!
//! `expires` is in seconds since 1970, 0 for a cookie of the session. Text in, text out; files are `file`'s.

use std::time::Duration;

use cookie_store::{Cookie, CookieDomain, CookieExpiration, RawCookie};
use url::Url;

use super::{Jar, belongs_to_nobody};

const FIRST_LINE: &str = "# Netscape HTTP Cookie File";
const HTTP_ONLY: &str = "#HttpOnly_";

/// The end of the year 9999, beyond which there are no dates.
const LAST_SECOND: u64 = 253_402_300_799;

/// A line that is no cookie.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong; without the value, which may be a secret.
    pub reason: &'static str,
}

/// Reads cookies into a jar. Those that have expired are left out.
///
/// # Errors
/// The first line that is neither a cookie nor a comment.
pub fn read(text: &str) -> Result<Jar, BadLine> {
    let mut jar = Jar::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let (line, is_http_only) = match line.strip_prefix(HTTP_ONLY) {
            Some(rest) => (rest, true),
            None => (line, false),
        };
        if line.trim().is_empty() || (line.starts_with('#') && !is_http_only) {
            continue;
        }
        let cookie = read_line(line, is_http_only).map_err(|reason| BadLine { line: number, reason })?;
        jar.keep(cookie, true);
    }
    Ok(jar)
}

fn read_line(line: &str, is_http_only: bool) -> Result<Cookie<'static>, &'static str> {
    let fields: Vec<&str> = line.split('\t').collect();
    let (domain, below, path, secure, expires, name, value) = match fields[..] {
        [domain, below, path, secure, expires, name] => (domain, below, path, secure, expires, name, ""),
        [domain, below, path, secure, expires, name, value] => {
            (domain, below, path, secure, expires, name, value)
        }
        [_] => return Err("a cookie has 7 fields with tabs between them"),
        _ => return Err("a cookie has 7 fields"),
    };
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("control characters");
    }
    let (below, secure) = (switch(below)?, switch(secure)?);
    let host = domain.trim_start_matches('.');
    let home = Url::parse(&format!("https://{host}/")).map_err(|_| "the domain is none")?;
    let host =
        home.host_str().filter(|_| home.path() == "/" && home.port().is_none() && home.username().is_empty());
    let host = host.ok_or("the domain is none")?.to_owned();
    if !path.starts_with('/') {
        return Err("the path does not begin with `/`");
    }
    if name.is_empty() || name.contains([';', '=']) || value.contains(';') {
        return Err("no name, or a `;` in it or in the value");
    }
    let mut raw = RawCookie::new(name.to_owned(), value.to_owned());
    raw.set_path(path.to_owned());
    raw.set_secure(secure);
    raw.set_http_only(is_http_only);
    let mut cookie = Cookie::try_from_raw_cookie(&raw, &home).map_err(|_| "this is no cookie")?;
    cookie.domain = match below && !belongs_to_nobody(&host) {
        true => CookieDomain::Suffix(host),
        false => CookieDomain::HostOnly(host),
    };
    cookie.expires = expiration(expires)?;
    Ok(cookie)
}

fn switch(text: &str) -> Result<bool, &'static str> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Ok(true),
        _ if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("the second and the fourth field are TRUE or FALSE"),
    }
}

/// Some exports write fractions of a second, and -1 for the session.
fn expiration(text: &str) -> Result<CookieExpiration, &'static str> {
    let whole = text.split('.').next().unwrap_or_default();
    let seconds: i64 = whole.parse().map_err(|_| "the fifth field is a time in seconds")?;
    Ok(expires_at(u64::try_from(seconds).unwrap_or(0)))
}

/// The expiration in so many seconds after the beginning of 1970; 0 is the end of the session.
pub(super) fn expires_at(seconds: u64) -> CookieExpiration {
    // No time from now on is the beginning of 1970.
    match CookieExpiration::from(0_u64) {
        CookieExpiration::AtUtc(epoch) if seconds > 0 => {
            CookieExpiration::AtUtc(epoch + Duration::from_secs(seconds.min(LAST_SECOND)))
        }
        _ => CookieExpiration::SessionEnd,
    }
}

/// Writes the jar, the oldest cookie first.
pub fn write(jar: &Jar) -> String {
    let mut text =
        format!("{FIRST_LINE}\n# Written by pagemill. Whoever has this file can be you on these sites.\n\n");
    for kept in jar.all() {
        let cookie = &kept.cookie;
        let (dot, below) = match cookie.domain {
            CookieDomain::Suffix(_) => (".", true),
            _ => ("", false),
        };
        let expires = match &cookie.expires {
            CookieExpiration::AtUtc(at) => at.unix_timestamp(),
            CookieExpiration::SessionEnd => 0,
        };
        let written = |on: bool| if on { "TRUE" } else { "FALSE" };
        text.push_str(&format!(
            "{}{dot}{}\t{}\t{}\t{}\t{expires}\t{}\t{}\n",
            if cookie.http_only() == Some(true) { HTTP_ONLY } else { "" },
            kept.domain(),
            written(below),
            &*cookie.path,
            written(cookie.secure() == Some(true)),
            cookie.name(),
            cookie.value(),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EXPORT: &str = "# Netscape HTTP Cookie File\r\n\n\
        .example.com\tTRUE\t/\tTRUE\t4102444800\tlong\tabc\n\
        #HttpOnly_www.example.com\tFALSE\t/shop\tFALSE\t0\tsession\ta=b \n\
        example.org\tFALSE\t/\tFALSE\t4102444800.25\tfraction\t\n\
        example.org\tFALSE\t/\tFALSE\t-1\tshort\n\
        example.org\tFALSE\t/\tFALSE\t1000000000\texpired\tx\n";

    fn sent(jar: &Jar, to: &str) -> Vec<String> {
        let url = Url::parse(to).unwrap();
        jar.cookies_for(&url).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn bad(line: &str) -> String {
        read(&format!("# first\n{line}\n")).unwrap_err().to_string()
    }

    #[test]
    fn exports_of_browsers_and_curl_are_read() {
        let jar = read(EXPORT).unwrap();
        assert_eq!(jar.len(), 4);
        assert_eq!(sent(&jar, "https://www.example.com/shop"), ["session=a=b ", "long=abc"]);
        assert_eq!(sent(&jar, "http://www.example.com/shop"), ["session=a=b "]);
        assert_eq!(sent(&jar, "http://example.org/"), ["fraction=", "short="]);
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_jar() {
        let jar = read(EXPORT).unwrap();
        let text = write(&jar);
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(lines[0], ".example.com\tTRUE\t/\tTRUE\t4102444800\tlong\tabc");
        assert_eq!(lines[1], "#HttpOnly_www.example.com\tFALSE\t/shop\tFALSE\t0\tsession\ta=b ");
        assert_eq!(lines.len(), 4);
        assert_eq!(write(&read(&text).unwrap()), text);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number_and_not_shown() {
        assert_eq!(
            bad("example.com TRUE / TRUE 0 a secret"),
            "line 2: a cookie has 7 fields with tabs between them"
        );
        for line in [
            "h\tTRUE\t/\tTRUE\t0",
            "h\tyes\t/\tTRUE\t0\ta\tm4rker",
            "h\tTRUE\t/\tTRUE\tsoon\ta\tm4rker",
            "h\tTRUE\tx\tTRUE\t0\ta\tm4rker",
            "h\tTRUE\t/\tTRUE\t0\t\tm4rker",
            "h/x\tTRUE\t/\tTRUE\t0\ta\tm4rker",
            "u@h\tTRUE\t/\tTRUE\t0\ta\tm4rker",
            "\tTRUE\t/\tTRUE\t0\ta\tm4rker",
            "h\tTRUE\t/\tTRUE\t0\ta\tm4r\u{1}ker",
            "<html>",
        ] {
            let told = bad(line);
            assert!(told.starts_with("line 2: ") && !told.contains("m4r"), "{told}");
        }
    }

    #[test]
    fn a_file_gives_no_cookie_to_a_public_suffix_or_below_an_address() {
        let jar = read(".co.uk\tTRUE\t/\tFALSE\t0\ta\t1\n127.0.0.1\tTRUE\t/\tFALSE\t0\tb\t1\n").unwrap();
        assert_eq!(sent(&jar, "http://x.co.uk/"), [""; 0]);
        assert_eq!(sent(&jar, "http://127.0.0.1/"), ["b=1"]);
    }

    proptest! {
        #[test]
        fn any_jar_that_is_read_is_written_as_it_reads(
            text in "((#HttpOnly_)?\\.?[a-c.:1\\[\\]é]{0,9}\t(TRUE|FALSE)\t/[a/;]{0,4}\t(TRUE|false)\t[0-9]{1,20}\t[ab= ]{0,3}\t\\PC{0,4}\n){0,4}",
        ) {
            if let Ok(jar) = read(&text) {
                let written = write(&jar);
                prop_assert_eq!(read(&written).map(|jar| write(&jar)), Ok(written));
            }
        }
    }
}
