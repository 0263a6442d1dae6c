//! The page of one book.

use std::fmt::{self, Write};

use super::BOOKS;
use super::books::{Book, book};
use super::escape::Escaped;
use super::frame::page;
use super::pages::Stars;

/// Books named below a book.
const RELATED: usize = 4;

/// The page of book `n`.
pub(super) fn book_page(root: &str, n: u32) -> String {
    let book = book(n);
    page(root, &book.title, |html| {
        breadcrumb(html, root, &book)?;
        html.write_str("<article class=\"detail\">\n")?;
        cover(html, root, &book)?;
        html.write_str("<div>\n")?;
        heading(html, root, &book)?;
        facts(html, &book)?;
        let description = book.description();
        let text = Escaped(&description);
        writeln!(html, "<section id=\"description\">\n<h2>Description</h2>\n<p>{text}</p>\n</section>")?;
        html.write_str("</div>\n</article>\n")?;
        related(html, root, &book)?;
        neighbours(html, root, n)
    })
}

fn breadcrumb(html: &mut String, root: &str, book: &Book) -> fmt::Result {
    let (slug, shelf, title) = (book.shelf.slug, Escaped(book.shelf.name), Escaped(&book.title));
    write!(
        html,
        r#"<nav class="breadcrumb" aria-label="Breadcrumb">
  <ul>
    <li><a href="{root}">Home</a></li>
    <li><a href="{root}shelf/{slug}">{shelf}</a></li>
    <li aria-current="page">{title}</li>
  </ul>
</nav>
"#
    )
}

fn cover(html: &mut String, root: &str, book: &Book) -> fmt::Result {
    let (n, title) = (book.number, Escaped(&book.title));
    writeln!(
        html,
        r#"<div class="cover"><img src="{root}cover/{n}.svg" alt="Cover of {title}" width="160" height="240"></div>"#
    )
}

fn heading(html: &mut String, root: &str, book: &Book) -> fmt::Result {
    let Book { number, title, author, language, rating, .. } = book;
    let (title, author, price, word) = (Escaped(title), Escaped(author), book.price(), book.rating_word());
    let stars = Stars(*rating);
    write!(
        html,
        r#"<h1 lang="{language}">{title}</h1>
<p class="author">by {author}</p>
<p class="price">{price}</p>
<p class="rating {word}" title="{rating} of 5 stars">{stars}</p>
"#
    )?;
    if book.stock == 0 {
        html.write_str("<p class=\"stock out\">Sold out</p>\n")
    } else {
        let stock = book.stock;
        write!(
            html,
            r#"<p class="stock">In stock ({stock} available)</p>
<p><a class="buy" rel="nofollow" href="{root}basket/add/{number}">Add to basket</a></p>
"#
        )
    }
}

fn facts(html: &mut String, book: &Book) -> fmt::Result {
    let Book { upc, language_name, published, pages, stock, .. } = book;
    let (author, shelf, price) = (Escaped(&book.author), Escaped(book.shelf.name), book.price());
    write!(
        html,
        r#"<table class="facts">
<caption>Facts</caption>
<tbody>
<tr><th scope="row">UPC</th><td>{upc}</td></tr>
<tr><th scope="row">Author</th><td>{author}</td></tr>
<tr><th scope="row">Shelf</th><td>{shelf}</td></tr>
<tr><th scope="row">Language</th><td>{language_name}</td></tr>
<tr><th scope="row">Published</th><td><time datetime="{published}">{published}</time></td></tr>
<tr><th scope="row">Pages</th><td>{pages}</td></tr>
<tr><th scope="row">Price</th><td>{price}</td></tr>
<tr><th scope="row">Stock</th><td>{stock}</td></tr>
</tbody>
</table>
"#
    )
}

fn related(html: &mut String, root: &str, current: &Book) -> fmt::Result {
    html.write_str("<section class=\"related\">\n<h2>From the same shelf</h2>\n<ul>\n")?;
    let shelf = current.shelf.books();
    // The next ones on the shelf, from its start again after its end.
    let after = shelf.iter().position(|&n| n == current.number).map_or(0, |at| at + 1);
    for &n in shelf.iter().cycle().skip(after).take(RELATED) {
        let Book { title, language, .. } = &book(n);
        let title = Escaped(title);
        writeln!(html, r#"  <li><a href="{root}book/{n}" lang="{language}">{title}</a></li>"#)?;
    }
    html.write_str("</ul>\n</section>\n")
}

fn neighbours(html: &mut String, root: &str, n: u32) -> fmt::Result {
    html.write_str("<nav class=\"pager\" aria-label=\"Books\">\n")?;
    if n > 1 {
        writeln!(html, r#"  <a class="previous" rel="prev" href="{root}book/{}">Previous book</a>"#, n - 1)?;
    }
    if n < BOOKS {
        writeln!(html, r#"  <a class="next" rel="next" href="{root}book/{}">Next book</a>"#, n + 1)?;
    }
    html.write_str("</nav>\n")
}
