//! The pages for machines: robots.txt, sitemap and feed. They need the shop's own address, since all three must name
//! absolute URLs; `origin` is `http://127.0.0.1:PORT`.

use std::cmp::Reverse;
use std::fmt::Write;

use super::books::{book, published};
use super::date::Date;
use super::escape::Escaped;
use super::frame::written;
use super::pages::Of;
use super::{BOOKS, LISTINGS};

/// Books in the feed.
const NEWEST: usize = 20;

/// RFC 9309, and the `Sitemap` line of sitemaps.org.
pub(super) fn robots(origin: &str) -> String {
    format!("User-agent: *\nDisallow: /basket/\n\nSitemap: {origin}/sitemap.xml\n")
}

/// All listings and all books, as sitemaps.org has it.
pub(super) fn sitemap(origin: &str) -> String {
    written(|xml| {
        xml.write_str(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
        )?;
        for number in 1..=LISTINGS {
            let modified = newest(&Of::All.books(number));
            writeln!(xml, "<url><loc>{origin}/page/{number}</loc><lastmod>{modified}</lastmod></url>")?;
        }
        for number in 1..=BOOKS {
            let modified = published(number);
            writeln!(xml, "<url><loc>{origin}/book/{number}</loc><lastmod>{modified}</lastmod></url>")?;
        }
        xml.write_str("</urlset>\n")
    })
}

/// The newest books, newest first, as RSS 2.0.
pub(super) fn feed(origin: &str) -> String {
    let mut numbers: Vec<u32> = (1..=BOOKS).collect();
    numbers.sort_by_cached_key(|&n| Reverse((published(n), n)));
    numbers.truncate(NEWEST);
    written(|xml| {
        write!(
            xml,
            r#"<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0">
<channel>
<title>The Paper Mill Bookshop: new books</title>
<link>{origin}/</link>
<description>The {NEWEST} newest books of a practice site</description>
<language>en</language>
"#
        )?;
        for n in numbers {
            let book = book(n);
            let (title, about, date) = (Escaped(&book.title), book.description(), book.published.http());
            let about = Escaped(&about);
            write!(
                xml,
                "<item>\n<title>{title}</title>\n<link>{origin}/book/{n}</link>\n<guid>{origin}/book/{n}</guid>\n\
                 <pubDate>{date}</pubDate>\n<description>{about}</description>\n</item>\n"
            )?;
        }
        xml.write_str("</channel>\n</rss>\n")
    })
}

/// When the newest of these books appeared; the shop's first day if there are none.
pub(super) fn newest(books: &[u32]) -> Date {
    books.iter().map(|&n| published(n)).max().unwrap_or(Date::from_days(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "http://127.0.0.1:8000";

    fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
        text.split(open).skip(1).filter_map(|rest| rest.split(close).next()).collect()
    }

    #[test]
    fn the_sitemap_has_all_books_and_listings_and_nothing_else() {
        let xml = sitemap(ORIGIN);
        let listings = (1..=50).map(|n| format!("{ORIGIN}/page/{n}"));
        let expected: Vec<String> =
            listings.chain((1..=1000).map(|n| format!("{ORIGIN}/book/{n}"))).collect();
        assert_eq!(between(&xml, "<loc>", "</loc>"), expected);
        let dates = between(&xml, "<lastmod>", "</lastmod>");
        assert_eq!(dates.len(), 1050);
        assert_eq!(dates[50 + 6], book(7).published.to_string());
    }

    #[test]
    fn a_listing_is_as_new_as_its_newest_book() {
        let dates: Vec<Date> = (21..=40).map(|n| book(n).published).collect();
        let second = between(&sitemap(ORIGIN), "<lastmod>", "</lastmod>")[1].to_owned();
        assert!(dates.iter().all(|date| date.to_string() <= second));
        assert!(dates.iter().any(|date| date.to_string() == second));
    }

    #[test]
    fn the_feed_has_the_newest_first() {
        let xml = feed(ORIGIN);
        let shown: Vec<Date> = between(&xml, &format!("<guid>{ORIGIN}/book/"), "</guid>")
            .into_iter()
            .map(|n| published(n.parse().unwrap()))
            .collect();
        assert_eq!(shown.len(), 20);
        assert!(shown.is_sorted_by(|a, b| a >= b));
        let newer = (1..=BOOKS).filter(|&n| published(n) > shown[19]).count();
        assert!(newer < 20, "no newer book is missing");
    }

    #[test]
    fn robots_names_the_sitemap_at_its_real_address() {
        assert!(robots(ORIGIN).contains("\nSitemap: http://127.0.0.1:8000/sitemap.xml\n"));
        assert!(robots(ORIGIN).contains("\nDisallow: /basket/\n"));
    }
}
