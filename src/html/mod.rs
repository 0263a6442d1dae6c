//! Bytes ─▶ characters ─▶ tree: [`encoding`] finds the character set as browsers do, [`parse`] makes a
//! [`Document`] of the text.
//!
//! The only user of html5ever, quick-xml, encoding_rs and chardetng. Knows nothing of requests or fields.

pub mod dom;
#[cfg(test)]
pub(crate) mod sample;

pub use dom::{Document, NodeId};
