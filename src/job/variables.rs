//! The variables of URLs and bodies: `var`, and `pages`, which is `--var page=`.

use std::fs::File;
use std::io::Read;

use super::layers::Layers;
use crate::mistake::{Mistake, Slip};
use crate::source::{PageRange, Variable};
use crate::written::Written;

/// A file of words larger than this is not one. They stay in memory, since each is asked for again and again.
const MOST_BYTES: u64 = 256 << 20;

/// The variables in the order of their speed, the fastest last; those of `pages` are faster than all others.
pub(super) fn build(layers: &mut Layers, pages: Option<&PageRange>) -> Vec<Variable> {
    let mut variables: Vec<Variable> = Vec::new();
    for written in layers.strongest_list("var") {
        match read(&written) {
            Ok(variable) if variables.iter().any(|known| known.name() == variable.name()) => {
                let message = format!("there are two variables `{}`", variable.name());
                layers.report(&written, Slip::new(0, message));
            }
            Ok(variable) => variables.push(variable),
            Err(slip) => layers.report(&written, slip),
        }
    }
    if let Some(pages) = pages {
        let pages = Variable::pages(pages.clone());
        match variables.iter().any(|known| known.name() == pages.name()) {
            true => {
                let mistake = Mistake::new("--pages", "the pages are given twice");
                layers.mistakes.push(mistake.with_hint("--pages is the same as --var page="));
            }
            false => variables.push(pages),
        }
    }
    variables
}

fn read(written: &Written) -> Result<Variable, Slip> {
    let Some(file) = Variable::file_of(&written.text) else { return Variable::parse(&written.text) };
    let at = written.text.len() - file.len();
    let told =
        |reason: String| Slip::new(at, reason).with_hint("@ is followed by a file with one word a line");
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes));
    opened.map_err(|error| told(error.to_string()))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(told(format!("larger than {MOST_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| told("not UTF-8".to_owned()))?;
    Variable::of_lines(&written.text, &text)
}
