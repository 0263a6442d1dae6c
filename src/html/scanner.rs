//! The fast lane of HTML: ordinary markup becomes tokens here, without html5ever's tokenizer.
//!
//! The tokenizer looks at every character of a tag through a state machine and hands out text line by line, which was
//! three quarters of the parsing. Here text, start and end tags, comments and the contents of scripts are cut out of
//! the buffer whole, by the same rules (WHATWG HTML 13.2.5). All else goes to the tokenizer as before, construct by
//! construct (`attributes`): declarations, odd comments, tags that change how the following text is read, what is cut
//! off at the end. Between two constructs the tokenizer is always at rest, so that the two can take turns.
//!
//! Expects text without NUL and carriage return: `parse` sees to that. Knows nothing of trees.

use std::ops::Range;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult};
use html5ever::{Attribute, LocalName, QualName, local_name, ns};
use memchr::{memchr, memchr_iter, memmem};

use super::attributes::{begins_tag, feed_markup, feed_tag, find, is_space};
use super::parse::Feeder;
use super::tags::begins_raw_text;
use super::vocabulary::Vocabulary;
use super::{ReadError, characters};

/// Makes tokens of `text` and hands them to the gate of `feeder`. Takes time in proportion to the text.
///
/// # Errors
/// As [`Feeder::feed`].
pub(super) fn scan(
    text: &StrTendril,
    feeder: &Feeder<'_>,
    vocabulary: &mut Vocabulary,
) -> Result<(), ReadError> {
    Scanner { text, bytes: str::as_bytes(text), feeder, vocabulary, is_slow: false }.scan()
}

struct Scanner<'a> {
    text: &'a StrTendril,
    bytes: &'a [u8],
    feeder: &'a Feeder<'a>,
    vocabulary: &'a mut Vocabulary,
    /// The tokenizer has seen a part of this script, and may be inside its comment.
    is_slow: bool,
}

/// The head of a tag is known, and this is what follows.
struct Rest {
    attributes: Vec<Attribute>,
    has_duplicates: bool,
    self_closing: bool,
    /// Behind the `>`.
    end: usize,
}

