//! Replacing in a text what patterns match.

use std::borrow::Cow;

use regex::Regex;

use crate::mistake::Slip;

/// So much longer may a text become. A few replacements that double it would fill any memory otherwise.
pub(in crate::extract) const MOST_ADDED: usize = 16 << 20;

/// Replaces what is replaced by what, one after the other; `None` if the text becomes too long.
pub(super) fn replace_all<'t>(pairs: &[(Regex, String)], text: Cow<'t, str>) -> Option<Cow<'t, str>> {
    let most = text.len() + MOST_ADDED;
    pairs.iter().try_fold(text, |text, (pattern, replacement)| {
        Some(match replace(pattern, replacement, &text, most)? {
            Some(replaced) => Cow::Owned(replaced),
            None => text,
        })
    })
}

/// `Some(None)` if nothing matches.
fn replace(pattern: &Regex, replacement: &str, text: &str, most: usize) -> Option<Option<String>> {
    let mut replaced = None;
    let mut copied = 0;
    let mut add = |start: usize, end: usize, expand: &dyn Fn(&mut String)| {
        let replaced = replaced.get_or_insert_with(String::new);
        replaced.push_str(&text[copied..start]);
        expand(replaced);
        copied = end;
        replaced.len() + (text.len() - copied) <= most
    };
    // Groups cost time, and most replacements ask for none.
    let is_kept_short = if replacement.contains('$') {
        pattern.captures_iter(text).all(|captures| match captures.get(0) {
            Some(whole) => add(whole.start(), whole.end(), &|line| captures.expand(replacement, line)),
            None => true,
        })
    } else {
        pattern
            .find_iter(text)
            .all(|whole| add(whole.start(), whole.end(), &|line| line.push_str(replacement)))
    };
    if let Some(replaced) = &mut replaced {
        replaced.push_str(&text[copied..]);
    }
    is_kept_short.then_some(replaced)
}

/// Whether all groups that `replacement` names are in `pattern`. Those that are not would be replaced by nothing, most
/// often since a name goes on as far as it can: `$1a` is the group `1a`.
///
/// # Errors
///
/// The first group that is not there.
pub fn check_replacement(pattern: &Regex, replacement: &str) -> Result<(), Slip> {
    let mut at = 0;
    while let Some(found) = replacement[at..].find('$') {
        let dollar = at + found;
        let rest = &replacement[dollar + 1..];
        let (name, is_braced) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((name, _)) => (name, true),
            None => {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                (&rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())], false)
            }
        };
        at = match (name, is_braced) {
            // `$$` is a `$`; a `$` before anything else is one too.
            ("", false) => dollar + 1 + usize::from(rest.starts_with('$')),
            ("", true) => dollar + 1,
            (name, _) => {
                check_group(pattern, name, is_braced).map_err(|slip| Slip { at: dollar, ..slip })?;
                dollar + 1 + usize::from(is_braced) + name.len()
            }
        };
    }
    Ok(())
}

fn check_group(pattern: &Regex, name: &str, is_braced: bool) -> Result<(), Slip> {
    let has_number =
        |number: &str| number.parse::<usize>().is_ok_and(|number| number < pattern.captures_len());
    if has_number(name) || pattern.capture_names().flatten().any(|known| known == name) {
        return Ok(());
    }
    let digits = &name[..name.bytes().take_while(u8::is_ascii_digit).count()];
    let slip = Slip::new(0, format!("the pattern has no group `{name}`"));
    Err(if !is_braced && digits != name && has_number(digits) {
        slip.with_hint(format!("write `${{{digits}}}{}`", &name[digits.len()..]))
    } else {
        slip.with_hint("`$1` is the first pair of parentheses, `$0` the whole match, and `$$` a `$`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::convert::parse_pattern;

    fn pair(pattern: &str, replacement: &str) -> (Regex, String) {
        (parse_pattern(pattern).unwrap(), replacement.to_owned())
    }

    #[test]
    fn it_replaces_as_the_crate_does() {
        let text = "aé1b22 $ c";
        for (pattern, replacement) in [
            ("x", "y"),
            ("", "-"),
            (r"\d+", ""),
            (r"\d", "<$0>"),
            (r"(\d)(\w)?", "${2}$1$$"),
            ("é|$", "$0$0"),
            (".*", "$"),
        ] {
            let (pattern, replacement) = pair(pattern, replacement);
            let wanted = pattern.replace_all(text, replacement.as_str()).into_owned();
            let pairs = [(pattern, replacement)];
            assert_eq!(replace_all(&pairs, Cow::Borrowed(text)).as_deref(), Some(&*wanted), "{pairs:?}");
        }
    }

    #[test]
    fn a_text_that_multiplies_is_given_up() {
        let tenfold = || pair(".", &"$0".repeat(10));
        let text = "a".repeat(1000);
        let times =
            |count| replace_all(&vec![tenfold(); count], Cow::Borrowed(&*text)).map(|text| text.len());
        assert_eq!(times(3), Some(1_000_000));
        assert_eq!(times(5), None);
        assert_eq!(replace_all(&[pair("a", &"b".repeat(1 << 16))], Cow::Borrowed(&*text)), None);
    }

    #[test]
    fn a_group_that_is_not_there_is_told() {
        for (pattern, replacement, at, hint) in [
            ("(a)", "x $2", 2, "first pair"),
            ("(a)", "$1st", 0, "`${1}st`"),
            ("(a)", "$$ ${1x}", 3, "first pair"),
            ("a", "€ $price", 4, "`$$`"),
            ("(?P<n>a)", "$n $m", 3, "first pair"),
        ] {
            let slip = check_replacement(&parse_pattern(pattern).unwrap(), replacement).unwrap_err();
            assert_eq!(slip.at, at, "{replacement}: {slip:?}");
            assert!(slip.hint.as_deref().unwrap_or("").contains(hint), "{replacement}: {slip:?}");
        }
        assert_eq!(check_replacement(&parse_pattern("(?P<é>a)").unwrap(), "${é}é"), Ok(()));
        for replacement in ["", "$0", "$1 $n", "${1}0", "$$1x", "5 $", "$ {", "${", "$-"] {
            assert_eq!(
                check_replacement(&parse_pattern("(?P<n>a)").unwrap(), replacement),
                Ok(()),
                "{replacement}"
            );
        }
    }
}
