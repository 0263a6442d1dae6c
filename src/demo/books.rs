//! The books: from a number, everything about one book, and always the same.
//!
//! Titles are distinct by construction: each contains a subject that only its shelf has, and within a shelf every
//! pattern meets a subject once. It knows nothing of pages.

use super::date::Date;
use super::shelves::{Place, SHELVES, Shelf, place};
use super::words::{
    ADJECTIVES, COLLECTIONS, COMPANIONS, ENDINGS, FIRST_NAMES, LANGUAGES, LAST_NAMES, Language, MIDDLES,
    MOMENTS, OPENINGS, OWNERS, PLACES,
};

/// One book of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// Its number, from 1 to [`super::BOOKS`].
    pub number: u32,
    /// Its title, plain text; no two books share one.
    pub title: String,
    /// Who is said to have written it.
    pub author: String,
    /// The title's language as BCP 47 has it: `en`, `zh`, `ja`, ...
    pub language: &'static str,
    /// The language's English name.
    pub language_name: &'static str,
    /// Where it stands.
    pub shelf: &'static Shelf,
    /// Price in pence: 5177 is shown as `£51.77`.
    pub price_pence: u32,
    /// Stars, 1 to 5.
    pub rating: u8,
    /// Copies left; 0 is shown as `Sold out`.
    pub stock: u32,
    /// A UPC-A code of the range kept for a shop's own use, with a right check digit.
    pub upc: String,
    /// When it appeared; its pages' `lastmod` as well.
    pub published: Date,
    /// Printed pages.
    pub pages: u32,
    subject: &'static str,
}

/// Book `n`.
///
/// # Panics
///
/// If `n` is not between 1 and [`super::BOOKS`].
pub fn book(n: u32) -> Book {
    assert!((1..=super::BOOKS).contains(&n), "there is no book {n}");
    let place = place(n);
    let shelf = &SHELVES[place.shelf as usize];
    let mut dice = Dice::new(n, "facts");
    let named = name(n, &place);
    Book {
        number: n,
        title: named.title,
        author: named.author,
        language: named.language.map_or("en", |language| language.code),
        language_name: named.language.map_or("English", |language| language.name),
        shelf,
        price_pence: 450 + dice.below(5500),
        rating: 1 + u8::try_from(dice.below(5)).expect("a number below 5"),
        stock: if dice.below(10) == 0 { 0 } else { 1 + dice.below(24) },
        upc: upc(n),
        published: published(n),
        pages: 64 + dice.below(640),
        subject: named.subject,
    }
}

/// When book `n` appeared: some day from 1995 to 2025. Fixed days, so that a page does not change with the clock.
pub(super) fn published(n: u32) -> Date {
    const FIRST: u32 = 9131; // 1995-01-01
    const END: u32 = 20_454; // 2026-01-01
    Date::from_days(FIRST + Dice::new(n, "date").below(END - FIRST))
}

impl Book {
    /// The price as the pages show it: `£51.77`.
    pub fn price(&self) -> String {
        format!("£{}.{:02}", self.price_pence / 100, self.price_pence % 100)
    }

    /// The rating as the class name on the pages: `one` to `five`.
    pub fn rating_word(&self) -> &'static str {
        ["one", "two", "three", "four", "five"][usize::from(self.rating) - 1]
    }

    /// Three or four sentences, plain text.
    pub fn description(&self) -> String {
        let mut dice = Dice::new(self.number, "description");
        let place = *dice.pick(&PLACES);
        let mut text = [*dice.pick(&OPENINGS), *dice.pick(&MIDDLES), *dice.pick(&ENDINGS)]
            .join(" ")
            .replace("{s}", &self.subject.to_lowercase())
            .replace("{p}", place)
            .replace("{a}", &self.author)
            .replace("{n}", &(self.pages - 3).to_string());
        if self.language != "en" {
            text.push_str(&format!(" In the original {}.", self.language_name));
        }
        text
    }
}

/// What a book is called and by whom.
struct Named {
    title: String,
    author: String,
    language: Option<&'static Language>,
    subject: &'static str,
}

const PATTERNS: u32 = 11;

