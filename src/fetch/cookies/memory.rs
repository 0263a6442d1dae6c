//! The jar as entries that outlive the process: one for each cookie, and one that says that there is a jar.
//!
//! Nothing is lost, cookies of the session included, since it is the session that goes on. Whoever keeps the entries
//! keeps secrets.

use std::collections::{BTreeMap, BTreeSet};

use cookie_store::{Cookie, CookieDomain, CookieExpiration, RawCookie};
use url::Url;

use super::netscape::expires_at;
use super::{Jar, Kept, domain_of, site_of};
use crate::memory::Change;
use crate::wire::{Bytes, put_bytes, put_number};

/// The form of the entries.
const VERSION: u8 = 1;

/// No cookie has this number; its entry says that what follows is all there is.
const JAR: u64 = 0;

// What a cookie is.
const BELOW: u8 = 1;
const SECURE: u8 = 2;
const HTTP_ONLY: u8 = 4;

/// The numbers of cookies that have changed since somebody asked; `None` if nobody ever does.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Option<BTreeSet<u64>>);

impl Changes {
    pub(super) fn note(&mut self, order: u64) {
        if let Some(changed) = &mut self.0 {
            changed.insert(order);
        }
    }
}

impl Jar {
    /// From now on, what changes is noted for [`Jar::take_changes`]; all that is in the jar counts as new.
    pub fn note_changes(&mut self) {
        let all = self.sites.values().flatten().map(|kept| kept.order);
        self.changes = Changes(Some(all.chain([JAR]).collect()));
    }

    /// What has changed since the last time. A cookie that was set again to what it was has not.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let Some(changed) = self.changes.0.as_mut().map(std::mem::take) else { return Vec::new() };
        if changed.is_empty() {
            return Vec::new();
        }
        let there = self.sites.values().flatten().filter(|kept| changed.contains(&kept.order));
        let mut values: BTreeMap<u64, Vec<u8>> = there.map(|kept| (kept.order, put(&kept.cookie))).collect();
        let change = |order: u64| Change {
            key: order.to_be_bytes().to_vec(),
            value: if order == JAR { Some(vec![VERSION]) } else { values.remove(&order) },
        };
        changed.into_iter().map(change).collect()
    }

    /// Whether [`Jar::take_changes`] would tell of any.
    pub fn has_changes(&self) -> bool {
        self.changes.0.as_ref().is_some_and(|changed| !changed.is_empty())
    }

    /// The jar that [`Jar::take_changes`] has told of, with what was kept of it, in any order; changes are noted from
    /// here on. `None` if the entries are not what was told, and no jar if there are no entries, since one without
    /// cookies has one.
    pub fn restore<K, V>(entries: impl IntoIterator<Item = (K, V)>) -> Option<Option<Jar>>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let mut jar = Jar::new();
        let mut changed = BTreeSet::new();
        let (mut is_whole, mut is_empty) = (false, true);
        for (key, value) in entries {
            is_empty = false;
            let order = u64::from_be_bytes(key.as_ref().try_into().ok()?);
            let value = value.as_ref().strip_prefix(&[VERSION])?;
            if order == JAR {
                is_whole = value.is_empty();
                continue;
            }
            let cookie = take(value)?;
            jar.next = jar.next.max(order);
            if cookie.is_expired() {
                changed.insert(order);
                continue;
            }
            let site = jar.sites.entry(site_of(domain_of(&cookie)).to_owned()).or_default();
            site.push(Kept { cookie, order });
            jar.count += 1;
        }
        if is_empty || !is_whole {
            return is_empty.then_some(None);
        }
        jar.sites.values_mut().for_each(|site| site.sort_by_key(|kept| kept.order));
        jar.changes = Changes(Some(changed));
        Some(Some(jar))
    }
}

