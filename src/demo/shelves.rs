//! The shelves, and which book stands on which.
//!
//! Of thirteen books in a row each stands on another shelf, in an order that changes from row to row: a listing looks
//! mixed, yet a book's shelf and its place there follow from its number alone.

use super::BOOKS;

/// A shelf: one kind of books.
#[derive(Debug, PartialEq, Eq)]
pub struct Shelf {
    /// As people read it: `Science & Nature`.
    pub name: &'static str,
    /// As its URL has it: `science-and-nature`.
    pub slug: &'static str,
    /// What its books are about, in the plural. No two shelves share one, which keeps titles apart.
    pub(super) subjects: [&'static str; 12],
}

const COUNT: u32 = SHELVES.len() as u32;

/// All shelves.
#[rustfmt::skip]
pub static SHELVES: [Shelf; 13] = [
    Shelf { name: "Fiction", slug: "fiction", subjects: [
        "Lanterns", "Neighbours", "Secrets", "Staircases", "Sisters", "Strangers",
        "Keys", "Letters", "Promises", "Houses", "Mirrors", "Umbrellas"] },
    Shelf { name: "Mystery", slug: "mystery", subjects: [
        "Alibis", "Footprints", "Poisons", "Witnesses", "Locked Rooms", "Shadows",
        "Ciphers", "Missing Clocks", "Ransoms", "Suspects", "Cold Trails", "Whispers"] },
    Shelf { name: "Science & Nature", slug: "science-and-nature", subjects: [
        "Comets", "Mosses", "Owls", "Volcanoes", "Atoms", "Glaciers",
        "Beetles", "Magnets", "Tides", "Fossils", "Lichens", "Moons"] },
    Shelf { name: "History", slug: "history", subjects: [
        "Empires", "Canals", "Border Towns", "Shipwrecks", "Coins", "Harbours",
        "Railways", "Treaties", "Windmills", "Pilgrims", "Castles", "Archives"] },
    Shelf { name: "Poetry", slug: "poetry", subjects: [
        "Sonnets", "Swallows", "Silences", "Echoes", "Autumns", "Hymns",
        "Elegies", "Snowfalls", "Roses", "Psalms", "Ballads", "Rivers"] },
    Shelf { name: "Travel", slug: "travel", subjects: [
        "Night Trains", "Islands", "Ferries", "Mountain Passes", "Deserts", "Maps",
        "Lighthouses", "Back Roads", "Horizons", "Hotels", "Caravans", "Bridges"] },
    Shelf { name: "Food & Drink", slug: "food-and-drink", subjects: [
        "Loaves", "Plums", "Soups", "Teapots", "Olives", "Dumplings",
        "Pickles", "Cheeses", "Kettles", "Spices", "Picnics", "Pancakes"] },
    Shelf { name: "Art & Design", slug: "art-and-design", subjects: [
        "Pigments", "Portraits", "Posters", "Sketchbooks", "Frescoes", "Chairs",
        "Alphabets", "Ceramics", "Shopfronts", "Looms", "Statues", "Brushes"] },
    Shelf { name: "Philosophy", slug: "philosophy", subjects: [
        "Doubts", "Paradoxes", "Reasons", "Virtues", "Questions", "Dialogues",
        "Habits", "Illusions", "Proofs", "Ironies", "Beginnings", "Opinions"] },
    Shelf { name: "Children's Books", slug: "childrens-books", subjects: [
        "Dragons", "Hedgehogs", "Pirates", "Kites", "Giants", "Teddy Bears",
        "Wizards", "Puddles", "Rockets", "Kittens", "Marbles", "Snowmen"] },
    Shelf { name: "Music", slug: "music", subjects: [
        "Fiddles", "Organs", "Fugues", "Trumpets", "Choirs", "Metronomes",
        "Waltzes", "Lullabies", "Drums", "Encores", "Pianos", "Duets"] },
    Shelf { name: "Gardens", slug: "gardens", subjects: [
        "Tulips", "Beehives", "Greenhouses", "Hedges", "Ferns", "Apple Trees",
        "Ponds", "Weeds", "Seeds", "Rose Beds", "Garden Gates", "Scarecrows"] },
    Shelf { name: "Computing", slug: "computing", subjects: [
        "Algorithms", "Compilers", "Robots", "Databases", "Pixels", "Passwords",
        "Punch Cards", "Networks", "Terminals", "Bugs", "Keyboards", "Queues"] },
];

impl Shelf {
    /// The shelf with this slug.
    pub(super) fn find(slug: &str) -> Option<&'static Shelf> {
        SHELVES.iter().find(|shelf| shelf.slug == slug)
    }

    /// The numbers of its books, ascending.
    pub(super) fn books(&'static self) -> Vec<u32> {
        (1..=BOOKS).filter(|&n| SHELVES[place(n).shelf as usize].slug == self.slug).collect()
    }
}

/// Where a book stands.
pub(super) struct Place {
    /// Index in [`SHELVES`].
    pub(super) shelf: u32,
    /// How many books of lower numbers stand on the same shelf.
    pub(super) rank: u32,
}

/// Where book `n` (from 1) stands.
pub(super) fn place(n: u32) -> Place {
    let (row, column) = ((n - 1) / COUNT, (n - 1) % COUNT);
    // The number of shelves is prime, so a step of 1 to 12 visits each once.
    let step = 1 + row * 7 % (COUNT - 1);
    Place { shelf: (column * step + row * 5) % COUNT, rank: row }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_book_stands_on_one_shelf_and_none_is_empty() {
        let mut all: Vec<u32> = SHELVES.iter().flat_map(Shelf::books).collect();
        all.sort_unstable();
        assert_eq!(all, (1..=BOOKS).collect::<Vec<_>>());
        // 76 rows of 13 and a rest of 12.
        assert!(SHELVES.iter().all(|shelf| (76..=77).contains(&shelf.books().len())));
    }

    #[test]
    fn a_rank_is_the_number_of_books_before_it() {
        for (before, n) in SHELVES[4].books().into_iter().enumerate() {
            assert_eq!(place(n).rank as usize, before);
        }
    }

    #[test]
    fn a_subject_belongs_to_one_shelf() {
        let mut subjects: Vec<&str> = SHELVES.iter().flat_map(|shelf| shelf.subjects).collect();
        let total = subjects.len();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), total);
    }
}
