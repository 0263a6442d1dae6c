//! Character and entity references in XML, taken leniently: `&nbsp;` and the like are what they are in HTML.
//!
//! Knows no DTD: entities that a document declares are never expanded.

use std::borrow::Cow;

use quick_xml::escape::resolve_html5_entity;

/// What `&name;` stands for; `None` if nobody knows.
pub(super) fn resolve(name: &str) -> Option<Cow<'static, str>> {
    let Some(number) = name.strip_prefix('#') else {
        return resolve_html5_entity(name).map(Cow::Borrowed);
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let character = char::from_u32(code.ok()?).filter(|&c| c != '\0')?;
    Some(Cow::Owned(character.to_string()))
}

/// `text` with its references replaced; what is no reference stays.
pub(super) fn resolve_all(text: &str) -> Cow<'_, str> {
    let Some(mut start) = text.find('&') else {
        return Cow::Borrowed(text);
    };
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        resolved.push_str(&rest[..start]);
        rest = &rest[start..];
        // The longest name HTML knows has 31 letters.
        let end = rest.bytes().take(40).position(|b| b == b';');
        match end.and_then(|end| Some((end, resolve(&rest[1..end])?))) {
            Some((end, characters)) => {
                resolved.push_str(&characters);
                rest = &rest[end + 1..];
            }
            None => {
                resolved.push('&');
                rest = &rest[1..];
            }
        }
        match rest.find('&') {
            Some(next) => start = next,
            None => break,
        }
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_known_names_are_resolved() {
        assert_eq!(resolve("amp").as_deref(), Some("&"));
        assert_eq!(resolve("eacute").as_deref(), Some("é"));
        assert_eq!(resolve("#65").as_deref(), Some("A"));
        assert_eq!(resolve("#x4E2d").as_deref(), Some("中"));
    }

    #[test]
    fn what_is_no_character_is_not_resolved() {
        for name in ["", "#", "#x", "#0", "#xD800", "#1114112", "#99999999999", "#-1", "nosuch", " amp"] {
            assert_eq!(resolve(name), None, "{name}");
        }
    }

    #[test]
    fn a_text_keeps_what_is_no_reference() {
        assert_eq!(resolve_all("a&b=1&amp;c&lt&#x41;&;&"), "a&b=1&c&ltA&;&");
        assert!(matches!(resolve_all("plain"), Cow::Borrowed(_)));
    }
}
