//! The names that templates may use, and what kind of value each has.

use super::variable::{Kind, PAGE, Variable};
use crate::mistake::Slip;
use crate::spelling::nearest_word;

/// The names of some variables. `page` is always one, so that a template can ask for pages that nobody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(Vec<(String, Kind)>);

impl Default for Names {
    fn default() -> Names {
        Names::of(&[])
    }
}

impl Names {
    /// The names of `variables`, in their order.
    pub fn of(variables: &[Variable]) -> Names {
        let mut names: Vec<_> =
            variables.iter().map(|variable| (variable.name().to_owned(), variable.kind())).collect();
        if !names.iter().any(|(name, _)| name == PAGE) {
            names.push((PAGE.to_owned(), Kind::Number));
        }
        Names(names)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The name at a place.
    pub(super) fn name(&self, place: usize) -> &str {
        &self.0[place].0
    }

    /// Where a name is, and its kind.
    pub(super) fn find(&self, name: &str) -> Option<(usize, Kind)> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some((place, self.0[place].1))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.0.iter().map(|(name, kind)| (&**name, *kind))
    }

    /// That nobody knows the name at byte `at`.
    pub(super) fn unknown(&self, name: &str, at: usize) -> Slip {
        let hint = match nearest_word(name, self.0.iter().map(|(name, _)| &**name)) {
            _ if self.len() == 1 => {
                format!("the only variable is `{PAGE}`, others come with --var; `{{{{` is a literal brace")
            }
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                let known: Vec<_> = self.0.iter().map(|(name, _)| format!("`{name}`")).collect();
                format!("the variables are {}; `{{{{` is a literal brace", known.join(", "))
            }
        };
        Slip::new(at, format!("unknown name `{name}`")).with_hint(hint)
    }
}
