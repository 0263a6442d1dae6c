//! The gate in front of the tree builder: start tags that would nest too deep do not pass.
//!
//! html5ever's work per tag grows with the elements open, so 100,000 nested `<div>` would take it minutes. The gate
//! drops such start tags and the end tags that belong to them; the text in them stays. It counts nothing up and down,
//! since the tree builder closes elements in many ways that nobody is told of: it *asks* the tree builder for the
//! elements it holds, and between two questions knows that no more can be open than were then and were made since.

use std::cell::{Cell, Ref, RefCell};

use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::tree_builder::{Tracer, TreeBuilder, TreeBuilderOpts};
use html5ever::{LocalName, local_name};

use super::Limits;
use super::dropped::Dropped;
use super::sink::{Handle, Sink};
use super::tags::{is_childless, is_formatting};

/// Passes tokens to the tree builder, but for tags that nest too deep.
pub(super) struct Gate {
    pub(super) builder: TreeBuilder<Handle, Sink>,
    limit: usize,
    /// What the tree builder held when it was last asked, and the nodes made by then.
    known: Cell<(Held, usize)>,
    /// Whether a tag has passed since, so that less may be held now.
    is_stale: Cell<bool>,
    dropped: RefCell<Dropped>,
    /// The open `<script>`, `<title>` or the like, whose end tag the tree builder must see.
    raw_text: RefCell<Option<LocalName>>,
    tokens: Cell<usize>,
}

/// The elements that the tree builder holds.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Open elements but for formatting ones.
    others: usize,
    /// `b`, `font` and the like: those open, and those that it opens again in each following paragraph.
    formatting: usize,
}

impl Gate {
    pub(super) fn new(sink: Sink, limits: &Limits) -> Gate {
        let options = TreeBuilderOpts {
            // A crawler runs no scripts: what is in <noscript> are elements, as in libxml2.
            scripting_enabled: false,
            drop_doctype: true,
            ..TreeBuilderOpts::default()
        };
        Gate {
            builder: TreeBuilder::new(sink, options),
            limit: limits.depth,
            known: Cell::default(),
            is_stale: Cell::new(false),
            dropped: RefCell::default(),
            raw_text: RefCell::default(),
            tokens: Cell::new(0),
        }
    }

    /// Tokens seen so far, parse errors not counted.
    pub(super) fn token_count(&self) -> usize {
        self.tokens.get()
    }

    /// Whether the tokenizer is inside an element of raw text.
    pub(super) fn is_in_raw_text(&self) -> bool {
        self.raw_text.borrow().is_some()
    }

    /// The name of that element.
    pub(super) fn raw_text(&self) -> Ref<'_, Option<LocalName>> {
        self.raw_text.borrow()
    }

    fn passes(&self, tag: &Tag) -> bool {
        match tag.kind {
            TagKind::StartTag if self.nests_too_deep(tag) => {
                self.dropped.borrow_mut().push(tag.name.clone());
                false
            }
            TagKind::StartTag => {
                // Something can be opened again, so what was dropped further in is over.
                if !is_childless(&tag.name) {
                    self.dropped.borrow_mut().clear();
                }
                true
            }
            TagKind::EndTag => self.is_in_raw_text() || !self.dropped.borrow_mut().close(&tag.name),
        }
    }

    fn nests_too_deep(&self, tag: &Tag) -> bool {
        // Each element made since is held twice at most, and the few that a tag implies come on top.
        let (held, made) = self.known.get();
        let made_since = self.builder.sink.node_count() - made;
        if held.others + held.formatting + 2 * made_since + 4 < self.formatting_limit() {
            return false;
        }
        // In a dropped <svg>, <title> is not the one that makes raw text of the rest of the page.
        let is_foreign = self.builder.adjusted_current_node_present_but_not_in_html_namespace()
            || self.dropped.borrow().is_foreign();
        let stays_open = if is_foreign { !tag.self_closing } else { !is_childless(&tag.name) };
        if !stays_open {
            return false;
        }
        let held = self.held();
        held.others >= self.limit || (is_formatting(&tag.name) && held.formatting >= self.formatting_limit())
    }

    /// Formatting elements held, an open one counted twice. Browsers open all of them again in each following
    /// paragraph, so a page that never closes them grows with the square of its length.
    fn formatting_limit(&self) -> usize {
        self.limit / 4
    }

    /// Asks the tree builder, unless nothing can have changed.
    fn held(&self) -> Held {
        let (held, made) = self.known.get();
        let now_made = self.builder.sink.node_count();
        if !self.is_stale.replace(false) && made == now_made {
            return held;
        }
        let counter = Counter::default();
        self.builder.trace_handles(&counter);
        let mut held = counter.held.get();
        // The pointer to the form comes last (to the head, if there is no form).
        held.others -= usize::from(counter.last_is_form.get());
        self.known.set((held, now_made));
        held
    }

    /// Lets a tag through, and notes what it does to the tokenizer and to what was dropped.
    fn pass(&self, tag: Tag, line: u64) -> TokenSinkResult<Handle> {
        let may_close_dropped = tag.kind == TagKind::EndTag && !self.dropped.borrow().is_empty();
        let before = may_close_dropped.then(|| self.held());
        let name = tag.name.clone();
        let result = self.builder.process_token(Token::TagToken(tag), line);
        self.is_stale.set(true);
        let is_raw = matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext);
        *self.raw_text.borrow_mut() = is_raw.then_some(name);
        if let Some(before) = before
            && self.held().others < before.others
        {
            // It closed an element around those that were dropped.
            self.dropped.borrow_mut().clear();
        }
        result
    }
}