fn put(cookie: &Cookie<'_>) -> Vec<u8> {
    let mut out = vec![VERSION];
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(
        flag(matches!(cookie.domain, CookieDomain::Suffix(_)), BELOW)
            | flag(cookie.secure() == Some(true), SECURE)
            | flag(cookie.http_only() == Some(true), HTTP_ONLY),
    );
    let expires = match &cookie.expires {
        // What expires at the beginning of 1970 is never kept.
        CookieExpiration::AtUtc(at) => u64::try_from(at.unix_timestamp()).unwrap_or(0).max(1),
        CookieExpiration::SessionEnd => 0,
    };
    put_number(expires, &mut out);
    for text in [domain_of(cookie), &cookie.path, cookie.name(), cookie.value()] {
        put_bytes(text.as_bytes(), &mut out);
    }
    out
}

fn take(value: &[u8]) -> Option<Cookie<'static>> {
    let mut bytes = Bytes(value);
    let (flags, expires) = (bytes.byte()?, bytes.number()?);
    let [domain, path, name, value] = [bytes.text()?, bytes.text()?, bytes.text()?, bytes.text()?];
    let is_cookie = bytes.0.is_empty()
        && flags <= BELOW | SECURE | HTTP_ONLY
        && path.starts_with('/')
        && !domain.is_empty()
        && !name.is_empty()
        // It goes into a header.
        && ![domain, path, name, value].iter().any(|text| text.chars().any(char::is_control));
    if !is_cookie {
        return None;
    }
    let mut raw = RawCookie::new(name.to_owned(), value.to_owned());
    raw.set_path(path.to_owned());
    raw.set_secure(flags & SECURE != 0);
    raw.set_http_only(flags & HTTP_ONLY != 0);
    let anywhere = Url::parse("https://h/").ok()?;
    let mut cookie = Cookie::try_from_raw_cookie(&raw, &anywhere).ok()?;
    cookie.domain = if flags & BELOW != 0 {
        CookieDomain::Suffix(domain.to_owned())
    } else {
        CookieDomain::HostOnly(domain.to_owned())
    };
    cookie.expires = expires_at(expires);
    Some(cookie)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::netscape;
    use super::*;
    use crate::memory::{self, tests::Kept as Entries};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn keep(jar: &mut Jar, entries: &mut Entries) -> usize {
        memory::tests::keep(jar.take_changes(), entries)
    }

    fn begin() -> Jar {
        let mut jar = Jar::new();
        jar.note_changes();
        jar
    }

    fn again(entries: &Entries) -> Jar {
        Jar::restore(entries).unwrap().unwrap()
    }

    /// All that matters of a jar.
    fn told(jar: &Jar) -> Vec<(u64, Vec<u8>)> {
        jar.all().into_iter().map(|kept| (kept.order, put(&kept.cookie))).collect()
    }

    #[test]
    fn all_kinds_of_cookies_come_back() {
        let mut jar = begin();
        let mut entries = Entries::new();
        for (from, set_cookie) in [
            ("https://a.example.com/x/y", "session=a=b; HttpOnly"),
            ("https://a.example.com/", "wide=1; Domain=example.com; Path=/p; Secure; Max-Age=3600"),
            ("http://[::1]/", "six=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
            ("http://127.0.0.1/", "four="),
            ("http://xn--bcher-kva.example/", "u=é"),
        ] {
            jar.store(set_cookie.as_bytes(), &url(from));
        }
        assert_eq!(keep(&mut jar, &mut entries), 6, "and the jar itself");
        let back = again(&entries);
        assert_eq!((told(&back), back.len()), (told(&jar), 5));
        assert_eq!(netscape::write(&back), netscape::write(&jar));
        for to in [
            "https://a.example.com/x/z",
            "https://b.example.com/p/",
            "http://a.example.com/p",
            "http://[::1]/",
        ] {
            assert_eq!(back.cookies_for(&url(to)), jar.cookies_for(&url(to)), "{to}");
        }
    }

    #[test]
    fn only_what_changed_is_told_and_a_cookie_that_is_set_to_what_it_was_has_not() {
        let mut jar = begin();
        let mut entries = Entries::new();
        let home = url("http://h/");
        for name in 0..40 {
            jar.store(format!("c{name}=1").as_bytes(), &home);
        }
        assert_eq!(keep(&mut jar, &mut entries), 41);
        jar.store(b"c7=1", &home);
        assert!(!jar.has_changes());
        for set_cookie in ["c7=2", "c7=1", "c8=; Max-Age=0", "c40=1"] {
            jar.store(set_cookie.as_bytes(), &home);
        }
        assert_eq!(keep(&mut jar, &mut entries), 3);
        assert_eq!(told(&again(&entries)), told(&jar));
        let mut jar = again(&entries);
        assert!(!jar.has_changes());
        jar.store(b"c41=1", &home);
        assert_eq!(keep(&mut jar, &mut entries), 1);
        assert_eq!(again(&entries).len(), 41);
    }

    #[test]
    fn cookies_that_had_to_go_are_gone() {
        let mut jar = begin();
        let mut entries = Entries::new();
        for site in 0..70 {
            for name in 0..super::super::MOST_OF_A_DOMAIN + 2 {
                jar.store(format!("c{name}=1").as_bytes(), &url(&format!("http://h{site}.example/")));
            }
            keep(&mut jar, &mut entries);
        }
        assert_eq!(entries.len(), 1 + super::super::MOST_IN_ALL);
        assert_eq!(told(&again(&entries)), told(&jar));
    }

    #[test]
    fn a_jar_that_was_emptied_is_not_one_that_never_was() {
        assert_eq!(Jar::restore(Entries::new()), Some(None));
        let mut jar = begin();
        let mut entries = Entries::new();
        jar.store(b"a=1", &url("http://h/"));
        keep(&mut jar, &mut entries);
        jar.store(b"a=1; Max-Age=0", &url("http://h/"));
        keep(&mut jar, &mut entries);
        assert_eq!(entries.len(), 1);
        assert!(again(&entries).is_empty());
    }

    #[test]
    fn a_cookie_that_has_expired_meanwhile_is_left_out_and_told_as_gone() {
        let mut jar = begin();
        let mut entries = Entries::new();
        jar.store(b"a=1; Max-Age=3600", &url("http://h/"));
        keep(&mut jar, &mut entries);
        // 3, 4 and 5: version, flags and the first second of 1970.
        let value = entries.get_mut(&1_u64.to_be_bytes()[..]).unwrap();
        let rest = value.iter().skip(2).position(|byte| *byte < 0x80).unwrap() + 3;
        value.splice(2..rest, [1]);
        let mut jar = again(&entries);
        assert!(jar.is_empty());
        keep(&mut jar, &mut entries);
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn entries_that_were_not_told_are_none() {
        let mut jar = begin();
        let mut entries = Entries::new();
        jar.store(b"a=1", &url("http://h/"));
        keep(&mut jar, &mut entries);
        for key in entries.keys() {
            for damage in 0..4 {
                let mut damaged = entries.clone();
                let value = damaged.get_mut(key).unwrap();
                match damage {
                    0 => value[0] += 1,
                    1 => value.push(0),
                    2 => value.clear(),
                    _ => *value.last_mut().unwrap() = b'\n',
                }
                assert_eq!(Jar::restore(&damaged), None, "{key:?}");
            }
        }
        entries.remove(&JAR.to_be_bytes()[..]);
        assert_eq!(Jar::restore(&entries), None);
    }

    proptest! {
        #[test]
        fn whoever_keeps_the_changes_has_the_jar(
            replies in proptest::collection::vec(
                (
                    "https?://(a\\.|b\\.)?h\\.example/[xy]?/?",
                    "[ab]=[1é\" ]{0,2}(; Max-Age=(0|3600))?(; Domain=h\\.example)?(; Path=/[xy]?)?(; Secure)?(; HttpOnly)?",
                    any::<bool>(),
                ),
                0..40,
            ),
        ) {
            let mut jar = begin();
            let mut entries = Entries::new();
            for (from, set_cookie, is_asked) in replies {
                jar.store(set_cookie.as_bytes(), &url(&from));
                if is_asked {
                    keep(&mut jar, &mut entries);
                    let back = again(&entries);
                    prop_assert_eq!(told(&back), told(&jar));
                    prop_assert_eq!(back.len(), jar.len());
                }
            }
        }

        #[test]
        fn any_bytes_can_be_read_without_a_panic(value in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Some(cookie) = take(&value) {
                let _ = cookie.matches(&url("https://h/x"));
            }
        }
    }
}
