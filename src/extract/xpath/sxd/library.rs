//! The core functions (4), over the order and the texts that are made once per page.
//!
//! Arity and node-set arguments were checked by the parser.

use std::borrow::Cow;
use std::rc::Rc;

use sxd_xpath::Value;
use sxd_xpath::context::{Context, Evaluation};
use sxd_xpath::function::{Error, Function};
use sxd_xpath::nodeset::{Node, Nodeset};

use super::order::Shared;
use super::{operators, regexp, sweep};
use crate::extract::xpath::{XML_NAMESPACE, chars, number};

/// A function of ours: what it is called with beside what the page shares.
pub(super) type Run = for<'c, 'd> fn(&Call<'_, 'c, 'd>) -> Result<Value<'d>, Error>;

/// One call.
pub(super) struct Call<'a, 'c, 'd: 'c> {
    pub(super) shared: &'a Shared,
    pub(super) context: &'a Evaluation<'c, 'd>,
    pub(super) arguments: Vec<Value<'d>>,
}

struct Registered {
    shared: Rc<Shared>,
    run: Run,
}

impl Function for Registered {
    fn evaluate<'c, 'd>(
        &self,
        context: &Evaluation<'c, 'd>,
        arguments: Vec<Value<'d>>,
    ) -> Result<Value<'d>, Error> {
        (self.run)(&Call { shared: &self.shared, context, arguments })
    }
}

/// Makes all functions known to `context`.
pub(super) fn register(context: &mut Context<'_>, shared: &Rc<Shared>) {
    for &(name, run) in
        CORE.iter().chain(operators::ALL).chain(regexp::ALL).chain(&[("sweep", sweep::sweep as Run)])
    {
        context.set_function(name, Registered { shared: Rc::clone(shared), run });
    }
}

/// Bytes that `concat()` and `re:replace()` may put together; no other result can be longer than the page.
pub(super) const MAX_TEXT: usize = 64 << 20;

const CORE: &[(&str, Run)] = &[
    ("last", |call| Ok(Value::Number(call.context.size as f64))),
    ("position", |call| Ok(Value::Number(call.context.position as f64))),
    ("count", |call| Ok(Value::Number(call.nodes(0)?.size() as f64))),
    ("id", id),
    ("local-name", |call| Ok(Value::String(call.named()?.map_or_else(String::new, local_name)))),
    ("namespace-uri", |call| Ok(Value::String(call.named()?.map_or_else(String::new, namespace_uri)))),
    ("name", |call| Ok(Value::String(call.named()?.map_or_else(String::new, name)))),
    ("string", |call| Ok(Value::String(call.text_or_context()?.into_owned()))),
    ("concat", |call| {
        let mut all = String::new();
        for index in 0..call.arguments.len() {
            all.push_str(&call.text(index)?);
            if all.len() > MAX_TEXT {
                return Err(Error::Other("the text grows beyond 64M".to_owned()));
            }
        }
        Ok(Value::String(all))
    }),
    ("starts-with", |call| Ok(Value::Boolean(call.text(0)?.starts_with(&*call.text(1)?)))),
    ("contains", |call| Ok(Value::Boolean(call.text(0)?.contains(&*call.text(1)?)))),
    ("substring-before", |call| Ok(Value::String(chars::before(&call.text(0)?, &call.text(1)?).to_owned()))),
    ("substring-after", |call| Ok(Value::String(chars::after(&call.text(0)?, &call.text(1)?).to_owned()))),
    ("substring", |call| {
        let length = if call.arguments.len() > 2 { Some(call.number(2)?) } else { None };
        Ok(Value::String(chars::substring(&call.text(0)?, call.number(1)?, length)))
    }),
    ("string-length", |call| Ok(Value::Number(call.text_or_context()?.chars().count() as f64))),
    ("normalize-space", |call| Ok(Value::String(chars::normalize_space(&call.text_or_context()?)))),
    ("translate", |call| Ok(Value::String(chars::translate(&call.text(0)?, &call.text(1)?, &call.text(2)?)))),
    ("boolean", |call| Ok(Value::Boolean(call.value(0)?.boolean()))),
    ("not", |call| Ok(Value::Boolean(!call.value(0)?.boolean()))),
    ("true", |_| Ok(Value::Boolean(true))),
    ("false", |_| Ok(Value::Boolean(false))),
    ("lang", |call| Ok(Value::Boolean(lang(call.shared, call.context.node, &call.text(0)?)))),
    ("number", |call| match call.arguments.first() {
        Some(_) => Ok(Value::Number(call.number(0)?)),
        None => Ok(Value::Number(number::parse(&call.text_or_context()?))),
    }),
    ("sum", |call| {
        // In document order: a sum of floats depends on it, and the order of a set changes from run to run. Folded from
        // positive zero, since `Iterator::sum` of nothing is the negative one.
        let nodes = call.shared.sorted(call.nodes(0)?);
        let add = |sum: f64, node| sum + number::parse(call.shared.string_value(node));
        Ok(Value::Number(nodes.into_iter().fold(0.0, add)))
    }),
    ("floor", |call| Ok(Value::Number(call.number(0)?.floor()))),
    ("ceiling", |call| Ok(Value::Number(call.number(0)?.ceil()))),
    ("round", |call| Ok(Value::Number(number::round(call.number(0)?)))),
];

