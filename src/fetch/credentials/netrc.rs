//! The `.netrc`: logins by host, as ftp wrote it down once and curl, wget and git read it today.
//!
//! ```text
//! machine example.com login me password "two words"
//! default login anonymous password me@example.com
//! ```
//!
//! Words between white space, in double quotes if they have any inside (`\"` and `\\` as in curl); a word that begins
//! with `#` begins a comment where no value is due; `macdef` and what follows up to an empty line is skipped. The
//! crates for it say neither which line is wrong nor keep quotes apart. Text in; files are not its business.

use super::{Secret, pair};

/// The logins of a `.netrc`, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Netrc {
    machines: Vec<(String, Login)>,
    default: Option<Login>,
}

/// One login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    user: String,
    password: Secret,
}

/// A file that is no `.netrc`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct BadNetrc {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong; without the words themselves, since one out of place may be a password.
    pub reason: &'static str,
}

impl Login {
    /// The value of the header.
    pub(super) fn authorization(&self) -> Secret {
        pair(self.user.as_bytes(), self.password.reveal().as_bytes())
    }
}

impl Netrc {
    /// Reads a `.netrc`.
    ///
    /// # Errors
    /// The first line that cannot be made sense of.
    pub fn parse(text: &str) -> Result<Netrc, BadNetrc> {
        Reader { text, at: 0 }.read()
    }

    /// The login of a machine that is named.
    pub(super) fn machine(&self, host: &str) -> Option<&Login> {
        self.of(host).next()
    }

    /// The login for a host that the user has named, with this user name unless it is empty.
    pub(super) fn login(&self, host: &str, user: &str) -> Option<Login> {
        let is_meant = |login: &&Login| user.is_empty() || login.user == user;
        let found = self.of(host).chain(&self.default).find(is_meant).cloned();
        // A user name without a password is sent as it is.
        found.or_else(|| (!user.is_empty()).then(|| Login { user: user.to_owned(), ..Login::default() }))
    }

    fn of(&self, host: &str) -> impl Iterator<Item = &Login> {
        self.machines.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(host)).map(|(_, login)| login)
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Netrc, BadNetrc> {
        let mut netrc = Netrc::default();
        // Whom the words that follow are about: a machine, or `None` for the default.
        let mut about: Option<Option<String>> = None;
        let mut login = Login::default();
        loop {
            let word = self.word()?;
            match word.as_deref() {
                Some(word) if word.starts_with('#') => self.skip_line(),
                None | Some("machine" | "default") => {
                    match about.take() {
                        Some(Some(machine)) => netrc.machines.push((machine, std::mem::take(&mut login))),
                        Some(None) => netrc.default = Some(std::mem::take(&mut login)),
                        None => {}
                    }
                    match word.as_deref() {
                        None => return Ok(netrc),
                        Some("machine") => about = Some(Some(self.value("`machine` has no name")?)),
                        Some(_) => about = Some(None),
                    }
                }
                Some("macdef") => self.skip_macro(),
                Some(_) if about.is_none() => {
                    return Err(self.bad("`machine` or `default` is wanted in front"));
                }
                Some("login") => login.user = self.value("`login` has no name")?,
                Some("password") => login.password = Secret::new(self.value("`password` has none")?),
                Some("account" | "port") => drop(self.value("a value is missing")?),
                Some(_) => {
                    return Err(self.bad("machine, default, login, password, account or macdef is wanted"));
                }
            }
        }
    }

    fn value(&mut self, missing: &'static str) -> Result<String, BadNetrc> {
        let value = self.word()?.ok_or_else(|| self.bad(missing))?;
        if value.chars().any(char::is_control) { Err(self.bad("control characters")) } else { Ok(value) }
    }

    fn word(&mut self) -> Result<Option<String>, BadNetrc> {
        let rest = &self.text[self.at..];
        let start = self.at + rest.len() - rest.trim_start().len();
        self.at = start;
        let rest = &self.text[start..];
        if !rest.starts_with('"') {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            self.at += length;
            return Ok((length > 0).then(|| rest[..length].to_owned()));
        }
        let mut word = String::new();
        let mut letters = rest.char_indices().skip(1);
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(Some(word));
                }
                '\n' => break,
                '\\' => word.extend(letters.next().map(|(_, letter)| letter)),
                letter => word.push(letter),
            }
        }
        Err(self.bad("a quote is not closed on its line"))
    }

    fn skip_line(&mut self) {
        self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |end| self.at + end);
    }

    /// Skips to the empty line that ends a macro.
    fn skip_macro(&mut self) {
        let lines = self.text[self.at..].split_inclusive('\n');
        let body = lines.take_while(|line| !line.trim().is_empty());
        self.at += body.map(str::len).sum::<usize>();
    }

    fn bad(&self, reason: &'static str) -> BadNetrc {
        let before = self.text[..self.at].trim_end();
        BadNetrc { line: before.matches('\n').count() + 1, reason }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn login(netrc: &str, host: &str) -> Option<String> {
        let login = Netrc::parse(netrc).unwrap().login(host, "")?;
        Some(format!("{}:{}", login.user, login.password.reveal()))
    }

    #[test]
    fn words_may_stand_on_one_line_or_on_many() {
        let text = "# mine\nmachine a.example login me password p#1\n\nmachine\tb.example\r\n  login you\r\n  account x\r\n  password w\r\ndefault login d password e";
        assert_eq!(login(text, "A.example").as_deref(), Some("me:p#1"));
        assert_eq!(login(text, "b.example").as_deref(), Some("you:w"));
        assert_eq!(login(text, "c.example").as_deref(), Some("d:e"));
        assert_eq!(
            login("machine a login me password x # a comment\nmachine b login c password d", "b").as_deref(),
            Some("c:d")
        );
        assert_eq!(login("", "a"), None);
    }

    #[test]
    fn quotes_keep_blanks_and_quotes_together() {
        let text = r#"machine h login "a b" password "x \"y\" \\z""#;
        assert_eq!(login(text, "h").as_deref(), Some(r#"a b:x "y" \z"#));
    }

    #[test]
    fn macros_are_skipped() {
        let text = "machine a login b password c\nmacdef init\ncd /pub\nmachine evil\n\nmachine d login e password f\n";
        assert_eq!(login(text, "a").as_deref(), Some("b:c"));
        assert_eq!(login(text, "d").as_deref(), Some("e:f"));
        assert_eq!(login(text, "evil"), None);
        assert_eq!(login("macdef init\nx", "a"), None);
        assert_eq!(login("macdef", "a"), None);
    }

    #[test]
    fn mistakes_are_told_by_line_without_the_words() {
        let told = |text: &str| Netrc::parse(text).unwrap_err().to_string();
        assert_eq!(told("machine h login me password"), "line 1: `password` has none");
        assert_eq!(
            told("\nmachine h\nlogin me passwort m4rker"),
            "line 3: machine, default, login, password, account or macdef is wanted"
        );
        assert_eq!(told("login me"), "line 1: `machine` or `default` is wanted in front");
        assert_eq!(told("machine h password \"m4rker\nx"), "line 1: a quote is not closed on its line");
        assert_eq!(told("machine h password a\u{7}b"), "line 1: control characters");
    }

    #[test]
    fn a_login_is_not_shown_for_debugging() {
        assert!(!format!("{:?}", Netrc::parse("machine h login me password m4rker")).contains("m4rker"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_line_of_it(text in "(machine |login |password |macdef |default |[a\"\\\\\n #é]){0,30}") {
            if let Err(bad) = Netrc::parse(&text) {
                prop_assert!(bad.line <= text.matches('\n').count() + 1);
            }
        }
    }
}
