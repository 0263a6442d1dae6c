//! The floor: html5ever into nothing. What its tokenizer and tree builder take when nobody keeps a tree.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use html5ever::buffer_queue::BufferQueue;
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tokenizer, TokenizerOpts};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use html5ever::{Attribute, ExpandedName, LocalName, QualName, TokenizerResult, ns};

/// Parses `text` and keeps nothing; says how many nodes there would have been.
pub(crate) fn parse(text: &str) -> usize {
    let options = TreeBuilderOpts { scripting_enabled: false, drop_doctype: true, ..Default::default() };
    let builder = TreeBuilder::new(Nothing(Cell::new(0)), options);
    let tokenizer = Tokenizer::new(builder, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(text));
    while !matches!(tokenizer.feed(&queue), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.sink.0.get()
}

/// Counts nodes.
struct Nothing(Cell<usize>);

/// The tree builder asks for the names of the elements it holds, so they must be kept while it does.
#[derive(Clone)]
struct Handle {
    id: usize,
    name: Rc<QualName>,
}

impl Nothing {
    fn make(&self, name: QualName) -> Handle {
        self.0.set(self.0.get() + 1);
        Handle { id: self.0.get(), name: Rc::new(name) }
    }

    fn nameless(&self) -> Handle {
        self.make(QualName::new(None, ns!(), LocalName::default()))
    }
}

impl TreeSink for Nothing {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}
    fn parse_error(&self, _message: Cow<'static, str>) {}
    fn get_document(&self) -> Handle {
        Handle { id: 0, name: Rc::new(QualName::new(None, ns!(), LocalName::default())) }
    }
    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }
    fn create_element(&self, name: QualName, _attributes: Vec<Attribute>, _flags: ElementFlags) -> Handle {
        self.make(name)
    }
    fn create_comment(&self, _text: StrTendril) -> Handle {
        self.nameless()
    }
    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        self.nameless()
    }
    fn append(&self, _parent: &Handle, _child: NodeOrText<Handle>) {}
    fn append_before_sibling(&self, _sibling: &Handle, _child: NodeOrText<Handle>) {}
    fn append_based_on_parent_node(&self, _element: &Handle, _previous: &Handle, _child: NodeOrText<Handle>) {
    }
    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }
    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }
    fn set_quirks_mode(&self, _mode: QuirksMode) {}
    fn add_attrs_if_missing(&self, _target: &Handle, _attributes: Vec<Attribute>) {}
    fn remove_from_parent(&self, _target: &Handle) {}
    fn reparent_children(&self, _node: &Handle, _new_parent: &Handle) {}
}
