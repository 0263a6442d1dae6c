//! Families of HTML elements, as far as the gate of `depth` must know them.

use html5ever::{LocalName, local_name};

/// The formatting elements of WHATWG HTML 13.2.4.3. `a` is left out: it closes the `a` before, so it cannot pile up,
/// and links are what a crawler must not lose.
pub(super) fn is_formatting(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("b")
            | local_name!("big")
            | local_name!("code")
            | local_name!("em")
            | local_name!("font")
            | local_name!("i")
            | local_name!("nobr")
            | local_name!("s")
            | local_name!("small")
            | local_name!("strike")
            | local_name!("strong")
            | local_name!("tt")
            | local_name!("u")
    )
}

/// Whether elements of that name cannot hold others: void ones, and those of raw text. Dropping the latter would
/// turn a script into text. `image` is what authors write for `img`.
pub(super) fn is_childless(name: &LocalName) -> bool {
    *name == local_name!("image") || is_void(name) || begins_raw_text(name)
}

/// The void elements, and those that are serialised as if they were (13.3).
pub(super) fn is_void(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("area")
            | local_name!("base")
            | local_name!("basefont")
            | local_name!("bgsound")
            | local_name!("br")
            | local_name!("col")
            | local_name!("embed")
            | local_name!("frame")
            | local_name!("hr")
            | local_name!("img")
            | local_name!("input")
            | local_name!("keygen")
            | local_name!("link")
            | local_name!("meta")
            | local_name!("param")
            | local_name!("source")
            | local_name!("track")
            | local_name!("wbr")
    )
}

/// Elements whose start tag the tokenizer must see, since it reads the following text in another way.
pub(super) fn begins_raw_text(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("iframe")
            | local_name!("noembed")
            | local_name!("noframes")
            | local_name!("plaintext")
            | local_name!("script")
            | local_name!("style")
            | local_name!("textarea")
            | local_name!("title")
            | local_name!("xmp")
    )
}
