//! Tree ─▶ program.

use super::plan::{Reach, segments};
use super::program::{
    Counting, Expression, NamePart, Number, Path, Predicate, Predicates, Program, Regexp, Segment, Set,
    Start, Step, Test, Text, Truth,
};
use crate::extract::regular::Pattern;
use crate::extract::xpath::ast::{self, Axis, Expr, Kind, NodeTest};
use crate::extract::xpath::function::Function;
use crate::extract::xpath::simplify::{is_plain, simplified};
use crate::html::dom::{LocalName, Namespace};

/// Why an expression is left to the other engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract::xpath) struct Declined(pub(in crate::extract::xpath) &'static str);

type Compiled<T> = Result<T, Declined>;

/// Predicates that are counted without collecting the candidates first.
pub(super) const MOST_COUNTED: usize = 4;

/// The program of an expression.
///
/// # Errors
///
/// It needs something that the document does not have: the namespace axis.
pub(in crate::extract::xpath) fn compile(expr: &Expr) -> Compiled<Program> {
    expression(expr).map(Program)
}

fn expression(expr: &Expr) -> Compiled<Expression> {
    Ok(match expr.kind() {
        Kind::NodeSet => Expression::Set(set(expr)?),
        Kind::String => Expression::Text(text(expr)?),
        Kind::Number => Expression::Number(number(expr)?),
        Kind::Boolean => Expression::Truth(truth(expr)?),
    })
}

fn each<T>(exprs: &[Expr], compile: impl Fn(&Expr) -> Compiled<T>) -> Compiled<Box<[T]>> {
    exprs.iter().map(compile).collect()
}

fn set(expr: &Expr) -> Compiled<Set> {
    Ok(match expr {
        Expr::Path { start, steps } => short(path(start, steps)?),
        Expr::Union(operands) => Set::Union(each(operands, set)?),
        Expr::Filter { subject, predicates: list } => {
            let (subject, predicates) = (set(subject)?, predicates(list)?);
            let is_ordered = subject.is_ordered() || predicates.counting != Counting::Nothing;
            Set::Filter { subject: Box::new(subject), predicates, is_ordered }
        }
        Expr::Call { function: Function::Id, arguments } => match arguments.as_slice() {
            [ids] if ids.kind() == Kind::NodeSet => Set::IdsIn(Box::new(set(ids)?)),
            [ids] => Set::Ids(Box::new(text(ids)?)),
            _ => return Err(MISTYPED),
        },
        _ => return Err(MISTYPED),
    })
}

/// The parser gives no such tree.
const MISTYPED: Declined = Declined("it has a value where a set of nodes must be");

/// A path of one step is that step.
fn short(mut path: Path) -> Set {
    if let (Start::Context, [Segment { steps, is_ordered: true, is_swept: false, .. }]) =
        (&path.start, &mut *path.segments)
        && steps.len() == 1
        && let Some(step) = std::mem::take(steps).into_iter().next()
    {
        return Set::Step(step);
    }
    Set::Path(path)
}

fn path(start: &ast::Start, steps: &[ast::Step]) -> Compiled<Path> {
    let start = match start {
        ast::Start::Root => Start::Root,
        ast::Start::Context => Start::Context,
        ast::Start::Expr(expr) => Start::Set(Box::new(set(expr)?)),
    };
    let reach = if matches!(start, Start::Set(_)) { Reach::Nested } else { Reach::One };
    let steps = match simplified(steps).as_slice() {
        [only] if is_plain(only, Axis::SelfNode) => Vec::new(),
        steps => steps.iter().map(step).collect::<Compiled<Vec<Step>>>()?,
    };
    Ok(Path { start, segments: segments(steps, reach) })
}

fn step(step: &ast::Step) -> Compiled<Step> {
    if step.axis == Axis::Namespace {
        return Err(Declined("it asks for the namespace axis"));
    }
    Ok(Step { axis: step.axis, test: test(&step.test), predicates: predicates(&step.predicates)? })
}

