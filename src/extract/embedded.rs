//! JSON inside of a page's texts, parsed once however many fields and records look at it.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::json::parse_page;

/// So many texts are remembered; pages have a handful of scripts that fields look into.
const MOST_REMEMBERED: usize = 16;

/// What has been parsed on a page.
#[derive(Default)]
pub(super) struct Embedded {
    /// The oldest first; `None` for what is no JSON.
    parsed: RefCell<Vec<(String, Option<Rc<Value>>)>>,
}

impl Embedded {
    /// The JSON that `text` is; `None` if it is none.
    pub(super) fn parse(&self, text: &str) -> Option<Rc<Value>> {
        let text = text.trim();
        let mut parsed = self.parsed.borrow_mut();
        if let Some((_, value)) = parsed.iter().find(|(known, _)| known == text) {
            return value.clone();
        }
        let value = parse_page(text).ok().map(Rc::new);
        if parsed.len() == MOST_REMEMBERED {
            parsed.remove(0);
        }
        parsed.push((text.to_owned(), value.clone()));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_parsed_once() {
        let embedded = Embedded::default();
        let first = embedded.parse(" {\"a\": 1}\n").unwrap();
        assert!(Rc::ptr_eq(&first, &embedded.parse("{\"a\": 1}").unwrap()));
        assert_eq!((embedded.parse("{"), embedded.parse("{")), (None, None));
        for number in 0..100 {
            assert_eq!(*embedded.parse(&number.to_string()).unwrap(), Value::from(number));
        }
        assert_eq!(embedded.parsed.borrow().len(), MOST_REMEMBERED);
    }
}
