//! The core function library of XPath 1.0 (4): names, arguments and results. What they do is the evaluator's part.

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

macro_rules! core_functions {
    ($($variant:ident = $name:literal, $least:literal ..= $most:expr, $takes_nodes:literal, $result:ident;)*) => {
        /// A core function; [`Function::name`] is the name in the recommendation, which says what it does.
        #[expect(missing_docs, reason = "each is the core function of its name")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function { $($variant,)* }

        impl Function {
            /// All of them.
            pub const ALL: &'static [Function] = &[$(Function::$variant,)*];

            /// As it is written.
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

core_functions! {
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
}

impl Function {
    /// The function of this name.
    pub fn named(name: &str) -> Option<Function> {
        Function::ALL.iter().copied().find(|function| function.name() == name)
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
            (least, usize::MAX) => format!("at least {least} arguments"),
            (least, most) => format!("{least} or {most} arguments"),
        }
    }
}
