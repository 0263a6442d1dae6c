//! A finished line ─▶ what its record is known by from run to run: 128 bits of its key, 128 bits of its content.
//!
//! The line is read as it stands, without making values of it: it is our own JSON, without white space, and the same
//! value is always written with the same bytes, so `1` and `"1"` differ by themselves. Members are taken in the order of
//! their names, so that fields may change places in the job. Does not know what was met before.

use super::Rule;
use super::convert::write_json;
use super::field::{Field, Meta, Shape};
use crate::digest::Digest;
use crate::model::Mark;

/// Makes the marks of one rule's records.
#[derive(Debug)]
pub(super) struct Marker {
    rule: String,
    /// The fields of the key, in the order of their names; empty if the whole record is its key.
    key: Vec<Path>,
    parts: Vec<Part>,
}

/// The names down to a field, as JSON strings.
type Path = Vec<Vec<u8>>;

/// A member of a record, or of an object in one.
#[derive(Debug)]
struct Part {
    /// As a JSON string.
    name: Vec<u8>,
    /// It says where or when the record was found, which is not what the record says.
    is_meta: bool,
    parts: Vec<Part>,
}

impl Marker {
    /// For the records of `rule`, which end with `_url`, `_page` and `_fetched_at` if they go `with_meta`.
    pub(super) fn new(rule: &Rule, with_meta: bool) -> Marker {
        let mut parts = parts_of(&rule.fields);
        if with_meta {
            let meta = |meta: Meta| Part {
                name: quoted(&format!("_{}", meta.name())),
                is_meta: true,
                parts: Vec::new(),
            };
            parts.extend(Meta::ALL.map(meta));
        }
        let mut key: Vec<Path> =
            rule.key.iter().map(|path| path.iter().map(|name| quoted(name)).collect()).collect();
        key.sort();
        key.dedup();
        Marker { rule: rule.name.clone(), key, parts }
    }

    /// The mark of a record whose line this is, with its line feed.
    pub(super) fn mark(&self, line: &[u8]) -> Mark {
        let record = line.strip_suffix(b"\n").unwrap_or(line);
        let mut content = Digest::new();
        take_in(record, &self.parts, &mut content);
        let content = content.bits();
        let (key, key_json) = match self.key.is_empty() {
            true => (Some(self.key_of_all(content)), Vec::new()),
            false => (self.key_of(record), self.key_json(record)),
        };
        let key_json = String::from_utf8(key_json).expect("lines are UTF-8 and are cut at ASCII");
        Mark { line_bytes: line.len(), key, content, key_json }
    }

    /// The same record of another rule is another record; so is one with a key that happens to say the same.
    fn key_of_all(&self, content: u128) -> u128 {
        Digest::new().piece(b"record").piece(self.rule.as_bytes()).piece(&content.to_le_bytes()).bits()
    }

    fn key_of(&self, record: &[u8]) -> Option<u128> {
        let mut key = Digest::new();
        key.piece(b"key").piece(self.rule.as_bytes());
        let mut is_empty = true;
        for path in &self.key {
            let value = path.iter().try_fold(record, |value, name| member(value, name));
            let value = value.unwrap_or(b"null");
            // What XPath's string() says of a node that is not there would make one record of all that lack it.
            is_empty &= matches!(value, b"null" | b"\"\"" | b"[]");
            for name in path {
                key.piece(name);
            }
            key.update(b"=").piece(value);
        }
        (!is_empty).then(|| key.bits())
    }

    fn key_json(&self, record: &[u8]) -> Vec<u8> {
        let paths: Vec<&[Vec<u8>]> = self.key.iter().map(Vec::as_slice).collect();
        let mut json = Vec::new();
        project(record, &paths, &mut json);
        json
    }
}

fn quoted(name: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(name.len() + 2);
    write_json(name, &mut json);
    json
}

fn parts_of(fields: &[Field]) -> Vec<Part> {
    let part = |field: &Field| Part {
        name: quoted(&field.name),
        is_meta: matches!(field.shape, Shape::Meta(_)),
        parts: parts_of(field.nested()),
    };
    fields.iter().map(part).collect()
}

/// Takes in a value, without what is meta in it. What an object or a list is made of is told by marks around it, and
/// anything else by its length, so that no two values give the same bytes.
fn take_in(value: &[u8], parts: &[Part], digest: &mut Digest) {
    match value.first() {
        Some(b'{') if !parts.is_empty() => {
            let mut members: Vec<_> = members(value).collect();
            members.sort_unstable();
            digest.update(b"{");
            for (name, value) in members {
                let part = parts.iter().find(|part| part.name == name);
                if part.is_some_and(|part| part.is_meta) {
                    continue;
                }
                digest.update(b":").piece(name);
                take_in(value, part.map_or(&[], |part| &part.parts), digest);
            }
            digest.update(b"}");
        }
        Some(b'[') if !parts.is_empty() => {
            digest.update(b"[");
            items(value).for_each(|item| take_in(item, parts, digest));
            digest.update(b"]");
        }
        _ => {
            digest.update(b"=").piece(value);
        }
    }
}

/// Writes the members of an object that are on one of `paths`, with what is on the rest of the path inside of them.
fn project(object: &[u8], paths: &[&[Vec<u8>]], json: &mut Vec<u8>) {
    let mut is_first = true;
    for (name, value) in members(object) {
        let inside: Vec<&[Vec<u8>]> = paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| first.as_slice() == name)
            .map(|(_, rest)| rest)
            .collect();
        if inside.is_empty() {
            continue;
        }
        if !is_first {
            json.push(b',');
        }
        is_first = false;
        json.extend_from_slice(name);
        json.push(b':');
        if value.starts_with(b"{") && inside.iter().all(|rest| !rest.is_empty()) {
            json.push(b'{');
            project(value, &inside, json);
            json.push(b'}');
        } else {
            json.extend_from_slice(value);
        }
    }
}

fn member<'j>(object: &'j [u8], wanted: &[u8]) -> Option<&'j [u8]> {
    members(object).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The members of an object, each with its name as a JSON string; nothing if it is no object.
fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = object.strip_prefix(b"{").unwrap_or_default();
    std::iter::from_fn(move || {
        if !rest.starts_with(b"\"") {
            return None;
        }
        let (name, behind) = rest.split_at(length_of_value(rest));
        let behind = behind.strip_prefix(b":")?;
        let (value, behind) = behind.split_at(length_of_value(behind));
        // Behind a comma, or at the closing brace.
        rest = behind.get(1..)?;
        Some((name, value))
    })
}

/// The items of an array; nothing if it is none.
fn items(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = array.strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        let (item, behind) = rest.split_at(length_of_value(rest));
        rest = behind.get(1..)?;
        (!item.is_empty()).then_some(item)
    })
}

/// How long the value is that JSON begins with.
fn length_of_value(json: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                at += length_of_string(&json[at..]);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    json.len()
}

/// How long the string is, with its quotation marks, that JSON begins with.
fn length_of_string(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    json.len()
}

#[cfg(test)]
#[path = "mark_tests.rs"]
mod tests;
