use super::{Limits, ReadError, dom::Document};
use html5ever::tendril::StrTendril;
pub(super) fn parse(_text: &StrTendril, _limits: &Limits) -> Result<Document, ReadError> {
    todo!()
}