fn test(test: &NodeTest) -> Test {
    let namespace = |prefixed: &ast::Prefixed| Namespace::from(prefixed.namespace.as_str());
    match test {
        NodeTest::AnyName => Test::AnyName,
        NodeTest::AnyOf(prefixed) => Test::AnyOf(namespace(prefixed)),
        NodeTest::Name(prefixed, local) => {
            Test::Name(prefixed.as_ref().map(namespace).unwrap_or_default(), LocalName::from(local.as_str()))
        }
        NodeTest::Node => Test::Node,
        NodeTest::Text => Test::Text,
        NodeTest::Comment => Test::Comment,
        NodeTest::ProcessingInstruction(target) => {
            Test::ProcessingInstruction(target.as_deref().map(Box::from))
        }
    }
}

fn predicates(exprs: &[Expr]) -> Compiled<Predicates> {
    let list = each(exprs, predicate)?;
    let counting = if !exprs.iter().any(Expr::is_positional) {
        Counting::Nothing
    } else if exprs.iter().any(Expr::asks_for_size) || exprs.len() > MOST_COUNTED {
        Counting::Size
    } else {
        Counting::Position
    };
    Ok(Predicates { list, counting })
}

/// Numbers are compared with the position (2.4).
fn predicate(expr: &Expr) -> Compiled<Predicate> {
    Ok(match expr {
        &Expr::Number(place) if place >= 1.0 && place <= f64::from(u32::MAX) && place.fract() == 0.0 => {
            Predicate::Nth(place as u32)
        }
        Expr::Call { function: Function::Last, .. } => Predicate::Last,
        other if other.kind() == Kind::Number => Predicate::Place(number(other)?),
        other => Predicate::Truth(truth(other)?),
    })
}

/// As `string()` gives it (4.2).
fn text(expr: &Expr) -> Compiled<Text> {
    match expr.kind() {
        Kind::NodeSet => {
            return Ok(match set(expr)? {
                Set::Path(Path { start: Start::Context, segments }) if segments.is_empty() => Text::Context,
                set => Text::First(Box::new(set)),
            });
        }
        Kind::Number => return Ok(Text::Number(Box::new(number(expr)?))),
        Kind::Boolean => return Ok(Text::Truth(Box::new(truth(expr)?))),
        Kind::String => {}
    }
    let (function, arguments) = match expr {
        Expr::Literal(text) => return Ok(Text::Literal(text.as_str().into())),
        Expr::Call { function, arguments } => (function, arguments.as_slice()),
        _ => return Err(MISTYPED),
    };
    let named = |part| Ok(Text::Name(part, arguments.first().map(set).transpose()?.map(Box::new)));
    match (function, arguments) {
        (Function::LocalName, _) => named(NamePart::Local),
        (Function::NamespaceUri, _) => named(NamePart::Namespace),
        (Function::Name, _) => named(NamePart::Whole),
        (Function::String, _) => text_or_context(arguments),
        (Function::Concat, _) => Ok(Text::Concat(each(arguments, text)?)),
        (Function::SubstringBefore, [whole, mark]) => Ok(Text::Before(Box::new((text(whole)?, text(mark)?)))),
        (Function::SubstringAfter, [whole, mark]) => Ok(Text::After(Box::new((text(whole)?, text(mark)?)))),
        (Function::Substring, [whole, from, length @ ..]) => {
            let length = length.first().map(number).transpose()?;
            Ok(Text::Substring(Box::new((text(whole)?, number(from)?, length))))
        }
        (Function::NormalizeSpace, _) => Ok(Text::Normalized(Box::new(text_or_context(arguments)?))),
        (Function::Translate, [whole, from, to]) => {
            Ok(Text::Translated(Box::new((text(whole)?, text(from)?, text(to)?))))
        }
        (Function::ReMatch, [whole, pattern, flags @ ..]) => {
            Ok(Text::Matched(Box::new((text(whole)?, regexp(pattern, flags.first())?))))
        }
        (Function::ReReplace, [whole, pattern, flags, by]) => {
            Ok(Text::Replaced(Box::new((text(whole)?, regexp(pattern, Some(flags))?, text(by)?))))
        }
        _ => Err(MISTYPED),
    }
}

fn text_or_context(arguments: &[Expr]) -> Compiled<Text> {
    arguments.first().map_or(Ok(Text::Context), text)
}

fn regexp(pattern: &Expr, flags: Option<&Expr>) -> Compiled<Regexp> {
    let known = match (pattern, flags) {
        (Expr::Literal(pattern), None) => Pattern::new(pattern, "").ok(),
        (Expr::Literal(pattern), Some(Expr::Literal(flags))) => Pattern::new(pattern, flags).ok(),
        _ => None,
    };
    if let Some(pattern) = known {
        return Ok(Regexp::Known(pattern));
    }
    let flags = flags.map_or_else(|| Ok(Text::Literal("".into())), text)?;
    Ok(Regexp::Computed(Box::new((text(pattern)?, flags))))
}