impl<'d> Call<'_, '_, 'd> {
    pub(super) fn value(&self, index: usize) -> Result<&Value<'d>, Error> {
        self.arguments.get(index).ok_or(Error::ArgumentMissing)
    }

    pub(super) fn nodes(&self, index: usize) -> Result<&Nodeset<'d>, Error> {
        match self.value(index)? {
            Value::Nodeset(nodes) => Ok(nodes),
            other => Err(Error::ArgumentNotANodeset { actual: other.into() }),
        }
    }

    /// An argument as `string()` gives it.
    pub(super) fn text(&self, index: usize) -> Result<Cow<'_, str>, Error> {
        text_of(self.shared, self.value(index)?)
    }

    /// An argument as `number()` gives it.
    pub(super) fn number(&self, index: usize) -> Result<f64, Error> {
        number_of(self.shared, self.value(index)?)
    }

    fn text_or_context(&self) -> Result<Cow<'_, str>, Error> {
        match self.arguments.first() {
            Some(_) => self.text(0),
            None => charged(self.shared, self.context.node).map(Cow::Borrowed),
        }
    }

    /// The node whose name is asked for.
    fn named(&self) -> Result<Option<Node<'d>>, Error> {
        match self.arguments.first() {
            Some(_) => Ok(self.shared.first(self.nodes(0)?)),
            None => Ok(Some(self.context.node)),
        }
    }
}

/// A string-value, its length charged to the budget: `//*[contains(., "x")]` reads each text once per level.
pub(super) fn charged<'a, 'd: 'a>(shared: &'a Shared, node: Node<'d>) -> Result<&'a str, Error> {
    let text = shared.string_value(node);
    shared.budget.charge(1 + text.len() / 1024)?;
    Ok(text)
}

pub(super) fn text_of<'a>(shared: &'a Shared, value: &'a Value<'_>) -> Result<Cow<'a, str>, Error> {
    Ok(match value {
        Value::Boolean(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number::format(*number)),
        Value::String(text) => Cow::Borrowed(text),
        Value::Nodeset(nodes) => match shared.first(nodes) {
            Some(node) => Cow::Borrowed(charged(shared, node)?),
            None => Cow::Borrowed(""),
        },
    })
}

pub(super) fn number_of(shared: &Shared, value: &Value<'_>) -> Result<f64, Error> {
    match value {
        Value::Boolean(truth) => Ok(f64::from(u8::from(*truth))),
        Value::Number(number) => Ok(*number),
        other => Ok(number::parse(&text_of(shared, other)?)),
    }
}

fn local_name(node: Node<'_>) -> String {
    node.expanded_name().map_or_else(String::new, |name| name.local_part().to_owned())
}

fn namespace_uri(node: Node<'_>) -> String {
    node.expanded_name().and_then(|name| name.namespace_uri()).unwrap_or("").to_owned()
}

/// The name with its prefix as written; sxd would take any prefix that is bound to the same namespace.
fn name(node: Node<'_>) -> String {
    let prefix = match node {
        Node::Element(n) => n.preferred_prefix(),
        Node::Attribute(n) => n.preferred_prefix(),
        _ => None,
    };
    match prefix {
        Some(prefix) => format!("{prefix}:{}", local_name(node)),
        None => local_name(node),
    }
}

/// `id()`: of each id the first element that has it.
fn id<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let shared = call.shared;
    let texts: Vec<Cow<'_, str>> = match call.value(0)? {
        Value::Nodeset(nodes) => nodes.iter().map(|node| Cow::Borrowed(shared.string_value(node))).collect(),
        _ => vec![call.text(0)?],
    };
    let wanted = texts.iter().flat_map(|text| text.split(chars::is_space)).filter(|id| !id.is_empty());
    let ids = wanted.filter_map(|id| shared.ids.get(id));
    let root = Node::Root(call.context.node.document().root());
    Ok(Value::Nodeset(ids.filter_map(|&id| find(shared, root, id)).collect()))
}

/// The node with this id, by descending to the child whose range it is in.
fn find<'d>(shared: &Shared, root: Node<'d>, id: u32) -> Option<Node<'d>> {
    let mut node = root;
    while shared.id(node) != id {
        let children = node.children();
        let behind = children.partition_point(|&child| shared.id(child) <= id);
        node = *children.get(behind.checked_sub(1)?)?;
    }
    Some(node)
}

/// `lang()`: the nearest `xml:lang`, in HTML also `lang`, is the language asked for or a kind of it.
fn lang(shared: &Shared, node: Node<'_>, wanted: &str) -> bool {
    let mut next = Some(node);
    while let Some(node) = next {
        let declared = match node {
            Node::Element(element) => {
                let in_xml = element.attribute_value((XML_NAMESPACE, "lang"));
                let in_html =
                    || element.attribute_value("lang").or_else(|| element.attribute_value("xml:lang"));
                in_xml.or_else(|| if shared.is_html { in_html() } else { None })
            }
            _ => None,
        };
        if let Some(declared) = declared {
            let (head, tail) = declared.split_at_checked(wanted.len()).unwrap_or((declared, ""));
            return head.eq_ignore_ascii_case(wanted) && (tail.is_empty() || tail.starts_with('-'));
        }
        next = node.parent();
    }
    false
}
