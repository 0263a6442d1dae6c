//! What the requests of a source say beside their URL, page by page.
//!
//! A body that is the same for all pages is kept once, however many requests there are.

use std::sync::Arc;

use super::template::{ExpandError, Template};
use crate::message::{Message, Method};

/// A method, and the template of a body.
#[derive(Debug, Clone)]
pub struct MessageTemplate {
    method: Method,
    content_type: Option<&'static str>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    /// The message of all pages.
    Same(Arc<Message>),
    /// It differs from page to page.
    Of(Template),
}

impl MessageTemplate {
    /// A message whose body, if it has one, is made from a template of [`parse_body`](super::parse_body).
    ///
    /// # Errors
    /// None of today's templates fails that does not name the page; told like the others.
    pub fn new(
        method: Method,
        content_type: Option<&'static str>,
        body: Option<Template>,
    ) -> Result<MessageTemplate, ExpandError> {
        let same = |body| Body::Same(Arc::new(Message { method: method.clone(), content_type, body }));
        let body = match body {
            Some(template) if template.uses_page() => Body::Of(template),
            Some(template) => same(Some(template.expand(0)?.into_bytes())),
            None => same(None),
        };
        Ok(MessageTemplate { method, content_type, body })
    }

    /// Whether pages differ.
    pub fn uses_page(&self) -> bool {
        matches!(self.body, Body::Of(_))
    }

    /// The message of all pages; `None` if they differ.
    pub fn of_all(&self) -> Option<Arc<Message>> {
        match &self.body {
            Body::Same(message) => Some(Arc::clone(message)),
            Body::Of(_) => None,
        }
    }

    /// The message of a page.
    ///
    /// # Errors
    /// When an expression has no value there.
    pub fn of_page(&self, page: i64) -> Result<Arc<Message>, ExpandError> {
        match &self.body {
            Body::Same(message) => Ok(Arc::clone(message)),
            Body::Of(template) => Ok(Arc::new(Message {
                method: self.method.clone(),
                content_type: self.content_type,
                body: Some(template.expand(page)?.into_bytes()),
            })),
        }
    }
}