/// As `number()` gives it (4.4).
fn number(expr: &Expr) -> Compiled<Number> {
    match expr.kind() {
        Kind::NodeSet | Kind::String => return Ok(Number::Text(Box::new(text(expr)?))),
        Kind::Boolean => return Ok(Number::Truth(Box::new(truth(expr)?))),
        Kind::Number => {}
    }
    let (function, arguments) = match expr {
        Expr::Number(number) => return Ok(Number::Literal(*number)),
        Expr::Negate { times, operand } => {
            let operand = number(operand)?;
            return Ok(if times % 2 == 1 { Number::Negated(Box::new(operand)) } else { operand });
        }
        Expr::Chain { first, rest } => {
            let rest = rest.iter().map(|(operator, operand)| Ok((*operator, number(operand)?)));
            return Ok(Number::Chain(Box::new(number(first)?), rest.collect::<Compiled<_>>()?));
        }
        Expr::Call { function, arguments } => (function, arguments.as_slice()),
        _ => return Err(MISTYPED),
    };
    match (function, arguments) {
        (Function::Last, _) => Ok(Number::Size),
        (Function::Position, _) => Ok(Number::Position),
        (Function::Count, [nodes]) => Ok(Number::Count(Box::new(set(nodes)?))),
        (Function::Sum, [nodes]) => Ok(Number::Sum(Box::new(set(nodes)?))),
        (Function::StringLength, _) => Ok(Number::Length(Box::new(text_or_context(arguments)?))),
        (Function::Number, [one]) => number(one),
        (Function::Number, _) => Ok(Number::Text(Box::new(Text::Context))),
        (Function::Floor, [one]) => Ok(Number::Floor(Box::new(number(one)?))),
        (Function::Ceiling, [one]) => Ok(Number::Ceiling(Box::new(number(one)?))),
        (Function::Round, [one]) => Ok(Number::Round(Box::new(number(one)?))),
        _ => Err(MISTYPED),
    }
}

/// As `boolean()` gives it (4.3).
fn truth(expr: &Expr) -> Compiled<Truth> {
    match expr.kind() {
        Kind::NodeSet => return Ok(Truth::Exists(Box::new(set(expr)?))),
        Kind::String => return Ok(Truth::NotEmpty(Box::new(text(expr)?))),
        Kind::Number => return Ok(Truth::NotZero(Box::new(number(expr)?))),
        Kind::Boolean => {}
    }
    let (function, arguments) = match expr {
        Expr::Or(operands) => return Ok(Truth::Or(each(operands, truth)?)),
        Expr::And(operands) => return Ok(Truth::And(each(operands, truth)?)),
        Expr::Chain { first, rest } => {
            let rest = rest.iter().map(|(operator, operand)| Ok((*operator, expression(operand)?)));
            return Ok(Truth::Chain(Box::new(expression(first)?), rest.collect::<Compiled<_>>()?));
        }
        Expr::Call { function, arguments } => (function, arguments.as_slice()),
        _ => return Err(MISTYPED),
    };
    match (function, arguments) {
        (Function::True, _) => Ok(Truth::Constant(true)),
        (Function::False, _) => Ok(Truth::Constant(false)),
        (Function::Not, [one]) => Ok(Truth::Not(Box::new(truth(one)?))),
        (Function::Boolean, [one]) => truth(one),
        (Function::StartsWith, [text_in, start]) => {
            Ok(Truth::StartsWith(Box::new((text(text_in)?, text(start)?))))
        }
        (Function::Contains, [text_in, part]) => Ok(Truth::Contains(Box::new((text(text_in)?, text(part)?)))),
        (Function::HasClass, _) => Ok(Truth::HasClasses(each(arguments, text)?)),
        (Function::ReTest, [whole, pattern, flags @ ..]) => {
            Ok(Truth::Matches(Box::new((text(whole)?, regexp(pattern, flags.first())?))))
        }
        (Function::Lang, [wanted]) => Ok(Truth::Lang(Box::new(text(wanted)?))),
        _ => Err(MISTYPED),
    }
}
