//! `re:test`, `re:match`, `re:replace` (EXSLT) and `has-class` (parsel) for sxd; what they mean is in
//! `extract::regular`. Their names have no colon here, which sxd would take for a prefix.

use std::borrow::Cow;
use std::rc::Rc;

use sxd_xpath::Value;
use sxd_xpath::function::Error;
use sxd_xpath::nodeset::Node;

use super::library::{Call, MAX_TEXT, Run};
use super::order::TICK;
use crate::extract::regular::{Pattern, has_class};

pub(super) const ALL: &[(&str, Run)] = &[
    ("has-class", has_classes),
    ("re-test", |call| {
        let (text, pattern) = searched(call)?;
        Ok(Value::Boolean(pattern.test(&text)))
    }),
    ("re-match", |call| {
        let (text, pattern) = searched(call)?;
        Ok(Value::String(pattern.first(&text).to_owned()))
    }),
    ("re-replace", |call| {
        let (text, pattern) = searched(call)?;
        let units = 1 + text.len() / 4096;
        let goes_on = |length| length <= MAX_TEXT && call.shared.budget.charge(units).is_ok();
        let replaced = pattern.replace(&text, &call.text(3)?, goes_on);
        replaced.map(Value::String).ok_or_else(|| Error::Other("the text grows beyond 64M".to_owned()))
    }),
];

/// Whether the context node is an element with all classes.
fn has_classes<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let classes = match call.context.node {
        Node::Element(element) => element.attribute_value("class"),
        _ => None,
    };
    let Some(classes) = classes else { return Ok(Value::Boolean(false)) };
    for index in 0..call.arguments.len() {
        call.shared.budget.charge(1 + classes.len() / 1024)?;
        if !has_class(classes, &call.text(index)?) {
            return Ok(Value::Boolean(false));
        }
    }
    Ok(Value::Boolean(true))
}

/// The text to search and the pattern to search for.
fn searched<'a>(call: &'a Call<'_, '_, '_>) -> Result<(Cow<'a, str>, Rc<Pattern>), Error> {
    let budget = &call.shared.budget;
    let pattern = call.text(1)?;
    let flags = if call.arguments.len() > 2 { call.text(2)? } else { Cow::Borrowed("") };
    let patterns = &call.shared.patterns;
    let pattern = match patterns.kept(&pattern, &flags) {
        Some(kept) => kept,
        None => {
            budget.charge(TICK)?;
            patterns.compiled(&pattern, &flags).map_err(Error::Other)?
        }
    };
    let text = call.text(0)?;
    budget.charge(1 + text.len() / 256)?;
    Ok((text, pattern))
}
