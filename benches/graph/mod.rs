//! A site that is not there: item `k` leads to the items `k * new + 1` to `k * new + new`, and to as many that were
//! found before it. Nothing of it is kept, so that the memory measured is the crawler's.
//!
//! `frontier` crawls it with the frontier alone, `pages` with the whole pipeline.

pub(crate) mod frontier;
pub(crate) mod pages;
mod threads;

/// Where the site is.
const SITE: &str = "http://www.example.org";

/// The site has so many shelves, each a path shape of its own.
const SHELVES: u64 = 1000;

/// The items that item `item` leads to: `new` that nobody knew, each followed by one that was found before.
fn links_of(item: u64, new: u64) -> impl Iterator<Item = u64> {
    let found = item * new + 1;
    (found..found + new).flat_map(move |link| [link, mix(link) % found])
}

/// The path of an item: with [`SITE`] 63 bytes.
fn path(item: u64) -> String {
    let shelf = mix(item) % SHELVES;
    let letter = |digit: u64| char::from(b'a' + (digit % 10) as u8);
    let (a, b, c) = (letter(shelf / 100), letter(shelf / 10), letter(shelf));
    format!("/catalogue/section-{a}{b}{c}/item-{item:08}.html")
}

/// The item at a path.
fn item_at(path: &str) -> Option<u64> {
    path.strip_suffix(".html")?.rsplit('-').next()?.parse().ok()
}

/// A number that looks random (the finaliser of SplitMix64).
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
