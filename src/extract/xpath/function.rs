//! The functions: names, arguments and results. What they do is the evaluator's part.
//!
//! They are the core function library of XPath 1.0 (4), `has-class` of parsel, and the regular expressions of EXSLT
//! (`http://exslt.org/regular-expressions`). The latter are asked for by a prefix that stands for that namespace; `re`
//! does, unless it was declared for another.

use super::ast::Kind;

/// What a function takes and gives.
#[derive(Debug, Clone, Copy)]
pub struct Signature {
    /// Fewest arguments.
    pub least: usize,
    /// Most arguments; `usize::MAX` for no limit.
    pub most: usize,
    /// Whether the arguments must be node-sets; all other types are converted.
    pub takes_nodes: bool,
    /// What it evaluates to.
    pub result: Kind,
}

macro_rules! functions {
    ($($variant:ident = $name:literal, $least:literal ..= $most:expr, $takes_nodes:literal, $result:ident;)*) => {
        /// A function; [`Function::name`] is the name in its recommendation, which says what it does.
        #[expect(missing_docs, reason = "each is the function of its name")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function { $($variant,)* }

        impl Function {
            /// All of them.
            pub const ALL: &'static [Function] = &[$(Function::$variant,)*];

            /// As it is written, with the prefix `re` if it has one.
            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }

            /// What it takes and gives.
            pub fn signature(self) -> Signature {
                let (least, most, takes_nodes, result) = match self {
                    $(Function::$variant => ($least, $most, $takes_nodes, Kind::$result),)*
                };
                Signature { least, most, takes_nodes, result }
            }
        }
    };
}

functions! {
    // 4.1 Node Set Functions
    Last = "last", 0..=0, false, Number;
    Position = "position", 0..=0, false, Number;
    Count = "count", 1..=1, true, Number;
    Id = "id", 1..=1, false, NodeSet;
    LocalName = "local-name", 0..=1, true, String;
    NamespaceUri = "namespace-uri", 0..=1, true, String;
    Name = "name", 0..=1, true, String;
    // 4.2 String Functions
    String = "string", 0..=1, false, String;
    Concat = "concat", 2..=usize::MAX, false, String;
    StartsWith = "starts-with", 2..=2, false, Boolean;
    Contains = "contains", 2..=2, false, Boolean;
    SubstringBefore = "substring-before", 2..=2, false, String;
    SubstringAfter = "substring-after", 2..=2, false, String;
    Substring = "substring", 2..=3, false, String;
    StringLength = "string-length", 0..=1, false, Number;
    NormalizeSpace = "normalize-space", 0..=1, false, String;
    Translate = "translate", 3..=3, false, String;
    // 4.3 Boolean Functions
    Boolean = "boolean", 1..=1, false, Boolean;
    Not = "not", 1..=1, false, Boolean;
    True = "true", 0..=0, false, Boolean;
    False = "false", 0..=0, false, Boolean;
    Lang = "lang", 1..=1, false, Boolean;
    // 4.4 Number Functions
    Number = "number", 0..=1, false, Number;
    Sum = "sum", 1..=1, true, Number;
    Floor = "floor", 1..=1, false, Number;
    Ceiling = "ceiling", 1..=1, false, Number;
    Round = "round", 1..=1, false, Number;
    // parsel: whether the context node is an element with all these classes.
    HasClass = "has-class", 1..=usize::MAX, false, Boolean;
    // EXSLT: text, pattern, flags.
    ReTest = "re:test", 2..=3, false, Boolean;
    // EXSLT gives a set of new elements, one for the match and one for each group. No page has such nodes, so it is
    // a string here: the first group of the first match, or the match if there is no group (`Pattern::first`).
    ReMatch = "re:match", 2..=3, false, String;
    // EXSLT: text, pattern, flags, replacement.
    ReReplace = "re:replace", 4..=4, false, String;
}

/// The namespace of `re:test`, `re:match` and `re:replace`.
pub const REGULAR_EXPRESSIONS: &str = "http://exslt.org/regular-expressions";

impl Function {
    /// The function of this name, with the prefix `re` if it has one.
    pub fn named(name: &str) -> Option<Function> {
        Function::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// Whether its second argument is a pattern and its third, if there is one, are flags.
    pub fn takes_pattern(self) -> bool {
        matches!(self, Function::ReTest | Function::ReMatch | Function::ReReplace)
    }
}

impl Signature {
    /// `2 arguments`, `1 or 2 arguments`, `at least 2 arguments`.
    pub fn arity(&self) -> String {
        let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
        match (self.least, self.most) {
            (0, 0) => "no argument".to_owned(),
            (least, most) if least == most => format!("{least} {}", plural(least)),
            (0, 1) => "no argument or one".to_owned(),
            (least, usize::MAX) => format!("at least {least} {}", plural(least)),
            (least, most) => format!("{least} or {most} arguments"),
        }
    }
}
