//! What the requests of a source say beside their URL, page by page.
//!
//! A body that is the same for all pages is kept once, however many requests there are.

use std::sync::Arc;

use super::template::{ExpandError, Template};
use super::variable::Value;
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
    /// It differs from request to request.
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
            Some(template) if !template.variables().is_empty() => Body::Of(template),
            Some(template) => same(Some(template.expand(&[])?.into_bytes())),
            None => same(None),
        };
        Ok(MessageTemplate { method, content_type, body })
    }

    /// Whether requests differ.
    pub fn differs(&self) -> bool {
        matches!(self.body, Body::Of(_))
    }

    /// Whether pages differ.
    pub fn uses_page(&self) -> bool {
        matches!(&self.body, Body::Of(template) if template.uses_page())
    }

    /// The places of the variables in it.
    pub(super) fn variables(&self) -> Vec<usize> {
        match &self.body {
            Body::Same(_) => Vec::new(),
            Body::Of(template) => template.variables(),
        }
    }

    /// The names of the variables in it.
    pub fn used_names(&self) -> Vec<&str> {
        match &self.body {
            Body::Same(_) => Vec::new(),
            Body::Of(template) => template.used_names().collect(),
        }
    }

    /// The message of all pages; `None` if they differ.
    pub fn of_all(&self) -> Option<Arc<Message>> {
        match &self.body {
            Body::Same(message) => Some(Arc::clone(message)),
            Body::Of(_) => None,
        }
    }

    /// The message where the variables have these values.
    ///
    /// # Errors
    /// When an expression has no value there.
    pub(super) fn at(&self, values: &[Value<'_>]) -> Result<Arc<Message>, ExpandError> {
        match &self.body {
            Body::Same(message) => Ok(Arc::clone(message)),
            Body::Of(template) => Ok(Arc::new(Message {
                method: self.method.clone(),
                content_type: self.content_type,
                body: Some(template.expand(values)?.into_bytes()),
            })),
        }
    }
}
