//! The practice site: a bookshop on loopback, made in memory, that a newcomer crawls first.
//!
//! It owns the books, their pages and the small server that shows them. It knows nothing of crawling: not the job,
//! not the pipeline. No file is read and nothing leaves the machine; the same number always gives the same book,
//! so that what a crawl extracts can be compared with [`book`].
//!
//! # What there is
//!
//! | path | what |
//! | --- | --- |
//! | `/` | what this site is; links to the first listing and to the shelves |
//! | `/page/1` .. `/page/50` | listings of 20 books: `article.book` |
//! | `/page/51` and beyond | **200 with an empty listing**, as many shops do: the case for `--until-empty` |
//! | `/book/1` .. `/book/1000` | one book: heading, table of facts, description, related books |
//! | `/shelf/poetry`, `/shelf/poetry/2` .. | the listing of one shelf; past its end empty as well |
//! | `/cover/1.svg` .. | a cover for each book |
//! | `/robots.txt` | everything but `/basket/` is allowed; names the sitemap |
//! | `/sitemap.xml` | all books and listings, with `lastmod` |
//! | `/feed.xml` | RSS of the 20 newest books |
//! | `/basket/` and below | linked from every page, and not for crawlers |
//!
//! Everything else is a 404. Links within the site are relative, without `<base>`.
//!
//! # Why a server of our own
//!
//! The obvious crate, `tiny_http` 0.12, puts no bound on a header, sets no time limit on its sockets, and can unblock
//! its listener but not end the connections that stand open. A
//! shop that only answers GET and HEAD without bodies needs none of the hard parts of HTTP, so `request`, `response`,
//! `connections` and `shop` together are shorter than the work around those.

mod book_page;
mod books;
mod connections;
mod covers;
mod date;
mod escape;
mod feeds;
mod frame;
mod pages;
mod request;
mod response;
mod routes;
mod shelves;
mod shop;
mod words;

pub use books::{Book, book};
pub use date::Date;
pub use routes::linked_paths;
pub use shelves::{SHELVES, Shelf};
pub use shop::Shop;

/// Listing pages with books on them.
pub const LISTINGS: u32 = 50;

/// Books in the shop, numbered from 1.
pub const BOOKS: u32 = 1000;

/// Books on a full listing.
pub const BOOKS_PER_LISTING: u32 = BOOKS / LISTINGS;
