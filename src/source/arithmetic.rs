//! The arithmetic between the braces of a template: `page*25`, `(page-1)*25+1`.
//!
//! Whole numbers of 64 bits. `/` and `%` round towards zero and keep the sign of the dividend, as in C and the shell.
//! Every step is checked: a result that does not fit is an error, never a wrong page. Knows nothing of braces, widths
//! or URLs.
//!
//! An expression is kept in postfix order and evaluated with a stack on the heap, so that `1+1+1+…` costs no call
//! depth; only the parser recurses, and it counts.

use super::names::Names;
use super::variable::{Kind, Value};
use crate::mistake::Slip;

/// Parentheses and signs may be nested this deep: far beyond any use, and far below what a thread's stack holds.
const DEPTH_MAX: usize = 64;

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Number(i64),
    /// The variable at this place of the names.
    Variable(usize),
    Negate,
    Apply(Operator),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Why an expression has no value for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Overflow,
    DivisionByZero,
}

impl Expression {
    /// Reads one expression from byte `start` of `text` on, as far as it goes. Gives it and where it ended.
    pub(super) fn parse(text: &str, start: usize, names: &Names) -> Result<(Expression, usize), Slip> {
        let mut parser = Parser { text, at: start, steps: Vec::new(), names };
        parser.sum(0)?;
        Ok((Expression { steps: parser.steps }, parser.at))
    }

    /// Its value where the variables have these.
    pub(super) fn evaluate(&self, values: &[Value<'_>]) -> Result<i64, Fault> {
        let mut stack = Vec::with_capacity(8);
        for step in &self.steps {
            let value = match *step {
                Step::Number(number) => number,
                Step::Variable(place) => match values.get(place) {
                    Some(Value::Number(number)) => *number,
                    // The parser takes numbers only.
                    _ => 0,
                },
                Step::Negate => pop(&mut stack).checked_neg().ok_or(Fault::Overflow)?,
                Step::Apply(operator) => {
                    let right = pop(&mut stack);
                    operator.apply(pop(&mut stack), right)?
                }
            };
            stack.push(value);
        }
        Ok(pop(&mut stack))
    }

    /// The places of the variables in it.
    pub(super) fn variables(&self) -> impl Iterator<Item = usize> + '_ {
        self.steps.iter().filter_map(|step| match step {
            Step::Variable(place) => Some(*place),
            _ => None,
        })
    }
}

fn pop(stack: &mut Vec<i64>) -> i64 {
    stack.pop().expect("the parser emits operands before their operator")
}

impl Operator {
    fn apply(self, left: i64, right: i64) -> Result<i64, Fault> {
        let result = match self {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::Divide | Operator::Remainder if right == 0 => return Err(Fault::DivisionByZero),
            Operator::Divide => left.checked_div(right),
            Operator::Remainder => left.checked_rem(right),
        };
        result.ok_or(Fault::Overflow)
    }
}

/// Skips spaces in front of byte `at`.
pub(super) fn skip_spaces(text: &str, at: usize) -> usize {
    at + text[at..].bytes().take_while(|&b| b == b' ').count()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    steps: Vec<Step>,
    names: &'t Names,
}