impl TokenSink for Gate {
    type Handle = Handle;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<Handle> {
        match token {
            Token::ParseError(_) => TokenSinkResult::Continue,
            Token::TagToken(tag) => {
                self.tokens.set(self.tokens.get() + 1);
                if self.passes(&tag) { self.pass(tag, line) } else { TokenSinkResult::Continue }
            }
            token => {
                self.tokens.set(self.tokens.get() + 1);
                self.builder.process_token(token, line)
            }
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

#[derive(Default)]
struct Counter {
    held: Cell<Held>,
    last_is_form: Cell<bool>,
}

impl Tracer for Counter {
    type Handle = Handle;

    fn trace_handle(&self, node: &Handle) {
        let mut held = self.held.get();
        let name = node.html_name();
        match name {
            // The pointer to the head stays when the head is closed.
            Some(&local_name!("head")) => {}
            Some(name) if is_formatting(name) => held.formatting += 1,
            _ if node.is_element() => held.others += 1,
            _ => {}
        }
        self.last_is_form.set(name == Some(&local_name!("form")));
        self.held.set(held);
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::{check_links, sketch};
    use super::super::vocabulary::Vocabulary;
    use super::super::{Document, NodeId, parse};
    use super::*;
    use html5ever::tendril::StrTendril;

    fn read(html: &str, depth: usize) -> Document {
        let limits = Limits { depth, ..Limits::default() };
        parse::parse(&StrTendril::from_slice(html), &limits, &mut Vocabulary::new()).unwrap()
    }

    fn depth_of(document: &Document) -> usize {
        let mut depths = vec![0; document.len()];
        for id in 1..document.len() {
            depths[id] = depths[document.parent(NodeId(id as u32)).unwrap().0 as usize] + 1;
        }
        depths.into_iter().max().unwrap_or(0)
    }

    fn all_text(document: &Document) -> String {
        (0..document.len()).map(|id| document.text(NodeId(id as u32))).collect()
    }

    #[test]
    fn too_deep_elements_are_left_out_and_their_text_stays() {
        // html and body are two of the six.
        let page = "<div>1<div>2<div>3<div>4<div>5<div>6</div>7</div>8</div>9</div></div>a</div>b";
        assert_eq!(
            sketch(&read(page, 6)),
            r#"html(head body(div("1" div("2" div("3" div("45678") "9")) "a") "b"))"#
        );
    }

    #[test]
    fn a_page_at_the_limit_is_whole() {
        let page = "<div><p>1<br><img>2</p><script>if (a < b) {}</script><p>3</p></div>";
        let whole = sketch(&read(page, 512));
        assert_eq!(sketch(&read(page, 5)), whole);
        // One less: the paragraphs go, what holds nothing stays.
        assert_eq!(
            sketch(&read(page, 3)),
            r#"html(head body(div("1" br img "2" script("if (a < b) {}") "3")))"#
        );
    }

    #[test]
    fn whatever_is_left_open_deep_down_text_and_elements_after_it_are_kept() {
        // Each of these closes elements on one of the ways that the sink is not told of.
        let deep = [
            ("<div>".repeat(1000), "</div>".repeat(1000)),
            ("<ul><li>".repeat(1000), "</ul>".repeat(1000)),
            ("<table><tr><td>".repeat(400), "</table>".repeat(400)),
            ("<table>".repeat(1000), "</table>".into()),
            ("<table><a><b>".repeat(300), "</table>".repeat(300)),
            ("<section><span>".repeat(700), "</section>".repeat(700)),
            ("<button><select><option>".repeat(300), "</button>".repeat(300)),
            ("<form><h1><dl><dt>".repeat(300), "</form></h1></dl>".repeat(300)),
            ("<template>".repeat(1000), "</template>".repeat(1000)),
            ("<svg><g>".repeat(700), "</svg>".repeat(700)),
            ("<svg><title><p>".repeat(700), "</p></title></svg>".repeat(700)),
            ("<svg><style>".repeat(700), "</svg>".repeat(700)),
            ("<math><mi><b>".repeat(700), "</math>".repeat(700)),
            ("<object><nobr>".repeat(700), "</object>".repeat(700)),
        ];
        for (open, close) in deep {
            let page = format!("{open}in{close}<p>after</p><article><h2 id=x>title</h2></article>");
            let document = read(&page, 512);
            check_links(&document);
            assert!(depth_of(&document) < 800, "{} {}", depth_of(&document), &open[..20]);
            assert!(all_text(&document).ends_with("inaftertitle"), "{}", &open[..20]);
            let heading =
                (0..document.len() as u32).map(NodeId).rfind(|&id| document.attribute(id, "id").is_some());
            assert_eq!(&*document.name(heading.unwrap()).unwrap().local, "h2", "{}", &open[..20]);
        }
    }

    #[test]
    fn what_comes_after_a_deep_place_has_its_own_structure() {
        let page = format!("{}x{}<ul><li>1<li>2</ul><p>3", "<div>".repeat(2000), "</div>".repeat(2000));
        let line = sketch(&read(&page, 100));
        assert!(line.ends_with(r#" ul(li("1") li("2")) p("3")))"#), "{line}");
    }

    #[test]
    fn a_hundred_thousand_elements_that_never_close() {
        for tag in ["<div>", "<ul><li>", "<b>", "<a>", "<font>", "<span>", "<svg>", "<em><p>", "<table><td>"]
        {
            let document = read(&format!("{}the end", tag.repeat(100_000)), 512);
            check_links(&document);
            assert!(all_text(&document).ends_with("the end"), "{tag}");
            assert!(depth_of(&document) < 1100, "{tag} {}", depth_of(&document));
        }
    }

    #[test]
    fn different_formatting_elements_do_not_pile_up() {
        // Each paragraph opens again what the ones before left open.
        let page: String = (0..1500).map(|i| format!("<p><font color={i}>{i}</p>")).collect();
        let document = read(&format!("{page}<p><a href=x>end"), 512);
        check_links(&document);
        assert!(depth_of(&document) < 512);
        let last = document.parent(NodeId(document.len() as u32 - 1)).unwrap();
        assert_eq!(document.attribute(last, "href"), Some("x"), "links are never dropped for that");
    }

    #[test]
    fn closing_tags_alone_cost_nothing() {
        let page = format!("{}{}end", "<div>".repeat(1000), "</b></i></div></zz></p>".repeat(3_000));
        assert!(all_text(&read(&page, 512)).ends_with("end"));
    }

    #[test]
    fn a_dropped_name_does_not_swallow_the_end_of_a_script() {
        let (open, close) = ("<svg><g>".repeat(400), "</svg>".repeat(400));
        let page = format!("{open}<style>{close}<style>a<b</style><script>c</script>d");
        let document = read(&page, 512);
        assert!(all_text(&document).ends_with("a<bcd"));
    }
}