fn name(n: u32, place: &Place) -> Named {
    let mut dice = Dice::new(n, "name");
    // Each shelf starts with another pattern, so that neighbours on a listing differ.
    let (pattern, turn) = ((place.rank + place.shelf * 4) % PATTERNS, place.rank / PATTERNS);
    // 5 and 12 have no common factor: a pattern's first twelve turns meet twelve subjects.
    let subject = SHELVES[place.shelf as usize].subjects[(turn * 5 + pattern) as usize % 12];
    // Strides instead of dice: a word comes again only when all others have been used.
    let adjective = ADJECTIVES[n as usize * 12 % ADJECTIVES.len()];
    let companion = COMPANIONS[n as usize * 7 % COMPANIONS.len()];
    let title = match (pattern, turn) {
        (0, _) => format!("{adjective} {subject}"),
        (1, _) => format!("The Book of {adjective} {subject}"),
        (2, _) => format!("{subject} of {}", dice.pick(&PLACES)),
        (3, _) => format!("{subject} & {companion}"),
        (4, _) => format!("A Short History of {subject}"),
        (5, _) => format!("\"{subject}\" and Other {}", dice.pick(&COLLECTIONS)),
        (6, _) => format!("{}'s {adjective} {subject}", dice.pick(&OWNERS)),
        (7, _) => format!("In Praise of {subject}"),
        (8, _) => format!("{subject} Before {}", dice.pick(&MOMENTS)),
        (9, _) => return foreign(turn * SHELVES.len() as u32 + place.shelf, subject, &mut dice),
        // Two that an extraction gets wrong if it reads markup where there is none.
        (_, 2) => format!("{subject} > {companion}: A Quarrel in Letters"),
        (_, 4) => format!("<Untitled>: {subject}"),
        _ => format!("How to Think About {subject}"),
    };
    let author = format!("{} {}", dice.pick(&FIRST_NAMES), dice.pick(&LAST_NAMES));
    Named { title, author, language: None, subject }
}

/// The foreign book of this index: languages in turn, and in each of them every pair of halves at most once.
fn foreign(index: u32, subject: &'static str, dice: &mut Dice) -> Named {
    let language = &LANGUAGES[index as usize % LANGUAGES.len()];
    let turn = index as usize / LANGUAGES.len();
    let (head, tail) = (turn % 4, (turn + turn / 4) % 4);
    Named {
        title: format!("{}{}{}", language.heads[head], language.space, language.tails[tail]),
        author: (*dice.pick(&language.authors)).to_owned(),
        language: Some(language),
        subject,
    }
}

/// A UPC-A code: number system 4 is for a shop's own use, so it names no real product.
fn upc(n: u32) -> String {
    let mut dice = Dice::new(n, "upc");
    let digits = format!("4{:06}{n:04}", dice.below(1_000_000));
    let sum: u32 =
        digits.bytes().zip([3, 1].into_iter().cycle()).map(|(d, weight)| u32::from(d - b'0') * weight).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Numbers that look random and are the same for ever; a crate's generator may change with its version.
/// The mixer is SplitMix64 (Steele, Lea and Flood 2014).
pub(super) struct Dice(u64);

impl Dice {
    /// Dice for one purpose of book `n`.
    pub(super) fn new(n: u32, purpose: &str) -> Dice {
        let stir = |seed: u64, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        Dice(purpose.bytes().fold(u64::from(n), stir))
    }

    /// A number from 0 to `end` - 1.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        u32::try_from((u128::from(mixed) * u128::from(end)) >> 64).expect("less than `end`")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(u32::try_from(from.len()).expect("a short list")) as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::demo::BOOKS;

    fn all() -> impl Iterator<Item = Book> {
        (1..=BOOKS).map(book)
    }

    #[test]
    fn a_thousand_books_have_a_thousand_titles_and_codes() {
        assert_eq!(all().map(|book| book.title).collect::<HashSet<_>>().len(), 1000);
        assert_eq!(all().map(|book| book.upc).collect::<HashSet<_>>().len(), 1000);
    }

    #[test]
    fn the_same_number_is_the_same_book() {
        assert_eq!(book(77), book(77));
    }

    #[test]
    #[should_panic(expected = "there is no book 1001")]
    fn there_is_no_book_past_the_last() {
        book(BOOKS + 1);
    }

    #[test]
    fn facts_are_within_their_bounds() {
        for book in all() {
            assert!((450..5950).contains(&book.price_pence));
            assert!((1..=5).contains(&book.rating));
            assert!(book.stock <= 24);
            assert!((1995..=2025).contains(&book.published.year));
        }
        assert!(all().any(|book| book.stock == 0), "some are sold out");
        assert_eq!(all().map(|book| book.rating).collect::<HashSet<_>>().len(), 5);
    }

    #[test]
    fn titles_exercise_markup_and_scripts() {
        for special in ['&', '<', '>', '"', '\'', '雨', 'の', 'é', 'Ж', 'ř'] {
            let hit = all().any(|book| book.title.contains(special) || book.author.contains(special));
            assert!(hit, "no book has `{special}`");
        }
        assert_eq!(all().filter(|book| book.language != "en").count(), 91);
    }

    #[test]
    fn a_upc_checks() {
        for book in all() {
            assert_eq!(book.upc.len(), 12);
            let digits: Vec<u32> = book.upc.bytes().map(|d| u32::from(d - b'0')).collect();
            let odd: u32 = digits.iter().step_by(2).sum();
            let even: u32 = digits.iter().skip(1).step_by(2).sum();
            assert_eq!((odd * 3 + even) % 10, 0, "{}", book.upc);
        }
    }

    #[test]
    fn a_description_has_no_gap_left_in_it() {
        for book in all() {
            assert!(!book.description().contains(['{', '}']), "{}", book.description());
        }
    }

    #[test]
    fn prices_have_two_decimals() {
        let mut book = book(1);
        book.price_pence = 5107;
        assert_eq!(book.price(), "£51.07");
    }
}
