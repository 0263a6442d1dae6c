//! Who a job is to the servers: its cookies, its user names, passwords and tokens.
//!
//! What is wrong with a secret is told without it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::check_output;
use super::layers::Layers;
use crate::fetch::Secret;
use crate::fetch::cookies::{Jar, file, parse_cookies};
use crate::fetch::credentials::{Credentials, Netrc, basic, bearer};
use crate::mistake::{Mistake, Slip};
use crate::output::Target;

/// The jar to begin with; `None` if none is wanted.
pub(super) fn build_cookies(layers: &mut Layers) -> Option<Jar> {
    let wants_none = layers.switch("no-cookies");
    for name in ["load-cookies", "save-cookies"] {
        if wants_none && let Some(written) = layers.value(name) {
            let slip = Slip::new(0, "cannot go with --no-cookies").with_hint("leave one of the two out");
            layers.report(&written, slip);
        }
    }
    if wants_none {
        return None;
    }
    let Some(path) = layers.path("load-cookies") else { return Some(Jar::new()) };
    match file::load(&path) {
        Ok(jar) => Some(jar),
        Err(error) => {
            let written = layers.value("load-cookies").expect("its path was just read");
            let slip = Slip::new(0, error.to_string())
                .with_hint("a cookies.txt as curl, wget and extensions of browsers write it is wanted");
            layers.report(&written, slip);
            None
        }
    }
}

/// The user's own cookies.
pub(super) fn build_own_cookies(layers: &mut Layers) -> Vec<(String, Secret)> {
    layers.read_hidden("cookie", parse_cookies).unwrap_or_default()
}

/// Where the jar goes when the run has ended.
pub(super) fn build_save_cookies(layers: &mut Layers) -> Option<PathBuf> {
    let path = layers.path("save-cookies")?;
    check_output(layers, "save-cookies", &Target::Replace(path.clone()));
    Some(path)
}

/// User names, passwords and tokens.
pub(super) fn build_credentials(layers: &mut Layers) -> Credentials {
    let named = match layers.strongest(&["user", "bearer"]).as_slice() {
        [] => None,
        ["user"] => layers.read_hidden("user", basic),
        ["bearer"] => layers.read_hidden("bearer", bearer),
        _ => {
            let hint = "a request has one Authorization header";
            layers.mistakes.push(Mistake::new("--user", "cannot go with --bearer").with_hint(hint));
            None
        }
    };
    Credentials { named, netrc: build_netrc(layers).unwrap_or_default() }
}

fn build_netrc(layers: &mut Layers) -> Option<Netrc> {
    let wants_one = layers.switch("netrc");
    let (name, path) = match layers.path("netrc-file") {
        Some(path) => ("netrc-file", path),
        None if wants_one => match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
            Some(home) => ("netrc", Path::new(&home).join(".netrc")),
            None => {
                let hint = "say which file, as in --netrc-file FILE";
                layers.mistakes.push(Mistake::new("--netrc", "there is no HOME to look in").with_hint(hint));
                return None;
            }
        },
        None => return None,
    };
    let read = read_text(&path).and_then(|text| Netrc::parse(&text).map_err(|bad| bad.to_string()));
    read.map_err(|reason| {
        let place =
            layers.value(name).map_or_else(|| format!("--{name}"), |written| written.place.to_string());
        layers.mistakes.push(Mistake::new(place, format!("{}: {reason}", path.display())));
    })
    .ok()
}

/// Far more than any file has that people write by hand.
const MOST_BYTES: u64 = 1 << 20;

/// A text file that people write by hand.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("larger than {MOST_BYTES} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}
