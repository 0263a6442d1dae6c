//! Who a job is to the servers: its cookies.

use std::path::PathBuf;

use super::check_output;
use super::layers::Layers;
use crate::fetch::Secret;
use crate::fetch::cookies::{Jar, file, parse_cookies};
use crate::mistake::Slip;
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
