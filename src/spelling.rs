//! Misspelt words: which known one was meant.
//!
//! Used wherever a mistake names what may have been meant. Knows words only.

/// The name in `names` that a misspelt `name` most likely means.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = name.to_lowercase().replace('_', "-");
    names
        .into_iter()
        .map(|candidate| (distance(&plain, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: how many letters to add, drop or change.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let changed = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// The word that differs from `name` by two letters at most, and by less than half of them: for short words of a
/// language, where a generous guess would be a wrong one.
pub fn nearest_word<'w>(name: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let near = words.map(|word| (distance(&name.to_lowercase(), word), word)).min()?;
    (near.0 <= 2 && near.0 * 2 < name.chars().count().max(2)).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SETTINGS;

    #[test]
    fn a_misspelt_name_finds_its_nearest_and_nonsense_finds_none() {
        let names = || SETTINGS.iter().map(|s| s.name);
        assert_eq!(nearest("max_pages", names()), Some("max-pages"));
        assert_eq!(nearest("job", names()), Some("jobs"));
        assert_eq!(nearest("Retrys", names()), Some("retry"));
        assert_eq!(nearest("banana", names()), None);
    }

    #[test]
    fn a_word_is_offered_only_if_it_is_near() {
        assert_eq!(nearest_word("decendant", ["descendant", "child"].into_iter()), Some("descendant"));
        assert_eq!(nearest_word("childs", ["descendant", "child"].into_iter()), Some("child"));
        assert_eq!(nearest_word("price", ["self", "child"].into_iter()), None);
    }

    #[test]
    fn changes_are_counted_as_levenshtein_did() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
