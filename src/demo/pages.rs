//! The HTML pages but for the single book: front page, listings, basket, and the pages of failure.

use std::fmt::{self, Write};

use super::books::{Book, book};
use super::escape::{Cut, Escaped};
use super::frame::page;
use super::shelves::{SHELVES, Shelf};
use super::{BOOKS, BOOKS_PER_LISTING, LISTINGS};

/// Characters of a title on a listing; the whole of it stands in the link's `title`.
const TITLE_CHARS: usize = 28;

/// Which books a listing is of.
#[derive(Clone, Copy)]
pub(super) enum Of {
    All,
    Shelf(&'static Shelf),
}

impl Of {
    /// How many listings have books.
    pub(super) fn pages(self) -> u32 {
        match self {
            Of::All => LISTINGS,
            Of::Shelf(shelf) => (shelf.books().len() as u32).div_ceil(BOOKS_PER_LISTING),
        }
    }

    /// The numbers of the books on listing `number` (from 1); none past the last.
    pub(super) fn books(self, number: u32) -> Vec<u32> {
        let all = match self {
            Of::All => (1..=BOOKS).collect(),
            Of::Shelf(shelf) => shelf.books(),
        };
        let listing = all.chunks(BOOKS_PER_LISTING as usize).nth(number as usize - 1);
        listing.map_or_else(Vec::new, <[u32]>::to_vec)
    }

    pub(super) fn path(self, number: u32) -> String {
        match self {
            Of::All => format!("page/{number}"),
            Of::Shelf(shelf) if number == 1 => format!("shelf/{}", shelf.slug),
            Of::Shelf(shelf) => format!("shelf/{}/{number}", shelf.slug),
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Of::All => "All books",
            Of::Shelf(shelf) => shelf.name,
        }
    }
}

/// The front page.
pub(super) fn front(root: &str) -> String {
    page(root, "Welcome", |html| {
        write!(
            html,
            r#"<h1>Welcome to the Paper Mill</h1>
<p>This shop is a practice site: {BOOKS} invented books on {LISTINGS} pages, made in memory and served to this
machine only. Crawl it as hard as you like.</p>
<p><a class="start" href="{root}page/1">Browse all books</a>, or pick a shelf. There is a
<a href="{root}sitemap.xml">sitemap</a>, a <a href="{root}feed.xml">feed of new books</a> and a
<a href="{root}robots.txt">robots.txt</a>, which asks you to leave the basket alone.</p>
<section id="shelves">
<h2>Shelves</h2>
<ul class="shelves">
"#
        )?;
        for shelf in &SHELVES {
            let (slug, name, count) = (shelf.slug, Escaped(shelf.name), shelf.books().len());
            writeln!(html, r#"  <li><a href="{root}shelf/{slug}">{name}</a> ({count})</li>"#)?;
        }
        html.write_str("</ul>\n</section>\n")
    })
}

/// Listing `number` (from 1), perhaps past the last one and therefore empty.
pub(super) fn listing(root: &str, of: Of, number: u32) -> String {
    let (heading, pages) = (Escaped(of.heading()), of.pages());
    page(root, &format!("{}, page {number}", of.heading()), |html| {
        writeln!(html, "<h1>{heading}</h1>\n<section>\n<h2>Page {number} of {pages}</h2>")?;
        let books = of.books(number);
        if books.is_empty() {
            html.write_str("<p class=\"empty\">There are no more books.</p>\n")?;
        } else {
            html.write_str("<div class=\"books\">\n")?;
            for n in books {
                article(html, root, &book(n))?;
            }
            html.write_str("</div>\n")?;
        }
        html.write_str("</section>\n")?;
        pager(html, root, of, number)
    })
}

fn article(html: &mut String, root: &str, book: &Book) -> fmt::Result {
    let Book { number, title, author, language, rating, shelf, .. } = book;
    let (word, price) = (book.rating_word(), book.price());
    let stars = Stars(*rating);
    let (short, title, author) = (Cut(title, TITLE_CHARS), Escaped(title), Escaped(author));
    let (slug, shelf) = (shelf.slug, Escaped(shelf.name));
    write!(
        html,
        r#"<article class="book">
  <a class="cover" href="{root}book/{number}"><img src="{root}cover/{number}.svg" alt="Cover of {title}" width="160" height="240" loading="lazy"></a>
  <h3><a href="{root}book/{number}" title="{title}" lang="{language}">{short}</a></h3>
  <p class="author">{author}</p>
  <p class="rating {word}" title="{rating} of 5 stars">{stars}</p>
  <p class="price">{price}</p>
  <p class="stock{out}">{stock}</p>
  <p class="shelf"><a href="{root}shelf/{slug}">{shelf}</a></p>
</article>
"#,
        out = if book.stock == 0 { " out" } else { "" },
        stock = if book.stock == 0 { "Sold out" } else { "In stock" },
    )
}

fn pager(html: &mut String, root: &str, of: Of, number: u32) -> fmt::Result {
    html.write_str("<nav class=\"pager\" aria-label=\"Pages\">\n")?;
    if number > 1 {
        // From beyond the end there is a way back to the last real page.
        let path = of.path((number - 1).min(of.pages()));
        writeln!(html, r#"  <a class="previous" rel="prev" href="{root}{path}">Previous page</a>"#)?;
    }
    if number < of.pages() {
        let path = of.path(number + 1);
        writeln!(html, r#"  <a class="next" rel="next" href="{root}{path}">Next page</a>"#)?;
    }
    html.write_str("</nav>\n")
}

/// `★★★☆☆`
pub(super) struct Stars(pub(super) u8);

impl fmt::Display for Stars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (1..=5).try_for_each(|star| f.write_char(if star <= self.0 { '★' } else { '☆' }))
    }
}

/// The page that crawlers are asked to stay away from.
pub(super) fn basket(root: &str) -> String {
    page(root, "Basket", |html| {
        html.write_str(
            "<h1>Your basket</h1>\n<p>It is empty, and stays so. A crawler that reads this has not asked \
             robots.txt.</p>\n",
        )
    })
}

/// What is shown instead of a page: `404 Not Found` and why.
pub(super) fn failure(status: u16, reason: &str, advice: &str) -> String {
    // The depth of a path that leads nowhere means nothing, so links start at the host.
    page("/", reason, |html| {
        writeln!(html, "<h1>{status} {}</h1>\n<p>{}</p>", Escaped(reason), Escaped(advice))
    })
}
