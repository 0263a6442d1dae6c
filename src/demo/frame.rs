//! What all HTML pages share: head, style, header, footer, and the writing into a string.
//!
//! `root` is the way from a page back to `/`: `./`, `../`, `../../`, or `/` where the depth is not known.

use std::fmt::{self, Write};

use super::escape::Escaped;

const STYLE: &str = include_str!("style.css");

/// Bytes to begin with: a listing's length, so that its string grows once at most.
const USUAL_BYTES: usize = 24 << 10;

/// Writes a text of any kind; the one place that knows that a `String` takes everything.
pub(super) fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut text = String::with_capacity(USUAL_BYTES);
    write(&mut text).expect("a String takes all that is written to it");
    text
}

/// A whole page around what `main` writes.
pub(super) fn page(root: &str, title: &str, main: impl FnOnce(&mut String) -> fmt::Result) -> String {
    written(|html| {
        let title = Escaped(title);
        write!(
            html,
            r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} | The Paper Mill Bookshop</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" type="image/svg+xml" href="{root}cover/1.svg">
<link rel="alternate" type="application/rss+xml" title="New books" href="{root}feed.xml">
<style>
{STYLE}</style>
</head>
<body>
<header>
  <a class="brand" href="{root}">The Paper Mill Bookshop</a>
  <nav aria-label="Site">
    <ul>
      <li><a href="{root}page/1">All books</a></li>
      <li><a href="{root}#shelves">Shelves</a></li>
      <li><a href="{root}basket/" rel="nofollow">Basket</a></li>
    </ul>
  </nav>
</header>
<main>
"#
        )?;
        main(html)?;
        html.write_str(
            r"</main>
<footer>
  <p>A practice site for crawlers. Nothing here is for sale, and no author exists.</p>
</footer>
</body>
</html>
",
        )
    })
}
