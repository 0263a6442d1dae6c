//! What was written, and where: the values of flags, environment and job file before anybody asks what they mean.
//!
//! Every value is text here, even `jobs = 16` of the file, so that one parser per kind of value serves all three.

use std::collections::HashMap;
use std::fmt;

use crate::settings::{Kind, SETTINGS};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the command line, as this flag.
    Flag(&'static str),
    /// On the command line, without a flag.
    Argument(&'static str),
    /// In this environment variable.
    Variable(String),
    /// In the job file.
    File {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The key with its tables: `fetch.jobs`.
        key: String,
    },
    /// Nowhere: it is the default.
    Default(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Flag(name) => write!(f, "--{name}"),
            Place::Argument(name) => write!(f, "{name}"),
            Place::Variable(name) => write!(f, "{name}"),
            Place::File { path, line, column, key } => write!(f, "{path}:{line}:{column}: {key}"),
            Place::Default(name) => write!(f, "--{name} (default)"),
        }
    }
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// As written.
    pub text: String,
    /// Where.
    pub place: Place,
}

/// The values of one source of settings, by setting name; several for lists.
pub type Layer = HashMap<&'static str, Vec<Written>>;

/// The settings of the environment: `PAGEMILL_JOBS=4`. The values of a list stand on lines of their own.
pub fn read_environment(variables: impl Iterator<Item = (String, String)>) -> Layer {
    let mut layer = Layer::new();
    for (name, text) in variables {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) else { continue };
        let written = |text: &str| Written { text: text.to_owned(), place: Place::Variable(name.clone()) };
        let values = match setting.kind {
            Kind::List => text.lines().filter(|line| !line.trim().is_empty()).map(written).collect(),
            Kind::Switch | Kind::Value => vec![written(&text)],
        };
        layer.insert(setting.name, values);
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_gives_values_lists_and_nothing_unknown() {
        let variables =
            [("PAGEMILL_MAX_BODY", "1M"), ("PAGEMILL_FIELD", "a=./a\n\nb=./b\n"), ("PAGEMILL_X", "1")];
        let layer =
            read_environment(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        assert_eq!(layer["max-body"][0].text, "1M");
        let fields: Vec<&str> = layer["field"].iter().map(|field| field.text.as_str()).collect();
        assert_eq!(fields, ["a=./a", "b=./b"]);
        assert_eq!(layer.len(), 2);
    }
}
