//! Links: what an entry of `follow` finds, made absolute, and what is handed down with each.

use std::sync::Arc;

use serde_json::Value as Json;
use url::Url;

use super::{Context, Found, Sheet, Wanted};
use crate::extract::convert::resolved;
use crate::extract::follow::{FOLLOW, Links, Trail};
use crate::extract::plan::{Column, Make};
use crate::extract::{ExtractError, LONGEST_LINK};
use crate::model::{Carried, FieldTally, Link};

/// One page may not hand down more than this to each of its pages, in bytes of JSON: it is kept until they are asked
/// for.
const MOST_CARRIED: usize = 64 << 10;

/// What is handed down so far, and whether all that must be is there and not too large.
struct Load {
    carried: Option<Arc<Carried>>,
    is_complete: bool,
    /// How large it is, about; 0 if it is shared with all the page's links.
    bytes: usize,
}

impl Sheet<'_> {
    /// Adds the links that `trail` finds on the page. `tallies` has room for the counts of all columns, and is not
    /// looked at.
    pub(in crate::extract) fn follow(
        &self,
        trail: &Trail,
        root: Context<'_>,
        tallies: &mut [FieldTally],
        links: &mut Links,
    ) -> Result<(), ExtractError> {
        let inherited = Load { carried: self.facts.carried.cloned(), is_complete: true, bytes: 0 };
        let of_page = Load { bytes: 0, ..self.load(&inherited, &trail.of_page, root, tallies)? };
        let Make::Value(value) = &trail.column.make else { return Ok(()) };
        for place in self.places(trail.each.as_ref(), root, FOLLOW)? {
            // Of `each`, all that is handed down is seen from the place, and the same for all its links.
            let of_place = match trail.each {
                Some(_) => Some(self.load(&of_page, &trail.of_link, place, tallies)?),
                None => None,
            };
            self.search(&trail.column, &value.search, place, Wanted::All, &mut |found| {
                let mut take = |text: &str, seen_from: Context<'_>| -> Result<(), ExtractError> {
                    self.check_time(&trail.column)?;
                    let Some(url) = value.recipe.part(text).and_then(|text| self.link(&text, links)) else {
                        return Ok(());
                    };
                    if links.are_full() {
                        links.left_out += 1;
                        return Ok(());
                    }
                    let own = match &of_place {
                        Some(_) => None,
                        None => Some(self.load(&of_page, &trail.of_link, seen_from, tallies)?),
                    };
                    let load = own.as_ref().or(of_place.as_ref()).unwrap_or(&of_page);
                    if load.is_complete {
                        let carried = load.carried.clone();
                        links.add(
                            Link {
                                url,
                                rule: trail.to,
                                priority: trail.priority,
                                carried,
                                errand: crate::model::Errand::Page,
                                fingerprint: 0,
                            },
                            load.bytes,
                        );
                    } else {
                        links.left_out += 1;
                    }
                    Ok(())
                };
                match found {
                    Found::Nodes(nodes) => {
                        let markup = self.markup_of(&trail.column)?;
                        for node in nodes {
                            if let Some(text) = markup.link_text(node) {
                                take(&text, Context::Markup(node))?;
                            }
                        }
                    }
                    Found::Values(values) => {
                        for json in values {
                            if let Json::String(text) = json {
                                take(text, Context::Json(json))?;
                            }
                        }
                    }
                    Found::String(text) => take(&text, place)?,
                    Found::Texts(_) | Found::Number(_) | Found::Boolean(_) => {}
                }
                Ok(true)
            })?;
        }
        Ok(())
    }

    /// Where a link leads (WHATWG URL, from the page's base); `None` if it is none, which is counted.
    fn link(&self, text: &str, links: &mut Links) -> Option<Url> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if text.is_empty() {
            return None;
        }
        let url = if text.len() > LONGEST_LINK { None } else { resolved(text, self.base()) };
        let url = url.and_then(followed);
        links.left_out += u64::from(url.is_none());
        url
    }

    /// What is handed down, with what `columns` find added: a value that is not there hides none of an earlier page.
    fn load(
        &self,
        before: &Load,
        columns: &[Column],
        context: Context<'_>,
        tallies: &mut [FieldTally],
    ) -> Result<Load, ExtractError> {
        if columns.is_empty() || !before.is_complete {
            return Ok(Load { carried: before.carried.clone(), is_complete: before.is_complete, bytes: 0 });
        }
        let mut object = Vec::new();
        let is_complete = self.write_object(columns, context, &mut object, tallies)?;
        object.push(b'}');
        let found: Carried = serde_json::from_slice(&object)
            .map_err(|error| ExtractError { name: FOLLOW.to_owned(), reason: error.to_string() })?;
        if object.len() > MOST_CARRIED {
            return Ok(Load { carried: None, is_complete: false, bytes: 0 });
        }
        let mut carried = before.carried.as_deref().cloned().unwrap_or_default();
        for (name, value) in found {
            if !value.is_null() || !carried.contains_key(&name) {
                carried.insert(name, value);
            }
        }
        let bytes = serde_json::to_vec(&carried).map_or(0, |json| json.len());
        Ok(Load { carried: Some(Arc::new(carried)), is_complete, bytes })
    }
}

/// The URL as it is asked for: of http or https, not too long, without a fragment and without user and password, which
/// a page has no business to choose.
fn followed(mut url: Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    url.set_fragment(None);
    // These have a host, so neither is refused.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    (url.as_str().len() <= LONGEST_LINK).then_some(url)
}
