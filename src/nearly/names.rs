//! A step whose name or kind finds nothing: what stands there instead, and the names and depths people mix up.

use super::{Broken, Nearly, Search, cut, here, listed, path, short};
use crate::extract::xpath::ast::{Axis, Expr, NodeTest, Start, Step};
use crate::extract::xpath::function::Function;
use crate::html::dom::NodeKind;
use crate::html::{Document, NodeId, Place};
use crate::spelling::distance;

/// Names that are compared by letters; a page has fewer.
const MOST_NAMES: usize = 1000;
const LONGEST_NAME: usize = 100;

impl Search<'_> {
    /// Explains a step that finds nothing even without its predicates.
    pub(super) fn name(&mut self, broken: &Broken<'_>) {
        let around = self.places(&broken.before());
        let whole = short(&broken.up_to_here());
        let there = self.what_is_there(broken, &around);
        if broken.is_first() && !matches!(broken.start, Start::Expr(_)) {
            self.found.push(Nearly::Stops { matching: String::new(), count: 0, next: whole, there });
        } else {
            self.stops(&short(&broken.before()), around.len(), &whole, there);
        }
        match &broken.step().test {
            NodeTest::Name(prefix, local) => {
                self.other_case(broken, local);
                self.other_namespace(broken, prefix.as_ref().map(|p| &*p.namespace), local);
                self.implied_tbody(broken, local);
                self.other_depth(broken);
                self.similar_name(broken, local, &around);
            }
            NodeTest::Text => {
                self.text_in_a_child(broken);
                self.other_depth(broken);
            }
            _ => self.other_depth(broken),
        }
    }

    /// What the axis reaches instead.
    fn what_is_there(&self, broken: &Broken<'_>, around: &[Place]) -> Option<String> {
        let names = self.names(broken, around);
        match broken.step().axis {
            Axis::Attribute => Some(listed(names).map_or_else(
                || "there are no attributes".to_owned(),
                |names| format!("attributes there: {names}"),
            )),
            Axis::Child if !broken.is_deep() => Some(listed(names).map_or_else(
                || "there are no child elements".to_owned(),
                |names| format!("children there: {names}"),
            )),
            _ => None,
        }
    }

    /// The names that the axis reaches from `around`: those of attributes, of children, or of all below.
    fn names(&self, broken: &Broken<'_>, around: &[Place]) -> Vec<&str> {
        let document = self.document;
        let nodes = around.iter().filter(|place| place.attribute == 0).map(|place| place.node);
        // What is inside another of them is reached by that one; each node is looked at once.
        let mut behind = NodeId(0);
        let outermost = nodes.clone().filter(move |&node| {
            let is_outside = node >= behind;
            behind = behind.max(document.subtree_end(node));
            is_outside
        });
        let is_attribute = broken.step().axis == Axis::Attribute;
        let reached: Vec<NodeId> = match (broken.is_deep(), is_attribute) {
            (true, _) => {
                outermost.flat_map(|node| (node.0..document.subtree_end(node).0).map(NodeId)).collect()
            }
            (false, true) => nodes.collect(),
            (false, false) => nodes.flat_map(|node| document.children(node)).collect(),
        };
        if is_attribute {
            reached.into_iter().flat_map(|node| document.attributes(node)).map(|a| &*a.name.local).collect()
        } else {
            reached.into_iter().filter_map(|node| document.name(node)).map(|name| &*name.local).collect()
        }
    }

    fn other_case(&mut self, broken: &Broken<'_>, local: &str) {
        if self.document.is_html() {
            if local.chars().any(char::is_uppercase) {
                // Who writes one name in capitals writes all of them so.
                let lower = |steps: &[Step]| steps.iter().map(lower_case).collect::<Vec<Step>>();
                let whole = path(broken.start, &lower(broken.steps));
                let up_to_here = path(broken.start, &lower(&broken.steps[..broken.end]));
                self.propose(&[whole, up_to_here], "names in HTML are in lower case here");
            }
            return;
        }
        let document = self.document;
        let written = elements(document)
            .filter_map(|node| document.name(node))
            .map(|name| &*name.local)
            .find(|name| name.eq_ignore_ascii_case(local) && *name != local);
        if let Some(written) = written {
            let step = renamed(broken.step(), written);
            self.propose(&broken.with_step(step), "names in XML keep their case");
        }
    }

    /// An element of that name that has another namespace, which is the usual state of things in feeds.
    fn other_namespace(&mut self, broken: &Broken<'_>, namespace: Option<&str>, local: &str) {
        let document = self.document;
        let other = elements(document)
            .filter_map(|node| document.name(node))
            .find(|name| &*name.local == local && &*name.namespace != namespace.unwrap_or_default());
        let (Some(other), true) = (other, broken.step().axis != Axis::Attribute) else { return };
        let because = if other.namespace.is_empty() {
            format!("`{local}` has no namespace on this page, write it without a prefix")
        } else {
            let uri = cut(&other.namespace);
            format!("`{local}` is in a namespace: declare it with -N p={uri} and write p:{local}, or so")
        };
        let name = Expr::Call { function: Function::LocalName, arguments: Vec::new() };
        let is_local = super::predicate::equal(name, Expr::Literal(local.to_owned()));
        let mut step = renamed(broken.step(), local);
        if other.namespace.is_empty() {
            step.test = NodeTest::Name(None, local.to_owned());
        } else {
            step.test = NodeTest::AnyName;
            step.predicates.insert(0, is_local);
        }
        self.propose(&broken.with_step(step), because);
    }

    fn implied_tbody(&mut self, broken: &Broken<'_>, local: &str) {
        if local == "tr" && broken.step().axis == Axis::Child && !broken.is_deep() {
            let tbody = child("tbody");
            let because = "rows stand in a tbody, which HTML puts there even if the page's source has none";
            self.propose(&broken.replaced([tbody, broken.step().clone()]), because);
        }
    }

    /// The same step deeper down, at the context node itself, or outside of it.
    fn other_depth(&mut self, broken: &Broken<'_>) {
        let step = broken.step();
        let any_depth = Step { axis: Axis::DescendantOrSelf, ..here() };
        if matches!(step.axis, Axis::Child | Axis::Attribute) && !broken.is_deep() {
            let is_bare_context = matches!(broken.start, Start::Context) && broken.begin == 0;
            let front = is_bare_context.then(here);
            let deeper = front.into_iter().chain([any_depth.clone(), step.clone()]);
            self.propose(&broken.replaced(deeper), "deeper down, not a child");
        }
        if !matches!(broken.start, Start::Context) || !broken.is_first() {
            return;
        }
        let rest = &broken.steps[broken.end..];
        if step.axis == Axis::Child {
            let itself = Step { axis: Axis::SelfNode, ..step.clone() };
            let steps: Vec<Step> = [itself].into_iter().chain(rest.iter().cloned()).collect();
            self.propose(&[path(&Start::Context, &steps)], "it is the record itself");
        }
        let is_inside = (self.evaluate)(".").iter().any(|place| *place != Place::ROOT);
        if is_inside {
            let steps: Vec<Step> =
                [any_depth, step.clone()].into_iter().chain(rest.iter().cloned()).collect();
            self.propose(&[path(&Start::Root, &steps)], "on the page, but not inside the record");
        }
    }

    fn similar_name(&mut self, broken: &Broken<'_>, local: &str, around: &[Place]) {
        let names = super::counted(self.names(broken, around));
        let near = names
            .iter()
            .take(MOST_NAMES)
            .filter(|(name, _)| name.len() <= LONGEST_NAME && !name.eq_ignore_ascii_case(local))
            .map(|&(name, _)| (distance(local, name), name))
            .filter(|&(distance, name)| distance <= 1 + name.chars().count().min(local.len()) / 4)
            // `b` and `i` are not the same name misspelt.
            .filter(|(_, name)| name.len().min(local.len()) > 1)
            .min();
        if let Some((_, name)) = near {
            let name = name.to_owned();
            let step = renamed(broken.step(), &name);
            self.propose(&broken.with_step(step), format!("`{name}` is there, `{local}` is not"));
        }
    }

    fn text_in_a_child(&mut self, broken: &Broken<'_>) {
        let is_last = broken.end == broken.steps.len();
        if !is_last || broken.step().axis != Axis::Child || broken.begin == 0 {
            return;
        }
        let document = self.document;
        let has_text = |place: &Place| {
            (place.node.0..document.subtree_end(place.node).0)
                .map(NodeId)
                .any(|node| document.kind(node) == NodeKind::Text && !document.text(node).trim().is_empty())
        };
        if self.places(&broken.before()).iter().any(has_text) {
            self.propose(
                &[broken.before()],
                "its text is inside a child element; an element gives all text in it",
            );
        }
    }
}

fn elements(document: &Document) -> impl Iterator<Item = NodeId> + '_ {
    let ids = 0..u32::try_from(document.len()).unwrap_or(u32::MAX);
    ids.map(NodeId).filter(|&node| document.kind(node) == NodeKind::Element)
}

fn renamed(step: &Step, local: &str) -> Step {
    let prefix = match &step.test {
        NodeTest::Name(prefix, _) => prefix.clone(),
        _ => None,
    };
    Step { test: NodeTest::Name(prefix, local.to_owned()), ..step.clone() }
}

fn lower_case(step: &Step) -> Step {
    match &step.test {
        NodeTest::Name(None, local) => renamed(step, &local.to_lowercase()),
        _ => step.clone(),
    }
}

fn child(local: &str) -> Step {
    Step { axis: Axis::Child, test: NodeTest::Name(None, local.to_owned()), predicates: Vec::new() }
}
