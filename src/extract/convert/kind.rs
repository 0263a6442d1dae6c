//! The types a field can have.

use crate::mistake::Slip;
use crate::spelling;

/// What a text is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A string.
    String,
    /// A whole number of 64 bits.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// A day or a time, written as RFC 3339 does.
    Date,
    /// An absolute URL, resolved against the page's.
    Url,
    /// The markup of what was found, not its text.
    Html,
    /// JSON, which becomes a part of the record.
    Json,
}

impl Type {
    /// All of them.
    pub const ALL: [Type; 8] =
        [Type::String, Type::Int, Type::Float, Type::Bool, Type::Date, Type::Url, Type::Html, Type::Json];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Type::String => "string",
            Type::Int => "int",
            Type::Float => "float",
            Type::Bool => "bool",
            Type::Date => "date",
            Type::Url => "url",
            Type::Html => "html",
            Type::Json => "json",
        }
    }

    /// The type of that name.
    ///
    /// # Errors
    ///
    /// There is none; with the one that is most likely meant.
    pub fn parse(name: &str) -> Result<Type, Slip> {
        let found = Type::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            let meant = match name.to_lowercase().as_str() {
                "number" | "double" | "decimal" | "real" | "price" => Some("float"),
                "integer" | "i64" | "long" | "count" => Some("int"),
                "str" | "text" => Some("string"),
                "datetime" | "time" | "timestamp" => Some("date"),
                "link" | "uri" | "href" => Some("url"),
                "object" | "array" => Some("json"),
                other => spelling::nearest(other, Type::ALL.map(Type::name)),
            };
            let hint = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("types are {}", Type::ALL.map(Type::name).join(", ")),
            };
            Slip::new(0, format!("there is no type `{name}`")).with_hint(hint)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_found_by_name_and_misspelt_ones_are_guessed() {
        for kind in Type::ALL {
            assert_eq!(Type::parse(kind.name()), Ok(kind));
        }
        let hint = |name| Type::parse(name).unwrap_err().hint.unwrap();
        assert_eq!(hint("flaot"), "did you mean `float`?");
        assert_eq!(hint("currency"), "types are string, int, float, bool, date, url, html, json");
        assert_eq!(hint("floats"), "did you mean `float`?");
        assert_eq!(hint("Integer"), "did you mean `int`?");
    }
}
