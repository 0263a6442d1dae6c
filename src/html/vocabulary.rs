//! The names that pages use again and again, found by a glance.
//!
//! A name is an atom: making one from its characters takes a cryptographic-grade hash, and for names that html5ever
//! does not know (`data-id`) a lock that all threads share. This remembers the last names met.

use std::hash::Hasher;

use html5ever::LocalName;
use rustc_hash::FxHasher;

/// A page has some dozens of names; two that fall on one place only cost time.
const PLACES: usize = 512;
/// Longer ones are not kept, so that a hostile page cannot make this large.
const LONGEST: usize = 64;

/// The last names met.
pub(super) struct Vocabulary {
    places: Vec<Option<LocalName>>,
}

impl Vocabulary {
    pub(super) fn new() -> Vocabulary {
        Vocabulary { places: vec![None; PLACES] }
    }

    /// The name written so, in lower case.
    pub(super) fn name(&mut self, written: &str) -> LocalName {
        if written.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.lower_name(&written.to_ascii_lowercase());
        }
        self.lower_name(written)
    }

    fn lower_name(&mut self, name: &str) -> LocalName {
        if name.len() > LONGEST {
            return LocalName::from(name);
        }
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        let place = &mut self.places[hasher.finish() as usize % PLACES];
        match place {
            Some(known) if **known == *name => known.clone(),
            _ => place.insert(LocalName::from(name)).clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_itself_in_lower_case_however_many_there_are() {
        let mut vocabulary = Vocabulary::new();
        for _ in 0..2 {
            for i in 0..2 * PLACES {
                assert_eq!(&*vocabulary.name(&format!("data-X{i}")), format!("data-x{i}"));
            }
            assert_eq!(vocabulary.name("DIV"), html5ever::local_name!("div"));
            let long = "x".repeat(2 * LONGEST);
            assert_eq!(&*vocabulary.name(&long), long);
        }
    }
}
