//! Tokens ─▶ syntax tree: the grammar of XPath 1.0 (2 and 3), and all that can be known wrong before a page is seen.
//!
//! Types are static, since there are no variables: an argument that must be a node-set is checked here, and an
//! evaluator need not.

use super::Namespaces;
use super::ast::{Axis, Expr, Kind, NodeTest, Operator, Precedence, Prefixed, Start, Step};
use super::function::Function;
use super::hint;
use super::lexer::{Spanned, Token, tokens};
use crate::mistake::Slip;

/// Bytes of an expression; the longest that is written by hand is far below.
pub(super) const MAX_BYTES: usize = 4096;
/// Parentheses, predicates and arguments inside each other.
pub(super) const MAX_NESTING: usize = 64;
/// Operators, calls, paths and predicates inside each other ([`Expr::height`]).
pub(super) const MAX_HEIGHT: usize = 128;

/// The tree of `text`.
pub(super) fn parse(text: &str, namespaces: &Namespaces) -> Result<Expr, Slip> {
    if text.len() > MAX_BYTES {
        return Err(Slip::new(MAX_BYTES, format!("the expression is longer than {MAX_BYTES} bytes")));
    }
    let tokens = tokens(text)?;
    if tokens.len() == 1 {
        return Err(Slip::new(0, "the expression is empty")
            .with_hint("for example `//h1` for the headings, `.//a/@href` for links inside a record"));
    }
    let mut parser = Parser { text, tokens, next: 0, namespaces, open: Vec::new() };
    let expr = parser.or()?;
    if parser.token() != &Token::End {
        return Err(parser.unexpected());
    }
    if expr.height() > MAX_HEIGHT {
        let what = "operators, calls and predicates are inside each other";
        return Err(Slip::new(0, format!("{what} deeper than {MAX_HEIGHT} levels")));
    }
    match hint::is_css(text) {
        Some(slip) => Err(slip),
        None => Ok(expr),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Spanned>,
    next: usize,
    namespaces: &'t Namespaces,
    /// Where the parentheses and brackets around the next token were opened.
    open: Vec<usize>,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    /// Takes the next token; the end stays.
    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    fn or(&mut self) -> Result<Expr, Slip> {
        self.list(&Token::Or, Parser::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, Slip> {
        self.list(&Token::And, |parser| parser.chain(Precedence::Equality), Expr::And)
    }

    fn list(
        &mut self,
        separator: &Token,
        operand: fn(&mut Self) -> Result<Expr, Slip>,
        unite: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, Slip> {
        let first = operand(self)?;
        if self.token() != separator {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take(separator) {
            operands.push(operand(self)?);
        }
        Ok(unite(operands))
    }

    /// Operators of one level, left-associative.
    fn chain(&mut self, level: Precedence) -> Result<Expr, Slip> {
        let first = self.operand_of(level)?;
        let mut rest = Vec::new();
        while let &Token::Operator(operator) = self.token()
            && operator.precedence() == level
        {
            self.advance();
            rest.push((operator, self.operand_of(level)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain { first: Box::new(first), rest } })
    }

    fn operand_of(&mut self, level: Precedence) -> Result<Expr, Slip> {
        match level {
            Precedence::Equality => self.chain(Precedence::Relation),
            Precedence::Relation => self.chain(Precedence::Sum),
            Precedence::Sum => self.chain(Precedence::Product),
            _ => self.negation(),
        }
    }

    fn negation(&mut self) -> Result<Expr, Slip> {
        let mut times = 0;
        while self.take(&Token::Operator(Operator::Minus)) {
            times += 1;
        }
        let operand = self.union()?;
        Ok(if times == 0 { operand } else { Expr::Negate { times, operand: Box::new(operand) } })
    }

    fn union(&mut self) -> Result<Expr, Slip> {
        let at = self.at();
        let first = self.path()?;
        if self.token() != &Token::Pipe {
            return Ok(first);
        }
        must_be_nodes(&first, at, "the left side of `|`")?;
        let mut operands = vec![first];
        while self.take(&Token::Pipe) {
            let at = self.at();
            let operand = self.path()?;
            must_be_nodes(&operand, at, "the right side of `|`")?;
            operands.push(operand);
        }
        Ok(Expr::Union(operands))
    }

    fn path(&mut self) -> Result<Expr, Slip> {
        match self.token() {
            Token::Slash => {
                self.advance();
                let steps = if self.starts_step() { self.steps(Vec::new())? } else { Vec::new() };
                Ok(Expr::Path { start: Start::Root, steps })
            }
            Token::DoubleSlash => {
                self.advance();
                let steps = self.steps(vec![any_descendant()])?;
                Ok(Expr::Path { start: Start::Root, steps })
            }
            _ if self.starts_step() => {
                let steps = self.steps(Vec::new())?;
                Ok(Expr::Path { start: Start::Context, steps })
            }
            _ => self.filter(),
        }
    }

    fn starts_step(&self) -> bool {
        matches!(
            self.token(),
            Token::Dot
                | Token::DotDot
                | Token::At
                | Token::Star
                | Token::PrefixStar(_)
                | Token::Name(..)
                | Token::NodeType(_)
                | Token::Axis(_)
        )
    }

    /// A primary expression, its predicates, and the steps from there.
    fn filter(&mut self) -> Result<Expr, Slip> {
        let at = self.at();
        let primary = self.primary()?;
        let opened_at = self.at();
        let predicates = self.predicates()?;
        let filtered = if predicates.is_empty() {
            primary
        } else {
            must_be_nodes(&primary, at, "what predicates `[...]` stand behind")
                .map_err(|slip| Slip { at: opened_at, ..slip })?;
            Expr::Filter { subject: Box::new(primary), predicates }
        };
        let slash_at = self.at();
        let steps = match self.token() {
            Token::Slash => Vec::new(),
            Token::DoubleSlash => vec![any_descendant()],
            _ => return Ok(filtered),
        };
        must_be_nodes(&filtered, slash_at, "what stands before `/`")?;
        self.advance();
        let steps = self.steps(steps)?;
        Ok(Expr::Path { start: Start::Expr(Box::new(filtered)), steps })
    }

    fn primary(&mut self) -> Result<Expr, Slip> {
        match self.token().clone() {
            Token::Literal(text) => {
                self.advance();
                Ok(Expr::Literal(text))
            }
            Token::Number(number) => {
                self.advance();
                Ok(Expr::Number(number))
            }
            Token::OpenParen => {
                self.open()?;
                let expr = self.or()?;
                self.close(&Token::CloseParen)?;
                Ok(expr)
            }
            Token::Function(prefix, name) => self.call(prefix.as_deref(), &name),
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, prefix: Option<&str>, name: &str) -> Result<Expr, Slip> {
        let at = self.at();
        let function = Function::named(name)
            .filter(|_| prefix.is_none())
            .ok_or_else(|| hint::unknown_function(at, prefix, name))?;
        self.advance();
        self.open()?;
        let signature = function.signature();
        let mut arguments = Vec::new();
        if self.token() != &Token::CloseParen {
            loop {
                let argument_at = self.at();
                let argument = self.or()?;
                if signature.takes_nodes {
                    must_be_nodes(&argument, argument_at, &format!("the argument of `{name}()`"))?;
                }
                arguments.push(argument);
                if !self.take(&Token::Comma) {
                    break;
                }
            }
        }
        self.close(&Token::CloseParen)?;
        if !(signature.least..=signature.most).contains(&arguments.len()) {
            let (needed, given) = (signature.arity(), arguments.len());
            return Err(Slip::new(at, format!("`{name}()` takes {needed}, not {given}")));
        }
        Ok(Expr::Call { function, arguments })
    }

    /// `step/step//step`, behind those already there.
    fn steps(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>, Slip> {
        loop {
            steps.push(self.step()?);
            match self.token() {
                Token::Slash => {}
                Token::DoubleSlash => steps.push(any_descendant()),
                _ => return Ok(steps),
            }
            self.advance();
        }
    }

    fn step(&mut self) -> Result<Step, Slip> {
        let axis = match self.token() {
            Token::Dot => return self.abbreviated(Axis::SelfNode),
            Token::DotDot => return self.abbreviated(Axis::Parent),
            Token::At => Axis::Attribute,
            &Token::Axis(axis) => axis,
            _ => {
                let test = self.node_test(Axis::Child)?;
                return Ok(Step { axis: Axis::Child, test, predicates: self.predicates()? });
            }
        };
        self.advance();
        let test = self.node_test(axis)?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    /// `.` and `..`, which take no predicates (2.5).
    fn abbreviated(&mut self, axis: Axis) -> Result<Step, Slip> {
        let shown = if axis == Axis::SelfNode { "." } else { ".." };
        self.advance();
        match self.token() {
            Token::OpenBracket => Err(Slip::new(self.at(), format!("`{shown}` takes no predicate"))
                .with_hint(format!("write `{}::node()[...]` or `{}::*[...]`", axis.word(), axis.word()))),
            _ => Ok(Step { axis, test: NodeTest::Node, predicates: Vec::new() }),
        }
    }

    fn node_test(&mut self, axis: Axis) -> Result<NodeTest, Slip> {
        let at = self.at();
        match self.token().clone() {
            Token::Star => {
                self.advance();
                Ok(NodeTest::AnyName)
            }
            Token::PrefixStar(prefix) => {
                self.advance();
                Ok(NodeTest::AnyOf(self.resolve(prefix, at)?))
            }
            Token::Name(prefix, local) => {
                self.advance();
                let prefixed = prefix.map(|prefix| self.resolve(prefix, at)).transpose()?;
                Ok(NodeTest::Name(prefixed, local))
            }
            Token::NodeType(name) => {
                self.advance();
                self.node_type(name)
            }
            Token::Function(None, name) if axis == Axis::Child => {
                Err(Slip::new(at, format!("`{name}()` cannot be a step of a path")).with_hint(format!(
                    "put the path inside: `{name}(path)`; a step is a name, `@name`, `text()` ..."
                )))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn node_type(&mut self, name: &str) -> Result<NodeTest, Slip> {
        self.open()?;
        let test = match name {
            "node" => NodeTest::Node,
            "text" => NodeTest::Text,
            "comment" => NodeTest::Comment,
            _ => {
                let target = match self.token() {
                    Token::Literal(target) => Some(target.clone()),
                    _ => None,
                };
                if target.is_some() {
                    self.advance();
                }
                NodeTest::ProcessingInstruction(target)
            }
        };
        if self.token() != &Token::CloseParen && self.token() != &Token::End {
            return Err(Slip::new(self.at(), format!("`{name}()` takes nothing here"))
                .with_hint("a condition stands behind it: `text()[contains(., \"x\")]`"));
        }
        self.close(&Token::CloseParen)?;
        Ok(test)
    }

    fn resolve(&self, prefix: String, at: usize) -> Result<Prefixed, Slip> {
        match self.namespaces.get(&prefix) {
            Some(namespace) => Ok(Prefixed { namespace: namespace.to_owned(), prefix }),
            None => Err(Slip::new(at, format!("the prefix `{prefix}` is not declared")).with_hint(format!(
                "declare it with `--namespace {prefix}=URI` or under `namespaces` in the job file"
            ))),
        }
    }

    fn predicates(&mut self) -> Result<Vec<Expr>, Slip> {
        let mut predicates = Vec::new();
        while self.token() == &Token::OpenBracket {
            self.open()?;
            predicates.push(self.or()?);
            self.close(&Token::CloseBracket)?;
        }
        Ok(predicates)
    }

    /// Takes `(` or `[`.
    fn open(&mut self) -> Result<(), Slip> {
        let at = self.at();
        if self.open.len() == MAX_NESTING {
            return Err(Slip::new(at, format!("nested deeper than {MAX_NESTING} levels")));
        }
        self.open.push(at);
        self.advance();
        Ok(())
    }

    /// Takes the `)` or `]` that ends what was opened last.
    fn close(&mut self, token: &Token) -> Result<(), Slip> {
        if !self.take(token) {
            return Err(self.unexpected());
        }
        self.open.pop();
        Ok(())
    }

    /// The next token does not fit; told by what is open and what it is.
    fn unexpected(&self) -> Slip {
        let Spanned { token, at, end } = &self.tokens[self.next];
        let shown = &self.text[*at..*end];
        match (token, self.open.last()) {
            (Token::End, Some(&opened)) => {
                let bracket = &self.text[opened..=opened];
                Slip::new(opened, format!("the `{bracket}` opened here is never closed"))
            }
            (Token::End, None) => {
                Slip::new(*at, "the expression ends too early").with_hint(match self.before() {
                    Some("/" | "//") => "a path does not end with a slash",
                    Some("@") => "the name of an attribute is missing",
                    Some("::") => "a node test is missing: a name, `*`, `text()`, `node()` ...",
                    _ => "an operand is missing",
                })
            }
            (Token::CloseParen | Token::CloseBracket, Some(&opened)) if !self.closes(token, opened) => {
                let (bracket, before) = (&self.text[opened..=opened], &self.text[..opened]);
                let column = before.chars().count() + 1;
                Slip::new(
                    *at,
                    format!("unexpected `{shown}`: the `{bracket}` at column {column} is still open"),
                )
            }
            (Token::CloseParen | Token::CloseBracket, None) => {
                Slip::new(*at, format!("unexpected `{shown}`: nothing is open here"))
            }
            (Token::CloseBracket, Some(_)) => Slip::new(*at, "unexpected `]`: a condition is missing")
                .with_hint("`[1]`, `[@href]`, `[. = \"x\"]`"),
            (Token::Slash, _) if self.before() == Some("//") || self.before() == Some("/") => {
                Slip::new(*at, "unexpected `/`: a step is missing")
                    .with_hint("`/` for a child, `//` for any depth")
            }
            (Token::Operator(Operator::Equal), _)
                if matches!(self.before(), Some("<" | ">" | "=" | "!=" | "<=" | ">=")) =>
            {
                Slip::new(*at, "unexpected `=`")
                    .with_hint("the comparisons are `=`, `!=`, `<`, `<=`, `>`, `>=`, without a space inside")
            }
            (Token::DoubleSlash | Token::Slash, _) if self.before() == Some("@") => {
                Slip::new(*at, format!("unexpected `{shown}`: the name of an attribute is missing"))
            }
            _ => Slip::new(*at, format!("unexpected `{shown}`")),
        }
    }

    fn before(&self) -> Option<&str> {
        let Spanned { token, at, end } = self.tokens.get(self.next.checked_sub(1)?)?;
        Some(if matches!(token, Token::Axis(_)) { "::" } else { &self.text[*at..*end] })
    }

    fn closes(&self, token: &Token, opened: usize) -> bool {
        (token == &Token::CloseParen) == self.text[opened..].starts_with('(')
    }
}

/// What `//` stands for between two steps (2.5).
fn any_descendant() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: NodeTest::Node, predicates: Vec::new() }
}

fn must_be_nodes(expr: &Expr, at: usize, what: &str) -> Result<(), Slip> {
    match expr.kind() {
        Kind::NodeSet => Ok(()),
        other => Err(Slip::new(at, format!("{what} must be a set of nodes, not {other}"))
            .with_hint("a path such as `//a` gives a set of nodes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        let mut namespaces = Namespaces::new();
        namespaces.declare("p", "urn:p").unwrap();
        parse(text, &namespaces).unwrap_or_else(|slip| panic!("{text}: {slip:?}")).to_string()
    }

    fn slip(text: &str) -> Slip {
        match parse(text, &Namespaces::new()) {
            Ok(expr) => panic!("{text} was taken as {expr}"),
            Err(slip) => slip,
        }
    }

    #[test]
    fn abbreviations_are_expanded_as_in_the_recommendation() {
        // XPath 1.0, 2.5, in its order.
        for (short, full) in [
            ("para", "child::para"),
            ("*", "child::*"),
            ("text()", "child::text()"),
            ("@name", "attribute::name"),
            ("@*", "attribute::*"),
            ("para[1]", "child::para[1]"),
            ("para[last()]", "child::para[last()]"),
            ("*/para", "child::*/child::para"),
            ("/doc/chapter[5]/section[2]", "/child::doc/child::chapter[5]/child::section[2]"),
            ("chapter//para", "child::chapter/descendant-or-self::node()/child::para"),
            ("//para", "/descendant-or-self::node()/child::para"),
            ("//olist/item", "/descendant-or-self::node()/child::olist/child::item"),
            (".", "self::node()"),
            (".//para", "self::node()/descendant-or-self::node()/child::para"),
            ("..", "parent::node()"),
            ("../@lang", "parent::node()/attribute::lang"),
            ("para[@type=\"warning\"]", "child::para[attribute::type = \"warning\"]"),
            ("chapter[title]", "child::chapter[child::title]"),
            ("employee[@a and @b]", "child::employee[attribute::a and attribute::b]"),
            ("p:a/p:*", "child::p:a/child::p:*"),
            ("processing-instruction('x')", "child::processing-instruction(\"x\")"),
        ] {
            assert_eq!(canonical(short), full);
        }
    }

    #[test]
    fn operators_bind_as_the_grammar_says() {
        for (text, grouped) in [
            ("1 or 2 and 3", "1 or 2 and 3"),
            ("(1 or 2) and 3", "(1 or 2) and 3"),
            ("3 > 2 > 1", "3 > 2 > 1"),
            ("3 > (2 > 1)", "3 > (2 > 1)"),
            ("1 = 2 < 3", "1 = 2 < 3"),
            ("(1 = 2) < 3", "(1 = 2) < 3"),
            ("1 - (2 - 3)", "1 - (2 - 3)"),
            ("(1 - 2) - 3", "(1 - 2) - 3"),
            ("-a|b", "-child::a | child::b"),
            ("--1", "--1"),
            ("-(-1)", "-(-1)"),
            ("2*-3", "2 * -3"),
            ("(a)[1]/b", "(child::a)[1]/child::b"),
            ("(a/b)/c", "(child::a/child::b)/child::c"),
            ("(/) * 2", "(/) * 2"),
            ("(/)[a]", "(/)[child::a]"),
            ("id('x')/a", "id(\"x\")/child::a"),
            ("/", "/"),
        ] {
            assert_eq!(canonical(text), grouped);
            assert_eq!(canonical(grouped), grouped);
        }
    }

    #[test]
    fn a_slip_points_at_the_wrong_character_and_says_what_to_write() {
        for (text, at, hint) in [
            ("//a[matches(., 'x')]", 4, "regular expressions"),
            ("lower-case(a)", 0, "translate"),
            ("a[ends-with(@href, 'x')]", 2, "substring"),
            ("string-join(//a, ',')", 0, "NAME[]"),
            ("replace(a, 'b', 'c')", 0, "translate"),
            ("tokenize(a, 'b')", 0, "substring-before"),
            ("div.item > a", 9, "CSS"),
            ("h3 > a", 3, "CSS"),
            ("div.item", 3, "CSS"),
            ("#id", 0, "CSS"),
            ("div#id", 3, "CSS"),
            ("ul li", 3, "CSS"),
            ("a::text", 0, "/text()"),
            ("a::attr(href)", 0, "/@href"),
            ("//a[@b == 'c']", 7, "single `=`"),
            ("//a[@b && @c]", 7, "`and`"),
            ("//a[@b || @c]", 7, "`or`"),
            ("//a[@b = “c”]", 9, "plain quotes"),
            ("//a[!@b]", 4, "not("),
            ("decendant::a", 0, "`descendant::`"),
            ("contians(a, 'b')", 0, "`contains()`"),
            ("//foo:a", 2, "--namespace foo=URI"),
            ("$x", 0, "not available"),
            ("a[b eq 'c']", 4, "`=`"),
            ("count('a')", 6, "path"),
            ("'a'/b", 3, "path"),
            ("a | 'b'", 4, "path"),
            ("'a'[1]", 3, "path"),
            ("sum(1)", 4, "path"),
            ("//a/string()", 4, "inside"),
            (".[a]", 1, "self::node()"),
            ("//a/", 4, "slash"),
            ("//a[]", 4, "[1]"),
            ("re:test(a, 'b')", 0, "regular expressions"),
            ("//a[text(), 'x']", 10, ""),
            ("'it's'", 4, "other kind"),
        ] {
            let slip = slip(text);
            assert_eq!(slip.at, at, "{text}: {slip:?}");
            assert!(slip.hint.as_deref().unwrap_or("").contains(hint), "{text}: {slip:?}");
        }
    }

    #[test]
    fn what_was_opened_and_not_closed_is_shown() {
        for (text, at, message) in [
            ("//a[b", 3, "`[` opened here is never closed"),
            ("count(//a", 5, "`(` opened here is never closed"),
            ("//a[. = 'x]", 8, "quote `'` opened here"),
            ("//a[(b]", 6, "`(` at column 5 is still open"),
            ("//a]", 3, "nothing is open"),
            ("//a[b)]", 5, "`[` at column 4 is still open"),
        ] {
            let slip = slip(text);
            assert_eq!((slip.at, slip.message.contains(message)), (at, true), "{text}: {slip:?}");
        }
    }

    #[test]
    fn a_wrong_number_of_arguments_says_how_many() {
        assert_eq!(slip("contains(a)").message, "`contains()` takes 2 arguments, not 1");
        assert_eq!(slip("position(1)").message, "`position()` takes no argument, not 1");
        assert_eq!(slip("concat('a')").message, "`concat()` takes at least 2 arguments, not 1");
        assert_eq!(slip("substring('a')").message, "`substring()` takes 2 or 3 arguments, not 1");
    }

    #[test]
    fn what_only_looks_like_css_is_taken() {
        for text in ["//item[price > limit]", "./div.item", "a > 1", "count(a) > count(b)", "item.name", "."]
        {
            parse(text, &Namespaces::new()).unwrap_or_else(|slip| panic!("{text}: {slip:?}"));
        }
    }

    #[test]
    fn size_and_nesting_are_limited() {
        let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(64), &Namespaces::new()).is_ok());
        assert_eq!(slip(&nested(65)).at, 64);
        assert_eq!(slip(&format!("{}1", "(".repeat(3000))).at, 64);
        assert!(slip(&" ".repeat(5000)).message.contains("4096"));
        let chain = format!("1{}", "+1".repeat(2000));
        assert!(parse(&chain, &Namespaces::new()).is_ok());
        assert!(parse(&format!("{}1", "-".repeat(4000)), &Namespaces::new()).is_ok());
        let filtered = |n: usize| format!("(a){}", "[1]".repeat(n));
        assert!(parse(&filtered(127), &Namespaces::new()).is_ok());
        assert!(slip(&filtered(128)).message.contains("deeper than 128 levels"));
    }
}
