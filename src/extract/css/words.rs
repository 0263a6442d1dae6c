//! The words of a selector in the types that the crate `selectors` wants: names, values, and the pseudo-classes and
//! pseudo-elements that CSS itself does not know or that need the page.
//!
//! Knows nothing of documents or of parsing.

use std::fmt;

use cssparser::{ToCss, serialize_identifier, serialize_string};
use html5ever::LocalName;
use precomputed_hash::PrecomputedHash;
use selectors::parser::{self, SelectorImpl};

/// The types of our selectors.
#[derive(Debug, Clone)]
pub(super) struct Words;

impl SelectorImpl for Words {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Value;
    type Identifier = Name;
    type LocalName = Name;
    type NamespaceUrl = Name;
    type NamespacePrefix = Name;
    type BorrowedNamespaceUrl = Name;
    type BorrowedLocalName = Name;
    type NonTSPseudoClass = PseudoClass;
    type PseudoElement = PseudoElement;
}

/// A name, interned with those of the documents: two are compared as two numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Name(pub(super) LocalName);

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(LocalName::from(text))
    }
}

impl ToCss for Name {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        serialize_identifier(&self.0, dest)
    }
}

impl PrecomputedHash for Name {
    fn precomputed_hash(&self) -> u32 {
        self.0.precomputed_hash()
    }
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(Box<str>);

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value(text.into())
    }
}

impl AsRef<str> for Value {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Value {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        serialize_string(&self.0, dest)
    }
}

/// The pseudo-classes that are not about places in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PseudoClass {
    /// `:contains("x")`: the text of the element and all in it contains `x`. Of an old draft of Selectors 3; jQuery
    /// and parsel kept it.
    Contains(Box<str>),
    /// `:link`, `:any-link`: an `a` or `area` with `href` (Selectors 4, 8.1).
    Link,
    /// `:checked`: a ticked box or radio button, or a chosen option, as the page came.
    Checked,
    /// `:disabled`: a control with that attribute; its `fieldset` is not asked.
    Disabled,
    /// `:enabled`: a control without it.
    Enabled,
}

impl PseudoClass {
    /// Those without an argument, by name.
    pub(super) const PLAIN: [(&'static str, PseudoClass); 5] = [
        ("link", PseudoClass::Link),
        ("any-link", PseudoClass::Link),
        ("checked", PseudoClass::Checked),
        ("disabled", PseudoClass::Disabled),
        ("enabled", PseudoClass::Enabled),
    ];
}

impl parser::NonTSPseudoClass for PseudoClass {
    fn is_active_or_hover(&self) -> bool {
        false
    }

    fn is_user_action_state(&self) -> bool {
        false
    }
}

impl ToCss for PseudoClass {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        if let PseudoClass::Contains(text) = self {
            dest.write_str(":contains(")?;
            serialize_string(text, dest)?;
            return dest.write_char(')');
        }
        let name = PseudoClass::PLAIN.iter().find(|(_, class)| class == self).map_or("", |(name, _)| name);
        write!(dest, ":{name}")
    }
}

/// What is taken of the elements that matched, as parsel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PseudoElement {
    /// `::text`: the texts directly in them.
    Text,
    /// `::attr(name)`: that attribute.
    Attribute(Name),
}

impl parser::PseudoElement for PseudoElement {}

impl ToCss for PseudoElement {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        match self {
            PseudoElement::Text => dest.write_str("::text"),
            PseudoElement::Attribute(name) => {
                dest.write_str("::attr(")?;
                name.to_css(dest)?;
                dest.write_char(')')
            }
        }
    }
}