impl Parser<'_> {
    /// product (("+" | "-") product)*
    fn sum(&mut self, depth: usize) -> Result<(), Slip> {
        self.product(depth)?;
        while let Some(operator) = self.operator(&[('+', Operator::Add), ('-', Operator::Subtract)]) {
            self.product(depth)?;
            self.steps.push(Step::Apply(operator));
        }
        Ok(())
    }

    /// factor (("*" | "/" | "%") factor)*
    fn product(&mut self, depth: usize) -> Result<(), Slip> {
        const OPERATORS: [(char, Operator); 3] =
            [('*', Operator::Multiply), ('/', Operator::Divide), ('%', Operator::Remainder)];
        self.factor(depth)?;
        while let Some(operator) = self.operator(&OPERATORS) {
            self.factor(depth)?;
            self.steps.push(Step::Apply(operator));
        }
        Ok(())
    }

    /// "-" factor | "(" sum ")" | number | "page"
    fn factor(&mut self, depth: usize) -> Result<(), Slip> {
        let next = self.peek();
        let start = self.at;
        if depth >= DEPTH_MAX && matches!(next, Some('-' | '(')) {
            return Err(Slip::new(start, format!("nested deeper than {DEPTH_MAX} levels")));
        }
        match next {
            Some('-') => {
                self.at += 1;
                self.factor(depth + 1)?;
                self.steps.push(Step::Negate);
                Ok(())
            }
            Some('(') => {
                self.at += 1;
                self.sum(depth + 1)?;
                if self.peek() != Some(')') {
                    return Err(Slip::new(start, "`(` is never closed").with_hint("close it with `)`"));
                }
                self.at += 1;
                Ok(())
            }
            Some('0'..='9') => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(),
            Some('}' | ':') | None => {
                Err(Slip::new(start, "a number or `page` is missing here").with_hint("as in `{page*25}`"))
            }
            Some(c) => Err(Slip::new(start, format!("unexpected `{}` in an expression", c.escape_debug()))
                .with_hint("an expression is made of `page`, numbers, + - * / % and parentheses; `{{` is a literal brace")),
        }
    }

    fn number(&mut self) -> Result<(), Slip> {
        let start = self.at;
        self.at += self.text[start..].bytes().take_while(u8::is_ascii_digit).count();
        let number = self.text[start..self.at].parse().map_err(|_| {
            Slip::new(start, "number too large").with_hint(format!("the largest is {}", i64::MAX))
        })?;
        self.steps.push(Step::Number(number));
        Ok(())
    }

    fn name(&mut self) -> Result<(), Slip> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..length];
        let Some((place, kind)) = self.names.find(name) else {
            return Err(self.names.unknown(name, self.at));
        };
        if kind != Kind::Number {
            return Err(Slip::new(
                self.at,
                format!("`{name}` is not a number, and cannot be calculated with"),
            )
            .with_hint(format!("write `{{{name}}}` by itself")));
        }
        self.at += length;
        self.steps.push(Step::Variable(place));
        Ok(())
    }

    fn operator(&mut self, operators: &[(char, Operator)]) -> Option<Operator> {
        let next = self.peek()?;
        let &(_, operator) = operators.iter().find(|(sign, _)| *sign == next)?;
        self.at += 1;
        Some(operator)
    }

    /// The next character that is not a space.
    fn peek(&mut self) -> Option<char> {
        self.at = skip_spaces(self.text, self.at);
        self.text[self.at..].chars().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(text: &str, page: i64) -> Result<i64, Fault> {
        let (expression, end) = Expression::parse(text, 0, &Names::default()).expect("a valid expression");
        assert_eq!(end, text.len());
        expression.evaluate(&[Value::Number(page)])
    }

    #[test]
    fn products_bind_tighter_and_chains_go_from_left_to_right() {
        assert_eq!(value("1+page*25", 3), Ok(76));
        assert_eq!(value("(page-1)*25+1", 3), Ok(51));
        assert_eq!(value("10-4-3", 0), Ok(3));
        assert_eq!(value("100/10/2", 0), Ok(5));
        assert_eq!(value(" 7 - -page ", 2), Ok(9));
        assert_eq!(value("--page", 2), Ok(2));
    }

    #[test]
    fn division_rounds_towards_zero_and_the_remainder_has_the_sign_of_the_dividend() {
        assert_eq!(value("-7/2", 0), Ok(-3));
        assert_eq!(value("page%3", -7), Ok(-1));
        assert_eq!(value("7%-3", 0), Ok(1));
    }

    #[test]
    fn what_does_not_fit_is_a_fault() {
        assert_eq!(value("page+1", i64::MAX), Err(Fault::Overflow));
        assert_eq!(value("page-1", i64::MIN), Err(Fault::Overflow));
        assert_eq!(value("page*2", i64::MAX), Err(Fault::Overflow));
        assert_eq!(value("-page", i64::MIN), Err(Fault::Overflow));
        assert_eq!(value("page/-1", i64::MIN), Err(Fault::Overflow));
        assert_eq!(value("page%-1", i64::MIN), Err(Fault::Overflow));
        assert_eq!(value("1/page", 0), Err(Fault::DivisionByZero));
        assert_eq!(value("1%(page-page)", 5), Err(Fault::DivisionByZero));
    }

    #[test]
    fn nesting_is_capped_and_a_long_chain_is_not_nesting() {
        let nested = |n: usize| format!("{}page{}", "(".repeat(n), ")".repeat(n));
        assert_eq!(value(&nested(64), 7), Ok(7));
        let slip = Expression::parse(&nested(65), 0, &Names::default()).unwrap_err();
        assert_eq!((slip.at, slip.message.as_str()), (64, "nested deeper than 64 levels"));
        assert_eq!(
            Expression::parse(&format!("{}1", "-".repeat(65)), 0, &Names::default()).unwrap_err().at,
            64
        );
        assert_eq!(value(&format!("page{}", "+1".repeat(4_000)), 0), Ok(4_000));
    }

    /// An expression as a tree, to be written with all its parentheses and computed in 128 bits.
    #[derive(Debug, Clone)]
    enum Tree {
        Number(i64),
        Page,
        Negate(Box<Tree>),
        Pair(Box<Tree>, char, Box<Tree>),
    }

    impl Tree {
        fn text(&self) -> String {
            match self {
                Tree::Number(n) => n.to_string(),
                Tree::Page => "page".into(),
                Tree::Negate(inner) => format!("-({})", inner.text()),
                Tree::Pair(l, sign, r) => format!("({}) {sign} ({})", l.text(), r.text()),
            }
        }

        /// The value if every step of it fits 64 bits.
        fn value(&self, page: i64) -> Option<i128> {
            let value = match self {
                Tree::Number(n) => i128::from(*n),
                Tree::Page => i128::from(page),
                Tree::Negate(inner) => -inner.value(page)?,
                Tree::Pair(l, sign, r) => {
                    let (l, r) = (l.value(page)?, r.value(page)?);
                    match sign {
                        '+' => l + r,
                        '-' => l - r,
                        '*' => l * r,
                        _ if r == 0 => return None,
                        // 64 bits cannot take the remainder here, though 128 can.
                        '%' if l == i128::from(i64::MIN) && r == -1 => return None,
                        '/' => l / r,
                        _ => l % r,
                    }
                }
            };
            i64::try_from(value).ok().map(i128::from)
        }
    }

    fn trees() -> impl Strategy<Value = Tree> {
        let numbers = prop_oneof![0..10_i64, 0..=i64::MAX, Just(i64::MAX)];
        let leaf = prop_oneof![numbers.prop_map(Tree::Number), Just(Tree::Page)];
        leaf.prop_recursive(6, 40, 2, |inner| {
            let signs = proptest::sample::select(vec!['+', '-', '*', '/', '%']);
            prop_oneof![
                inner.clone().prop_map(|tree| Tree::Negate(Box::new(tree))),
                (inner.clone(), signs, inner).prop_map(|(l, sign, r)| Tree::Pair(
                    Box::new(l),
                    sign,
                    Box::new(r)
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_agree_with_arithmetic_in_128_bits(
            tree in trees(),
            page in prop_oneof![-50..50_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)],
        ) {
            prop_assert_eq!(value(&tree.text(), page).ok().map(i128::from), tree.value(page));
        }
    }
}
