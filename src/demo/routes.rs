//! From a path to a reply. Pure: no sockets, so that every page can be tried without a server.

use super::date::Date;
use super::shelves::{SHELVES, Shelf};
use super::{BOOKS, book_page, books, covers, feeds, pages};

const HTML: &str = "text/html; charset=utf-8";
const XML: &str = "application/xml; charset=utf-8";
const RSS: &str = "application/rss+xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

/// What is answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// When the content changed last, if that can be said.
    pub(super) modified: Option<Date>,
}

impl Reply {
    fn ok(content_type: &'static str, body: String, modified: Option<Date>) -> Reply {
        Reply { status: 200, content_type, body, modified }
    }

    /// The page of a failure.
    pub(super) fn failure(status: u16) -> Reply {
        let advice = match status {
            404 => "There is nothing at this address. The books are all at /page/1 and what follows.",
            405 => "This shop answers GET and HEAD.",
            431 => "The request's header is too long.",
            503 => "The shop is full. Come back in a moment.",
            505 => "This shop speaks HTTP/1.1.",
            _ => "The request is not HTTP as RFC 9112 has it.",
        };
        let body = pages::failure(status, reason(status), advice);
        Reply { status, content_type: HTML, body, modified: None }
    }
}

/// The reason phrase of a status.
pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}

/// The paths of all that the links of the shop lead to, but for the basket, which robots.txt forbids.
pub fn linked_paths() -> Vec<String> {
    let mut paths: Vec<String> =
        ["", "sitemap.xml", "feed.xml", "robots.txt"].into_iter().map(|path| format!("/{path}")).collect();
    let listings = |of: pages::Of| (1..=of.pages()).map(move |number| format!("/{}", of.path(number)));
    paths.extend(listings(pages::Of::All));
    paths.extend(SHELVES.iter().flat_map(|shelf| listings(pages::Of::Shelf(shelf))));
    paths.extend((1..=BOOKS).map(|number| format!("/book/{number}")));
    paths
}

/// The reply to a GET of `path`, which starts with `/` and has no query.
pub(super) fn answer(path: &str, origin: &str) -> Reply {
    find(path, origin).unwrap_or_else(|| Reply::failure(404))
}

fn find(path: &str, origin: &str) -> Option<Reply> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let root = if segments.len() == 1 { "./".to_owned() } else { "../".repeat(segments.len() - 1) };
    let root = root.as_str();
    let page = |body, modified| Some(Reply::ok(HTML, body, modified));
    match segments[..] {
        [""] => page(pages::front(root), None),
        ["page", n] => Some(listing(root, pages::Of::All, number(n)?)),
        ["shelf", slug] => Some(listing(root, pages::Of::Shelf(Shelf::find(slug)?), 1)),
        ["shelf", slug, n] => Some(listing(root, pages::Of::Shelf(Shelf::find(slug)?), number(n)?)),
        ["book", n] => {
            let n = book_number(n)?;
            page(book_page::book_page(root, n), Some(books::published(n)))
        }
        ["cover", file] => {
            let n = book_number(file.strip_suffix(".svg")?)?;
            Some(Reply::ok(SVG, covers::cover(n), Some(books::published(n))))
        }
        ["basket", _, ..] => page(pages::basket(root), None),
        ["robots.txt"] => Some(Reply::ok(TEXT, feeds::robots(origin), None)),
        ["sitemap.xml"] => Some(Reply::ok(XML, feeds::sitemap(origin), None)),
        ["feed.xml"] => Some(Reply::ok(RSS, feeds::feed(origin), None)),
        _ => None,
    }
}

fn listing(root: &str, of: pages::Of, number: u32) -> Reply {
    let books = of.books(number);
    let modified = (!books.is_empty()).then(|| feeds::newest(&books));
    Reply::ok(HTML, pages::listing(root, of, number), modified)
}

/// A number from 1 in its only spelling; `007` and `+7` would be other addresses of the same page.
fn number(text: &str) -> Option<u32> {
    text.starts_with(|c: char| matches!(c, '1'..='9')).then(|| text.parse().ok())?
}

