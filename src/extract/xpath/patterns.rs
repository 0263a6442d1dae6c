//! The patterns of `re:test`, `re:match` and `re:replace`, compiled once and kept: what both engines share.

use std::cell::RefCell;
use std::rc::Rc;

use crate::extract::regular::Pattern;

/// Patterns that are kept; an expression that computes more of them compiles some again.
const MOST: usize = 32;

/// Compiled patterns by text and flags, those used last in front. Not `Send`: one per thread, or per page.
#[derive(Debug, Default)]
pub(super) struct Patterns(RefCell<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    pattern: String,
    flags: String,
    compiled: Rc<Pattern>,
}

impl Patterns {
    /// The pattern, if it was compiled lately.
    pub(super) fn kept(&self, pattern: &str, flags: &str) -> Option<Rc<Pattern>> {
        let mut all = self.0.borrow_mut();
        let index = all.iter().position(|kept| kept.pattern == pattern && kept.flags == flags)?;
        all[..=index].rotate_right(1);
        Some(Rc::clone(&all[0].compiled))
    }

    /// The pattern, compiled now and kept.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and which it is.
    pub(super) fn compiled(&self, pattern: &str, flags: &str) -> Result<Rc<Pattern>, String> {
        let compiled = Pattern::new(pattern, flags).map_err(|reason| {
            let shown: String = pattern.chars().take(40).collect();
            let more = if shown.len() < pattern.len() { ".." } else { "" };
            format!("the pattern `{shown}{more}` cannot be used: {reason}")
        })?;
        let compiled = Rc::new(compiled);
        let mut all = self.0.borrow_mut();
        all.truncate(MOST - 1);
        let kept =
            Kept { pattern: pattern.to_owned(), flags: flags.to_owned(), compiled: Rc::clone(&compiled) };
        all.insert(0, kept);
        Ok(compiled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patterns_used_last_are_kept() {
        let patterns = Patterns::default();
        let first = patterns.compiled("a", "").unwrap();
        assert!(patterns.kept("a", "i").is_none());
        for n in 0..MOST - 1 {
            patterns.compiled(&n.to_string(), "").unwrap();
        }
        assert!(Rc::ptr_eq(&patterns.kept("a", "").unwrap(), &first));
        patterns.compiled("b", "").unwrap();
        assert!(patterns.kept("a", "").is_some());
        assert!(patterns.kept("0", "").is_none());
    }

    #[test]
    fn a_wrong_pattern_is_shown_with_the_reason() {
        let error = Patterns::default().compiled("(a", "").unwrap_err();
        assert_eq!(error, "the pattern `(a` cannot be used: unclosed group");
    }
}
