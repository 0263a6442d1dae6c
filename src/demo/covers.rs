//! Covers: an SVG picture for each book, in its own colours. SVG because it is text: small, sharp, and no encoder.

use std::fmt::{self, Write};

use super::books::{Dice, book};
use super::escape::{Cut, Escaped};
use super::frame::written;

/// Columns of a line on the cover; a Chinese or Japanese character takes two.
const LINE_COLUMNS: usize = 13;

/// The cover of book `n`, 160 by 240 units.
pub(super) fn cover(n: u32) -> String {
    let book = book(n);
    let mut dice = Dice::new(n, "cover");
    let hue = dice.below(360);
    written(|svg| {
        let title = Escaped(&book.title);
        write!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 240" width="160" height="240">
<title>{title}</title>
<rect width="160" height="240" fill="hsl({hue},45%,38%)"/>
<g fill="hsl({accent},60%,62%)">
"#,
            accent = (hue + 150) % 360
        )?;
        pattern(svg, &mut dice)?;
        writeln!(
            svg,
            "</g>\n<rect x=\"14\" y=\"24\" width=\"132\" height=\"112\" rx=\"4\" fill=\"#fffaf0\"/>"
        )?;
        svg.write_str(r##"<g font-family="Georgia, serif" text-anchor="middle" fill="#2b2622">"##)?;
        let lines = lines(&book.title);
        let top = 84 - 9 * lines.len();
        for (at, line) in lines.iter().enumerate() {
            write!(
                svg,
                "\n<text x=\"80\" y=\"{}\" font-size=\"16\">{}</text>",
                top + 18 * at,
                Escaped(line)
            )?;
        }
        let author = Cut(&book.author, 22);
        write!(svg, "\n<text x=\"80\" y=\"126\" font-size=\"10\">{author}</text>\n</g>\n</svg>\n")
    })
}

/// One of four patterns, below the label.
fn pattern(svg: &mut String, dice: &mut Dice) -> fmt::Result {
    let (kind, step) = (dice.below(4), 12 + dice.below(10));
    for at in 0..160 / step + 1 {
        let x = at * step;
        match kind {
            0 => writeln!(svg, r#"<rect x="{x}" width="{}" height="240"/>"#, step / 2)?,
            1 => writeln!(svg, r#"<circle cx="{x}" cy="{}" r="{}"/>"#, 190 - x / 3, step / 2)?,
            2 => writeln!(svg, r#"<path d="M0 {} h160 v4 h-160z"/>"#, 150 + x / 2)?,
            _ => writeln!(svg, r#"<path d="M{x} 240 l{0} -{1} l{0} {1}z"/>"#, step / 2, 30 + dice.below(60))?,
        }
    }
    Ok(())
}

/// A title in lines: broken at spaces, or within a word that is too long for a line.
fn lines(title: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in title.split_inclusive(' ') {
        let width: usize = word.chars().map(columns).sum();
        if used > 0 && used + width > LINE_COLUMNS + 1 {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            if used + columns(c) > LINE_COLUMNS + usize::from(c == ' ') {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("it starts with one line").push(c);
            used += columns(c);
        }
    }
    lines
}

fn columns(c: char) -> usize {
    if u32::from(c) < 0x2E80 { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::BOOKS;

    #[test]
    fn a_title_breaks_at_spaces_and_keeps_its_characters() {
        assert_eq!(lines("A Short History of Coins"), ["A Short ", "History of ", "Coins"]);
        assert_eq!(lines("Incontrovertibly"), ["Incontroverti", "bly"]);
        assert_eq!(lines("夜明けの喫茶店"), ["夜明けの喫茶", "店"]);
    }

    #[test]
    fn every_title_fits_its_label() {
        for n in 1..=BOOKS {
            assert!(lines(&book(n).title).len() <= 5, "{}", book(n).title);
        }
    }

    #[test]
    fn every_cover_is_well_formed() {
        for n in 1..=BOOKS {
            let svg = cover(n);
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            for tag in ["g", "text", "title"] {
                let opened =
                    svg.matches(&format!("<{tag} ")).count() + svg.matches(&format!("<{tag}>")).count();
                assert_eq!(opened, svg.matches(&format!("</{tag}>")).count(), "{svg}");
            }
        }
    }
}