impl Scanner<'_> {
    fn scan(&mut self) -> Result<(), ReadError> {
        let mut at = 0;
        while at < self.bytes.len() {
            at = if self.feeder.gate().is_in_raw_text() {
                self.raw_text(at)?
            } else {
                self.is_slow = false;
                let start = self.next_markup(at);
                self.characters(at, start);
                if start == self.bytes.len() { start } else { self.markup(start)? }
            };
            self.feeder.check()?;
        }
        Ok(())
    }

    /// Where the next `<` is that is not text.
    fn next_markup(&self, from: usize) -> usize {
        memchr_iter(b'<', &self.bytes[from..])
            .map(|i| from + i)
            .find(|&i| {
                self.bytes
                    .get(i + 1)
                    .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'))
            })
            .unwrap_or(self.bytes.len())
    }

    fn window(&self, start: usize, end: usize) -> StrTendril {
        self.text.subtendril(start as u32, (end - start) as u32)
    }

    fn pass(&self, token: Token) {
        let result = self.feeder.gate().process_token(token, 1);
        // What would change the tokenizer's state has gone through the tokenizer.
        debug_assert!(!matches!(result, TokenSinkResult::RawData(_) | TokenSinkResult::Plaintext));
    }

    /// Text with references in it.
    fn characters(&self, start: usize, end: usize) {
        let mut from = start;
        let mut at = start;
        while let Some(ampersand) = memchr(b'&', &self.bytes[at..end]).map(|i| at + i) {
            at = ampersand + 1;
            if let Some(reference) = characters::reference(&self.text[ampersand..end], false) {
                self.plain(from, ampersand);
                self.pass(Token::CharacterTokens(StrTendril::from_slice(reference.text(&mut [0; 8]))));
                at = ampersand + reference.length;
                from = at;
            }
        }
        self.plain(from, end);
    }

    fn plain(&self, start: usize, end: usize) {
        if start < end {
            self.pass(Token::CharacterTokens(self.window(start, end)));
        }
    }

    /// The text of a `<script>`, `<title>` or the like, and its end tag.
    fn raw_text(&mut self, at: usize) -> Result<usize, ReadError> {
        let name = self.feeder.gate().raw_text().clone().unwrap_or_default();
        let end = self.end_of_raw_text(at, &name);
        let text = &self.bytes[at..end];
        self.is_slow |= match name {
            local_name!("script") => may_go_on_behind_its_end_tag(text),
            local_name!("title") | local_name!("textarea") => memchr(b'&', text).is_some(),
            _ => false,
        };
        if self.is_slow {
            self.feeder.feed(self.text, at, end)?;
        } else {
            self.plain(at, end);
        }
        if end == self.bytes.len() { Ok(end) } else { feed_tag(self.text, end, self.feeder) }
    }

    /// Where the next end tag of that name begins.
    fn end_of_raw_text(&self, from: usize, name: &LocalName) -> usize {
        if *name == local_name!("plaintext") {
            return self.bytes.len();
        }
        memchr_iter(b'<', &self.bytes[from..])
            .map(|i| from + i)
            .find(|&i| {
                let tag = self.bytes[i + 1..].strip_prefix(b"/").unwrap_or_default();
                tag.get(..name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()))
                    && tag.get(name.len()).is_some_and(|&b| is_space(b) || matches!(b, b'/' | b'>'))
            })
            .unwrap_or(self.bytes.len())
    }

    /// What begins with the `<` at `start`; says where it ends.
    fn markup(&mut self, start: usize) -> Result<usize, ReadError> {
        let end = if begins_tag(&self.bytes[start..]) { self.tag(start) } else { self.comment(start) };
        match end {
            Some(end) => Ok(end),
            None => feed_markup(self.text, start, self.feeder),
        }
    }

    /// A comment without oddities; `None` for others.
    fn comment(&self, start: usize) -> Option<usize> {
        let inner = self.bytes[start..].strip_prefix(b"<!--")?;
        let end = memmem::find(inner, b"--")?;
        // `--!>`, more than two dashes, and `<!-->` are for the tokenizer.
        if inner.get(end + 2) != Some(&b'>') || matches!(inner.first(), Some(b'>' | b'-')) {
            return None;
        }
        let start = start + "<!--".len();
        self.pass(Token::CommentToken(self.window(start, start + end)));
        Some(start + end + "-->".len())
    }

    /// A tag; `None` if it is cut off or changes how the following text is read.
    fn tag(&mut self, start: usize) -> Option<usize> {
        let is_end = self.bytes[start + 1] == b'/';
        let name_start = start + 1 + usize::from(is_end);
        let name_end = self.find(name_start, |b| is_space(b) || matches!(b, b'/' | b'>'))?;
        let name = self.vocabulary.name(&self.text[name_start..name_end]);
        if !is_end && begins_raw_text(&name) {
            return None;
        }
        let rest = self.attributes(name_end, is_end)?;
        self.pass(Token::TagToken(Tag {
            kind: if is_end { TagKind::EndTag } else { TagKind::StartTag },
            name,
            self_closing: rest.self_closing,
            attrs: rest.attributes,
            had_duplicate_attributes: rest.has_duplicates,
        }));
        Some(rest.end)
    }

    /// Attributes up to the end of the tag (13.2.5.32 to 13.2.5.40); `None` if the text ends before. Those of an end
    /// tag are skipped, as nobody asks for them, and so are those beyond the limit.
    fn attributes(&mut self, mut at: usize, is_end: bool) -> Option<Rest> {
        let limit = if is_end { 0 } else { self.feeder.limits.attributes };
        let mut attributes: Vec<Attribute> = Vec::new();
        let (mut count, mut has_duplicates) = (0, false);
        loop {
            let before = at;
            at = self.find(at, |b| !is_space(b) && b != b'/')?;
            if self.bytes[at] == b'>' {
                let self_closing = at > before && self.bytes[at - 1] == b'/';
                return Some(Rest { attributes, has_duplicates, self_closing, end: at + 1 });
            }
            let name_start = at;
            // A `=` in front belongs to the name.
            let name_end = self.find(at + 1, |b| is_space(b) || matches!(b, b'/' | b'>' | b'='))?;
            let (value, after) = self.value(name_end)?;
            at = after;
            count += 1;
            if count > limit {
                continue;
            }
            let local = self.vocabulary.name(&self.text[name_start..name_end]);
            if attributes.iter().any(|a| a.name.local == local) {
                has_duplicates = true;
                continue;
            }
            let value = self.resolved(value);
            attributes.push(Attribute { name: QualName::new(None, ns!(), local), value });
        }
    }

    /// The value of the attribute whose name ends at `at`, as written, and where to go on.
    fn value(&self, at: usize) -> Option<(Range<usize>, usize)> {
        let equals = self.find(at, |b| !is_space(b))?;
        if self.bytes[equals] != b'=' {
            return Some((at..at, at));
        }
        let start = self.find(equals + 1, |b| !is_space(b))?;
        match self.bytes[start] {
            quote @ (b'"' | b'\'') => {
                let end = start + 1 + memchr(quote, &self.bytes[start + 1..])?;
                Some((start + 1..end, end + 1))
            }
            _ => {
                let end = self.find(start, |b| is_space(b) || b == b'>')?;
                Some((start..end, end))
            }
        }
    }

    /// A value with its references resolved.
    fn resolved(&self, value: Range<usize>) -> StrTendril {
        let written = &self.text[value.clone()];
        if memchr(b'&', written.as_bytes()).is_none() {
            return self.window(value.start, value.end);
        }
        let mut resolved = StrTendril::with_capacity(written.len() as u32);
        let mut rest = written;
        while let Some(ampersand) = memchr(b'&', rest.as_bytes()) {
            resolved.push_slice(&rest[..ampersand]);
            rest = &rest[ampersand..];
            match characters::reference(rest, true) {
                Some(reference) => {
                    resolved.push_slice(reference.text(&mut [0; 8]));
                    rest = &rest[reference.length..];
                }
                None => {
                    resolved.push_slice("&");
                    rest = &rest[1..];
                }
            }
        }
        resolved.push_slice(rest);
        resolved
    }

    fn find(&self, from: usize, is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
        find(self.bytes, from, is_wanted)
    }
}

/// Only behind `<!--` and then `<script`, `</script>` is not the end (13.2.5.27, "script data double escaped").
fn may_go_on_behind_its_end_tag(script: &[u8]) -> bool {
    memmem::find(script, b"<!--").is_some_and(|at| {
        let comment = &script[at..];
        memchr_iter(b'<', comment)
            .any(|i| comment.get(i + 1..i + 7).is_some_and(|name| name.eq_ignore_ascii_case(b"script")))
    })
}