fn book_number(text: &str) -> Option<u32> {
    number(text).filter(|n| (1..=BOOKS).contains(n))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use url::Url;

    use super::*;
    use crate::demo::{SHELVES, book};

    const ORIGIN: &str = "http://127.0.0.1:8000";

    fn get(path: &str) -> Reply {
        answer(path, ORIGIN)
    }

    /// Where the links and pictures of a page lead: paths, resolved as a browser does.
    fn links(path: &str) -> Vec<String> {
        let base = Url::parse(ORIGIN).unwrap().join(path).unwrap();
        let body = get(path).body;
        [" href=\"", " src=\""]
            .iter()
            .flat_map(|attribute| body.split(attribute).skip(1))
            .map(|rest| base.join(rest.split('"').next().unwrap()).unwrap().path().to_owned())
            .collect()
    }

    #[test]
    fn every_link_of_every_page_leads_to_a_page() {
        let mut seen = HashSet::from(["/".to_owned()]);
        let mut todo = vec!["/".to_owned()];
        while let Some(path) = todo.pop() {
            let reply = get(&path);
            assert_eq!(reply.status, 200, "{path}");
            if reply.content_type == HTML {
                todo.extend(links(&path).into_iter().filter(|link| seen.insert(link.clone())));
            }
        }
        for n in 1..=50 {
            assert!(seen.contains(&format!("/page/{n}")), "listing {n} is reached");
        }
        for n in 1..=1000 {
            assert!(seen.contains(&format!("/book/{n}")), "book {n} is reached");
            assert!(seen.contains(&format!("/cover/{n}.svg")), "cover {n} is reached");
        }
        assert!(SHELVES.iter().all(|shelf| seen.contains(&format!("/shelf/{}/4", shelf.slug))));
    }

    #[test]
    fn listings_have_twenty_books_each_and_all_once() {
        let mut numbers = Vec::new();
        for n in 1..=50 {
            let body = get(&format!("/page/{n}")).body;
            assert_eq!(body.matches("<article class=\"book\">").count(), 20);
            let hrefs = body.split("<h3><a href=\"../book/").skip(1);
            numbers.extend(hrefs.map(|rest| rest.split('"').next().unwrap().parse::<u32>().unwrap()));
        }
        assert_eq!(numbers, (1..=1000).collect::<Vec<_>>());
    }

    #[test]
    fn past_the_last_listing_there_is_an_empty_one() {
        for path in ["/page/51", "/page/4294967295", "/shelf/music/5"] {
            let reply = get(path);
            assert_eq!(reply.status, 200, "{path}");
            assert!(!reply.body.contains("<article"), "{path}");
            assert!(!reply.body.contains("rel=\"next\""), "{path}");
        }
        assert!(links("/page/99").contains(&"/page/50".to_owned()));
    }

    #[test]
    fn the_last_listing_has_no_next_and_the_first_no_previous() {
        assert!(!get("/page/50").body.contains("rel=\"next\""));
        assert!(!get("/page/1").body.contains("rel=\"prev\""));
        assert!(get("/page/1").body.contains("rel=\"next\" href=\"../page/2\""));
    }

    #[test]
    fn what_is_not_there_is_404() {
        for path in [
            "/page/0",
            "/page/01",
            "/page/+1",
            "/page/",
            "/page",
            "/page/1/",
            "/page/4294967296",
            "/book/1001",
            "/book/0",
            "/cover/1.png",
            "/shelf/nowhere",
            "/shelf",
            "/basket",
            "/favicon.ico",
            "//",
            "",
            "/%70age/1",
        ] {
            assert_eq!(get(path).status, 404, "{path}");
        }
    }

    #[test]
    fn titles_are_escaped_where_they_stand() {
        let quoted = (1..=1000).find(|&n| book(n).title.starts_with('"')).unwrap();
        let tagged = (1..=1000).find(|&n| book(n).title.starts_with('<')).unwrap();
        for n in [quoted, tagged] {
            let listing = get(&format!("/page/{}", n.div_ceil(20))).body;
            for body in [&listing, &get(&format!("/book/{n}")).body] {
                assert!(!body.contains(&book(n).title), "raw markup of book {n}");
            }
            let escaped = book(n).title.replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            assert!(listing.contains(&format!("title=\"{escaped}\"")));
        }
    }

    #[test]
    fn a_book_page_shows_the_facts() {
        let (body, book) = (get("/book/2").body, book(2));
        let row = |name: &str, value: &str| format!("<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>");
        assert!(body.contains(&row("UPC", &book.upc)));
        assert!(body.contains(&row("Price", &book.price())));
        assert!(body.contains(&row("Stock", &book.stock.to_string())));
        assert!(body.contains(&format!("class=\"rating {}\"", book.rating_word())));
    }
}
